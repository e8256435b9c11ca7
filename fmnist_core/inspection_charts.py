"""What runs get wrong and how sure they are, as figures.

Colours that stand for amounts are see-through, and text has the page's own colour: so a cell's number can be read on
light and dark grounds alike.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fmnist_core.charts import LEGEND_ABOVE, NEUTRAL, RUN_COLOURS, style
from fmnist_core.inspection import Reliability, cell_name, row_shares

Matrix = npt.NDArray[np.int64]

# The colours of runs say which run it is; these two say better and worse, and stay apart for the colour-blind.
BETTER = "#1488ad"  # blue
WORSE = "#e0760b"  # orange

# Shares of a class at which a cell's colour is strongest; the same in all figures, so that two can be compared.
_FULL_ERROR = 0.2
_FULL_DIFFERENCE = 0.1
# Up to this opacity text in the page's colour has a contrast of 4 or more on every run's colour.
_STRONGEST = 0.65
_DIAGONAL = 0.28
_CELL_TEXT = 11  # pixels: three characters fit into a tenth of a phone's width


def confusion_heatmap(matrix: Matrix, class_names: Sequence[str], *, shares: bool, colour: str) -> go.Figure:
    """Draw a confusion matrix, int64 (10, 10): rows are true classes, the first on top, columns predicted ones.

    A cell shows its number of images or, with `shares`, percent of its row; empty cells show nothing. Mistakes are
    tinted in the run's `colour` by the square root of their share of the row, so that rare ones can be seen beside
    frequent ones; the diagonal, which is right, is grey. `customdata` names each cell as `inspection.cell_name` does.
    """
    share = row_shares(matrix)
    strength = np.sqrt(np.minimum(share / _FULL_ERROR, 1))
    right = np.eye(len(class_names), dtype=bool)
    texts = [[_cell_text(count, part, shares) for count, part in row] for row in _paired(matrix, share)]
    words = [
        [
            f"{_cell_words(class_names, row, column)}:<br>{matrix[row, column]:,} of {_images(matrix[row].sum())}"
            + ("" if math.isnan(share[row, column]) else f", {100 * share[row, column]:.1f}%")
            for column in range(len(class_names))
        ]
        for row in range(len(class_names))
    ]
    # One scale for both: below zero the diagonal's grey, above it the run's colour.
    scale = [[0, _see_through(NEUTRAL, _DIAGONAL)], [0.5, _see_through(NEUTRAL, 0)]]
    scale += [[0.5, _see_through(colour, 0)], [1, _see_through(colour, _STRONGEST)]]
    figure = _cells(np.where(right, -share, strength), scale, texts, words, class_names)
    figure.update_layout(uirevision="confusion")
    return figure


def confusion_difference(
    first: Matrix, second: Matrix, class_names: Sequence[str], *, shares: bool, names: tuple[str, str]
) -> go.Figure:
    """Draw `second` minus `first`, two runs' confusion matrices over the same images, int64 (10, 10).

    Signs say more or fewer: of the row's images, or with `shares` percentage points of them. Colours say what that is
    worth: blue is better (fewer mistakes off the diagonal, more right answers on it), orange is worse, and both grow
    with the square root of the change. `names` are the two runs', for the words. Raises ValueError where the matrices
    do not count the same images.
    """
    support = first.sum(axis=1)
    if not np.array_equal(support, second.sum(axis=1)):
        raise ValueError(
            "a difference needs two runs' confusion matrices over the same images, "
            f"got {support.tolist()} and {second.sum(axis=1).tolist()} images a class"
        )
    change = second - first
    share = row_shares(second) - row_shares(first)
    worth = np.where(np.eye(len(class_names), dtype=bool), share, -share)
    strength = np.sign(worth) * np.sqrt(np.minimum(np.abs(worth) / _FULL_DIFFERENCE, 1))
    texts = [
        [_signed(100 * part, 1 if abs(part) < 0.0995 else 0) if shares else _signed(count, 0) for count, part in row]
        for row in _paired(change, share)
    ]
    words = [
        [
            f"{_cell_words(class_names, row, column)}, of {_images(support[row])}:<br>"
            f"{names[0]}: {first[row, column]:,}<br>{names[1]}: {second[row, column]:,}"
            + (f" ({_signed(change[row, column], 0)})" if change[row, column] else " (the same)")
            for column in range(len(class_names))
        ]
        for row in range(len(class_names))
    ]
    scale = [[0, _see_through(WORSE, _STRONGEST)], [0.5, _see_through(WORSE, 0)]]
    scale += [[0.5, _see_through(BETTER, 0)], [1, _see_through(BETTER, _STRONGEST)]]
    figure = _cells(strength, scale, texts, words, class_names)
    for name, colour in ((f"{names[1]} better", BETTER), (f"{names[1]} worse", WORSE)):
        marker = {"color": colour, "symbol": "square", "size": 12}
        figure.add_scatter(x=[None], y=[None], mode="markers", name=name, marker=marker, showlegend=True)
    figure.update_layout(
        uirevision="confusion difference",
        margin_t=36,
        legend={**LEGEND_ABOVE, "itemclick": False, "itemdoubleclick": False},
    )
    return figure


def _paired(counts: Matrix, shares: npt.NDArray[np.float64]) -> list[list[tuple[int, float]]]:
    """Row by row, each cell's count with its share."""
    return [list(zip(*row, strict=True)) for row in zip(counts.tolist(), shares.tolist(), strict=True)]


