"""Four short explanations that open beside what they explain; the last one shows its mistake on a real run."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from fmnist_core.comparison.arms import ArmRun
from fmnist_core.comparison.factors import Factor
from fmnist_core.store.run import Run
from fmnist_core.wording import capitalised, percentage
from ui import handles
from ui.guards import explaining


def overfitting() -> None:
    """What overfitting is, and how to see it."""
    with st.popover("What is overfitting?", icon=":material/help:"):
        st.markdown(
            "A network **overfits** when it learns its training images by heart instead of what they have in common. "
            "Its loss on training images goes on falling, while its loss on images that it has not seen rises.\n\n"
            "The **gap** measures it: validation loss minus training loss, both with dropout off. Some gap is normal; "
            "one that grows epoch by epoch is not."
        )


def dropout() -> None:
    """What dropout does, and why it can help."""
    with st.popover("What is dropout?", icon=":material/help:"):
        st.markdown(
            "In each training step **dropout** switches every hidden unit off with a given chance, 0.2 say, and scales "
            "up the rest to make up for it. No unit can rely on a particular other one, so the network spreads what it "
            "knows. When it is used, all units work.\n\n"
            "It is a trade: training gets harder and slower, and the network less sure of itself. Whether that helps "
            "on new images is what this page measures."
        )


def harder_training() -> None:
    """Why the training loss looks worse with dropout on."""
    with st.popover("Why does training loss look worse with dropout?", icon=":material/help:"):
        st.markdown(
            "The dotted curve is the loss **as trained**: with units switched off, and averaged over an epoch in which "
            "the weights still changed. The dashed curve is the loss of the whole network **as evaluated**, after the "
            "epoch, on up to 10,000 training images. Only the dashed one may be compared with validation loss, which "
            "is measured the same way. With dropout the dotted curve can even lie above validation."
        )


def evaluation_mode(runs: Sequence[ArmRun], factor: Factor) -> None:
    """Why model.eval() matters, with a switch that leaves dropout on; nothing is computed before it is used."""
    popover = st.popover(
        "Why does model.eval() matter?", icon=":material/help:", key="compare.evaluation_mode", on_change="rerun"
    )
    if not popover.open:
        return
    with popover:
        st.markdown(
            "`model.eval()` tells the network that it is used now, not trained: dropout is off, and batch "
            "normalisation uses what it learnt. Whoever forgets it measures a crippled network, and gets another "
            "figure each time."
        )
        # Streamlit compares a choice with the one before, which frames of epochs do not bear: hence their names.
        candidates: dict[str, tuple[Run, pd.DataFrame]] = {
            f"{capitalised(factor.arm_name(arm.level))}, seed {arm.seed}": (arm.run, arm.epochs)
            for arm in runs
            if arm.run is not None and arm.run.best_epoch is not None and arm.run.config.dropout > 0
        }
        if not candidates:
            st.caption("Once a run with dropout has an epoch, a switch here shows the damage.")
            return
        run, epochs = candidates[st.selectbox("Run", list(candidates), key="compare.forgetful_run")]
        left_on = st.toggle("Leave dropout on while evaluating", key="compare.forget")
        best = epochs[epochs["epoch"] == run.epoch_of("best")]
        right_loss, right_accuracy = best["validation_loss"].item(), best["validation_accuracy"].item()
        loss, accuracy = st.columns(2)
        if left_on:
            with explaining("The network cannot be read"):
                wrong = handles.forgetful_evaluation(run.key, run.epoch_of("best"))
            loss.metric(
                "Validation loss", f"{wrong.loss:.3f}", f"{wrong.loss - right_loss:+.3f}", delta_color="inverse"
            )
            accuracy.metric(
                "Validation accuracy",
                percentage(wrong.accuracy),
                f"{100 * (wrong.accuracy - right_accuracy):+.1f} points",
            )
        else:
            loss.metric("Validation loss", f"{right_loss:.3f}")
            accuracy.metric("Validation accuracy", percentage(right_accuracy))
        st.caption(f"The network of the best epoch ({run.best_epoch}), on the same images.")
