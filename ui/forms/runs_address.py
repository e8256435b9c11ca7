"""What the Runs page shows, in its address: what is looked for, which runs are selected, and how their curves look."""

import re
from collections.abc import Mapping, Sequence
from typing import get_args

import streamlit as st

from fmnist_core.charts.run_curves import Part
from fmnist_core.results.run_filter import PRESET_CHOICES
from fmnist_core.results.run_names import STATUS_WORDS
from ui.forms.curve_fields import AXES, METRICS
from ui.page_state import PageState, choice, switch

WORDS_LIMIT = 100  # characters
SMOOTHINGS = tuple(tenths / 10 for tenths in range(10))
_MOST_RUNS = 110  # of the selected ones that an address names: browsers and chats cut what is much longer
_KEYS = re.compile(r"[0-9a-f]{16}(?:,[0-9a-f]{16})*", re.ASCII)


def select(keys: Sequence[str]) -> None:
    """Select the runs with these keys, and no others."""
    st.session_state["runs.chosen"] = list(keys)
    # A table keeps its own selection: with another it must be another table.
    st.session_state["runs.fresh"] = st.session_state.get("runs.fresh", 0) + 1


def _say_words() -> dict[str, str]:
    words = (st.session_state.get("runs.find") or "").strip()
    return {"find": words} if words else {}


def _take_words(said: Mapping[str, str]) -> None:
    words = said.get("find", "")
    if len(words) > WORDS_LIMIT:
        raise ValueError(f"find must have at most {WORDS_LIMIT} characters, got {len(words)}")
    st.session_state["runs.find"] = words


def _say_states() -> dict[str, str]:
    states = st.session_state.get("runs.states") or []
    return {"state": ",".join(states)} if states else {}


def _take_states(said: Mapping[str, str]) -> None:
    states = said["state"].split(",") if "state" in said else []
    if unknown := [state for state in states if state not in STATUS_WORDS]:
        raise ValueError(f"state must be one or more of {', '.join(STATUS_WORDS)}, got {unknown[0][:40]!r}")
    st.session_state["runs.states"] = states


def _say_chosen() -> dict[str, str]:
    chosen = st.session_state.get("runs.chosen") or []
    return {"runs": ",".join(chosen[:_MOST_RUNS])} if chosen else {}


def _take_chosen(said: Mapping[str, str]) -> None:
    text = said.get("runs")
    if text is not None and not _KEYS.fullmatch(text):
        raise ValueError(f"runs must be names of runs, 16 characters from 0-9 and a-f each, got {text[:40]!r}")
    select(list(dict.fromkeys(text.split(","))) if text else [])


RUNS_STATE = (
    PageState({"find"}, _say_words, _take_words),
    PageState({"state"}, _say_states, _take_states),
    choice("preset", "runs.preset", PRESET_CHOICES, None),
    switch("mine", "runs.mine"),
    PageState({"runs"}, _say_chosen, _take_chosen),
    choice("curves", "runs.metric", list(METRICS), "loss"),
    choice("on", "runs.part", get_args(Part), "validation"),
    choice("over", "runs.axis", list(AXES), "epochs"),
    choice("smoothing", "runs.smoothing", SMOOTHINGS, 0.0),
)
