"""The runs of each arm, and their figures over seeds: bands, means, spreads, the better arm."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from fmnist_core.comparison.paired_statistics import paired_difference
from fmnist_core.config import count_parameters
from fmnist_core.network.figures import Evaluation
from fmnist_core.results.diagnosis import best_epoch, is_at_chance
from fmnist_core.store.run import Run, Weights


@dataclass(frozen=True)
class ArmRun:
    """One run of a comparison: asked for or not yet, growing or finished. `epochs` is as from `Store.epochs`."""

    dropout: float
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
    """One row an arm, by ascending dropout: mean and standard deviation (n - 1) of each figure over finished runs.

    Columns: dropout, `<figure>_mean` and `<figure>_sd` for each of `outcomes`, parameters, finished and seeds (runs
    that are done and runs in all). A mean without a finished run and a deviation with fewer than two are NaN.
    """
    configs = [arm.run.config for arm in runs if arm.run is not None]
    rows = []
    for dropout, arm in _by_arm(runs).items():
        figures = pd.DataFrame(
            [outcomes(one, reveal_tests) for one in arm if one.finished], columns=_names(reveal_tests)
        )
        row: dict[str, Any] = {"dropout": dropout}
        for name in figures.columns:
            values = figures[name].astype(float)
            row |= {f"{name}_mean": values.mean(), f"{name}_sd": values.std(ddof=1)}
        row["parameters"] = count_parameters(configs[0]) if configs else None  # dropout has none
        rows.append({**row, "finished": len(figures), "seeds": len(arm)})
    return pd.DataFrame(rows).astype({"parameters": "Int64"})


def better_arms(
    runs: Sequence[ArmRun], reveal_tests: bool = False, confidence: float = 0.95
) -> dict[str, float | None]:
    """For each figure of `outcomes` the dropout of the arm that is better than every other, or None.

    Better is higher for accuracies and lower for all else. The arm with the best mean is named where the paired t
    interval of its difference from each other arm excludes zero. With k arms each of those k - 1 intervals is held
    to (1 - confidence) / (k - 1), Bonferroni's correction: the best of many equal arms looks good by chance, and
    since all k - 1 must exclude zero, a stepwise correction such as Holm's would end at the uncorrected level. Arms
    are compared over seeds that all of them have finished; where all guess, none is better. Seconds name no arm: they
    tell how busy the machine was.
    """
    by_arm = {
        dropout: {one.seed: outcomes(one, reveal_tests) for one in arm if one.finished}
        for dropout, arm in _by_arm(runs).items()
    }
    seeds = sorted(set.intersection(*(set(arm) for arm in by_arm.values()))) if by_arm else []
    better: dict[str, float | None] = dict.fromkeys(_names(reveal_tests))
    if len(by_arm) < 2 or len(seeds) < 2:
        return better
    if all(is_at_chance(arm[seed]["validation_accuracy_last"]) for arm in by_arm.values() for seed in seeds):
        return better
    corrected = 1 - (1 - confidence) / (len(by_arm) - 1)
    for name in set(better) - {"seconds"}:
        sign = -1 if "accuracy" in name else 1
        values = {dropout: [sign * arm[seed][name] for seed in seeds] for dropout, arm in by_arm.items()}
        if any(math.isnan(value) for arm in values.values() for value in arm):
            continue
        best = min(values, key=lambda dropout: sum(values[dropout]))
        others = [arm for dropout, arm in values.items() if dropout != best]
        if all(paired_difference(values[best], other, name, corrected).low > 0 for other in others):
            better[name] = best
    return better


def _by_arm(runs: Sequence[ArmRun]) -> dict[float, list[ArmRun]]:
    return {rate: [one for one in runs if one.dropout == rate] for rate in sorted({one.dropout for one in runs})}


def _names(reveal_tests: bool) -> list[str]:
    names = ["validation_loss_best", "validation_accuracy_best", "validation_loss_last", "validation_accuracy_last"]
    names += ["gap_last", "validation_calibration_error_last", "seconds"]
    tests = [f"test_{name}_{kind}" for kind in ("last", "best") for name in ("loss", "accuracy", "calibration_error")]
    return names + tests * reveal_tests
