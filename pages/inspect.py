"""Inspect: what one run, or two side by side, get wrong, how sure they are, and what they look for."""

import streamlit as st

from fmnist_core.data.evaluation_images import Part
from ui import link
from ui.common_answers import common_answers
from ui.forms.run_choice import go_to_wanted_image, run_choice
from ui.guards import explaining
from ui.page_state import choice
from ui.reveal import may_show_tests, reveal_button
from ui.shown_controls import shows
from ui.views.inspect_views import MAP_STATE, show_confidence, show_doubtful_labels, show_first_layer, show_map
from ui.views.mistakes_view import MISTAKES_STATE, show_mistakes
from ui.views.page_title import page_title

PARTS: dict[Part, str] = {"validation": "Validation images", "test": "Test images"}
VIEWS = {
    "Mistakes": show_mistakes,
    "Confidence": show_confidence,
    "Doubtful labels": show_doubtful_labels,
    "First layer": show_first_layer,
    "Map": show_map,
}


def put_view_in_address() -> None:
    """Let the address name the view that is shown. Not by binding: what is bound cannot be handed on to Predict."""
    link.replace({"view"}, {"view": st.session_state["inspect.view"]})


page_title(
    "inspect",
    "What does it get wrong?",
    choice("on", "inspect.part", list(PARTS), "validation"),
    *MISTAKES_STATE,
    MAP_STATE,
)
st.write("Which classes a network confuses, how far its confidence can be trusted, and what it looks at.")
chosen = run_choice()
go_to_wanted_image(chosen)
st.session_state.setdefault("inspect.part", "validation")
if shows("part"):
    st.segmented_control(
        "Evaluated on",
        list(PARTS),
        format_func=PARTS.__getitem__,
        required=True,
        key="inspect.part",
        persist_state="session",
        help="Validation images were held out of the training images. Runs that follow the article validate on the "
        "test images, which makes their best epoch look better than it is.",
    )
part: Part = st.session_state["inspect.part"]
keys = [run.key for run in chosen.runs]
if part == "test" and not may_show_tests(chosen.runs):
    with st.container(border=True):
        st.subheader("Test figures are hidden", anchor=False)
        st.write("Choose by the validation images; look at the test images once, at the end.")
        reveal_button("Reveal test figures", keys, key="inspect.reveal")
    st.stop()
with explaining("The network cannot be read"):
    common = common_answers(chosen, part)
if common is None:
    st.info(
        "These two runs have no validation image in common that neither was trained on: one of them follows the "
        "article, and trained on all that the other held out. Choose the test images, or another run beside the first.",
        icon=":material/info:",
    )
    st.stop()
if common.images.source == "train":
    about = "validation images, held out by both runs" if len(keys) > 1 else "validation images"
else:
    about = "test images" if part == "test" else "test images, on which the article validates"
st.caption(f"{len(common.images):,} {about}.")
if (view := link.value("view")) in VIEWS:
    st.session_state["inspect.view"] = view
if not shows("views"):
    with explaining("This cannot be shown"):
        VIEWS[st.session_state.get("inspect.view", "Mistakes")](chosen, part, common)
    st.stop()
tabs = st.tabs(list(VIEWS), key="inspect.view", on_change=put_view_in_address)
for tab, show in zip(tabs, VIEWS.values(), strict=True):
    if tab.open:
        with tab, explaining("This cannot be shown"):
            show(chosen, part, common)
