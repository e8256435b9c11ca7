"""How curves are to be drawn, as Compare and Runs ask for it: of which figure, and over what."""

from collections.abc import Mapping
from typing import TypeVar, get_args

import streamlit as st

from fmnist_core.charts.mean_curves import CurveMetric

METRICS: dict[CurveMetric, str] = {"loss": "Loss", "accuracy": "Accuracy", "gap": "Gap"}
AXES = {"epochs": "Epochs", "seconds": "Seconds"}
assert set(METRICS) == set(get_args(CurveMetric))

Choice = TypeVar("Choice", bound=str)


def metric_field(page: str) -> CurveMetric:
    """Ask which figure the curves are of."""
    help = "The gap is validation loss minus training loss, both with dropout off."
    return _one_of(METRICS, "Curves of", f"{page}.metric", help)


def axis_field(page: str) -> str:
    """Ask what the curves run over; one of `AXES`."""
    help = "Seconds of training with its evaluations, as this server took them: they tell how busy it was, too."
    return _one_of(AXES, "Over", f"{page}.axis", help)


def _one_of(words: Mapping[Choice, str], label: str, key: str, help: str) -> Choice:
    """Ask for one of several, which are shown by their words; the first one to begin with."""
    st.session_state.setdefault(key, next(iter(words)))
    chosen = st.segmented_control(
        label,
        list(words),
        format_func=words.__getitem__,
        required=True,
        key=key,
        persist_state="session",
        help=help,
    )
    assert chosen is not None, "one is always chosen"
    return chosen
