"""The figures: data in, a Plotly Figure out.

Colours of text, grid and ground live in the template alone, so that a page can replace them with its own
theme; what carries meaning (a run's colour, a line's style) is set on the traces.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

Metric = Literal["loss", "accuracy"]

# Each has a contrast of 3 or more on white and on the dark ground, and all ten stay apart under simulated
# protanopia and deuteranopia; the first four, which most comparisons use, are the furthest apart.
RUN_COLOURS = (
    "#3f72d8",  # blue
    "#c4480c",  # vermilion
    "#0da17d",  # green
    "#9a4294",  # plum
    "#b0920b",  # ochre
    "#828afa",  # periwinkle
    "#776459",  # umber
    "#b37249",  # clay
    "#8b91b9",  # slate
    "#966c9a",  # mauve
)
ACCENT = RUN_COLOURS[0]
NEUTRAL = "#808a97"  # readable on light and dark grounds alike

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


def run_colour(number: int) -> str:
    """The colour of run 1, 2, 3 and so on, everywhere; the ten colours repeat."""
    return RUN_COLOURS[(number - 1) % len(RUN_COLOURS)]


def learning_curves(
    epochs: pd.DataFrame,
    *,
    metric: Metric,
    colour: str,
    total_epochs: int,
    best_epoch: int | None,
    dropout: float = 0.0,
    validation_name: str = "Validation",
) -> go.Figure:
    """Draw one run's training and validation curves, finished or still growing.

    `epochs` has a row per finished epoch, with the columns `epoch`, `training_<metric>` (as trained),
    `evaluated_training_<metric>` and `validation_<metric>`; accuracies are fractions. The epoch axis spans
    1 to `total_epochs` from the start, so a growing chart stands still. `dropout` only words the legend.
    """
    number: list[int] = epochs["epoch"].astype(int).tolist()
    best = best_epoch if best_epoch in number else None
    as_trained, evaluated = (" (dropout on)", " (dropout off)") if dropout else ("", "")
    curves: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("Training, as trained" + as_trained, "training", {"width": 1.5, "dash": "dot"}),
        ("Training, evaluated" + evaluated, "evaluated_training", {"width": 2, "dash": "dash"}),
        (validation_name, "validation", {"width": 3, "dash": "solid"}),
    )
    size = 6 if total_epochs <= 40 else 3
    figure = go.Figure()
    for name, data, line in curves:
        strong = data == "validation"
        figure.add_scatter(
            x=number,
            y=epochs[f"{data}_{metric}"].tolist(),
            name=name,
            mode="lines+markers" if strong or len(number) == 1 else "lines",  # one epoch makes no line
            line={**line, "color": colour},
            marker={
                "color": colour,
                "opacity": 1,
                "line": {"width": 0},
                "size": [13 if strong and epoch == best else size for epoch in number],
                "symbol": ["diamond" if strong and epoch == best else "circle" for epoch in number],
            },
            hovertemplate="%{y:.3f}" if metric == "loss" else "%{y:.1%}",
        )
    style(figure, margin={"l": 64, "r": 12, "t": 8, "b": 48})
    figure.update_layout(
        uirevision=metric,
        hovermode="x unified",
        hoverlabel_namelength=-1,
        legend={**LEGEND_ABOVE, "traceorder": "reversed"},
    )
    style_epoch_axis(figure, total_epochs)
    figure.update_yaxes(
        title={"text": "Loss (mean over images, nats)" if metric == "loss" else "Accuracy", "standoff": 12},
        tickformat="~g" if metric == "loss" else "~%",
        nticks=8,
        zeroline=False,
    )
    if not number:
        # Without a point a trace is missing from the legend, and the plot would shrink at the first epoch.
        figure.update_traces(x=[None], y=[None])
        figure.update_yaxes(range=[0, 1])
        note(figure, "The first epoch appears here", x=0.5, y=0.5, xref="paper", yref="paper")
    if best is not None:
        mark_best_epoch(figure, best, metric=metric, total_epochs=total_epochs)
    return figure


def class_counts(counts: Mapping[str, Sequence[int]], class_names: Sequence[str]) -> go.Figure:
    """Draw the number of images in each class; `counts` maps a split's name to one number a class."""
    figure = go.Figure()
    for place, (name, numbers) in enumerate(counts.items()):
        figure.add_bar(
            x=list(numbers),
            y=list(class_names),
            orientation="h",
            name=name,
            marker={"color": f"rgba(63,114,216,{1 - 0.28 * place:.2f})"},  # the accent; a legend ignores opacity
            hovertemplate="%{x:,}",
        )
    style(figure, margin={"l": 8, "r": 24, "t": 8, "b": 48})
    figure.update_layout(barmode="stack", bargap=0.3, hovermode="y unified")
    figure.update_layout(legend={**LEGEND_ABOVE, "traceorder": "normal"})
    figure.update_xaxes(
        title={"text": "Images", "standoff": 8}, tickformat=",d", nticks=6, showgrid=False, zeroline=False
    )
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False)
    return figure


