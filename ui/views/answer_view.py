"""What the chosen runs say of one image: the verdicts, the probabilities, and three ways to look inside."""

import numpy as np
import numpy.typing as npt
import streamlit as st

from fmnist_core.charts.answer_chart import Answer, answer_chart, chart_height
from fmnist_core.data.dataset import CLASSES
from fmnist_core.data.evaluation_images import Part
from fmnist_core.data.image_name import ImageName
from fmnist_core.network.stored_network import StoredNetwork
from fmnist_core.pictures.own_picture import Prepared
from fmnist_core.pictures.png import SIDE, png_image, relevance_overlay
from fmnist_core.results.side_by_side import cause, less_dropout_first
from fmnist_core.store.run import Run
from fmnist_core.wording import percentage
from ui import handles
from ui.components.live_chart import live_chart
from ui.forms.run_choice import Chosen
from ui.page_state import switch

PASSES = 50
SWITCH_STATE = (switch("often", "predict.passes"), switch("pixels", "predict.pixels"))
_SCALE = 7  # 28 pixels become 196

Image = npt.NDArray[np.uint8]


def show_answers(image: Image, chosen: Chosen, *, true_class: int | None = None, name: ImageName | None = None) -> None:
    """Draw the answers of all chosen runs to `image`, uint8 (28, 28).

    `true_class` is known, and `name` given, for images of the data set: only their replays are stored.
    """
    answers = [_answer(run, chosen, image, name) for run in chosen.runs]
    with st.container(horizontal=True, key="predict.pick", gap="medium"):
        with st.container(width=200):
            st.image(png_image(image, scale=_SCALE), width="content", alt="The image, enlarged")
            st.caption(_title(name, true_class))
        with st.container(width="stretch", key="predict.verdicts"):
            _verdicts(chosen, answers, true_class)
    ask_often, show_pixels = _switches()
    if show_pixels:
        _pixels(image, chosen, answers)
    spreads = [_network(run, chosen).dropout_passes(image, PASSES) if ask_often else None for run in chosen.runs]
    _chart(chosen, answers, spreads, true_class, name)


def show_other_reading(other: Prepared, chosen: Chosen) -> None:
    """Say that the picture can be read in two ways, and what the runs say of the other one."""
    answers = [_network(run, chosen).probabilities(other.pixels[np.newaxis])[0] for run in chosen.runs]
    said = "; ".join(
        f"{heading}: **{CLASSES[int(answer.argmax())]}**, {percentage(float(answer.max()))}"
        for heading, answer in zip(chosen.headings, answers, strict=True)
    )
    garment = "dark" if other.inverted else "pale"
    with st.container(horizontal=True, key="predict.other", gap="medium"):
        with st.container(width=3 * SIDE):
            st.image(png_image(other.pixels, scale=3), width="content", alt=f"The picture, read as a {garment} garment")
        with st.container(width="stretch"):
            st.warning(
                "Parts of the picture are darker than its background, others paler: the answers below are one "
                f"reading. Read as a {garment} garment instead: {said}.",
                icon=":material/contrast:",
            )


def show_novelty(image: Image) -> None:
    """Say so where `image`, uint8 (28, 28), is unlike all training images."""
    if handles.novelty_detector(handles.dataset().fingerprint).novel(image[np.newaxis])[0]:
        st.warning(
            "This picture is unlike any training image, so the answer may mean nothing, however sure it looks. Below "
            "is what the network sees. Is it one garment, pale on black?",
            icon=":material/help_center:",
        )


def _network(run: Run, chosen: Chosen) -> StoredNetwork:
    return handles.network(run.key, chosen.kind, run.epoch_of(chosen.kind))


def _answer(run: Run, chosen: Chosen, image: Image, name: ImageName | None) -> npt.NDArray[np.float32]:
    """A run's probabilities (10,): for an image that it is evaluated on they are there already, for the grid."""
    if name is not None:
        part = _part(name)
        row = handles.evaluation_images_of(run, part).row(name)
        if row is not None:
            answers = handles.probabilities_of(run.key, chosen.kind, run.epoch_of(chosen.kind), part)
            known: npt.NDArray[np.float32] = answers[row]
            return known
    asked: npt.NDArray[np.float32] = _network(run, chosen).probabilities(image[np.newaxis])[0]
    return asked


def _part(name: ImageName) -> Part:
    return "test" if name.source == "test" else "validation"


def _title(name: ImageName | None, true_class: int | None) -> str:
    if name is None or true_class is None:
        return "What the network sees"
    return f"{name.title} · true class **{CLASSES[true_class]}**"


def _verdicts(chosen: Chosen, answers: list[npt.NDArray[np.float32]], true_class: int | None) -> None:
    for heading, answer in zip(chosen.headings, answers, strict=True):
        top = int(answer.argmax())
        words = f"**{CLASSES[top]}**, {percentage(float(answer[top]))}"
        if true_class is None:
            st.info(f"{heading}: {words}", icon=":material/help:")
        elif top == true_class:
            st.success(f"{heading}: right, {words}", icon=":material/check:")
        else:
            st.error(f"{heading}: wrong, {words}", icon=":material/close:")
    if len(chosen.runs) == 2 and true_class is not None:
        st.markdown(_comparison(chosen, [int(answer.argmax()) == true_class for answer in answers]))


