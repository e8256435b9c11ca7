"""How far confidence can be trusted, as a figure."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fmnist_core.charts.colours import NEUTRAL
from fmnist_core.charts.confusion_charts import _images
from fmnist_core.charts.style import LEGEND_ABOVE, as_label, style
from fmnist_core.results.calibration import Reliability


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
    for run_name, colour, one in curves:
        name = as_label(run_name)
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
