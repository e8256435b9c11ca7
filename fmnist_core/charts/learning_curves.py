"""One run's learning curves: training as trained, training as evaluated, and validation."""

from collections.abc import Sequence
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

_EARLY_EPOCHS = 2  # that the axis spans while there are losses within them


def learning_curves(
    epochs: pd.DataFrame,
    *,
    metric: Metric,
    colour: str,
    total_epochs: int,
    best_epoch: int | None,
    dropout: float = 0.0,
    validation_name: str = "Validation",
    early_losses: Sequence[tuple[float, float]] = (),
    has_ended: bool = False,
) -> go.Figure:
    """Draw one run's training and validation curves, finished or still growing.

    `epochs` has a row per finished epoch, with the columns `epoch`, `training_<metric>` (as trained),
    `evaluated_training_<metric>` and `validation_<metric>`; accuracies are fractions. The epoch axis spans
    1 to `total_epochs` from the start, so a growing chart stands still. `dropout` only words the legend, `has_ended`
    what a chart without an epoch says.

    `early_losses` are epochs gone by, not whole, and training loss as trained: a line of its own for as long as the
    first epochs have none. The axis then spans these epochs alone.
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
    if early_losses:
        _add_early_losses(figure, early_losses, colour, as_trained, total_epochs)
    figure.update_yaxes(
        title={"text": "Loss (mean over images, nats)" if metric == "loss" else "Accuracy", "standoff": 12},
        tickformat="~g" if metric == "loss" else "~%",
        nticks=8,
        zeroline=False,
    )
    if not number:
        # Without a point a trace is missing from the legend, and the plot would shrink at the first epoch.
        for trace in figure.data[: len(curves)]:
            trace.update(x=[None], y=[None])
        if not early_losses:
            figure.update_yaxes(range=[0, 1])
            words = "No epoch was finished" if has_ended else "The first epoch appears here"
            note(figure, words, x=0.5, y=0.5, xref="paper", yref="paper")
    values = epochs[[f"{data}_{metric}" for _, data, _ in curves]].to_numpy().ravel().tolist()
    extent = extent_of_values([*values, *(loss for _, loss in early_losses)], are_losses=metric == "loss")
    if extent is not None and extent.is_cut:
        cut_curves(figure, extent)
    if best is not None:
        mark_best_epoch(figure, best, metric=metric, total_epochs=total_epochs)
    return figure


def _add_early_losses(
    figure: go.Figure, losses: Sequence[tuple[float, float]], colour: str, as_trained: str, total_epochs: int
) -> None:
    figure.add_scatter(
        x=[epoch for epoch, _ in losses],
        y=[loss for _, loss in losses],
        name=f"Training, within the epoch{as_trained}",
        mode="lines+markers" if len(losses) == 1 else "lines",
        line={"width": 1, "color": colour},
        marker={"color": colour, "size": 4},
        opacity=0.75,
        legendrank=1,  # the last, in the reversed order
        hovertemplate="%{y:.3f}",
    )
    last = min(_EARLY_EPOCHS, total_epochs)
    ends = [-0.03 * last, 1.03 * last]
    figure.update_xaxes(
        range=ends,
        autorangeoptions={"minallowed": ends[0], "maxallowed": ends[1]},
        dtick=1,
        nticks=None,
        unifiedhovertitle_text="Epoch %{x:.2f}",
    )
