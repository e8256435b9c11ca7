"""Train: set up a run, start it, watch it learn."""

import streamlit as st

from fmnist_core.store.database import StoreError
from fmnist_core.store.queue import LimitReachedError
from fmnist_core.store.run import Run
from fmnist_core.store.visitor import NotYoursError
from ui import handles, link
from ui.components.live_chart import expect_chart
from ui.forms.config_fields import fill_form, form_state, read_form, settle_form
from ui.forms.config_form import config_form, new_seed
from ui.forms.deletion import undo_notice
from ui.forms.run_address import LATEST, config_in_address, run_in_address
from ui.forms.settings_file import settings_file
from ui.guards import explaining, store_sentence
from ui.page_files import PAGES
from ui.shown_controls import shows
from ui.views.newest_run import follow_newest
from ui.views.on_a_slide import show_run_alone
from ui.views.page_title import page_title
from ui.views.run_view import show_run
from ui.visitors import may_stop, visitor, why_not


def start() -> None:
    """Ask for the run that the form shows now, or join it where it is there already, and show it."""
    dataset = handles.dataset()
    settle_form()
    try:
        key = handles.store().request(read_form(), dataset.name, dataset.fingerprint, visitor())
    except (ValueError, LimitReachedError, StoreError) as error:
        st.session_state["train.problem"] = store_sentence("The run was not started", error)
        return
    handles.shared_runs().expect_news()
    handles.dispatcher().wake()
    link.replace({"run"}, {"run": key})


def stop(run: Run) -> None:
    """Ask a run to stop; it says so itself within the epoch."""
    try:
        handles.store().cancel(run.key, by=visitor())
        handles.shared_runs().wait_until_ended([run.key])
    except (NotYoursError, StoreError) as error:
        st.session_state["train.problem"] = store_sentence("The run could not be stopped", error)


if link.is_embedded():
    show_run_alone()
    st.stop()
handles.dispatcher().expect_run(handles.dataset().fingerprint)  # whoever reads this may press Train next
page_title("train", "Is it overfitting?", form_state("train", config_in_address))
st.write("Train a small network on pictures of garments, and watch where training and validation loss part.")
with explaining("Runs cannot be shown"):
    run = run_in_address()
    stored = handles.shared_runs().runs()

if run is not None and "train.hidden" not in st.session_state:
    fill_form(run.config)  # a link shows a run together with its settings

settings, result = st.columns([1, 2], gap="large")
with settings:
    config = config_form()
    with st.container(horizontal=True):
        st.button(
            "Train",
            type="primary",
            icon=":material/play_arrow:",
            key="train.start",
            disabled=config is None,
            on_click=start,
        )
        if shows("seed"):
            st.button("New seed", icon=":material/casino:", key="train.new_seed", on_click=new_seed)
        if run is not None and run.is_active:
            st.button(
                "Stop",
                icon=":material/stop:",
                key="train.stop",
                on_click=stop,
                args=(run,),
                disabled=not may_stop(run),
                help=why_not(run),
            )
    if shows("take_away"):
        settings_file()
    if problem := st.session_state.pop("train.problem", None):
        st.error(problem, icon=":material/error:")
with result:
    if link.value("run") == LATEST:
        st.caption("This address always shows the newest run.")
        follow_newest(run)
    undo_notice("train", of_this_visit=True)
    if run is not None:
        show_run(run)
    else:
        with st.container(border=True):
            st.subheader(
                "Nothing on the bench yet" if not stored or not shows("runs") else "No run chosen", anchor=False
            )
            st.write(
                "Press **Train**. The loss begins to move here a moment later, and the curves go on when you close "
                "this page."
                if not stored or not shows("runs")
                else "Press **Train** for a new run, or choose a stored one."
            )
            if stored and shows("runs"):
                st.page_link(PAGES / "runs.py", label="All runs", icon=":material/list_alt:")
            expect_chart(key="train.library")
