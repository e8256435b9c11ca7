"""Curves against the time that training took, where they were drawn against epochs."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from fmnist_core.charts.arm_curves import ArmCurves

Clock = Mapping[int, float]  # seconds of training until each epoch had ended


def clock_of(runs: Sequence[pd.DataFrame]) -> Clock:
    """An arm's clock: the mean over those of its runs that have the epoch. Evaluation counts as training does."""
    ended = [pd.Series(run["seconds"].cumsum().to_numpy(), index=run["epoch"].to_numpy()) for run in runs if len(run)]
    if not ended:
        return {}
    mean = pd.concat(ended, axis=1).mean(axis=1)
    return {int(epoch): float(seconds) for epoch, seconds in mean.items()}  # type: ignore[call-overload]


def put_on_seconds(figures: Sequence[go.Figure], arms: Sequence[ArmCurves]) -> None:
    """Move what `arm_panels` or `overlay` drew at an epoch to when that epoch had ended, and let the axes say so.

    Published curves, of which no seconds are known, are taken out of view.
    """
    clocks = [clock_of(arm.runs) for arm in arms]
    longest = max((seconds for clock in clocks for seconds in clock.values()), default=1.0)
    if len(figures) == len(arms) > 1:
        for figure, clock in zip(figures, clocks, strict=True):
            _put(figure, {None: clock}, longest)
    else:
        (figure,) = figures
        _put(figure, {arm.name: clock for arm, clock in zip(arms, clocks, strict=True)}, longest)


def _put(figure: go.Figure, clocks: Mapping[str | None, Clock], longest: float) -> None:
    """`clocks` gives each arm's by the `legendgroup` of its traces, None for traces without one."""
    for trace in figure.data:
        clock = clocks.get(trace.legendgroup, {})
        if trace.x is not None and any(value is not None for value in trace.x):
            known = all(value in clock for value in trace.x)
            trace.x = [round(clock[value], 2) for value in trace.x] if known else []
            if not known:
                trace.y = []
    own = clocks.get(None, {})
    for shape in figure.layout.shapes:
        if shape.xref in {None, "x"} and shape.x0 in own:
            shape.x0 = shape.x1 = own[shape.x0]
    for note in figure.layout.annotations:
        if note.xref in {None, "x"} and note.x in own:
            note.x = own[note.x]
    style_seconds_axis(figure, longest)
    figure.update_layout(uirevision=f"{figure.layout.uirevision} seconds")


def style_seconds_axis(figure: go.Figure, longest: float) -> None:
    """Let the x axis of a figure that was styled for epochs span the seconds from 0 to `longest`."""
    axis: dict[str, Any] = {
        "title": {"text": "Seconds of training", "standoff": 8},
        "range": [0, 1.04 * longest],
        "autorangeoptions": {"minallowed": 0, "maxallowed": 1.04 * longest},
        "unifiedhovertitle_text": "%{x:.3~g} s",
        "dtick": None,
        "nticks": 8,
    }
    figure.update_xaxes(**axis)
