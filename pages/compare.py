"""Compare: does dropout help here, or whatever else differs? One experiment, its curves, its table and its answer."""

import streamlit as st

from fmnist_core.comparison.experiment import EXPERIMENT_NAMES, OFFERS, experiment_from_address, study_of
from fmnist_core.comparison.grid import Grid
from fmnist_core.comparison.study import Study
from ui import link
from ui.forms.config_fields import sentence
from ui.forms.reading_form import take_reading_from_link
from ui.forms.study_form import ARTICLE, DRAFT_STATE, ONE_CYCLE, example_study, fill_study_form, start_study, study_form
from ui.shown_controls import shows
from ui.views import explanations
from ui.views.grid_view import GRID_STATE, show_grid
from ui.views.on_a_slide import show_study_alone
from ui.views.page_title import page_title
from ui.views.study_curves import CURVES_STATE
from ui.views.study_view import show_study, stop_button

experiment = None
problem_with_link = None
if said := link.values(EXPERIMENT_NAMES):
    try:
        experiment = experiment_from_address(said)
    except ValueError as error:
        problem_with_link = f"The link does not describe an experiment. {sentence(error)}"
is_other = experiment is not None and said != st.session_state.get("compare.shown")  # a link, or the browser's Back
if is_other or "compare.levels" not in st.session_state:
    fill_study_form(experiment or experiment_from_address({}))
st.session_state["compare.shown"] = said

if link.is_embedded() and isinstance(experiment, Study):
    show_study_alone(experiment)
    st.stop()


def about() -> Study:
    """What the page is about: the comparison shown, or else one as the form would begin it."""
    return example_study() if experiment is None else study_of(experiment)


page_title("compare", lambda: about().factor.question, DRAFT_STATE, *CURVES_STATE, GRID_STATE)
st.write(f"{about().factor.purpose} {about().sharing()}")
with st.container(horizontal=True):
    explanations.overfitting()
    if about().setting == "dropout":
        explanations.dropout()
if problem_with_link:
    st.warning(problem_with_link, icon=":material/link_off:")

setup, result = st.columns([1, 3], gap="large")
with setup:
    wanted = study_form()
    with st.container(horizontal=True):
        st.button(
            "Compare",
            type="primary",
            icon=":material/balance:",
            key="compare.start",
            disabled=wanted is None,
            on_click=start_study,
            help="Trains what is not stored yet: one run a processor core, or all at once on a GPU. Closing this page "
            "stops nothing.",
        )
        if experiment is not None:
            stop_button(experiment)
    if problem := st.session_state.pop("compare.problem", None):
        st.error(problem, icon=":material/error:")
    if shows("offers"):
        st.subheader("What the learning rate does", anchor=False)
        st.write(
            "Does it matter for dropout whether the learning rate stays constant or falls to zero? Run both "
            "experiments, five seeds each, and see."
        )
        st.button(
            "Check the article (constant rate)",
            key="compare.article",
            on_click=start_study,
            args=(ARTICLE,),
            width="stretch",
        )
        st.button(
            "The same with one cycle", key="compare.one_cycle", on_click=start_study, args=(ONE_CYCLE,), width="stretch"
        )
        st.subheader("When does it help?", anchor=False)
        st.write("Three experiments across a second setting, five seeds each, some minutes on two cores. Guess first.")
        for place, offer in enumerate(OFFERS):
            st.button(
                offer.name, key=f"compare.offer{place}", on_click=start_study, args=(offer.grid,), width="stretch"
            )
with result:
    if isinstance(experiment, Grid):
        show_grid(experiment)
    elif experiment is not None:
        take_reading_from_link(experiment)
        show_study(experiment)
    else:
        with st.container(border=True):
            st.subheader("No experiment chosen", anchor=False)
            st.write("Press **Compare**. Both arms start at once, and their curves grow here side by side.")
