"""What dropout changes, as a forest plot: a point and an interval a figure, each on an axis of its own."""

from collections.abc import Collection, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fmnist_core.charts.colours import ACCENT, NEUTRAL
from fmnist_core.charts.style import note, style
from fmnist_core.comparison.differences import difference_text, has_interval
from fmnist_core.comparison.measures import is_accuracy, measure_name, unit_of
from fmnist_core.comparison.paired_statistics import PairedDifference
from fmnist_core.config import Protocol
from fmnist_core.wording import signed_number

_ROW_HEIGHT = 132  # pixels: two lines of text, the interval, the axis, some air
_ROW_TEXT = 44
_TICKS_AT = -0.7  # on a row's own axis, where the mean is at 0 and the row ends at -1


def paired_differences(
    differences: Sequence[PairedDifference],
    *,
    settled: Collection[str],
    arm: str,
    protocol: Protocol,
    colour: str = ACCENT,
    margin: float | None = None,
) -> go.Figure:
    """Draw each difference with its interval around a zero line, the better side shaded and named.

    The differences are an arm's, called `arm` ("dropout 0.2") and drawn in its `colour`, minus the other's. A point is
    filled where `settled` has its metric, which may be stricter than the interval drawn, and hollow where the sign is
    open. Small ticks are the pairs' own differences. Of accuracies, dotted lines show the `margin`, a share, within
    which a difference is too small to matter. Scales differ from row to row, because units and sizes do; zero is in the
    middle of each. The figure brings its height with it.
    """
    if not differences:
        raise ValueError("there must be at least one difference to draw, got none")
    height = _ROW_HEIGHT * len(differences)
    figure = make_subplots(rows=len(differences), cols=1)
    for number, difference in enumerate(differences, start=1):
        name = measure_name(difference.metric, protocol)
        top = 1 - (number - 1) / len(differences)
        share = 1 / len(differences)
        _draw_row(figure, difference, number, arm, difference.metric in settled, colour)
        if margin is not None and is_accuracy(difference.metric):
            _draw_margin(figure, 100 * margin, number)
        figure.update_yaxes(
            domain=[top - share * (_ROW_HEIGHT - 36) / _ROW_HEIGHT, top - share * _ROW_TEXT / _ROW_HEIGHT], row=number
        )
        for text, shift in ((f"<b>{name[0].upper()}{name[1:]}</b>", 0), (difference_text(difference), -19)):
            note(
                figure,
                text,
                x=0,
                y=top,
                xref="paper",
                yref="paper",
                xanchor="left",
                yanchor="top",
                yshift=shift,
                align="left",
            )
    style(figure, margin={"l": 8, "r": 8, "t": 0, "b": 0})  # each row has room for its own axis
    figure.update_layout(height=height, showlegend=False, uirevision="differences", hovermode="closest")
    return figure


def _draw_row(
    figure: go.Figure, difference: PairedDifference, number: int, arm: str, settled: bool, colour: str
) -> None:
    unit = unit_of(difference.metric)
    scale = unit.scale
    lower_is_better = not is_accuracy(difference.metric)
    mean = scale * difference.mean
    each = [scale * value for value in difference.each]
    interval = [scale * difference.low, scale * difference.high] if has_interval(difference) else []
    reach = 1.3 * max(abs(value) for value in (mean, *interval, *each)) or 1.0
    if interval:
        figure.add_scatter(
            x=interval,
            y=[0, 0],
            mode="lines+markers",
            line={"color": colour, "width": 3},
            marker={"symbol": "line-ns", "size": 12, "line": {"width": 2, "color": colour}},
            hoverinfo="skip",
            row=number,
            col=1,
        )
    figure.add_scatter(
        x=[mean],
        y=[0],
        mode="markers",
        marker={
            "symbol": "circle" if settled else "circle-open",
            "size": 13,
            "color": colour,
            "opacity": 1,
            "line": {"width": 0 if settled else 3, "color": colour},
        },
        customdata=[difference_text(difference)],
        hovertemplate="%{customdata}<extra></extra>",
        row=number,
        col=1,
    )
    if len(each) > 1:
        figure.add_scatter(
            x=each,
            y=[_TICKS_AT] * len(each),
            mode="markers",
            marker={"symbol": "line-ns", "size": 7, "line": {"width": 1.5, "color": colour}},
            customdata=[f"one pair: {signed_number(value, unit.digits)} {unit.of_differences}" for value in each],
            hovertemplate="%{customdata}<extra></extra>",
            row=number,
            col=1,
        )
    better = [-reach, 0] if lower_is_better else [0, reach]
    figure.add_shape(
        type="rect",
        x0=better[0],
        x1=better[1],
        y0=-1,
        y1=2,
        fillcolor=NEUTRAL,
        opacity=0.15,
        line={"width": 0},
        layer="below",
        row=number,
        col=1,
    )
    figure.add_vline(x=0, line={"color": NEUTRAL, "width": 1.5}, layer="below", row=number, col=1)
    left, right = (f"← {arm} better", "worse →") if lower_is_better else ("← worse", f"{arm} better →")
    for text, x, anchor in ((left, -reach, "left"), (right, reach, "right")):
        note(figure, text, x=x, y=1.9, xanchor=anchor, yanchor="top", row=number, col=1, font={"size": 12})
    figure.update_xaxes(
        range=[-reach, reach],
        tickformat="~g",
        nticks=7,
        showgrid=False,
        zeroline=False,
        fixedrange=True,
        row=number,
        col=1,
    )
    figure.update_yaxes(range=[-1, 2], visible=False, fixedrange=True, row=number, col=1)


def _draw_margin(figure: go.Figure, margin: float, row: int) -> None:
    """Dotted lines at a margin to either side of zero, where they lie within the row's axis."""
    reach = figure.layout[f"xaxis{row if row > 1 else ''}"].range[1]
    for place in (-margin, margin) if margin < reach else ():
        # Not as high as the row: its upper third says which side is better.
        line = {"color": NEUTRAL, "width": 1.5, "dash": "dot"}
        figure.add_shape(type="line", x0=place, x1=place, y0=-1, y1=0.9, line=line, row=row, col=1)
