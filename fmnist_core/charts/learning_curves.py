"""One run's learning curves: training as trained, training as evaluated, and validation."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from fmnist_core.charts.style import (
    LEGEND_ABOVE,
    Metric,
    cut_curves,
    extent_of_values,
    mark_best_epoch,
    note,
    style,
    style_epoch_axis,
)


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
    extent = extent_of_values(
        epochs[[f"{data}_{metric}" for _, data, _ in curves]].to_numpy().ravel().tolist(), are_losses=metric == "loss"
    )
    if extent is not None and extent.is_cut:
        cut_curves(figure, extent)
    if best is not None:
        mark_best_epoch(figure, best, metric=metric, total_epochs=total_epochs)
    return figure