def _cells(
    strength: npt.NDArray[np.float64],
    scale: list[list[object]],
    texts: list[list[str]],
    words: list[list[str]],
    class_names: Sequence[str],
) -> go.Figure:
    """Ten by ten cells with colours from a scale over -1 to 1, texts to see and words to hover."""
    places = list(range(len(class_names)))
    figure = go.Figure(
        go.Heatmap(
            x=places,
            y=places,
            z=np.nan_to_num(strength).round(4).tolist(),
            zmin=-1,
            zmax=1,
            colorscale=scale,
            showscale=False,
            xgap=1,
            ygap=1,
            text=words,
            customdata=[[cell_name(row, column) for column in places] for row in places],
            hovertemplate="%{text}<extra></extra>",
        )
    )
    # Plotly chooses the colour of a heatmap's own texts as though the ground were white.
    figure.add_scatter(
        x=places * len(places),
        y=[row for row in places for _ in places],
        text=[text for row in texts for text in row],
        mode="text",
        textfont={"size": _CELL_TEXT},
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )
    style(figure, margin={"l": 8, "r": 4, "t": 4, "b": 8})
    figure.update_layout(hovermode="closest", hoverlabel_align="left")
    ticks = {"tickvals": places, "ticktext": list(class_names), "tickfont": {"size": _CELL_TEXT}, "automargin": True}
    plain = {"showgrid": False, "zeroline": False, "fixedrange": True, "ticks": ""}
    edge = len(places) - 0.5
    figure.update_xaxes(title={"text": "Taken for", "standoff": 6}, range=[-0.5, edge], tickangle=-45, **ticks, **plain)
    figure.update_yaxes(title={"text": "True class", "standoff": 6}, range=[edge, -0.5], **ticks, **plain)
    return figure


def _cell_text(count: int, share: float, shares: bool) -> str:
    """At most three characters for up to 999 images: "97", or percent as "9.7", "70" or "<.1"."""
    if count == 0:
        return ""
    if not shares:
        return str(count)
    if share < 0.0005:
        return "<.1"
    return f"{100 * share:.1f}" if share < 0.0995 else f"{100 * share:.0f}"


def _signed(value: float, digits: int) -> str:
    """A change with its sign, a true minus among them; nothing for none and for what is not known."""
    if value == 0 or math.isnan(value):
        return ""
    return ("\N{MINUS SIGN}" if value < 0 else "+") + f"{abs(value):.{digits}f}"


def _cell_words(class_names: Sequence[str], true: int, predicted: int) -> str:
    if true == predicted:
        return f"{class_names[true]} recognised"
    return f"{class_names[true]} taken for {class_names[predicted]}"


def _images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"


