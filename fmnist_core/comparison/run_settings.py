"""Stored runs beside one another: which settings differ, and what came of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import pandas as pd

from fmnist_core.comparison.factors import FACTORS
from fmnist_core.config import RunConfig
from fmnist_core.store.run import Run
from fmnist_core.store.summaries import Summary
from fmnist_core.wording import decimal

ENOUGH_FOR_AXES = 5  # runs from which on lines across axes show more than the table of settings does


@dataclass(frozen=True)
class Axis:
    """One setting or one figure of several runs, as an axis that lines cross: where each run crosses, from 0 to 1.

    `places` has NaN where a run has no such figure; `texts` says each run's value, `ticks` what stands where.
    """

    name: str
    places: tuple[float, ...]
    texts: tuple[str, ...]
    ticks: tuple[tuple[float, str], ...]


def settings_of(runs: Sequence[Run]) -> tuple[pd.DataFrame, pd.Series]:
    """What differs between runs, one row a run and one column a setting, and what all of them have, by its name.

    Both in words. The rows are in the order of `runs`, under their keys.
    """
    columns = {_name(field.name): [_word(field.name, run) for run in runs] for field in fields(RunConfig)}
    columns["Data"] = [run.data_name for run in runs]
    fingerprints = [run.data_fingerprint for run in runs]
    if len(set(fingerprints)) > len(set(columns["Data"])):
        columns["Data"] = [f"{run.data_name} ({run.data_fingerprint[:8]})" for run in runs]
    keys = [run.key for run in runs]
    differing = {name: words for name, words in columns.items() if len(set(words)) > 1}
    same = {name: words[0] for name, words in columns.items() if len(set(words)) == 1}
    return pd.DataFrame(differing, index=keys), pd.Series(same, dtype=object)


def axes_of(runs: Sequence[Run], summaries: Mapping[str, Summary]) -> list[Axis]:
    """The settings that differ between runs, and then their figures, as axes."""
    axes = []
    for field in fields(RunConfig):
        values = [getattr(run.config, field.name) for run in runs]
        if len(set(values)) > 1:
            axes.append(_setting_axis(field.name, values, [_word(field.name, run) for run in runs]))
    ends = [summaries.get(run.key) for run in runs]
    return [
        *axes,
        _figure_axis("Lowest validation loss", [run.best_validation_loss for run in runs], 1, 3),
        _figure_axis("Its accuracy (%)", [run.best_validation_accuracy for run in runs], 100, 2),
        _figure_axis("Gap, last epoch", [end and end.last_gap for end in ends], 1, 3),
    ]


def _setting_axis(setting: str, values: Sequence[Any], words: Sequence[str]) -> Axis:
    """Levels in their order at even steps: rates such as 0.0001 and 0.1 would lie on one another else."""
    levels = tuple(dict.fromkeys(values))
    ordered = FACTORS[setting].in_order(levels) if setting in FACTORS else tuple(sorted(levels))
    place = {level: rank / (len(ordered) - 1) for rank, level in enumerate(ordered)}
    by_level = dict(zip(values, words, strict=True))
    ticks = tuple((place[level], by_level[level]) for level in ordered)
    return Axis(_name(setting), tuple(place[value] for value in values), tuple(words), ticks)


def _figure_axis(name: str, values: Sequence[float | None], scale: float, digits: int) -> Axis:
    numbers = [math.nan if value is None else scale * value for value in values]
    finite = [number for number in numbers if math.isfinite(number)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    span = high - low
    places = [0.5 if span == 0 else (number - low) / span for number in numbers]
    places = [place if math.isfinite(number) else math.nan for place, number in zip(places, numbers, strict=True)]
    texts = [decimal(number, digits) if math.isfinite(number) else "not known" for number in numbers]
    ends = [(0.0, low), (1.0, high)] if span else [(0.5, low)] if finite else []
    return Axis(name, tuple(places), tuple(texts), tuple((place, decimal(end, digits)) for place, end in ends))


def _name(setting: str) -> str:
    """What a setting is called above a column."""
    return {"seed": "Seed", "protocol": "Validation on"}.get(setting) or FACTORS[setting].name


def _word(setting: str, run: Run) -> str:
    value = getattr(run.config, setting)
    if setting == "seed":
        return str(value)
    if setting == "protocol":
        return "Test images" if value == "article" else "Held-out images"
    return FACTORS[setting].label(value)
