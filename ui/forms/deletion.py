"""Deleting runs: asked once more, and only of those who may."""

from collections.abc import Collection, Sequence

import streamlit as st

from fmnist_core.results.run_names import describe_all
from fmnist_core.store.database import StoreError
from fmnist_core.store.run import Run
from fmnist_core.store.visitor import NotYoursError
from fmnist_core.wording import counted
from ui import handles
from ui.guards import store_sentence
from ui.visitors import may_stop, visitor, why_not

_WHAT_GOES = "its curves, networks, predictions and maps"


def delete_run(run: Run) -> None:
    """Offer to delete one run."""
    with st.popover("Delete", icon=":material/delete:", disabled=not may_stop(run), help=why_not(run)):
        st.write(
            f"Delete run {run.number} with {_WHAT_GOES}, for everybody and for good?"
            + (" It stops first." if run.is_active else "")
        )
        st.button(f"Delete run {run.number}", type="primary", key="train.delete", on_click=_delete, args=([run.key],))


def delete_several(runs: Sequence[Run]) -> None:
    """Offer to delete some of the visitor's runs."""
    own = {run.key: run for run in runs if may_stop(run)}
    names = dict(zip(own, describe_all([run.config for run in own.values()]), strict=True))
    reason = None if own else "None of these runs is yours: who asked for a run first may delete it, or an admin."
    with st.popover("Delete runs", icon=":material/delete:", disabled=not own, help=reason):
        chosen = st.multiselect(
            "Runs to delete",
            list(own),
            format_func=lambda key: f"Run {own[key].number} · {names[key]}" if key in own else key,
            key="train.to_delete",
            help=f"Each goes with {_WHAT_GOES}. Runs that wait or train stop first.",
        )
        st.button(
            f"Delete {counted(len(chosen), 'run')}",
            type="primary",
            key="train.delete_several",
            disabled=not chosen,
            on_click=_delete,
            args=(chosen,),
        )


def _delete(keys: Collection[str]) -> None:
    try:
        handles.delete_runs(keys, visitor())
    except (NotYoursError, StoreError) as error:
        st.session_state["train.problem"] = store_sentence("Nothing was deleted", error)
        return
    if st.query_params.get("run") in keys:
        del st.query_params["run"]
    st.session_state.pop("train.to_delete", None)
