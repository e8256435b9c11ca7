"""Curves over seeds: their mean, the band around it, and the axes that several figures can share."""

import math
from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from fmnist_core.charts.colours import see_through
from fmnist_core.charts.style import Extent, cut_curves, extent_of_values, style, style_epoch_axis
from fmnist_core.comparison.arms import band

CurveMetric = Literal["loss", "accuracy", "gap"]

BEST_SYMBOL = "diamond"
REFERENCE_LINES: dict[str, dict[str, Any]] = {
    "train": {"width": 1.5, "dash": "dot"},
    "test": {"width": 1.5, "dash": "longdash"},
}


def best_mean_epoch(runs: Sequence[pd.DataFrame]) -> int | None:
    """The epoch with the lowest mean validation loss, among those that every run that has begun has reached."""
    mean = band(runs, "validation_loss")
    if mean.empty:
        return None
    shared = mean[mean["count"] == mean["count"].max()]
    return int(shared["epoch"].iloc[int(shared["mean"].argmin())])


def begun(runs: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """The runs that have an epoch."""
    return [run for run in runs if not run.empty]


def add_band(figure: go.Figure, mean: pd.DataFrame, colour: str, **more: Any) -> None:
    """Draw one standard deviation to either side of the mean, where more than one run has the epoch."""
    wide = mean[mean["count"] > 1]
    figure.add_scatter(
        x=[*wide["epoch"], *wide["epoch"][::-1]],
        y=[*wide["high"], *wide["low"][::-1]],
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=see_through(colour, 0.18),
        hoverinfo="skip",
        **{"showlegend": False, **more},
    )


def mean_line(mean: pd.DataFrame, seeds: int, metric: CurveMetric) -> dict[str, Any]:
    """A mean curve as a trace's x, y and hover, which tells the deviation and how many of the seeds are there yet."""
    spread = []
    for deviation, count in zip(mean["standard_deviation"], mean["count"], strict=True):
        words = "" if count < 2 else " ± " + (f"{deviation:.1%}" if metric == "accuracy" else f"{deviation:.3f}")
        spread.append(words + (f" ({int(count)} of {seeds} seeds)" if count < seeds else ""))
    return {
        "x": mean["epoch"].astype(int).tolist(),
        "y": mean["mean"].tolist(),
        "customdata": spread,
        "hovertemplate": hover_format(metric) + "%{customdata}",
    }


def extent_of(bands: Sequence[pd.DataFrame], more: Sequence[Sequence[float]], metric: CurveMetric) -> Extent | None:
    """The extent of all curves and bands; that of gaps has zero in it."""
    values = [value for frame in bands for side in ("mean", "low", "high") for value in frame[side]]
    values += [value for some in more for value in some]
    if metric == "gap" and any(map(math.isfinite, values)):
        values.append(0.0)
    return extent_of_values(values, are_losses=metric == "loss")


def style_curves(figure: go.Figure, metric: CurveMetric, total_epochs: int, extent: Extent | None) -> None:
    """Give curves their axes, from `extent` alone, so that figures with one extent look alike."""
    style(figure, margin={"l": 64, "r": 12, "t": 8, "b": 48})
    style_epoch_axis(figure, total_epochs)
    figure.update_layout(uirevision=metric, hovermode="x unified", hoverlabel_namelength=-1)
    if extent is None:
        figure.update_yaxes(range=[0, 1])
    elif extent.is_cut:
        cut_curves(figure, extent)
    else:  # like a fixed range, but a double click returns to today's ends, not to those of the first epoch
        figure.update_yaxes(autorange=True, autorangeoptions={"minallowed": extent.low, "maxallowed": extent.high})
    figure.update_yaxes(
        tickformat="~%" if metric == "accuracy" else "~g",
        nticks=8,
        zeroline=False,
    )


def hover_format(metric: CurveMetric) -> str:
    """A value on the y axis: three decimals, or per cent for accuracies."""
    return "%{y:.1%}" if metric == "accuracy" else "%{y:.3f}"


def unit(metric: CurveMetric) -> str:
    """What the y axis shows, and in what."""
    return {"loss": "Loss (nats)", "accuracy": "Accuracy", "gap": "Validation minus training loss (nats)"}[metric]


def published_curves(published: pd.DataFrame | None, metric: CurveMetric) -> dict[str, tuple[list[int], list[float]]]:
    """An arm's published curves as epochs and values, by the name of the data; none where there are none."""
    if published is None or published.empty:
        return {}
    columns = {data: f"{data}_{metric}" for data in REFERENCE_LINES if f"{data}_{metric}" in published.columns}
    return {data: (published["epoch"].tolist(), published[column].tolist()) for data, column in columns.items()}


def add_marks(
    figure: go.Figure,
    mean: pd.DataFrame,
    colour: str,
    symbol: str,
    best: int | None,
    position: int,
    total_epochs: int,
    **more: Any,
) -> None:
    """Put an arm's symbol on its curve now and then, beside those of other arms, and a diamond at its best epoch."""
    step = max(1, total_epochs // 8)
    shown = [
        (epoch, value)
        for epoch, value in zip(mean["epoch"].astype(int), mean["mean"], strict=True)
        if epoch in (best, mean["epoch"].max()) or (epoch - 1 - position) % step == 0
    ]
    figure.add_scatter(
        x=[epoch for epoch, _ in shown],
        y=[value for _, value in shown],
        mode="markers",
        marker={
            "color": colour,
            "opacity": 1,
            "line": {"width": 0},
            "symbol": [BEST_SYMBOL if epoch == best else symbol for epoch, _ in shown],
            "size": [13 if epoch == best else 8 for epoch, _ in shown],
        },
        hoverinfo="skip",
        **more,
    )
