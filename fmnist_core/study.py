"""A comparison of dropout rates: what it consists of, how a link carries it, and its figures an epoch and an arm.

An arm is one dropout rate with a run for each seed. Runs of different arms that share a seed share the split, the
first weights and the order of batches, so they are pairs that differ in dropout alone.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import pandas as pd

from fmnist_core.config import DROPOUT_LIMITS, PRESETS, SEED_LIMITS, RunConfig
from fmnist_core.diagnosis import best_epoch
from fmnist_core.evaluation import Evaluation
from fmnist_core.model import count_parameters
from fmnist_core.schema import Run, Weights
from fmnist_core.verdict import paired_difference

ARM_LIMITS = (2, 8)
SEED_COUNT_LIMITS = (1, 20)

# Longer than any address that `to_address` writes: eight rates with all their digits.
_VALUE_LENGTH = 250
_WHOLE = r"[0-9]{1,10}"
_NUMBER = r"[0-9]{1,3}(?:\.[0-9]{1,24})?(?:e-[0-9]{1,3})?"
_TYPED_NUMBER = re.compile(rf"{_NUMBER}|\.[0-9]{{1,24}}")


@dataclass(frozen=True, kw_only=True)
class Study:
    """Arms that differ in dropout alone, each with the same seeds: base.seed, base.seed + 1 and so on.

    The rates are kept in ascending order, and `base` is kept with dropout 0, which no arm takes from it. Raises
    ValueError that names the rule, the value and what to do.
    """

    base: RunConfig
    dropouts: tuple[float, ...] = (0.0, 0.2)
    seeds: int = 1

    def __post_init__(self) -> None:
        low, high = ARM_LIMITS
        if not isinstance(self.dropouts, tuple):
            raise ValueError(f"arms must be a tuple of dropout rates, got {self.dropouts!r}")
        if not low <= len(self.dropouts) <= high:
            remedy = "add a rate to compare with" if len(self.dropouts) < low else "leave some out"
            raise ValueError(f"a comparison must have {low} to {high} arms, got {len(self.dropouts)}; {remedy}")
        # RunConfig checks each rate; adding 0.0 turns -0.0 into 0.0.
        rates = sorted(replace(self.base, dropout=rate).dropout + 0.0 for rate in self.dropouts)
        if twice := [rate for rate in rates if rates.count(rate) > 1]:
            raise ValueError(f"arms must differ: {number_text(twice[0])} is given twice; change or remove one")
        fewest, most = SEED_COUNT_LIMITS
        whole = isinstance(self.seeds, int) and not isinstance(self.seeds, bool)
        if not whole or not fewest <= self.seeds <= most:
            raise ValueError(f"seeds an arm must be a whole number from {fewest} to {most}, got {self.seeds!r}")
        if self.base.seed + self.seeds - 1 > SEED_LIMITS[1]:
            raise ValueError(
                f"every seed must be at most {SEED_LIMITS[1]}, got {self.seeds} from {self.base.seed} on; "
                "choose a lower first seed or fewer seeds"
            )
        object.__setattr__(self, "dropouts", tuple(rates))
        object.__setattr__(self, "base", replace(self.base, dropout=0.0))

    def arm_configs(self, dropout: float) -> list[RunConfig]:
        """The arm's runs, one a seed."""
        return [replace(self.base, dropout=dropout, seed=self.base.seed + place) for place in range(self.seeds)]

    def configs(self) -> list[RunConfig]:
        """All runs, seed by seed, so that whole pairs finish early."""
        return [config for seed in zip(*map(self.arm_configs, self.dropouts), strict=True) for config in seed]

    def to_address(self) -> dict[str, str]:
        """Query parameters, `from_address`'s inverse: arms, seeds and what differs from `RunConfig`'s defaults."""
        address = {"arms": ",".join(map(number_text, self.dropouts)), "seeds": str(self.seeds)}
        standard = RunConfig()
        for name, (_, _, write) in _FORMS.items():
            if name not in address and (value := getattr(self.base, name)) != getattr(standard, name):
                address[name] = write(value)
        return address

    @classmethod
    def from_address(cls, values: Mapping[str, str]) -> Self:
        """Read query parameters; none at all mean the default comparison with the article's recipe and protocol.

        Where there are some, a missing one takes `RunConfig`'s default. Raises ValueError with a sentence for people.
        """
        if not values:
            return cls(base=PRESETS[0].config)
        if unknown := sorted(set(values) - set(_FORMS)):
            known = ", ".join(_FORMS)
            raise ValueError(f"the link has an unknown setting {_quoted(unknown[0])}; known are {known}")
        parsed: dict[str, Any] = {}
        for name, text in values.items():
            pattern, read, _ = _FORMS[name]
            if len(text) > _VALUE_LENGTH or not re.fullmatch(pattern, text):
                raise ValueError(f"the link's {name} must look like {_EXAMPLES[name]}, got {_quoted(text)}")
            parsed[name] = read(text)
        arms = {name: parsed.pop(key) for key, name in (("arms", "dropouts"), ("seeds", "seeds")) if key in parsed}
        return cls(base=RunConfig(**parsed), **arms)


