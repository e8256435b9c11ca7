"""All stored runs: the list, and those that are selected side by side."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from fmnist_core.results.csv_text import csv_text
from fmnist_core.results.run_table import run_table
from fmnist_core.store.run import Run
from fmnist_core.store.shared_runs import version
from fmnist_core.wording import counted
from ui import drawn_once, handles
from ui.components.news import News, news_bar
from ui.forms.deletion import undo_notice
from ui.forms.run_filter_form import choose_runs, filter_form
from ui.forms.runs_address import RUNS_STATE, select
from ui.guards import explaining
from ui.page_files import PAGES
from ui.page_state import keep_in_address
from ui.views.chosen_runs import show_chosen

_NEWS_SECONDS = 3.0


@st.fragment
def show_runs() -> None:
    """Draw the list and what is selected in it, and keep both up to date while anything trains."""
    with explaining("Runs cannot be shown"):
        shared = handles.shared_runs()
        runs = shared.runs()
        table = drawn_once.run_table_of(runs, shared.of_all(version))
    _watch(runs)
    keep_in_address("runs", *RUNS_STATE, key="runs.state_address")  # this runs without the page around it
    undo_notice("runs")
    if problem := st.session_state.pop("runs.problem", None):
        st.error(problem, icon=":material/error:")
    if said := st.session_state.pop("runs.said", None):
        st.success(said, icon=":material/check:")
    if not runs:
        with st.container(border=True):
            st.subheader("No run yet", anchor=False)
            st.write("Train one first: the Quick preset takes a few seconds.")
            st.page_link(PAGES / "train.py", label="Go to Train", icon=":material/model_training:")
        return
    listed = filter_form(runs)
    chosen = choose_runs(table.loc[[run.key for run in listed]])
    by_key = {run.key: run for run in runs}
    selected = [by_key[key] for key in chosen if key in by_key]
    if unknown := [key for key in chosen if key not in by_key and shared.deleted(key) is None]:
        verb = "is" if len(unknown) == 1 else "are"
        st.info(f"{counted(len(unknown), 'run')} of the link {verb} not stored here.", icon=":material/link_off:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_count(runs, listed, selected), width="content")
        if selected:
            st.button("Select none", type="tertiary", key="runs.clear", on_click=select, args=([],))
        st.download_button(
            "Download as CSV",
            partial(_csv, listed),
            file_name="runs.csv",
            mime="text/csv",
            icon=":material/download:",
            key="runs.csv",
            help="The runs that are listed, all columns.",
        )
        st.page_link(
            PAGES / "train.py",
            label="The newest run, for a projector",
            icon=":material/cast:",
            query_params={"run": "latest"},
        )
    if selected:
        show_chosen(selected)
    else:
        st.write("Select rows at their left edge to see these runs together.")


def _csv(runs: Sequence[Run]) -> str:
    table = run_table(runs, handles.shared_runs().summaries_of(runs)).drop(columns="curve").reset_index()
    return csv_text(table)


def _count(runs: Sequence[Run], listed: Sequence[Run], selected: Sequence[Run]) -> str:
    parts = [
        counted(len(runs), "run") if len(listed) == len(runs) else f"{len(listed):,} of {counted(len(runs), 'run')}"
    ]
    if selected:
        hidden = len(selected) - len({run.key for run in selected} & {run.key for run in listed})
        parts.append(f"{len(selected)} selected" + (f", {hidden} of them not listed" if hidden else ""))
    for status, words in (("running", "in training"), ("queued", "waiting")):
        if count := sum(run.status == status for run in runs):
            parts.append(f"{count} {words}")
    return " · ".join(parts)


def _watch(runs: Sequence[Run]) -> None:
    """Draw this again where any run is another; while none trains, seldom: somebody may start one elsewhere."""
    news_bar(
        "all runs",
        _news,
        key="runs.watch",
        seconds=_NEWS_SECONDS,
        is_quiet=True,
        quiet_seconds=_NEWS_SECONDS if any(run.is_active for run in runs) else None,
        version=version(runs),
    )


def _news() -> News:
    now = handles.shared_runs().of_all(version)
    return News(now, 0.0, "", now, dict)
