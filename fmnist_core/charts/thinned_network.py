"""One image's thinned network: which hidden units dropout left it, drawn layer by layer."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from fmnist_core.charts.colours import NEUTRAL, see_through
from fmnist_core.charts.style import LEGEND_ABOVE, note, style

MOST_UNITS = 2048  # more dots than that nobody tells apart
_ACROSS = 34  # columns of dots that a phone bears
_BETWEEN = 3  # columns left free between two layers

Kept = npt.NDArray[np.bool_]
Units = npt.NDArray[np.float32]


def thinned_network(kept: Sequence[Kept], units: Sequence[Units], *, colour: str) -> go.Figure:
    """Draw a dot for each hidden unit: working, silent of itself (its ReLU gives 0), or dropped, bool (width,) a layer.

    `units` are the values that the layers hand on, float32 (width,). Raises ValueError for more than `MOST_UNITS`.
    """
    total = sum(len(layer) for layer in kept)
    if total > MOST_UNITS:
        raise ValueError(f"a drawing of a network must have at most {MOST_UNITS:,} units, got {total:,}")
    rows = max(8, math.ceil(total / (_ACROSS - _BETWEEN * (len(kept) - 1))))
    figure = go.Figure()
    places, left, titles = [], 0, []
    for layer in kept:
        width = math.ceil(len(layer) / rows)
        places.append((left + np.arange(len(layer)) // rows, np.arange(len(layer)) % rows))
        titles.append((left + (width - 1) / 2, f"{int(layer.sum())} of {len(layer)}"))
        left += width + _BETWEEN
    size = 7 if rows <= 20 else 6 if rows <= 40 else 4
    looks = (
        ("Working", [mask & (values > 0) for mask, values in zip(kept, units, strict=True)], colour, "circle"),
        ("Silent", [mask & (values <= 0) for mask, values in zip(kept, units, strict=True)], NEUTRAL, "circle-open"),
        ("Dropped", [~mask for mask in kept], see_through(NEUTRAL, 0.7), "x-thin-open"),
    )
    for name, members, shade, symbol in looks:
        chosen = [np.flatnonzero(layer) for layer in members]
        xs: list[int | None] = [
            int(x) for (columns, _), which in zip(places, chosen, strict=True) for x in columns[which]
        ]
        ys: list[int | None] = [int(y) for (_, lines), which in zip(places, chosen, strict=True) for y in lines[which]]
        figure.add_scatter(
            x=xs or [None],  # without a point it would be missing from the legend
            y=ys or [None],
            hovertext=[
                f"Hidden layer {number}, unit {unit + 1}: {name.lower()}"
                for number, which in enumerate(chosen, 1)
                for unit in which
            ],
            hovertemplate="%{hovertext}<extra></extra>",
            mode="markers",
            name=name,
            marker={"color": shade, "symbol": symbol, "size": size, "line": {"width": 1, "color": shade}},
        )
    for middle, words in titles:
        note(figure, words, x=middle, y=rows, yanchor="top")
    style(figure, margin={"l": 4, "r": 4, "t": 8, "b": 4})
    figure.update_layout(
        uirevision="thinned network",
        hovermode="closest",
        legend={**LEGEND_ABOVE, "traceorder": "normal", "itemclick": False, "itemdoubleclick": False},
    )
    figure.update_xaxes(visible=False, range=[-1, max(left - _BETWEEN, _ACROSS)], fixedrange=True)
    figure.update_yaxes(visible=False, range=[rows + 1.5, -1], fixedrange=True)
    return figure


def thinned_network_words(kept: Sequence[Kept]) -> str:
    """What the drawing shows, for those who cannot see it."""
    layers = [f"{int(layer.sum())} of {len(layer)} in hidden layer {number}" for number, layer in enumerate(kept, 1)]
    return f"Hidden units that dropout kept: {', '.join(layers)}"
