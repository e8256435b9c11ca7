"""Many runs at once: each a line across the settings that differ and the figures that came of them."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from fmnist_core.charts.colours import NEUTRAL, run_colour
from fmnist_core.charts.style import as_label, note, style
from fmnist_core.comparison.run_settings import Axis
from fmnist_core.wording import shortened

_ROW = 68  # pixels from one axis to the next
_MARGIN = {"l": 24, "r": 24, "t": 36, "b": 12}
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
    for row, axis in zip(rows, axes, strict=True):
        line = {"color": NEUTRAL, "width": 1}
        figure.add_shape(type="line", x0=0, x1=1, y0=row, y1=row, line=line, layer="below")
        note(figure, f"<b>{axis.name}</b>", x=0, y=row, xanchor="left", yanchor="bottom", xshift=-12, yshift=8)
        step = math.ceil(len(axis.ticks) / _MOST_TICKS) or 1
        for value, text in axis.ticks[::step]:
            words = as_label(shortened(text, _LONGEST_TICK))
            side = "left" if value == 0 else "right" if value == 1 else "center"
            shift = {"left": -8, "right": 8, "center": 0}[side]
            place_of_tick = {"xanchor": side, "yanchor": "top", "xshift": shift, "yshift": -6, "font": {"size": 11}}
            note(figure, words, x=value, y=row, **place_of_tick)
    figure.update_xaxes(visible=False, range=[-0.03, 1.03], fixedrange=True)
    figure.update_yaxes(visible=False, range=[0.5 - len(axes), 0.15], fixedrange=True)
    figure.update_layout(hovermode="closest", showlegend=False, hoverlabel_namelength=-1, uirevision="axes")
    return figure
