"""Arms side by side: learning curves over seeds, in one panel an arm or all in one chart.

Every panel is a figure of its own with the axes of all, because a page can stack figures on a phone and Plotly
cannot; the browser links their hover and zoom.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from fmnist_core.charts.colours import NEUTRAL
from fmnist_core.charts.mean_curves import (
    BEST_SYMBOL,
    REFERENCE_LINES,
    CurveMetric,
    add_band,
    add_marks,
    begun,
    best_mean_epoch,
    extent_of,
    hover_format,
    mean_line,
    published_curves,
    style_curves,
    unit,
)
from fmnist_core.charts.style import LEGEND_ABOVE, Extent, Metric, cut_curves, mark_best_epoch, note
from fmnist_core.comparison.arms import band

_LINES: dict[str, dict[str, Any]] = {
    "training": {"width": 1.5, "dash": "dot"},
    "evaluated_training": {"width": 2, "dash": "dash"},
    "validation": {"width": 3, "dash": "solid"},
}
# One an arm, so that an overlay can be read without its colours; the diamond is the best epoch's.
_SYMBOLS = ("circle", "square", "triangle-up", "x", "triangle-down", "star", "hexagon", "cross")


@dataclass(frozen=True, eq=False)
class ArmCurves:
    """One arm: its name and colour, and the epochs of its runs so far, a frame a seed as Store.epochs gives it.

    `published` are an arm's curves as others published them, with the columns of `article_curves`; drawn in grey.
    What is worked out of an arm is kept with the object, whose frames nobody changes.
    """

    name: str
    colour: str
    runs: tuple[pd.DataFrame, ...]
    published: pd.DataFrame | None = None


def arm_panels(
    arms: Sequence[ArmCurves],
    *,
    metric: Metric,
    total_epochs: int,
    validation_name: str = "Validation",
) -> list[go.Figure]:
    """Draw each arm's training and validation curves, a figure an arm, all with the same axes.

    Lines are means over the seeds that have the epoch, bands one standard deviation to either side. Nothing
    grows with the epochs but the curves: the epoch axis spans 1 to `total_epochs` from the start. line_legend
    explains the lines; the figures share one `uirevision`, a metric each.
    """
    extent = panels_extent(arms, metric)
    return [arm_panel(arm, metric, total_epochs, extent, validation_name) for arm in arms]


def panels_extent(arms: Sequence[ArmCurves], metric: Metric) -> Extent | None:
    """The extent of all arms' curves and bands, which their panels share."""
    return extent_of(
        [frame for arm in arms for frame in _bands(arm, metric).values()],
        [values for arm in arms for _, values in published_curves(arm.published, metric).values()],
        metric,
    )


@lru_cache(maxsize=128)
def _bands(arm: ArmCurves, metric: Metric) -> dict[str, pd.DataFrame]:
    return {f"{data}_{metric}": band(arm.runs, f"{data}_{metric}") for data in _LINES}


@lru_cache(maxsize=16)
def _panel_layout(metric: Metric, total_epochs: int, extent: Extent | None) -> dict[str, Any]:
    """What all panels of one comparison have, checked once: that takes as long as drawing the curves."""
    axes = go.Figure()
    style_curves(axes, metric, total_epochs, extent)
    axes.update_layout(margin={"l": 52, "r": 8, "t": 52, "b": 44}, showlegend=False)
    layout: dict[str, Any] = axes.layout.to_plotly_json()
    return layout


def arm_panel(
    arm: ArmCurves, metric: Metric, total_epochs: int, extent: Extent | None, validation_name: str
) -> go.Figure:
    """One of the figures that `arm_panels` draws, with the axes of all of them, `extent`."""
    bands, published = _bands(arm, metric), published_curves(arm.published, metric)
    figure = go.Figure(layout=_panel_layout(metric, total_epochs, extent))
    names = {"training": "As trained", "evaluated_training": "Evaluated", "validation": validation_name}
    best, seeds = best_mean_epoch(arm.runs), len(begun(arm.runs))
    for mean in bands.values():
        add_band(figure, mean, arm.colour)
    for data, (epochs, values) in published.items():
        figure.add_scatter(
            x=epochs,
            y=values,
            name=f"Article, {data}",
            mode="lines",
            line={**REFERENCE_LINES[data], "color": NEUTRAL},
            hovertemplate=hover_format(metric),
        )
    for data, line in _LINES.items():
        mean = bands[f"{data}_{metric}"]
        strong = data == "validation"
        size = 5 if total_epochs <= 40 else 3
        figure.add_scatter(
            **mean_line(mean, seeds, metric),
            name=names[data],
            mode="lines+markers" if strong or len(mean) == 1 else "lines",  # one epoch makes no line
            line={**line, "color": arm.colour},
            marker={
                "color": arm.colour,
                "opacity": 1,
                "line": {"width": 0},
                "size": [12 if strong and epoch == best else size for epoch in mean["epoch"]],
                "symbol": [BEST_SYMBOL if strong and epoch == best else "circle" for epoch in mean["epoch"]],
            },
        )
    if extent is not None and extent.is_cut:
        cut_curves(figure, extent)  # says how high this panel's own curves go
    seeds_in_words = f", mean of {seeds} seeds" if seeds > 1 else ""
    note(
        figure,
        f"<b>{arm.name}</b><br>{unit(metric)}{seeds_in_words}",
        x=0,
        y=1,
        xref="paper",
        yref="paper",
        xanchor="left",
        yanchor="bottom",
        align="left",
        xshift=-48,
        yshift=6,
    )
    if best is not None:
        mark_best_epoch(figure, best, metric=metric, total_epochs=total_epochs)
    elif not published:
        note(figure, "The first epoch appears here", x=0.5, y=0.5, xref="paper", yref="paper")
    return figure


