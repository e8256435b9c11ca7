"""What a comparison across a second setting found: the evidence at each value, in one sentence and as a table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from fmnist_core.comparison.arms import ArmRun, by_level, figures_at
from fmnist_core.comparison.differences import difference_text
from fmnist_core.comparison.evidence import Effect, Evidence, effect, weigh
from fmnist_core.comparison.factors import Level
from fmnist_core.comparison.grid import Grid
from fmnist_core.comparison.measures import MEASURES, Metric, measure_name
from fmnist_core.comparison.reading import STANDARD_READING
from fmnist_core.comparison.setting_texts import SETTING_TEXTS
from fmnist_core.wording import capitalised, listed


class Mean(NamedTuple):
    """A figure of one arm over its finished runs; spread is the standard deviation (n - 1), NaN for fewer than two."""

    mean: float
    spread: float
    runs: int


@dataclass(frozen=True)
class Cell:
    """One arm beside the first one, at one value of the second setting."""

    value: Level
    level: Level
    evidence: Evidence
    asked: int  # pairs in all
    value_place: int
    level_place: int  # from 1: the first level is what others are compared with

    @property
    def name(self) -> str:
        """A short name that a browser can send back: the places of its value and level."""
        return f"{self.value_place}.{self.level_place}"

    @property
    def effect(self) -> Effect:
        """What is settled of loss and accuracy, with the margin that every comparison begins with."""
        return effect(self.evidence, STANDARD_READING.margin_share)


@dataclass(frozen=True)
class GridResults:
    """The cells of a grid, value by value, and the means of each arm at each value by metric."""

    grid: Grid
    cells: tuple[Cell, ...]
    means: dict[Metric, tuple[tuple[Mean, ...], ...]]  # at each value, of each level

    def cell(self, name: object) -> Cell | None:
        """The cell of this name; None for whatever else a browser sends."""
        return next((cell for cell in self.cells if cell.name == name), None)

    def cells_of(self, level: Level) -> tuple[Cell, ...]:
        """The cells of one level, in the order of the values."""
        return tuple(cell for cell in self.cells if cell.level == level)


def weigh_grid(grid: Grid, runs_of: Sequence[Sequence[ArmRun]]) -> GridResults:
    """Weigh each arm against the first one at each value, at the last epoch; `runs_of` holds the runs of each study.

    The reader sees all cells at once and may pick the most striking, so claims are held to 5 % over all of them
    together; the intervals are those of a cell alone.
    """
    levels = grid.study.levels
    rivals = (len(levels) - 1) * len(grid.values)
    cells = []
    means: dict[Metric, list[tuple[Mean, ...]]] = {metric: [] for metric in MEASURES}
    for place, (value, runs) in enumerate(zip(grid.values, runs_of, strict=True)):
        arms = [
            {one.seed: figures_at(one, "last", False) for one in arm if one.finished} for arm in by_level(runs).values()
        ]
        for number, level in enumerate(levels[1:], 1):
            cells.append(Cell(value, level, weigh(arms[0], arms[number], rivals), grid.study.seeds, place, number))
        for metric in MEASURES:
            means[metric].append(tuple(_mean([figures[metric] for figures in arm.values()]) for arm in arms))
    return GridResults(grid, tuple(cells), {metric: tuple(rows) for metric, rows in means.items()})


def _mean(values: Sequence[float]) -> Mean:
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
    return Mean(float(np.mean(values)) if values else float("nan"), spread, len(values))


def grid_sentences(results: GridResults) -> list[str]:
    """The answer: for each arm at which values it helps, hurts, or neither is settled."""
    return [_sentence(results, level) for level in results.grid.study.levels[1:]]


def _sentence(results: GridResults, level: Level) -> str:
    grid = results.grid
    subject = capitalised(grid.study.factor.subject(level))
    first = grid.study.levels[0]
    compared = "" if grid.study.factor.is_none(first) else f" compared with {grid.study.factor.subject(first)}"

    def where(holds: Callable[[Cell], bool], last: str = "and") -> str:
        found = [grid.second.arm_name(cell.value) for cell in results.cells_of(level) if holds(cell)]
        return f"with {listed(found, last=last)}" if found else ""

    waiting = where(lambda cell: not cell.evidence.seeds, last="or")
    parts = [
        f"{verb} {place}"
        for verb, place in (
            ("helps", where(lambda cell: cell.effect.helps is True)),
            ("hurts", where(lambda cell: cell.effect.helps is False)),
            ("lowers the loss and the accuracy, or raises both,", where(lambda cell: cell.effect.is_mixed)),
        )
        if place
    ]
    still = [cell for cell in results.cells_of(level) if cell.effect.helps is None and not cell.effect.is_mixed]
    small = where(lambda cell: cell in still and cell.effect.is_small)
    is_open = [cell for cell in still if not cell.effect.is_small and cell.evidence.seeds]
    unsettled, unsettled_anywhere = (where(lambda cell: cell in is_open, last) for last in ("and", "or"))
    if not parts and not small and not unsettled:
        return f"{subject}: no pair of runs has finished yet."
    if not parts and not small:
        words = f"{subject}: nothing is settled{compared} {unsettled_anywhere}"
    else:
        said = [f"{subject} {listed(parts)}{compared}"] if parts else []
        said += [f"{small} the accuracy changes too little to matter"] if small else []
        said += [f"{unsettled} it is not settled"] if unsettled else []
        words = "; ".join(said) if parts else f"{subject}{compared}: {'; '.join(said)}"
    return f"{words}{f'; no pair has finished {waiting}' if waiting else ''}."


def grid_table(results: GridResults) -> pd.DataFrame:
    """The figures for a file, a row for each value and arm: means, spreads, and the difference to the first arm.

    Columns: the two settings as links write them, finished, and for each of gap, validation loss and accuracy its
    mean, sd, and but for the first arm difference, low, high and settled. Losses are nats, accuracies shares.
    """
    grid = results.grid
    cells = {(cell.value_place, cell.level_place): cell for cell in results.cells}
    rows = []
    for place, value in enumerate(grid.values):
        for number, level in enumerate(grid.study.levels):
            row: dict[str, object] = {
                grid.across: SETTING_TEXTS[grid.across].write(value),
                grid.study.setting: SETTING_TEXTS[grid.study.setting].write(level),
                "finished": results.means["gap"][place][number].runs,
            }
            for metric in MEASURES:
                mean = results.means[metric][place][number]
                row |= {f"{metric}_mean": mean.mean, f"{metric}_sd": mean.spread}
                cell = cells.get((place, number))
                if cell and (difference := cell.evidence.differences.get(metric)):
                    row |= {
                        f"{metric}_difference": difference.mean,
                        f"{metric}_low": difference.low,
                        f"{metric}_high": difference.high,
                        f"{metric}_settled": metric in cell.evidence.settled,
                    }
            rows.append(row)
    return pd.DataFrame(rows)


def grid_words(results: GridResults) -> pd.DataFrame:
    """The same in words, a row for each value and arm but the first; a star marks what is settled."""
    grid = results.grid
    rows = []
    for cell in results.cells:
        row = {
            grid.second.name: grid.second.label(cell.value),
            grid.study.factor.name: grid.study.factor.label(cell.level),
        }
        row["Pairs"] = f"{len(cell.evidence.seeds)} of {cell.asked}"
        for metric in MEASURES:
            name = capitalised(measure_name(metric, grid.study.base.protocol))
            difference = cell.evidence.differences.get(metric)
            star = " ★" if metric in cell.evidence.settled else ""
            row[name] = "not yet" if difference is None else f"{difference_text(difference)}{star}"
        rows.append(row)
    return pd.DataFrame(rows)