def pixel_histogram(counts: Sequence[int]) -> go.Figure:
    """Draw the share of pixels at each grey level on a logarithmic scale.

    `counts` divides the levels 0 to 255 into bins of equal width.
    """
    if not counts or 256 % len(counts):
        raise ValueError(f"the number of bins must divide 256, got {len(counts)}")
    width, total = 256 // len(counts), sum(counts)
    first = [place * width for place in range(len(counts))]
    levels = [f"{low}" if width == 1 else f"{low} to {low + width - 1}" for low in first]
    figure = go.Figure(
        go.Bar(
            x=[low + (width - 1) / 2 for low in first],
            y=[count / total if count else None for count in counts],  # a logarithm has no place for zero
            width=width,
            marker={"color": ACCENT, "line": {"width": 0}},
            customdata=levels,
            hovertemplate="Grey level %{customdata}: %{y:.2%} of pixels<extra></extra>",
        )
    )
    style(figure, margin={"l": 64, "r": 12, "t": 8, "b": 48})
    figure.update_layout(bargap=0, showlegend=False)
    figure.update_xaxes(
        title={"text": "Grey level (0 is black)", "standoff": 8},
        range=[-0.5, 255.5],
        tickvals=[0, 64, 128, 192, 255],
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(
        title={"text": "Share of pixels (log scale)", "standoff": 12}, type="log", dtick=1, tickformat="~%"
    )
    return figure


def percentage(share: float) -> str:
    """Word a probability without false certainty: 0.9341 is "93.4%", a trace "<0.1%", near one ">99.9%"."""
    if share < 0.001:
        return "<0.1%"
    return ">99.9%" if share > 0.999 else f"{share:.1%}"


def style(figure: go.Figure, margin: dict[str, int]) -> None:
    """Give a figure the neutral look that every ground bears."""
    figure.update_layout(template=_TEMPLATE, margin={**margin, "pad": 4}, autosize=True)


def style_epoch_axis(figure: go.Figure, total_epochs: int) -> None:
    """Span the x axis from epoch 1 to `total_epochs`, whatever has been drawn so far."""
    padding = max(0.5, 0.02 * total_epochs)
    figure.update_xaxes(
        title={"text": "Epoch", "standoff": 8},
        range=[1 - padding, total_epochs + padding],
        showgrid=False,
        zeroline=False,
        spikecolor=NEUTRAL,
        spikethickness=1,
        unifiedhovertitle_text="Epoch %{x}",
        **({"dtick": 1} if total_epochs <= 12 else {"nticks": 10}),  # whole numbers either way
    )


def mark_best_epoch(figure: go.Figure, best: int, *, metric: Metric, total_epochs: int) -> None:
    """Draw a line at the best epoch and name it where the curves leave room."""
    figure.add_vline(x=best, line={"color": NEUTRAL, "width": 1, "dash": "dot"}, layer="below")
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


def note(figure: go.Figure, text: str, **place: Any) -> None:
    """Write on a figure, in the page's text colour: a note has none of its own."""
    figure.add_annotation(text=text, showarrow=False, **place)