def _see_through(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def reliability_diagram(curves: Sequence[tuple[str, str, Reliability]]) -> go.Figure:
    """Draw how often runs are right at each confidence, and below it how often they are that sure.

    `curves` holds each run's name, colour and figures. A marker grows with its bin's share of the images; bins
    without images have none. A click on a run in the legend hides it in both panels.
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.7, 0.3], vertical_spacing=0.06)
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": NEUTRAL, "width": 1.5, "dash": "dash"},
        name="Perfectly calibrated",
        hoverinfo="skip",
        row=1,
        col=1,
    )
    for name, colour, one in curves:
        filled = one.count > 0
        share = one.count / one.count.sum()
        words = [
            f"{name}<br>{100 * low:.0f} to {100 * high:.0f}% sure: {_images(count)}, {100 * part:.1f}%<br>"
            f"{100 * sure:.1f}% sure on average, {100 * right:.1f}% right"
            for low, high, count, part, sure, right in zip(
                *(values[filled] for values in (one.lower, one.upper, one.count, share, one.confidence, one.accuracy)),
                strict=True,
            )
        ]
        look = {"hovertext": words, "hovertemplate": "%{hovertext}<extra></extra>", "legendgroup": name}
        figure.add_scatter(
            x=one.confidence[filled].tolist(),
            y=one.accuracy[filled].tolist(),
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={
                "color": colour,
                "opacity": 0.8,  # runs often end in the same place
                "line": {"width": 0},
                "size": (4 + 10 * np.sqrt(share[filled])).round(1).tolist(),
            },
            name=name,
            cliponaxis=False,
            **look,
            row=1,
            col=1,
        )
        figure.add_bar(
            x=((one.lower + one.upper) / 2)[filled].tolist(),
            y=share[filled].tolist(),
            marker={"color": colour, "line": {"width": 0}},
            showlegend=False,
            name=name,
            **look,
            row=2,
            col=1,
        )
    style(figure, margin={"l": 56, "r": 24, "t": 36, "b": 48})
    figure.update_layout(
        uirevision="reliability",
        hovermode="closest",
        hoverlabel_align="left",
        barmode="group",
        bargap=0.15,
        bargroupgap=0,
        legend={**LEGEND_ABOVE, "traceorder": "normal"},
    )
    axis = {"zeroline": False, "tickformat": ".0%", "fixedrange": True}
    figure.update_xaxes(range=[0, 1], tickvals=[0, 0.2, 0.4, 0.6, 0.8, 1], **axis)  # steps of 0.2 would miss 1
    figure.update_xaxes(title={"text": "Confidence: probability of the chosen class", "standoff": 8}, row=2, col=1)
    figure.update_yaxes(title={"text": "Accuracy", "standoff": 8}, range=[0, 1], dtick=0.2, **axis, row=1, col=1)
    figure.update_yaxes(title={"text": "Images", "standoff": 8}, rangemode="tozero", nticks=4, **axis, row=2, col=1)
    return figure


def class_map(
    points: npt.NDArray[np.floating], labels: Matrix, class_names: Sequence[str], names: Sequence[str]
) -> go.Figure:
    """Draw a projection of images onto a plane, (n, 2), coloured by their classes (n,).

    `names` are the images' own, such as "test-17", and come back as `customdata` of a click. A click on a class in the
    legend hides it. Coordinates are rounded to a 10,000th of the map's width or finer, which bears
    zooming.
    """
    if not len(points) == len(labels) == len(names):
        raise ValueError(
            f"a map needs a label and a name for each point, got {len(points)}, {len(labels)} and {len(names)}"
        )
    extent = float(np.ptp(points, axis=0).max()) if len(points) else 0.0
    digits = 4 - math.floor(math.log10(extent)) if extent > 0 else 0
    rounded = np.round(points.astype(np.float64), digits)
    figure = go.Figure()
    for place, name in enumerate(class_names):
        members = np.flatnonzero(labels == place)
        figure.add_scatter(
            x=rounded[members, 0].tolist(),
            y=rounded[members, 1].tolist(),
            mode="markers",
            marker={"color": RUN_COLOURS[place % len(RUN_COLOURS)], "size": 4, "opacity": 0.85, "line": {"width": 0}},
            name=name,
            customdata=[names[member] for member in members.tolist()],
            hovertemplate=f"{name}, %{{customdata}}<extra></extra>",
        )
    style(figure, margin={"l": 4, "r": 4, "t": 8, "b": 4})
    figure.update_layout(
        uirevision="map", hovermode="closest", legend={**LEGEND_ABOVE, "traceorder": "normal", "itemsizing": "constant"}
    )
    # Fixed, so that the map stands still while classes come and go.
    low, high = (rounded.min(axis=0), rounded.max(axis=0)) if len(points) else (np.zeros(2), np.ones(2))
    air = 0.02 * (extent or 1.0)
    figure.update_xaxes(visible=False, range=[float(low[0] - air), float(high[0] + air)])
    figure.update_yaxes(visible=False, range=[float(low[1] - air), float(high[1] + air)], scaleanchor="x")
    return figure
