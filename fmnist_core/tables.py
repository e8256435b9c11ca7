"""The tables that pages show, as frames: shares as shares, losses in nats, nothing rounded."""

from collections.abc import Mapping, Sequence

import pandas as pd

from fmnist_core.config import describe
from fmnist_core.diagnosis import best_epoch
from fmnist_core.evaluation import Evaluation
from fmnist_core.schema import Run, Weights


def epoch_table(epochs: pd.DataFrame, tests: Mapping[Weights, Evaluation] | None = None) -> pd.DataFrame:
    """One row for the best epoch and one for the last; `gap` is validation minus evaluated training loss.

    With `tests` there are also the columns test_loss and test_accuracy. `epochs` must not be empty.
    """
    numbers: dict[Weights, int] = {"best": best_epoch(epochs), "last": int(epochs["epoch"].iloc[-1])}
    columns = ["evaluated_training_loss", "validation_loss", "evaluated_training_accuracy", "validation_accuracy"]
    rows = epochs.set_index("epoch").loc[list(numbers.values()), columns].reset_index()
    rows.insert(0, "which", [f"{kind.capitalize()} epoch ({number})" for kind, number in numbers.items()])
    rows.insert(4, "gap", rows["validation_loss"] - rows["evaluated_training_loss"])
    if tests:
        rows["test_loss"] = [tests[kind].loss if kind in tests else None for kind in numbers]
        rows["test_accuracy"] = [tests[kind].accuracy if kind in tests else None for kind in numbers]
    return rows.drop(columns="epoch")


def runs_table(runs: Sequence[Run]) -> pd.DataFrame:
    """One row a run, in the given order."""
    return pd.DataFrame(
        {
            "run": [run.number for run in runs],
            "settings": [describe(run.config) for run in runs],
            "status": [run.status for run in runs],
            "epochs": [f"{run.epochs_done} of {run.config.epochs}" for run in runs],
            "best_epoch": pd.array([run.best_epoch for run in runs], dtype="Int64"),
            "validation_loss": pd.array([run.best_validation_loss for run in runs], dtype="Float64"),
            "validation_accuracy": pd.array([run.best_validation_accuracy for run in runs], dtype="Float64"),
            "data": [run.data_name for run in runs],
            "started": pd.to_datetime([run.created_at for run in runs], unit="s", utc=True),
        }
    )


# Heading, the figure's name in `study.arm_table`, and how it is worded; in the order in which they are shown.
_STUDY_COLUMNS = (
    ("Validation loss, best epoch", "validation_loss_best", "loss"),
    ("Validation loss, last epoch", "validation_loss_last", "loss"),
    ("Validation accuracy, best epoch", "validation_accuracy_best", "share"),
    ("Validation accuracy, last epoch", "validation_accuracy_last", "share"),
    ("Gap, last epoch", "gap_last", "loss"),
    ("Calibration error", "validation_calibration_error_last", "share"),
    ("Test loss, last epoch", "test_loss_last", "loss"),
    ("Test accuracy, last epoch", "test_accuracy_last", "share"),
    ("Test loss, best epoch", "test_loss_best", "loss"),
    ("Test accuracy, best epoch", "test_accuracy_best", "share"),
    ("Test calibration error", "test_calibration_error_last", "share"),
    ("Seconds a run", "seconds", "seconds"),
)


def study_table(figures: pd.DataFrame, better: Mapping[str, float | None]) -> pd.DataFrame:
    """A comparison's figures in words, one row an arm: `figures` as from `arm_table`, `better` as from `better_arms`.

    A star marks the better arm of a column; "not yet" stands for what is not known yet.
    """
    rows = []
    for figure in figures.to_dict("records"):
        dropout = figure["dropout"]
        row = {"Dropout": f"{dropout:g}", "Seeds": f"{figure['finished']} of {figure['seeds']}"}
        for heading, name, kind in _STUDY_COLUMNS:
            if f"{name}_mean" in figure:
                star = " ★" if better.get(name) == dropout else ""
                row[heading] = _worded(figure[f"{name}_mean"], figure[f"{name}_sd"], kind) + star
        parameters = figure["parameters"]
        row["Parameters"] = "not yet" if pd.isna(parameters) else f"{parameters:,}"
        rows.append(row)
    return pd.DataFrame(rows)


def _worded(mean: float, deviation: float, kind: str) -> str:
    if pd.isna(mean):
        return "not yet"
    scale, digits, unit = {"loss": (1, 3, ""), "share": (100, 2, "%"), "seconds": (1, 0, "")}[kind]
    spread = "" if pd.isna(deviation) else f" ± {scale * deviation:.{digits}f}"
    return f"{scale * mean:.{digits}f}{spread}{unit}"
