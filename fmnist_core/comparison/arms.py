"""The runs of each arm, and their figures over seeds: bands, means, spreads, the better arm."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from fmnist_core.comparison.evidence import leaders
from fmnist_core.comparison.factors import Level
from fmnist_core.comparison.measures import MEASURES
from fmnist_core.comparison.reading import Epoch, Reading
from fmnist_core.config import count_parameters
from fmnist_core.network.figures import Evaluation
from fmnist_core.results.diagnosis import best_place
from fmnist_core.store.run import Run, Weights


@dataclass(frozen=True)
class ArmRun:
    """One run of a comparison: asked for or not yet, growing or finished. `epochs` is as from `Store.epochs`."""

    level: Level
    seed: int
    run: Run | None
    epochs: pd.DataFrame
    tests: Mapping[Weights, Evaluation]

    @property
    def finished(self) -> bool:
        """Whether the run has reached its last epoch, so that it may be compared."""
        return self.run is not None and self.run.status == "finished" and not self.epochs.empty

    @cached_property
    def _rows(self) -> dict[Epoch, dict[str, float]]:
        return {}

    def at(self, epoch: Epoch) -> dict[str, float]:
        """What a finished run showed, by column, at the epoch that is read, which it must have; looked up once."""
        if epoch not in self._rows:
            self._rows[epoch] = row_at(self.epochs, epoch)
        return self._rows[epoch]


def band(epochs_of_runs: Sequence[pd.DataFrame], column: str) -> pd.DataFrame:
    """Mean and spread over runs of one figure, one row an epoch: epoch, mean, standard_deviation, low, high, count.

    `low` and `high` lie one standard deviation (of the sample, n - 1) below and above the mean; where an epoch has
    one run only, all three are NaN. The column "gap" is validation minus evaluated training loss.
    """
    begun = [epochs for epochs in epochs_of_runs if not epochs.empty]
    if not begun:
        return pd.DataFrame(columns=["epoch", "mean", "standard_deviation", "low", "high", "count"], dtype=float)
    # numpy, since a large comparison has hundreds of runs, and a frame for each takes ten times as long.
    numbers = [epochs["epoch"].to_numpy() for epochs in begun]
    all_epochs = np.unique(np.concatenate(numbers))
    values = np.full((len(begun), len(all_epochs)), np.nan)
    for row, epochs, number in zip(values, begun, numbers, strict=True):
        row[np.searchsorted(all_epochs, number)] = _column(epochs, column)
    count = (~np.isnan(values)).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):  # a loss may be infinite, and one run has no deviation
        mean = np.nansum(values, axis=0) / count
        deviation = np.sqrt(np.nansum((values - mean) ** 2, axis=0) / (count - 1))
    deviation[count < 2] = np.nan
    return pd.DataFrame(
        {
            "epoch": all_epochs,
            "mean": mean,
            "standard_deviation": deviation,
            "low": mean - deviation,
            "high": mean + deviation,
            "count": count,
        }
    )


def _column(epochs: pd.DataFrame, column: str) -> npt.NDArray[np.float64]:
    if column == "gap":
        return _column(epochs, "validation_loss") - _column(epochs, "evaluated_training_loss")
    return epochs[column].to_numpy(dtype=np.float64)


def figures_at(arm: ArmRun, epoch: Epoch, reveal_tests: bool) -> dict[str, float]:
    """The figures by which a finished run is compared; test figures where they are wanted and there.

    The article's protocol has shown its test figures as validation, and chosen epochs keep no weights to test.
    """
    figures = _figures_of(arm.at(epoch))
    test = None if isinstance(epoch, int) else arm.tests.get(epoch)
    if reveal_tests and test is not None and arm.run is not None and arm.run.config.protocol == "held-out":
        figures |= {"test_loss": test.loss, "test_accuracy": test.accuracy}
    return figures


def _figures_of(row: Mapping[str, float]) -> dict[str, float]:
    return {
        "gap": row["validation_loss"] - row["evaluated_training_loss"],
        "validation_loss": row["validation_loss"],
        "validation_accuracy": row["validation_accuracy"],
    }


def row_at(epochs: pd.DataFrame, epoch: Epoch) -> dict[str, float]:
    """What a finished run showed, by column, at the epoch that is read; it must have it."""
    if epoch == "last":
        place = len(epochs) - 1
    elif epoch == "best":
        place = best_place(epochs)
    else:
        place = epochs["epoch"].tolist().index(epoch)
    # By way of numpy: a comparison of 160 runs asks for hundreds of rows, for which pandas takes four times as long.
    return dict(zip(epochs.columns, epochs.to_numpy()[place].tolist(), strict=True))


def column_of(metric: str, epoch: Epoch) -> str:
    """The name of a metric's column in `arm_table`, without mean or spread: "gap_last", "gap_epoch_12"."""
    return f"{metric}_epoch_{epoch}" if isinstance(epoch, int) else f"{metric}_{epoch}"


