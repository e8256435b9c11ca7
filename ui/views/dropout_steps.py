"""Dropout made visible: the thinned network that each image of a training step met, beside the whole one."""

import streamlit as st

from fmnist_core.charts.colours import run_colour
from fmnist_core.charts.thinned_network import MOST_UNITS, thinned_network, thinned_network_words
from fmnist_core.data.dataset import CLASSES
from fmnist_core.data.split import training_image_count
from fmnist_core.network.dropout_steps import shown_batches
from fmnist_core.pictures.png import png_image
from fmnist_core.store.run import Run
from ui import handles
from ui.components.live_chart import live_chart
from ui.guards import explaining


def dropout_steps(run: Run, *, unfolded: bool = False) -> None:
    """Offer to step through what a run's dropout drew; nothing where it has none, or has no network yet."""
    if run.config.dropout and run.best_epoch is not None and handles.has_matching_data(run):
        with st.expander("See dropout at work, step by step", icon=":material/blur_on:", expanded=unfolded):
            st.fragment(_steps)(run)


def _steps(run: Run) -> None:
    if sum(run.config.hidden) > MOST_UNITS:
        st.write(f"This network has {sum(run.config.hidden):,} hidden units, too many to draw: {MOST_UNITS:,} at most.")
        return
    config = run.config
    count = config.training_images or training_image_count(handles.dataset(), config.protocol)
    batches = shown_batches(config, count)
    epoch = run.epoch_of("best")
    st.write(
        f"Each image of each step meets a network of its own, thinned by chance. These are the masks and batches that "
        f"run {run.number} drew in epoch {epoch}, its best, with the weights that it ended with."
    )
    step = _stepper("Step", "dropout.step", len(batches))
    start, stop = batches[step]
    image = _stepper("Image", "dropout.image", stop - start)
    with explaining("The network cannot be read"):
        drawn = handles.dropout_step_of(run.key, epoch, step)
    left, right = st.columns([1, 2], gap="medium")
    with left:
        st.image(png_image(drawn.images[image], scale=5), width="content", alt="The image, enlarged")
        st.caption(f"{CLASSES[int(drawn.labels[image])]}, image {image + 1} of {len(drawn.labels)} in this step")
        thinned, whole = st.columns(2)
        thinned.metric("Its loss, thinned", f"{drawn.thinned_losses[image]:.3f}")
        whole.metric("With all units", f"{drawn.whole_losses[image]:.3f}")
        st.caption(
            f"Over all {len(drawn.labels)} images of the step: {drawn.thinned_losses.mean():.3f} thinned, "
            f"{drawn.whole_losses.mean():.3f} with all units."
        )
    with right:
        kept = [layer[image] for layer in drawn.kept]
        live_chart(
            thinned_network(kept, [layer[image] for layer in drawn.units], colour=run_colour(run.number)),
            key="dropout.network",
            height=380,
            alt=thinned_network_words(kept),
        )
    more = " Pixels were dropped as well, and are in these losses." if config.input_dropout else ""
    moved = " In training the image may have been mirrored or moved." if config.flips or config.shift_pixels else ""
    st.caption(
        "A dot is a hidden unit; the layers stand from left to right. Silent units give 0 for this image by "
        f"themselves. What works is scaled up by {1 / (1 - config.dropout):.2g}.{more}{moved}"
    )


def _stepper(label: str, key: str, count: int) -> int:
    """Choose one of so many, by buttons or a slider; counted from 0."""
    state = st.session_state
    state[key] = min(max(state.get(key, 1), 1), count)

    def move(by: int) -> None:
        state[key] += by

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            f"Previous {label.lower()}",
            icon=":material/chevron_left:",
            key=f"{key}.previous",
            on_click=move,
            args=(-1,),
            disabled=state[key] <= 1,
        )
        st.button(
            f"Next {label.lower()}",
            icon=":material/chevron_right:",
            key=f"{key}.next",
            on_click=move,
            args=(1,),
            disabled=state[key] >= count,
        )
        if count > 1:
            st.slider(label, 1, count, key=key, width="stretch")
    chosen: int = state[key]
    return chosen - 1
