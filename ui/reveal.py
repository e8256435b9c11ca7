"""Test figures stay hidden until a visitor asks for them, run by run, and then for the whole session."""

from collections.abc import Collection

import streamlit as st

from fmnist_core.store.run import Run

WHY = (
    "The test set is for the end. Whoever chooses settings by it fits them to it, and the figure no longer says how "
    "the network does on new images."
)


def revealed() -> set[str]:
    """The keys of the runs whose test figures this visitor has asked for."""
    keys: set[str] = st.session_state.setdefault("revealed", set())
    return keys


def are_revealed(keys: Collection[str]) -> bool:
    """Whether the test figures of all these runs may be shown."""
    return revealed().issuperset(keys)


def may_show_tests(runs: Collection[Run]) -> bool:
    """Whether test figures of these runs hide nothing any more: asked for, or their validation figures all along."""
    return are_revealed([run.key for run in runs if run.config.protocol != "article"])


def reveal_button(label: str, keys: Collection[str], *, key: str) -> None:
    """The button that asks for the test figures of some runs."""
    st.button(label, icon=":material/visibility:", key=key, on_click=revealed().update, args=(keys,), help=WHY)
