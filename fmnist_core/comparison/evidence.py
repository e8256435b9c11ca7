"""The one rule that decides what may be said of two arms: verdict, stars and the chart's marks all follow it.

Gap, validation loss and validation accuracy are held together to 5 % by Holm's method, over the whole way that the
page offers, and that level is shared among all comparisons which the reader could have picked this one from. A test
figure is asked only where its validation figure is settled, so that on equal arms revealing it claims nothing more.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import TypeVar

from fmnist_core.comparison.measures import MEASURES, TEST_MEASURES, is_accuracy
from fmnist_core.comparison.paired_statistics import CONFIDENCE, PairedDifference, paired_difference
from fmnist_core.comparison.peeking import look_level, whole_way
from fmnist_core.results.diagnosis import is_at_chance

# Of one arm's finished runs: seed, then metric, then its value in nats or as a share.
Figures = Mapping[int, Mapping[str, float]]
Arm = TypeVar("Arm", bound=Hashable)

LEVEL = 1 - CONFIDENCE


@dataclass(frozen=True)
class Evidence:
    """What may be said of two arms: differences second minus first, over the seeds that both have finished."""

    seeds: tuple[int, ...] = ()
    # By metric. Each interval holds over the whole way with 95 %, for that figure alone.
    differences: Mapping[str, PairedDifference] = field(default_factory=dict)
    p_values: Mapping[str, float] = field(default_factory=dict)  # over the whole way
    levels: Mapping[str, float] = field(default_factory=dict)  # what that p was held to; none for a figure not asked
    settled: frozenset[str] = frozenset()  # metrics that may be claimed to differ
    guessing: tuple[int, int] = (0, 0)  # networks of each arm that do no better than guessing

    @property
    def all_guess(self) -> bool:
        """Whether no network of either arm has learnt anything, so that there is nothing to compare."""
        return bool(self.seeds) and self.guessing == (len(self.seeds),) * 2

    def direction(self, metric: str) -> int:
        """1 where the metric is settled to rise from the first arm to the second, -1 where it falls, else 0."""
        mean = self.differences[metric].mean if metric in self.settled else 0.0
        return (mean > 0) - (mean < 0)


def weigh(first: Figures, second: Figures, views: int = 1) -> Evidence:
    """Compare two arms over the seeds that both have; `views` is how many comparisons this one was picked from.

    A test figure counts where all of those seeds have it. Networks that guess settle nothing.
    """
    seeds = sorted(first.keys() & second.keys())
    if not seeds:
        return Evidence()
    nominal = look_level(LEVEL, len(seeds))
    differences: dict[str, PairedDifference] = {
        metric: paired_difference(
            [first[seed][metric] for seed in seeds], [second[seed][metric] for seed in seeds], metric, 1 - nominal
        )
        for metric in (*MEASURES, *TEST_MEASURES)
        if all(metric in arm[seed] for arm in (first, second) for seed in seeds)
    }
    p_values: dict[str, float] = {name: float(whole_way(one.p_value, one.pairs)) for name, one in differences.items()}
    guessing = tuple(sum(is_at_chance(arm[seed]["validation_accuracy"]) for seed in seeds) for arm in (first, second))
    evidence = Evidence(tuple(seeds), differences, p_values, guessing=(guessing[0], guessing[1]))
    if evidence.all_guess:
        return evidence
    settled, levels = set[str](), dict[str, float]()
    for family in (MEASURES, TEST_MEASURES):
        asked: dict[str, float] = {
            name: p_values[name]
            for name in family
            if name in p_values and (family is MEASURES or name.replace("test", "validation") in settled)
        }
        claimed, held_to = holm(asked, LEVEL / views)
        settled |= claimed
        levels |= held_to
    return Evidence(tuple(seeds), differences, p_values, levels, frozenset(settled), evidence.guessing)


def holm(p_values: Mapping[str, float], level: float) -> tuple[frozenset[str], dict[str, float]]:
    """Which of several p-values looked at together may be claimed, by Holm's step-down correction (1979).

    Whatever the figures have to do with one another, the chance of one or more false claims is at most `level`. With
    them comes what each p was held to: claims to the last step that passed, others to the step that failed.
    """
    claimed: list[str] = []
    for name in sorted(p_values, key=p_values.__getitem__):
        if p_values[name] > level / (len(p_values) - len(claimed)):
            break
        claimed.append(name)
    passed = level / (len(p_values) - len(claimed) + 1)
    failed = level / max(1, len(p_values) - len(claimed))
    return frozenset(claimed), {name: passed if name in claimed else failed for name in p_values}


def leaders(arms: Mapping[Arm, Figures], views: int = 1) -> dict[str, Arm]:
    """By metric the arm that is settled to be better than every other, where there is one.

    Such an arm is settled to differ from the first one, or is the first and differs from all others: with `views` as
    for the answer, a star on equal arms is as rare as a claim there.
    """
    names = list(arms)
    pairs = {two: weigh(arms[two[0]], arms[two[1]], views) for two in combinations(names, 2)}

    def wins(arm: Arm, other: Arm, metric: str) -> bool:
        """Whether `arm` is settled to be better than `other`."""
        rises = (
            pairs[arm, other].direction(metric) * -1 if (arm, other) in pairs else pairs[other, arm].direction(metric)
        )
        return rises == (1 if is_accuracy(metric) else -1)

    return {
        metric: arm
        for metric in (*MEASURES, *TEST_MEASURES)
        for arm in names
        if len(names) > 1 and all(wins(arm, other, metric) for other in names if other != arm)
    }
