"""How curves are to be drawn, as Compare and Runs ask for it: of which figure, and over what."""

from typing import get_args

import streamlit as st

from fmnist_core.charts.mean_curves import CurveMetric

METRICS: dict[CurveMetric, str] = {"loss": "Loss", "accuracy": "Accuracy", "gap": "Gap"}
AXES = {"epochs": "Epochs", "seconds": "Seconds"}
assert set(METRICS) == set(get_args(CurveMetric))


def metric_field(page: str) -> CurveMetric:
    """Ask which figure the curves are of."""
    st.session_state.setdefault(f"{page}.metric", "loss")
    metric = st.segmented_control(
        "Curves of",
        list(METRICS),
        format_func=METRICS.__getitem__,
        required=True,
        key=f"{page}.metric",
        persist_state="session",
        help="The gap is validation loss minus training loss, both with dropout off.",
    )
    assert metric is not None, "one is always chosen"
    return metric


def axis_field(page: str) -> str:
    """Ask what the curves run over; one of `AXES`."""
    st.session_state.setdefault(f"{page}.axis", "epochs")
    over = st.segmented_control(
        "Over",
        list(AXES),
        format_func=AXES.__getitem__,
        required=True,
        key=f"{page}.axis",
        persist_state="session",
        help="Seconds of training with its evaluations, as this server took them: they tell how busy it was, too.",
    )
    assert over is not None, "one is always chosen"
    return over
