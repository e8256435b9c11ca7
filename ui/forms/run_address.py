"""The runs that the address names, as `?run=` does; shared by Train, Predict and Inspect."""

import re

import streamlit as st

from fmnist_core.config import PRESETS, RunConfig
from fmnist_core.results.run_names import describe
from fmnist_core.store.database import StoreError
from fmnist_core.store.run import Run, newest
from ui import handles, link

# ASCII only, and matched to the very end: other scripts' digits or a line break must not slip through.
_KEY = re.compile(r"[0-9a-f]{16}", re.ASCII)
LATEST = "latest"  # in place of a run's key: the newest run, whichever that is


def run_in_address(parameter: str = "run") -> Run | None:
    """The run that a parameter of the address names, or None. One that cannot be shown is explained in a sentence."""
    key = link.value(parameter)
    if key is None:
        return None
    if key == LATEST:
        return newest(handles.shared_runs().runs())
    if not _KEY.fullmatch(key):
        st.warning(
            "The run in this page's address is not a run's name, which has 16 characters from 0-9 and a-f. "
            "Check the link, or choose another run.",
            icon=":material/link_off:",
        )
        return None
    run = handles.shared_runs().run(key)
    if run is None and (deleted := handles.shared_runs().deleted(key)) is not None:
        st.info(
            f"Run {deleted.number} was deleted. The same settings train it again: {describe(deleted.config)}.",
            icon=":material/delete:",
        )
    elif run is None:
        st.warning(
            f"This server has no run {key}. It may have been trained on another server. "
            "Choose another run, or train a new one.",
            icon=":material/link_off:",
        )
    return run


def config_in_address() -> RunConfig:
    """What the form of Train starts from: the run that the address names, or else the lesson's, or the first preset."""
    key, run = link.value("run"), None
    try:
        if key == LATEST:
            run = newest(handles.shared_runs().runs())
        elif key is not None and _KEY.fullmatch(key):
            run = handles.shared_runs().run(key)
    except StoreError:
        pass  # which the page itself explains
    if run is not None:
        return run.config
    start: RunConfig = st.session_state.get("train.start_config", PRESETS[0].config)
    return start
