"""A comparison's figures in words, one row an arm."""

from collections.abc import Mapping

import pandas as pd

from fmnist_core.comparison.arms import column_of
from fmnist_core.comparison.factors import Factor
from fmnist_core.comparison.reading import Epoch
from fmnist_core.comparison.setting_texts import SETTING_TEXTS
from fmnist_core.wording import capitalised, decimal

# Heading, the figure's name in `arms.arm_table`, and how it is worded; in the order in which they are shown.
_Column = tuple[str, str, str]
_STUDY_COLUMNS: tuple[_Column, ...] = (
    ("Validation loss, best epoch", "validation_loss_best", "loss"),
    ("Validation loss, last epoch", "validation_loss_last", "loss"),
    ("Validation accuracy, best epoch", "validation_accuracy_best", "share"),
    ("Validation accuracy, last epoch", "validation_accuracy_last", "share"),
    ("Gap, best epoch", "gap_best", "loss"),
    ("Gap, last epoch", "gap_last", "loss"),
    ("Calibration error, last epoch", "validation_calibration_error_last", "share"),
    ("Test loss, last epoch", "test_loss_last", "loss"),
    ("Test accuracy, last epoch", "test_accuracy_last", "share"),
    ("Test loss, best epoch", "test_loss_best", "loss"),
    ("Test accuracy, best epoch", "test_accuracy_best", "share"),
    ("Test calibration error, last epoch", "test_calibration_error_last", "share"),
    ("Seconds a run", "seconds", "seconds"),
)


def study_table(
    figures: pd.DataFrame, better: Mapping[str, int], factor: Factor, epoch: Epoch = "last"
) -> pd.DataFrame:
    """A comparison's figures in words, one row an arm: `figures` as from `arm_table`, `better` as from `better_arms`.

    A star marks the better arm of a column; "not yet" stands for what is not known yet.
    """
    rows = []
    for place, figure in enumerate(figures.to_dict("records")):
        row = {factor.name: factor.label(figure["level"]), "Seeds": f"{figure['finished']} of {figure['seeds']}"}
        for heading, name, kind in (*_chosen_columns(epoch), *_STUDY_COLUMNS):
            if f"{name}_mean" in figure:
                star = " ★" if better.get(name) == place else ""
                row[heading] = _worded(figure[f"{name}_mean"], figure[f"{name}_sd"], kind) + star
        parameters = figure["parameters"]
        row["Parameters"] = "not yet" if pd.isna(parameters) else f"{parameters:,}"
        rows.append(row)
    return pd.DataFrame(rows)


def _chosen_columns(epoch: Epoch) -> tuple[_Column, ...]:
    if not isinstance(epoch, int):
        return ()
    kinds = {"validation_loss": "loss", "validation_accuracy": "share", "gap": "loss"}
    return tuple(
        (f"{capitalised(metric.replace('_', ' '))}, epoch {epoch}", column_of(metric, epoch), kind)
        for metric, kind in kinds.items()
    )


def csv_table(figures: pd.DataFrame, factor: Factor) -> pd.DataFrame:
    """`figures` as from `arm_table` for a file: levels as links write them, under the setting's own name."""
    levels = figures["level"].map(SETTING_TEXTS[factor.setting].write)
    return figures.drop(columns="level").assign(**{factor.setting: levels})[[factor.setting, *figures.columns[1:]]]


def _worded(mean: float, deviation: float, kind: str) -> str:
    if pd.isna(mean):
        return "not yet"
    scale, digits, unit = {"loss": (1, 3, ""), "share": (100, 2, "%"), "seconds": (1, 0, "")}[kind]
    spread = "" if pd.isna(deviation) else f" ± {decimal(scale * deviation, digits)}"
    return f"{decimal(scale * mean, digits)}{spread}{unit}"
