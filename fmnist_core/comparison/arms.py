"""The runs of each arm, and their figures over seeds: bands, means, spreads, the better arm."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from fmnist_core.comparison.factors import Level
from fmnist_core.comparison.paired_statistics import paired_difference
from fmnist_core.config import count_parameters
from fmnist_core.network.figures import Evaluation
from fmnist_core.results.diagnosis import best_epoch, is_at_chance
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


def band(epochs_of_runs: Sequence[pd.DataFrame], column: str) -> pd.DataFrame:
    """Mean and spread over runs of one figure, one row an epoch: epoch, mean, standard_deviation, low, high, count.

    `low` and `high` lie one standard deviation (of the sample, n - 1) below and above the mean; where an epoch has
    one run only, all three are NaN. The column "gap" is validation minus evaluated training loss.
    """
    parts = [
        pd.DataFrame({"epoch": epochs["epoch"], "value": _column(epochs, column)})
        for epochs in epochs_of_runs
        if not epochs.empty
    ]
    if not parts:
        return pd.DataFrame(columns=["epoch", "mean", "standard_deviation", "low", "high", "count"], dtype=float)
    by_epoch = pd.concat(parts).groupby("epoch")["value"]
    mean, deviation = by_epoch.mean(), by_epoch.std(ddof=1)
    return pd.DataFrame(
        {
            "mean": mean,
            "standard_deviation": deviation,
            "low": mean - deviation,
            "high": mean + deviation,
            "count": by_epoch.count(),
        }
    ).reset_index()


def _column(epochs: pd.DataFrame, column: str) -> "pd.Series[float]":
    return epochs["validation_loss"] - epochs["evaluated_training_loss"] if column == "gap" else epochs[column]


def outcomes(arm: ArmRun, reveal_tests: bool) -> dict[str, float]:
    """The figures of a finished run that the table shows; a test figure that is missing is NaN.

    Losses and gap are nats, accuracies and calibration errors shares, seconds the sum over epochs.
    """
    last, best = arm.epochs.iloc[-1], arm.epochs.iloc[arm.epochs["epoch"].tolist().index(best_epoch(arm.epochs))]
    figures = {
        "validation_loss_best": best["validation_loss"],
        "validation_accuracy_best": best["validation_accuracy"],
        "validation_loss_last": last["validation_loss"],
        "validation_accuracy_last": last["validation_accuracy"],
        "gap_last": last["validation_loss"] - last["evaluated_training_loss"],
        "validation_calibration_error_last": last["validation_calibration_error"],
        "seconds": arm.epochs["seconds"].sum(),
    }
    kinds: tuple[Weights, ...] = ("last", "best") if reveal_tests else ()
    for kind in kinds:
        test = arm.tests.get(kind)
        for name in ("loss", "accuracy", "calibration_error"):
            figures[f"test_{name}_{kind}"] = math.nan if test is None else getattr(test, name)
    return {name: float(value) for name, value in figures.items()}


def arm_table(runs: Sequence[ArmRun], reveal_tests: bool) -> pd.DataFrame:
    """One row an arm, in their order: mean and standard deviation (n - 1) of each figure over finished runs.

    Columns: level, `<figure>_mean` and `<figure>_sd` for each of `outcomes`, parameters, finished and seeds (runs
    that are done and runs in all). A mean without a finished run and a deviation with fewer than two are NaN.
    """
    rows = []
    for level, arm in by_level(runs).items():
        figures = pd.DataFrame(
            [outcomes(one, reveal_tests) for one in arm if one.finished], columns=_names(reveal_tests)
        )
        row: dict[str, Any] = {"level": level}
        for name in figures.columns:
            values = figures[name].astype(float)
            row |= {f"{name}_mean": values.mean(), f"{name}_sd": values.std(ddof=1)}
        configs = [one.run.config for one in arm if one.run is not None]
        row["parameters"] = count_parameters(configs[0]) if configs else None
        rows.append({**row, "finished": len(figures), "seeds": len(arm)})
    return pd.DataFrame(rows).astype({"parameters": "Int64"})


def better_arms(runs: Sequence[ArmRun], reveal_tests: bool = False, confidence: float = 0.95) -> dict[str, int | None]:
    """For each figure of `outcomes` the place of the arm that is better than every other, counted from 0, or None.

    Better is higher for accuracies and lower for all else. The arm with the best mean is named where the paired t
    interval of its difference from each other arm excludes zero. With k arms each of those k - 1 intervals is held
    to (1 - confidence) / (k - 1), Bonferroni's correction: the best of many equal arms looks good by chance, and
    since all k - 1 must exclude zero, a stepwise correction such as Holm's would end at the uncorrected level. Arms
    are compared over seeds that all of them have finished; where all guess, none is better. Seconds name no arm: they
    tell how busy the machine was.
    """
    arms = [{one.seed: outcomes(one, reveal_tests) for one in arm if one.finished} for arm in by_level(runs).values()]
    seeds = sorted(set.intersection(*map(set, arms))) if arms else []
    better: dict[str, int | None] = dict.fromkeys(_names(reveal_tests))
    if len(arms) < 2 or len(seeds) < 2:
        return better
    if all(is_at_chance(arm[seed]["validation_accuracy_last"]) for arm in arms for seed in seeds):
        return better
    corrected = 1 - (1 - confidence) / (len(arms) - 1)
    for name in set(better) - {"seconds"}:
        sign = -1 if "accuracy" in name else 1
        values = [[sign * arm[seed][name] for seed in seeds] for arm in arms]
        if any(math.isnan(value) for arm in values for value in arm):
            continue
        best = min(range(len(values)), key=lambda place: sum(values[place]))
        others = [arm for place, arm in enumerate(values) if place != best]
        if all(paired_difference(values[best], other, name, corrected).low > 0 for other in others):
            better[name] = best
    return better


def by_level(runs: Sequence[ArmRun]) -> dict[Level, list[ArmRun]]:
    """The runs of each arm, in the order of the arms in `Study.configs`."""
    arms: dict[Level, list[ArmRun]] = {}
    for one in runs:
        arms.setdefault(one.level, []).append(one)
    return arms


def _names(reveal_tests: bool) -> list[str]:
    names = ["validation_loss_best", "validation_accuracy_best", "validation_loss_last", "validation_accuracy_last"]
    names += ["gap_last", "validation_calibration_error_last", "seconds"]
    tests = [f"test_{name}_{kind}" for kind in ("last", "best") for name in ("loss", "accuracy", "calibration_error")]
    return names + tests * reveal_tests
