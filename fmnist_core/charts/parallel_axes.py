"""Many runs at once: each a line across the settings that differ and the figures that came of them."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import plotly.graph_objects as go

from fmnist_core.charts.colours import NEUTRAL, run_colour
from fmnist_core.charts.style import as_label, style
from fmnist_core.comparison.run_settings import Axis
from fmnist_core.wording import shortened

_ROW = 68  # pixels from one axis to the next
_MARGIN = {"l": 24, "r": 24, "t": 36, "b": 12}
_AXIS_LINE = {"color": NEUTRAL, "width": 1}
_LONGEST_TICK = 12  # characters; a hover shows all of it
_MOST_TICKS = 5  # values that are written at an axis, of which a phone has room for as many


def axes_height(count: int) -> int:
    """How high, in pixels, `parallel_axes` should be drawn."""
    return _MARGIN["t"] + _MARGIN["b"] + _ROW * count


def parallel_axes(axes: Sequence[Axis], numbers: Sequence[int], names: Sequence[str]) -> go.Figure:
    """Draw runs with these `numbers` and `names` as lines from the first axis down to the last, in each run's colour.

    The axes lie below one another, which also fits a phone. An ordinary chart, and not Plotly's own of that name: that
    one draws by WebGL, which not every computer of a school has, and does not say which run a line is.
    """
    figure = go.Figure()
    rows = [-place for place in range(len(axes))]
    for place, (number, name) in enumerate(zip(numbers, names, strict=True)):
        crossed = [axis.places[place] for axis in axes]
        figure.add_scatter(
            x=[None if math.isnan(value) else value for value in crossed],
            y=rows,
            name=as_label(name),
            mode="lines+markers",
            line={"color": run_colour(number), "width": 2},
            marker={"color": run_colour(number), "size": 8, "line": {"width": 0}},
            customdata=[f"{axis.name}: {as_label(axis.texts[place])}" for axis in axes],
            hovertemplate="%{customdata}",
        )
    style(figure, margin=_MARGIN)
    # Given all at once: to add them one by one takes ten times as long.
    figure.update_layout(
        shapes=[
            {"type": "line", "x0": 0, "x1": 1, "y0": row, "y1": row, "line": _AXIS_LINE, "layer": "below"}
            for row in rows
        ],
        annotations=[note for row, axis in zip(rows, axes, strict=True) for note in _notes(axis, row)],
    )
    figure.update_xaxes(visible=False, range=[-0.03, 1.03], fixedrange=True)
    figure.update_yaxes(visible=False, range=[0.5 - len(axes), 0.15], fixedrange=True)
    figure.update_layout(hovermode="closest", showlegend=False, hoverlabel_namelength=-1, uirevision="axes")
    return figure


def _notes(axis: Axis, row: int) -> Iterator[dict[str, Any]]:
    """An axis's name above its beginning, and its values below it."""
    common = {"y": row, "showarrow": False}
    above = {"x": 0, "xanchor": "left", "xshift": -12, "yanchor": "bottom", "yshift": 8}
    yield {**common, **above, "text": f"<b>{axis.name}</b>"}
    step = math.ceil(len(axis.ticks) / _MOST_TICKS) or 1
    for value, text in axis.ticks[::step]:
        side, shift = {0.0: ("left", -8), 1.0: ("right", 8)}.get(value, ("center", 0))
        words = as_label(shortened(text, _LONGEST_TICK))
        place = {"x": value, "xanchor": side, "xshift": shift, "yanchor": "top", "yshift": -6}
        yield {**common, **place, "text": words, "font": {"size": 11}}
