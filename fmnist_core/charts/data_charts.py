"""What a data set holds, as figures: images a class, and how bright pixels are."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from fmnist_core.charts.colours import ACCENT, see_through
from fmnist_core.charts.style import LEGEND_ABOVE, style


def class_counts(counts: Mapping[str, Sequence[int]], class_names: Sequence[str]) -> go.Figure:
    """Draw the number of images in each class; `counts` maps a split's name to one number a class."""
    figure = go.Figure()
    for place, (name, numbers) in enumerate(counts.items()):
        figure.add_bar(
            x=list(numbers),
            y=list(class_names),
            orientation="h",
            name=name,
            marker={"color": see_through(ACCENT, 1 - 0.28 * place)},  # a legend ignores the opacity of a marker
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
