"""Predict: look at single images with the probabilities that one stored run, or two, give them."""

from typing import Literal

import streamlit as st

from fmnist_core.data.evaluation_images import Part
from fmnist_core.data.image_name import ImageName
from ui import handles, link
from ui.common_answers import common_answers
from ui.forms.image_picker import PICKER_STATE, begin_order, image_picker
from ui.forms.own_picture import own_picture, show_steps
from ui.forms.run_choice import run_choice
from ui.guards import explaining
from ui.page_state import choice
from ui.shown_controls import shows
from ui.views.answer_view import SWITCH_STATE, show_answers, show_novelty, show_other_reading
from ui.views.page_title import page_title
from ui.wording import plain

Kind = Part | Literal["own"]
KINDS: dict[Kind, str] = {
    "test": "Test images",
    "validation": "Validation images",
    "own": "Your own picture",
}


def drop_image() -> None:
    """Another kind of image begins with its own first one."""
    link.replace({"image"}, {})
    st.session_state["predict.page"] = 0


begin_order()
page_title(
    "predict", "What does it see?", choice("images", "predict.kind", list(KINDS), "test"), *PICKER_STATE, *SWITCH_STATE
)
st.write("Pick an image, or bring your own, and see how sure the network is of each class.")
chosen = run_choice()
dataset = handles.dataset()

picked = None
if (named := link.value("image")) is not None:
    try:
        picked = ImageName.parse(named)
        picked.find(dataset)
    except ValueError as error:
        picked = None
        st.warning(
            f"The image in this page's address cannot be shown: {plain(str(error))}.", icon=":material/link_off:"
        )
st.session_state.setdefault("predict.kind", "test")
if picked is not None:
    st.session_state["predict.kind"] = "test" if picked.source == "test" else "validation"

kinds = list(KINDS)
if all(run.config.protocol == "article" for run in chosen.runs):
    kinds.remove("validation")  # they are the test images
if st.session_state["predict.kind"] not in kinds:
    st.session_state["predict.kind"] = "test"
if shows("images"):
    st.segmented_control(
        "Images",
        kinds,
        format_func=KINDS.__getitem__,
        required=True,
        key="predict.kind",
        persist_state="session",
        on_change=drop_image,
        help="Test images are those that no run was trained on. Validation images were held out of the training "
        "images, to choose the best epoch by.",
    )
kind: Kind = st.session_state["predict.kind"]
choose, ask = st.columns([6, 7], gap="large")
if kind == "own":
    with choose:
        own = own_picture()
    with ask:
        if own is not None:
            picture, other = own
            with explaining("The network cannot be read"):
                if other is not None:
                    show_other_reading(other, chosen)
                show_novelty(picture.pixels)
                show_answers(picture.pixels, chosen)
        else:
            with st.container(border=True):
                st.subheader("No picture yet", anchor=False)
                st.write("Draw one, choose a file or take a photo. The answer appears here at once.")
    if own is not None:
        show_steps(own[0])
    st.stop()

with explaining("The network cannot be read"):
    common = common_answers(chosen, kind)
with choose:
    if common is None:
        st.info(
            "These two runs have no validation image in common that neither was trained on. Choose the test images, "
            "or another run beside the first.",
            icon=":material/info:",
        )
        shown = picked
    else:
        shown = image_picker(common, chosen, kind, picked)
with ask:
    if shown is not None:
        pixels, label = shown.find(dataset)
        if memorised := [run for run in chosen.runs if handles.has_trained_on(run, shown)]:
            st.warning(
                f"Run {' and run '.join(str(run.number) for run in memorised)} trained on this image: what looks like "
                "skill may be memory.",
                icon=":material/school:",
            )
        with explaining("The network cannot be read"):
            show_answers(pixels, chosen, true_class=label, name=shown)
