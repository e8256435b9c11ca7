"""All stored runs as a table: what each is, how it went, and what is written about it."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from fmnist_core.results.run_names import describe_settings, status_word
from fmnist_core.store.run import Run
from fmnist_core.store.summaries import Summary

_SPARKLINE_POINTS = 40  # as many as a cell is wide enough for


def run_table(runs: Sequence[Run], summaries: Mapping[str, Summary]) -> pd.DataFrame:
    """One row a run, in the given order; the index is the runs' keys. Losses in nats, shares as shares, all unrounded.

    Figures of a run without an epoch are missing. `gap` is validation minus evaluated training loss at the last epoch.
    """
    ends = [summaries.get(run.key) for run in runs]
    return pd.DataFrame(
        {
            "run": pd.array([run.number for run in runs], dtype="Int64"),
            "name": [run.notes.name for run in runs],
            "settings": [describe_settings(run.config) for run in runs],
            "seed": pd.array([run.config.seed for run in runs], dtype="Int64"),
            "status": [status_word(run) for run in runs],
            "epochs": [f"{run.epochs_done} of {run.config.epochs}" for run in runs],
            "curve": [[] if end is None else sparkline(end.validation_losses) for end in ends],
            "best_epoch": pd.array([run.best_epoch for run in runs], dtype="Int64"),
            "best_validation_loss": _figures([run.best_validation_loss for run in runs]),
            "best_validation_accuracy": _figures([run.best_validation_accuracy for run in runs]),
            "last_validation_loss": _figures([end and end.last_validation_loss for end in ends]),
            "last_validation_accuracy": _figures([end and end.last_validation_accuracy for end in ends]),
            "gap": _figures([end and end.last_gap for end in ends]),
            "seconds": _figures([end and end.seconds for end in ends]),
            "asked_for": pd.to_datetime([run.created_at for run in runs], unit="s", utc=True),
            "hypothesis": [run.notes.hypothesis for run in runs],
            "conclusion": [run.notes.conclusion for run in runs],
            "data": [run.data_name for run in runs],
        },
        index=pd.Index([run.key for run in runs], name="key", dtype=object),
    )


def in_per_cent(table: pd.DataFrame) -> pd.DataFrame:
    """`run_table` for a page, whose columns then have one form: accuracies in per cent."""
    accuracies = ("best_validation_accuracy", "last_validation_accuracy")
    return table.assign(**{name: 100 * table[name] for name in accuracies})


def _figures(values: Sequence[float | None]) -> pd.api.extensions.ExtensionArray:
    return pd.array(values, dtype="Float64")


def sparkline(values: Sequence[float]) -> list[float]:
    """So many of a curve's values as a small picture can show: its first and last and those between at even steps.

    What is not finite is left out.
    """
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) <= _SPARKLINE_POINTS:
        return finite
    step = (len(finite) - 1) / (_SPARKLINE_POINTS - 1)
    return [finite[round(place * step)] for place in range(_SPARKLINE_POINTS)]