def number_text(value: float) -> str:
    """The shortest text that reads back as the same number: "0", "0.2", "1e-06"."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def parse_dropouts(text: str) -> tuple[float, ...]:
    """Read dropout rates as people type them, in their order: "0, 0.2 0.5". `Study` checks their number and range.

    Raises ValueError that quotes the part that is no number.
    """
    parts = text.replace(",", " ").replace(";", " ").split()
    for part in parts:
        if not _TYPED_NUMBER.fullmatch(part):
            low, high = DROPOUT_LIMITS
            raise ValueError(
                f"dropout rates must be numbers from {low:g} to {high:g} such as 0, 0.2, 0.5; got {_quoted(part)}"
            )
    return tuple(map(float, parts))


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")


# A setting's pattern, which must match to the very end and in ASCII; how to read it; how to write it.
_Form = tuple[str, Callable[[str], Any], Callable[[Any], str]]
_WHOLE_FORM: _Form = (_WHOLE, int, str)
_NUMBER_FORM: _Form = (_NUMBER, float, number_text)
_SWITCH_FORM: _Form = ("true|false", lambda text: text == "true", lambda value: str(value).lower())
_CHOICE_FORM: _Form = ("[a-z-]{1,20}", str, str)  # RunConfig knows the choices
_FORMS: dict[str, _Form] = {
    "arms": (rf"{_NUMBER}(?:,{_NUMBER})*", parse_dropouts, str),
    "seeds": _WHOLE_FORM,
    "hidden": (
        rf"{_WHOLE}(?:-{_WHOLE})*",
        lambda text: tuple(map(int, text.split("-"))),
        lambda widths: "-".join(map(str, widths)),
    ),
    "batch_norm": _SWITCH_FORM,
    "learning_rate": _NUMBER_FORM,
    "schedule": _CHOICE_FORM,
    "batch_size": _WHOLE_FORM,
    "epochs": _WHOLE_FORM,
    "weight_decay": _NUMBER_FORM,
    "label_smoothing": _NUMBER_FORM,
    "flips": _SWITCH_FORM,
    "protocol": _CHOICE_FORM,
    "seed": _WHOLE_FORM,
}
_EXAMPLES = {
    **{"arms": "0,0.2", "seeds": "5", "hidden": "256-128-64", "batch_norm": "true", "learning_rate": "0.003"},
    **{"schedule": "one-cycle", "batch_size": "64", "epochs": "30", "weight_decay": "0.01", "label_smoothing": "0.1"},
    **{"flips": "true", "protocol": "article", "seed": "0"},
}
assert {field.name for field in fields(RunConfig)} - {"dropout"} == set(_FORMS) - {"arms", "seeds"}


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
    are compared over seeds that all of them have finished. Seconds name no arm: they tell how busy the machine was.
    """
    by_arm = {
        dropout: {one.seed: outcomes(one, reveal_tests) for one in arm if one.finished}
        for dropout, arm in _by_arm(runs).items()
    }
    seeds = sorted(set.intersection(*(set(arm) for arm in by_arm.values()))) if by_arm else []
    better: dict[str, float | None] = dict.fromkeys(_names(reveal_tests))
    if len(by_arm) < 2 or len(seeds) < 2:
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
