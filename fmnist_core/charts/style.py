"""What all figures share: the template, the epoch axis, the mark of the best epoch, notes.

Colours of text, grid and background live in the template alone, so that a page can replace them with its own theme;
what carries meaning (a run's colour, a line's style) is set on the traces.
"""

import math
from collections.abc import Sequence
from html import escape
from typing import Any, Literal, NamedTuple

import plotly.graph_objects as go

from fmnist_core.charts.colours import NEUTRAL
from fmnist_core.wording import decimal

Metric = Literal["loss", "accuracy"]

_TEMPLATE = go.layout.Template(
    layout={
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": NEUTRAL, "size": 12},
        "xaxis": {"gridcolor": "rgba(128,138,151,0.25)", "linecolor": NEUTRAL},
        "yaxis": {"gridcolor": "rgba(128,138,151,0.25)", "linecolor": NEUTRAL},
    }
)
LEGEND_ABOVE = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"}


def style(figure: go.Figure, margin: dict[str, int]) -> None:
    """Give a figure the neutral look that every background bears."""
    figure.update_layout(template=_TEMPLATE, margin={**margin, "pad": 4}, autosize=True)


def style_epoch_axis(figure: go.Figure, total_epochs: int) -> None:
    """Span the x axis from epoch 1 to `total_epochs`, whatever has been drawn so far."""
    padding = max(0.5, 0.02 * total_epochs)
    figure.update_layout(meta={"doubleClick": "reset+autosize"})  # read by live_chart.js
    figure.update_xaxes(
        title={"text": "Epoch", "standoff": 8},
        range=[1 - padding, total_epochs + padding],
        # A view of everything spans the same.
        autorangeoptions={"minallowed": 1 - padding, "maxallowed": total_epochs + padding},
        showgrid=False,
        zeroline=False,
        spikecolor=NEUTRAL,
        spikethickness=1,
        unifiedhovertitle_text="Epoch %{x}",
        **({"dtick": 1} if total_epochs <= 12 else {"nticks": 10}),  # whole numbers either way
    )


class Extent(NamedTuple):
    """Where a y axis ends, with some room: at first, and once a visitor asks for all there is."""

    low: float
    high: float
    lowest: float
    highest: float

    @property
    def is_cut(self) -> bool:
        """Whether the axis leaves something out at first."""
        return self.highest > self.high


def extent_of_values(values: Sequence[float], *, are_losses: bool) -> Extent | None:
    """The extent of what curves show; None where no value is finite.

    The losses of a run that diverges would flatten all that came before. Those beyond twice the loss of guessing and
    ten times the lowest loss are left out at first.
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return None
    shown = finite
    if are_losses:
        limit = max(2 * math.log(10), 10 * min((value for value in finite if value >= 0), default=0.0))
        if max(finite) > limit:
            shown = [value for value in finite if 0 <= value <= limit]
    return Extent(*_with_room(shown), *_with_room(finite))


def _with_room(values: Sequence[float]) -> tuple[float, float]:
    room = 0.06 * (max(values) - min(values)) or 0.05
    return min(values) - room, max(values) + room


def cut_curves(figure: go.Figure, extent: Extent) -> None:
    """Leave out of a figure what its extent leaves out at first, and say how high its own curves go.

    Where they go higher than it shows, a page has a button for all of it; a double click does the same.
    """
    figure.update_yaxes(
        range=[extent.low, extent.high],
        autorange=False,
        autorangeoptions={"minallowed": extent.lowest, "maxallowed": extent.highest},
    )
    drawn = [value for trace in figure.data for value in trace.y or () if value is not None and math.isfinite(value)]
    if drawn and max(drawn) > extent.high:
        figure.update_layout(meta={**(figure.layout.meta or {}), "left_out": True})  # read by live_chart_left_out.js
        note(
            figure,
            f"\N{UPWARDS ARROW} up to {decimal(max(drawn), 1)}",
            x=1,
            y=0.9,
            xref="paper",
            yref="paper",
            xanchor="right",
            yanchor="top",
        )


def mark_best_epoch(figure: go.Figure, best: int, *, metric: Metric, total_epochs: int) -> None:
    """Draw a line at the best epoch and name it where the curves leave room."""
    # A line over the whole height. `add_vline` draws the same, and takes ten times as long.
    line = {"color": NEUTRAL, "width": 1, "dash": "dot"}
    figure.add_shape(type="line", x0=best, x1=best, y0=0, y1=1, yref="y domain", line=line, layer="below")
    # Loss curves leave the top free, accuracy curves the bottom; far right, the text turns inward.
    to_the_right = best <= 0.6 * total_epochs
    note(
        figure,
        f"best epoch {best}",
        x=best,
        y=1 if metric == "loss" else 0,
        yref="paper",
        yanchor="top" if metric == "loss" else "bottom",
        xanchor="left" if to_the_right else "right",
        xshift=4 if to_the_right else -4,
    )


def as_label(text: str) -> str:
    """A run's name for a figure: Plotly takes tags, entities and %{...} in names for its own."""
    return escape(text, quote=False).replace("%{", "%\N{WORD JOINER}{")


def note(figure: go.Figure, text: str, **place: Any) -> None:
    """Write on a figure, in the page's text colour: a note has none of its own."""
    figure.add_annotation(text=text, showarrow=False, **place)