def _comparison(chosen: Chosen, right: list[bool]) -> str:
    """Two verdicts in a word, told from the run with less dropout."""
    baseline, other = less_dropout_first(*chosen.runs)
    before, after = right if baseline == chosen.runs[0] else right[::-1]
    if before == after:
        return "Both are right." if before else "Both are wrong."
    return f"{cause(baseline, other)} {'fixed' if after else 'broke'} it."


def _switches() -> tuple[bool, bool]:
    with st.container(horizontal=True):
        ask_often = st.toggle(
            f"Ask {PASSES} times with dropout on",
            key="predict.passes",
            persist_state="session",
            help="Each time other hidden units are switched off, as in training, and the answer changes a little. "
            "Known as Monte Carlo dropout.",
        )
        show_pixels = st.toggle(
            "Show which pixels mattered",
            key="predict.pixels",
            persist_state="session",
            help="Gradient times input: how much the class's logit would fall if a pixel went black, by its slope at "
            "this image. The softmax makes probabilities of the logits.",
        )
    return ask_often, show_pixels


def _pixels(image: Image, chosen: Chosen, answers: list[npt.NDArray[np.float32]]) -> None:
    with st.container(horizontal=True, gap="medium"):
        for run, answer in zip(chosen.runs, answers, strict=True):
            top = int(answer.argmax())
            overlay = relevance_overlay(image, _network(run, chosen).relevance(image, top), scale=_SCALE)
            with st.container(width=200):
                st.image(overlay, width="content", alt=f"Pixels that mattered to run {run.number}")
                st.caption(f"Run {run.number}: what speaks for **{CLASSES[top]}**")
    st.caption(
        ":material/info: Orange pixels speak for the run's answer, blue ones against it; black ones count nothing. "
        "Each picture has its own scale."
    )


def _chart(
    chosen: Chosen,
    answers: list[npt.NDArray[np.float32]],
    spreads: list[npt.NDArray[np.float32] | None],
    true_class: int | None,
    name: ImageName | None,
) -> None:
    asked_often = spreads[0] is not None
    epochs = {} if asked_often or name is None else _replay(chosen, name)
    figure = answer_chart(
        [
            Answer(run_name, colour, answer, spread)
            for run_name, colour, answer, spread in zip(chosen.names, chosen.colours, answers, spreads, strict=True)
        ],
        CLASSES,
        true_class=true_class,
        replay=epochs,
    )
    if epochs:
        shown = chosen.runs[0].epoch_of(chosen.kind)
        kind = "Best epoch" if chosen.kind == "best" else "Last epoch"
        # A run that went on may lack the epochs that it trained before the lab stored predictions.
        start = {"start_frame": sorted(epochs).index(shown)} if shown in epochs else {}
        figure.update_layout(meta={"start_label": kind, **start})
    live_chart(
        figure,
        key="predict.bars",
        height=chart_height(len(answers)),
        alt="Probabilities of the ten classes: "
        + "; ".join(
            f"{run_name}: {CLASSES[int(answer.argmax())]} {percentage(float(answer.max()))}"
            for run_name, answer in zip(chosen.names, answers, strict=True)
        ),
    )
    if asked_often:
        dropped = "units or pixels" if any(run.config.input_dropout for run in chosen.runs) else "units"
        st.caption(
            f"Each dot is one answer with other {dropped} switched off, the bar the answer with all of them on. Where "
            f"the dots scatter, the answer hangs on few {dropped}, however sure the bar looks."
            + "".join(
                f" Run {run.number} was trained without dropout: its {PASSES} answers are all the same."
                for run in chosen.runs
                if run.config.dropout == run.config.input_dropout == 0
            )
        )
    elif epochs:
        st.caption(
            "Move the slider to see how the answer came about, epoch by epoch.",
            help="Each epoch's answers to all validation and test images are stored with the run: about 0.12 MB an "
            "epoch, whatever the size of the network.",
        )
    elif name is not None:
        st.caption("No replay: these runs were stored before the lab kept one, or were not evaluated on this image.")


def _replay(chosen: Chosen, name: ImageName) -> dict[int, list[npt.NDArray[np.float32] | None]]:
    """Epoch -> each run's probabilities (10,), None where a run has none; empty where the first run has none."""
    part = _part(name)
    stored = []
    for run in chosen.runs:
        replay, row = (
            handles.replay_of(run.key, run.epochs_done, part),
            handles.evaluation_images_of(run, part).row(name),
        )
        stored.append({} if replay is None or row is None else replay.of(row))
    return {epoch: [run.get(epoch) for run in stored] for epoch in sorted(set().union(*stored))} if stored[0] else {}
