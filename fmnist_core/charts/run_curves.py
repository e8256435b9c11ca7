"""The curves of several runs in one chart, as somebody who looks through stored runs chooses them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from fmnist_core.charts.colours import run_colour
from fmnist_core.charts.mean_curves import CurveMetric, extent_of, hover_format, style_curves, unit
from fmnist_core.charts.seconds_axis import clock_of, style_seconds_axis
from fmnist_core.charts.style import LEGEND_ABOVE, as_label, note
from fmnist_core.results.smoothing import smoothed

Part = Literal["validation", "training"]
# A colour that several of the runs have: the first has a solid line, the next ones these.
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_FAINT = 0.3


@dataclass(frozen=True)
class RunCurve:
    """One run: what it is called, its number, and its epochs so far as Store.epochs gives them."""

    name: str
    number: int
    epochs: pd.DataFrame


def run_curves(
    runs: Sequence[RunCurve],
    *,
    metric: CurveMetric,
    part: Part = "validation",
    total_epochs: int,
    smoothing: float = 0.0,
    over_seconds: bool = False,
) -> go.Figure:
    """Draw one curve a run: of validation, or of training as evaluated (dropout off); a gap has only one.

    Where `smoothing` is not 0 the curve is that of `smoothed`, and the values themselves lie faintly below it. A click
    on a run in the legend hides both.
    """
    column = {"gap": "gap", "loss": f"{_COLUMNS[part]}_loss", "accuracy": f"{_COLUMNS[part]}_accuracy"}[metric]
    figure = go.Figure()
    used: list[str] = []
    longest = 0.0
    drawn = []
    for run in runs:
        colour = run_colour(run.number)
        line = {"color": colour, "dash": _DASHES[used.count(colour) % len(_DASHES)]}
        used.append(colour)
        values = _values(run.epochs, column)
        clock = clock_of([run.epochs])
        longest = max(longest, *clock.values(), 0.0)
        numbers: list[int] = run.epochs["epoch"].astype(int).tolist()
        x = [round(clock[number], 2) for number in numbers] if over_seconds else numbers
        shown = smoothed(values, smoothing)
        drawn += [pd.DataFrame({"mean": values, "low": values, "high": values})]
        common = {"x": x, "legendgroup": str(run.number), "mode": "lines" if len(x) > 1 else "lines+markers"}
        if smoothing:
            figure.add_scatter(
                **common, y=values, line={**line, "width": 1.25}, opacity=_FAINT, showlegend=False, hoverinfo="skip"
            )
        name = as_label(run.name)
        # Without a point a trace is missing from the legend.
        figure.add_scatter(
            **(common if x else {**common, "x": [None]}),
            y=shown if x else [None],
            name=name,
            line={**line, "width": 2.5},
            marker={"color": colour, "size": 7},
            hovertemplate=hover_format(metric),
        )
    style_curves(figure, metric, total_epochs, extent_of(drawn, [], metric))
    words = unit(metric) if metric == "gap" else f"{part.capitalize()} {unit(metric)[0].lower()}{unit(metric)[1:]}"
    figure.update_yaxes(title={"text": words, "standoff": 12})
    figure.update_layout(
        showlegend=True,
        legend={**LEGEND_ABOVE, "traceorder": "normal"},
        uirevision=f"{metric} {part} {over_seconds} {sorted(run.number for run in runs)}",
    )
    if over_seconds:
        style_seconds_axis(figure, longest or 1.0)
    if all(run.epochs.empty for run in runs):
        note(figure, "The first epoch appears here", x=0.5, y=0.5, xref="paper", yref="paper")
    return figure


_COLUMNS: dict[Part, str] = {"validation": "validation", "training": "evaluated_training"}


def _values(epochs: pd.DataFrame, column: str) -> list[float]:
    if column == "gap":
        gaps: list[float] = (epochs["validation_loss"] - epochs["evaluated_training_loss"]).tolist()
        return gaps
    values: list[float] = epochs[column].tolist()
    return values
