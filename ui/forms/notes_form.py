"""What is written about a run: a name, a hypothesis before, a conclusion after."""

import streamlit as st

from fmnist_core.store.database import StoreError
from fmnist_core.store.notes import NAME_LIMIT, TEXT_LIMIT, Notes
from fmnist_core.store.run import Run
from fmnist_core.store.runs import RunGoneError
from fmnist_core.store.visitor import NotYoursError
from ui import handles
from ui.guards import store_sentence
from ui.visitors import may_stop, visitor

_FIELDS = ("name", "hypothesis", "conclusion")


def notes_form(page: str, run: Run) -> None:
    """Let whose run it is write about it; others read what is written."""
    with st.container():  # one place, however much there is, so that what follows stays the same elements
        if may_stop(run):
            _write(page, run)
        else:
            _read(run)
        if problem := st.session_state.pop(f"{page}.notes_problem", None):
            st.error(problem, icon=":material/error:")


def _write(page: str, run: Run) -> None:
    keys = {name: f"{page}.{name}.{run.key}" for name in _FIELDS}
    with (
        st.expander("Name and notes", icon=":material/edit_note:", key=f"{page}.notes.{run.key}"),
        st.form(f"{page}.notes_form.{run.key}", border=False),
    ):
        st.text_input(
            "Name",
            run.notes.name,
            max_chars=NAME_LIMIT,
            key=keys["name"],
            placeholder="What you call it",
            help="Stands beside the run's number wherever it is listed or drawn.",
        )
        for name, asked in (
            ("hypothesis", "What do you expect, and why?"),
            ("conclusion", "What came of it, and what next?"),
        ):
            st.text_area(
                name.capitalize(),
                getattr(run.notes, name),
                max_chars=TEXT_LIMIT,
                height=80,
                key=keys[name],
                placeholder=asked,
            )
        st.form_submit_button(
            "Save", icon=":material/save:", key=f"{page}.save.{run.key}", on_click=_save, args=(page, run.key, keys)
        )
        st.caption("Everybody who may see this server's runs can read this.")


def _read(run: Run) -> None:
    """As text, and nothing else."""
    for heading, text in (("Hypothesis", run.notes.hypothesis), ("Conclusion", run.notes.conclusion)):
        if text:
            st.caption(heading)
            st.text(text)


def _save(page: str, key: str, keys: dict[str, str]) -> None:
    try:
        notes = Notes.typed(**{name: st.session_state[field] or "" for name, field in keys.items()})
        handles.store().write_notes(key, notes, visitor())
    except (ValueError, NotYoursError, RunGoneError, StoreError) as error:
        st.session_state[f"{page}.notes_problem"] = store_sentence("Nothing was saved", error)
        return
    handles.shared_runs().expect_news()