def line_legend(
    *,
    metric: CurveMetric,
    overlaid: bool,
    several_seeds: bool,
    with_reference: bool,
    with_dropout: bool = True,
    validation_name: str = "Validation",
) -> str:
    """What the lines of arm_panels or, `overlaid`, of overlay mean: HTML, which wraps on a phone as Plotly cannot.

    Its samples take the text's colour, since each arm has another. Where no arm drops units, nothing is said of it.
    """
    dropout_off, dropout_on = (" (dropout off)", " (dropout on)") if with_dropout else ("", "")
    samples = [
        (
            _sample("border-top:3px solid"),
            "Validation minus training loss" if metric == "gap" else escape(validation_name),
        )
    ]
    if metric != "gap":
        samples.append((_sample("border-top:2px dashed"), f"Training, evaluated{dropout_off}"))
    if not overlaid:
        samples.append((_sample("border-top:2px dotted"), f"Training, as trained{dropout_on}"))
    if metric != "gap":
        samples.append(("&#9670;", "best epoch"))
    if several_seeds:
        samples.append((_sample("height:0.8em;background:currentColor;opacity:0.2"), "&#177; 1 standard deviation"))
    if with_reference and metric != "gap":
        dashes = "currentColor 0 10px,transparent 10px 13px,currentColor 13px 15px,transparent 15px 18px"
        dash_dot = f"height:1.5px;background:repeating-linear-gradient(90deg,{dashes})"
        samples.append((_sample(dash_dot if overlaid else f"border-top:2px dashed {NEUTRAL}"), "Article, test"))
        if metric == "loss" and not overlaid:
            samples.append((_sample(f"border-top:2px dotted {NEUTRAL}"), "Article, training as trained"))
    entries = "".join(f'<span style="white-space:nowrap">{sample}&nbsp; {name}</span>' for sample, name in samples)
    return f'<div style="display:flex;flex-wrap:wrap;column-gap:1.5em;row-gap:0.2em;font-size:0.875rem">{entries}</div>'


def _sample(look: str) -> str:
    return f'<span style="display:inline-block;width:2em;vertical-align:middle;{look}"></span>'


def overlay(
    arms: Sequence[ArmCurves],
    *,
    metric: CurveMetric,
    total_epochs: int,
    validation_name: str = "Validation",
) -> go.Figure:
    """Draw all arms in one chart: validation solid, training as evaluated dashed, in the arm's colour, with bands.

    "gap" is validation minus evaluated training loss, one line an arm. Of published curves it shows that of the test
    loss; a gap they have none, because they know training loss only as trained. A click on an arm in the
    legend hides it.
    """
    # A column's name in the hover and its line, the most important last.
    curves = {"gap": ("gap", "solid")}
    if metric != "gap":
        curves = {
            f"evaluated_training_{metric}": ("training", "dash"),
            f"validation_{metric}": (validation_name.lower(), "solid"),
        }
    strong = list(curves)[-1]
    figure = go.Figure()
    everything: list[pd.DataFrame] = []
    published_values: list[list[float]] = []
    for position, arm in enumerate(arms):
        symbol = _SYMBOLS[position % len(_SYMBOLS)]
        group: dict[str, Any] = {"legendgroup": arm.name, "showlegend": False}
        bands = {column: band(arm.runs, column) for column in curves}
        everything += bands.values()
        for mean in bands.values():
            add_band(figure, mean, arm.colour, **group)
        for column, (kind, dash) in curves.items():
            figure.add_scatter(
                **mean_line(bands[column], len(begun(arm.runs)), metric),
                name=f"{arm.name}, {kind}",
                mode="lines+markers" if len(bands[column]) == 1 else "lines",  # one epoch makes no line
                marker={"color": arm.colour, "size": 6, "line": {"width": 0}},
                line={"color": arm.colour, "dash": dash, "width": 2.5 if column == strong else 1.75},
                **group,
            )
        best = None if metric == "gap" else best_mean_epoch(arm.runs)
        add_marks(figure, bands[strong], arm.colour, symbol, best, position, total_epochs, **group)
        # The curves themselves would show the legend no symbol, and before the first epoch nothing at all.
        figure.add_scatter(
            x=[None],
            y=[None],
            name=arm.name,
            mode="lines+markers",
            line={"color": arm.colour, "width": 2.5},
            marker={"color": arm.colour, "symbol": symbol, "size": 8},
            legendgroup=arm.name,
        )
    # Last, so that switching them on and off leaves the other traces' places, by which hidden ones are remembered.
    for arm in arms if metric != "gap" else ():
        published = published_curves(arm.published, metric)
        if "test" in published:
            epochs, values = published["test"]
            published_values.append(values)
            figure.add_scatter(
                x=epochs,
                y=values,
                name=f"Article, {arm.name.lower()}",
                mode="lines",
                line={"color": arm.colour, "dash": "longdashdot", "width": 1.25},
                hovertemplate=hover_format(metric),
                legendgroup=arm.name,
                showlegend=False,
            )
    style_curves(figure, metric, total_epochs, extent_of(everything, published_values, metric))
    figure.update_layout(legend={**LEGEND_ABOVE, "traceorder": "normal"})
    figure.update_yaxes(title={"text": unit(metric), "standoff": 12})
    if metric == "gap":
        figure.add_hline(y=0, line={"color": NEUTRAL, "width": 1.5}, layer="below")
    if all(frame.empty for frame in everything) and not published_values:
        note(figure, "The first epoch appears here", x=0.5, y=0.5, xref="paper", yref="paper")
    return figure
