"""Deleting runs: asked once more, only of those who may, and undone for a while."""

from collections.abc import Collection, Sequence
from itertools import groupby

import streamlit as st

from fmnist_core.results.run_names import describe, short_title
from fmnist_core.store.database import StoreError
from fmnist_core.store.deletion import UNDO_SECONDS
from fmnist_core.store.run import Run
from fmnist_core.store.visitor import NotYoursError
from fmnist_core.wording import counted, listed
from ui import handles, link
from ui.guards import explaining, store_sentence
from ui.visitors import may_stop, visitor, why_not
from ui.wording import plain

_WHAT_GOES = "its curves, networks, predictions and maps"
_UNDO_TIME = counted(round(UNDO_SECONDS / 60), "minute")
_LISTED = 4  # runs that a sentence names


def delete_button(page: str, runs: Sequence[Run]) -> None:
    """Offer to delete these runs, at least one; asks once more. Those of others stay."""
    own = [run for run in runs if may_stop(run)]
    name = f"run {runs[0].number}" if len(runs) == 1 else f"{counted(len(own), 'run')}"
    with st.popover(
        "Delete", icon=":material/delete:", disabled=not own, help=None if own else why_not(runs[0]), key=f"{page}.ask"
    ):
        others = len(runs) - len(own)
        each = "each with " if len(own) > 1 else "with "
        st.write(
            f"Delete {name}, {each}{_WHAT_GOES}, for everybody? This can be undone for {_UNDO_TIME}."
            + (" What waits or trains stops." if any(run.is_active for run in own) else "")
            + (f" {counted(others, 'run')} of somebody else's stay{'s' if others == 1 else ''}." if others else "")
        )
        st.button(
            f"Delete {name}",
            type="primary",
            key=f"{page}.delete",
            on_click=_delete,
            args=(page, [run.key for run in own]),
        )


def undo_notice(page: str, *, of_this_visit: bool = False) -> None:
    """What of the visitor's was deleted lately, perhaps only in this visit, and ways to bring it back or let it go."""
    with explaining("Deleted runs cannot be shown"):
        deleted = [run for run in handles.shared_runs().lately_deleted() if may_stop(run)]
    if of_this_visit:
        deleted = [run for run in deleted if run.key in st.session_state.get("deleted", ())]
    for place, (_, together) in enumerate(groupby(deleted, key=lambda run: round(run.changed_at or 0.0))):
        runs = list(together)
        keys = [run.key for run in runs]
        titles = [plain(short_title(run, describe(run.config))) for run in runs]
        if len(titles) > _LISTED:
            titles = [*titles[: _LISTED - 1], f"{counted(len(titles) - _LISTED + 1, 'other run')}"]
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"{page}.deleted{place}"):
            st.markdown(f":material/delete: Deleted: {listed(titles)}.", width="stretch")
            st.button(
                "Undo",
                icon=":material/undo:",
                key=f"{page}.undo{place}",
                on_click=_bring_back,
                args=(page, keys),
                help=f"Brings back all of it, until {_UNDO_TIME} after it was deleted.",
            )
            st.button(
                "Delete for good",
                key=f"{page}.purge{place}",
                on_click=_purge,
                args=(page, keys),
                help="Gives the space back now. This cannot be undone.",
            )


def _delete(page: str, keys: Collection[str]) -> None:
    try:
        handles.delete_runs(keys, visitor())
    except (NotYoursError, StoreError) as error:
        st.session_state[f"{page}.problem"] = store_sentence("Nothing was deleted", error)
        return
    st.session_state.setdefault("deleted", set()).update(keys)
    if st.query_params.get("run") in keys:
        link.replace({"run"}, {})


def _bring_back(page: str, keys: Collection[str]) -> None:
    try:
        back = handles.bring_back_runs(keys, visitor())
    except (NotYoursError, StoreError) as error:
        st.session_state[f"{page}.problem"] = store_sentence("Nothing was brought back", error)
        return
    if len(back) < len(keys):
        st.session_state[f"{page}.problem"] = (
            f"{counted(len(keys) - len(back), 'run')} could not be brought back: it took too long, or somebody else "
            "gave up or asked for the same meanwhile."
        )


def _purge(page: str, keys: Collection[str]) -> None:
    try:
        handles.purge_runs(keys, visitor())
    except (NotYoursError, StoreError) as error:
        st.session_state[f"{page}.problem"] = store_sentence("Nothing was deleted for good", error)
