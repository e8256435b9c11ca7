"""What `python -m benchmarks` measures, and its table.

An epoch is one of the article's recipe on all 60,000 images, evaluated on the 10,000 test images. Contenders take
turns, column by column; medians count.
"""

import argparse
import math
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from importlib.metadata import version

from benchmarks.arms import DROPOUT, EIGHT_ARMS, TWO_ARMS, measured_seconds, reckoned_seconds
from benchmarks.contenders import ARTICLE, CONTENDERS, RECIPE, TARGET, Contender, epochs, runs_to
from benchmarks.first_point import first_point_seconds
from benchmarks.server import Laboratory, laboratory, settings_at
from benchmarks.turns import Turn, cores, take_turns
from fmnist_core.config import EPOCH_LIMITS
from fmnist_core.jobs.worker import processor_name
from fmnist_core.wording import counted

LAB = "lab"  # the module of the only contender that has pages, and workers for arms
NONE = "-"
HEADINGS = (
    *("", "one core", "all cores", "dropout, one core", "dropout, all cores", "two arms", "8 arms, 5 seeds"),
    *("peak memory", f"to {100 * TARGET:g} %", "first point"),
)
KEY = f"""\
Seconds. The first four columns are an epoch; two arms have {TWO_ARMS.total_epochs} epochs, eight arms one each (once).
Where a cell has "-" it cannot do that, or was not asked to.
≈ reckoned from epochs: the least that the same runs take, one after another or side by side, a core each.
¹ A run of the lab has one thread: the other cores train other runs.
² With the article's recipe, for it knows no other; others: batch normalisation, {RECIPE.epochs} epochs of one cycle."""

ONE_CORE, ALL_CORES = True, False
Column = tuple[bool, float]  # whether on one core, and the dropout
COLUMNS: tuple[Column, ...] = tuple((where, dropout) for dropout in (0.0, DROPOUT) for where in (ONE_CORE, ALL_CORES))


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was found, by the contenders' modules; the last three are the lab's own, where it takes part."""

    epochs: dict[Column, dict[str, list[Turn]]]
    runs: dict[str, list[Turn]]
    two_arms: list[float]
    eight_arms: list[float]
    first_points: list[float]


def measure(lab: Laboratory, contenders: Sequence[Contender], rounds: int, seeds: int, target: float) -> Measured:
    """Measure all that the table shows of contenders whose packages are there."""
    where = (settings_at(lab.home).data_cache, lab.data.fingerprint)
    found = {}
    for one_core, dropout in COLUMNS:
        tell(f"epochs with dropout {dropout:g} on {'one core' if one_core else 'all cores'}")
        able = [contender.module for contender in contenders if contender.has_dropout or not dropout]
        config = replace(ARTICLE, dropout=dropout, epochs=EPOCH_LIMITS[1])
        turns = take_turns([partial(epochs, module, config, *where) for module in able], rounds, one_core=one_core)
        found[one_core, dropout] = named(able, turns)
    tell(f"runs to {target:.2%}")
    recipes = {contender.module: contender.recipe for contender in contenders if contender.recipe}
    starts = [partial(runs_to, target, module, recipe, *where) for module, recipe in recipes.items()]
    runs = named([*recipes], take_turns(starts, seeds, one_core=False))
    two_arms, eight_arms, first_points = [], [], []
    if any(contender.module == LAB for contender in contenders):
        tell("the lab's comparisons, and a click")
        studies = [replace(TWO_ARMS, base=replace(TWO_ARMS.base, seed=10 * place)) for place in range(rounds)]
        *two_arms, last = measured_seconds(lab, [*studies, EIGHT_ARMS])
        eight_arms.append(last)
        first_points = first_point_seconds(lab, rounds)
    return Measured(epochs=found, runs=runs, two_arms=two_arms, eight_arms=eight_arms, first_points=first_points)


def named(modules: Sequence[str], found: Sequence[list[Turn]]) -> dict[str, list[Turn]]:
    """Turns by the module that took them, each of them told."""
    by_module = dict(zip(modules, found, strict=True))
    for module, turns in by_module.items():
        tell(f"  {module}: {', '.join(f'{turn.seconds:.2f} s' for turn in turns)}")
    return by_module


def tell(what: str) -> None:
    """Say in standard error what is measured, and what was: the table itself comes last."""
    print(what, file=sys.stderr, flush=True)


def row(contender: Contender, found: Measured) -> list[str]:
    """A contender's cells."""
    if contender.missing:
        install = f"not installed: `pip install {' '.join(contender.missing)}`"
        return [contender.name, install, *[NONE] * (len(HEADINGS) - 2)]
    module = contender.module
    medians = {
        column: statistics.median(turn.seconds for turn in turns[module])
        for column, turns in found.epochs.items()
        if module in turns
    }
    cells = {column: seconds_text(medians.get(column)) for column in COLUMNS}
    peak = max(turn.peak_megabytes for turn in found.epochs[ALL_CORES, 0.0][module])
    two_arms = eight_arms = first_point = NONE
    if module == LAB:
        two_arms = seconds_text(statistics.median(found.two_arms))
        eight_arms = seconds_text(statistics.median(found.eight_arms))
        first_point = seconds_text(statistics.median(found.first_points))
        cells |= {column: f"{cells[column]} ¹" for column in COLUMNS if column[0] == ALL_CORES}
    elif len(medians) == len(COLUMNS):
        two_arms, eight_arms = (
            f"≈ {seconds_text(reckoned_seconds(study, medians))}" for study in (TWO_ARMS, EIGHT_ARMS)
        )
    return [
        contender.name,
        *(cells[column] for column in COLUMNS),
        two_arms,
        eight_arms,
        f"{peak:.0f} MB",
        run_text(contender, found.runs.get(module, [])),
        first_point,
    ]