def outcomes(arm: ArmRun, reveal_tests: bool, epoch: Epoch = "last") -> dict[str, float]:
    """The figures of a finished run that the table shows; a test figure that is missing is NaN.

    Losses and gap are nats, accuracies and calibration errors shares, seconds the sum over epochs.
    """
    epochs: list[Epoch] = ["best", "last", *([epoch] if isinstance(epoch, int) else [])]
    rows = {at: arm.at(at) for at in epochs}
    figures: dict[str, float] = {
        column_of(metric, at): value for at, row in rows.items() for metric, value in _figures_of(row).items()
    }
    figures["validation_calibration_error_last"] = rows["last"]["validation_calibration_error"]
    figures["seconds"] = float(arm.epochs["seconds"].to_numpy().sum())
    kinds: tuple[Weights, ...] = ("last", "best") if reveal_tests else ()
    for kind in kinds:
        test = arm.tests.get(kind)
        for name in ("loss", "accuracy", "calibration_error"):
            figures[f"test_{name}_{kind}"] = math.nan if test is None else getattr(test, name)
    return {name: float(value) for name, value in figures.items()}


def arm_table(runs: Sequence[ArmRun], reveal_tests: bool, epoch: Epoch = "last") -> pd.DataFrame:
    """One row an arm, in their order: mean and standard deviation (n - 1) of each figure over finished runs.

    Columns: level, `<figure>_mean` and `<figure>_sd` for each of `outcomes`, parameters, finished and seeds (runs
    that are done and runs in all). A mean without a finished run and a deviation with fewer than two are NaN.
    """
    rows = []
    for level, arm in by_level(runs).items():
        finished = [outcomes(one, reveal_tests, epoch) for one in arm if one.finished]
        figures = pd.DataFrame(finished, columns=_names(reveal_tests, epoch), dtype=float)
        row: dict[str, Any] = {"level": level}
        for name, mean, deviation in zip(figures.columns, figures.mean(), figures.std(ddof=1), strict=True):
            row |= {f"{name}_mean": mean, f"{name}_sd": deviation}
        configs = [one.run.config for one in arm if one.run is not None]
        row["parameters"] = count_parameters(configs[0]) if configs else None
        rows.append({**row, "finished": len(figures), "seeds": len(arm)})
    return pd.DataFrame(rows).astype({"parameters": "Int64"})


def better_arms(runs: Sequence[ArmRun], reveal_tests: bool = False, epoch: Epoch = "last") -> dict[str, int]:
    """By column of `arm_table` the place of the arm that is settled to be better than every other, where there is one.

    Only figures that answers are about have one: gap, loss and accuracy at the epoch that is read, by the same rule.
    """
    arms = by_level(runs).values()
    figures = {
        place: {one.seed: figures_at(one, epoch, reveal_tests) for one in arm if one.finished}
        for place, arm in enumerate(arms)
    }
    better = leaders(figures, Reading(epoch=epoch).views(shared_epochs(runs)))
    return {column_of(metric, epoch): place for metric, place in better.items()}


def shared_epochs(runs: Sequence[ArmRun]) -> int:
    """How many epochs every arm has, of those that were asked for; 1 where none was."""
    return min((one.run.config.epochs for one in runs if one.run is not None), default=1)


def by_level(runs: Sequence[ArmRun]) -> dict[Level, list[ArmRun]]:
    """The runs of each arm, in the order of the arms in `Study.configs`."""
    arms: dict[Level, list[ArmRun]] = {}
    for one in runs:
        arms.setdefault(one.level, []).append(one)
    return arms


def _names(reveal_tests: bool, epoch: Epoch) -> list[str]:
    epochs: list[Epoch] = ["best", "last", *([epoch] if isinstance(epoch, int) else [])]
    names = [column_of(metric, at) for at in epochs for metric in MEASURES]
    tests = [f"test_{name}_{kind}" for kind in ("last", "best") for name in ("loss", "accuracy", "calibration_error")]
    return [*names, "validation_calibration_error_last", "seconds", *(tests * reveal_tests)]
