"""What runs get wrong and how sure they are, as figures.

Colours that stand for amounts are see-through, and text has the page's own colour: so a cell's number can be read on
light and dark backgrounds alike.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from fmnist_core.charts.colours import NEUTRAL, see_through
from fmnist_core.charts.style import LEGEND_ABOVE, as_label, style
from fmnist_core.results.confusion import cell_name, row_shares
from fmnist_core.wording import signed_number

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
    frequent ones; the diagonal, which is right, is grey. `customdata` names each cell as `confusion.cell_name` does.
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
    scale = [[0, see_through(NEUTRAL, _DIAGONAL)], [0.5, see_through(NEUTRAL, 0)]]
    scale += [[0.5, see_through(colour, 0)], [1, see_through(colour, _STRONGEST)]]
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
    names = (as_label(names[0]), as_label(names[1]))
    change = second - first
    share = row_shares(second) - row_shares(first)
    worth = np.where(np.eye(len(class_names), dtype=bool), share, -share)
    strength = np.sign(worth) * np.sqrt(np.minimum(np.abs(worth) / _FULL_DIFFERENCE, 1))
    texts = [
        [
            signed_number(100 * part, 1 if abs(part) < 0.0995 else 0, zero="")
            if shares
            else signed_number(count, 0, zero="")
            for count, part in row
        ]
        for row in _paired(change, share)
    ]
    words = [
        [
            f"{_cell_words(class_names, row, column)}, of {_images(support[row])}:<br>"
            f"{names[0]}: {first[row, column]:,}<br>{names[1]}: {second[row, column]:,}"
            + (f" ({signed_number(change[row, column], 0)})" if change[row, column] else " (the same)")
            for column in range(len(class_names))
        ]
        for row in range(len(class_names))
    ]
    scale = [[0, see_through(WORSE, _STRONGEST)], [0.5, see_through(WORSE, 0)]]
    scale += [[0.5, see_through(BETTER, 0)], [1, see_through(BETTER, _STRONGEST)]]
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
    # Plotly chooses the colour of a heatmap's own texts as though the background were white.
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


def _cell_words(class_names: Sequence[str], true: int, predicted: int) -> str:
    if true == predicted:
        return f"{class_names[true]} recognised"
    return f"{class_names[true]} taken for {class_names[predicted]}"


def _images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"