def run_text(contender: Contender, turns: Sequence[Turn]) -> str:
    """Seconds until the accuracy, and the epoch that had it, as medians over seeds; how many had it, where not all."""
    if not contender.recipe or not turns:
        return NONE
    mark = " ²" if contender.recipe == ARTICLE else ""
    reached = [turn for turn in turns if turn.brought is not None]
    share = f", {len(reached)} of {len(turns)} seeds" if len(reached) < len(turns) else ""
    if 2 * len(reached) <= len(turns):
        return f"not in {contender.recipe.epochs} epochs{share}{mark}"
    # A seed that never had it takes longer than all that had.
    seconds = statistics.median(math.inf if turn.brought is None else turn.seconds for turn in turns)
    epoch = statistics.median(math.inf if turn.brought is None else turn.brought for turn in turns)
    return f"{seconds_text(seconds)} (epoch {epoch:g}{share}){mark}"


def seconds_text(seconds: float | None) -> str:
    """Three digits, or a dash for None."""
    if seconds is None:
        return NONE
    return f"{seconds:.0f}" if seconds >= 100 else f"{seconds:.1f}" if seconds >= 10 else f"{seconds:.2f}"


def table(lab: Laboratory, contenders: Sequence[Contender], rounds: int, seeds: int, target: float) -> str:
    """Measure, and write the table in Markdown, with when, where and how often above and a key below it."""
    there = [contender for contender in contenders if not contender.missing]
    found = measure(lab, there, rounds, seeds, target)
    packages = dict.fromkeys(("torch", "scikit-learn", *(name for one in there for name in one.packages)))
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    often = f"medians of {counted(rounds, 'round')}, accuracy of {counted(seeds, 'seed')}"
    today = f"{date.today().day} {date.today():%B %Y}"
    lines = [
        f"{today}; {counted(len(cores()), 'core')} of {processor_name()}; {often}; {versions}.",
        "",
        f"| {' | '.join(HEADINGS)} |",
        "|---" * len(HEADINGS) + "|",
        *(f"| {' | '.join(row(contender, found))} |" for contender in contenders),
        "",
        KEY,
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round and one seed, to try it")
    modules = [contender.module for contender in CONTENDERS]
    parser.add_argument("--only", action="append", choices=modules, help="this contender; may be given again")
    wish = parser.parse_args(arguments)
    chosen = [contender for contender in CONTENDERS if not wish.only or contender.module in wish.only]
    rounds, seeds = (1, 1) if wish.quick else (3, 5)
    with laboratory() as lab:
        print(table(lab, chosen, rounds, seeds, TARGET))
