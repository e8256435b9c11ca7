"""The one rule that decides what may be said of two arms: verdict, stars and the chart's marks all follow it.

Gap, validation loss and validation accuracy are held together to 5 % by Holm's method, over the whole way that the
page offers, and that level is shared among all comparisons which the reader could have picked this one from. A test
figure is asked only where its validation figure is settled, so that on equal arms revealing it claims nothing more.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import TypeVar

from fmnist_core.comparison.margin import Size, settled_size
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
    # By metric; each interval holds over the whole way with 95 %, for that figure of these two arms alone.
    differences: Mapping[str, PairedDifference] = field(default_factory=dict)
    p_values: Mapping[str, float] = field(default_factory=dict)  # over the whole way
    levels: Mapping[str, float] = field(default_factory=dict)  # what that p was held to; none for a figure not asked
    settled: frozenset[str] = frozenset()  # metrics that may be claimed to differ
    guessing: tuple[int, int] = (0, 0)  # networks of each arm that do no better than guessing
    level: float = LEVEL  # what all its claims together are held to

    @property
    def all_guess(self) -> bool:
        """Whether no network of either arm has learnt anything, so that there is nothing to compare."""
        return bool(self.seeds) and self.guessing == (len(self.seeds),) * 2

    def direction(self, metric: str) -> int:
        """1 where the metric is settled to rise from the first arm to the second, -1 where it falls, else 0."""
        mean = self.differences[metric].mean if metric in self.settled else 0.0
        return (mean > 0) - (mean < 0)


def weigh(first: Figures, second: Figures, rivals: int = 1, epochs: int = 1) -> Evidence:
    """Compare two arms over the seeds that both have.

    `rivals` is how many arms the reader could have compared the one with, `epochs` how many this epoch could have been
    chosen from: claims are held to 5 % over all of these together, intervals over all those epochs. A test figure
    counts where all seeds have it. Networks that guess settle nothing.
    """
    seeds = sorted(first.keys() & second.keys())
    if not seeds:
        return Evidence()
    nominal = look_level(LEVEL / epochs, len(seeds))
    differences: dict[str, PairedDifference] = {
        metric: paired_difference(
            [first[seed][metric] for seed in seeds], [second[seed][metric] for seed in seeds], metric, 1 - nominal
        )
        for metric in (*MEASURES, *TEST_MEASURES)
        if all(metric in arm[seed] for arm in (first, second) for seed in seeds)
    }
    p_values: dict[str, float] = {name: float(whole_way(one.p_value, one.pairs)) for name, one in differences.items()}
    guessing = [sum(is_at_chance(arm[seed]["validation_accuracy"]) for seed in seeds) for arm in (first, second)]
    level = LEVEL / (rivals * epochs)
    settled, levels = set[str](), dict[str, float]()
    for family in (MEASURES, TEST_MEASURES):
        asked: dict[str, float] = {
            name: p_values[name]
            for name in family
            if name in p_values and (family is MEASURES or _validated(name) in settled)
        }
        claimed, held_to = holm(asked, level)
        settled |= claimed
        levels |= held_to
    if guessing == [len(seeds)] * 2:
        settled.clear()
    return Evidence(tuple(seeds), differences, p_values, levels, frozenset(settled), (guessing[0], guessing[1]), level)


def sizes(evidence: Evidence, margin: float) -> dict[str, Size]:
    """Which accuracies are settled to change by more than a margin, a share, or by too little to matter.

    What matters is also settled to differ; the test accuracy is asked only where the validation accuracy is settled to
    be of a size. So a wrong size is said of at most `evidence.level` of comparisons, whatever the true difference.
    """
    found: dict[str, Size] = {}
    for name in (name for name in evidence.differences if is_accuracy(name) and not evidence.all_guess):
        if name in MEASURES or _validated(name) in found:
            size = settled_size(evidence.differences[name], margin, evidence.level)
            if size == "too small to matter" or (size and name in evidence.settled):
                found[name] = size
    return found


@dataclass(frozen=True)
class Effect:
    """Which way loss and accuracy are settled to move: 1 up, -1 down, 0 not.

    An accuracy that is settled to move by too little to matter, `is_small`, counts as one that does not move.
    """

    loss: int
    accuracy: int
    is_small: bool

    @property
    def is_mixed(self) -> bool:
        """Whether both move up or both down, so that one gets better and the other worse."""
        return self.loss == self.accuracy != 0

    @property
    def helps(self) -> bool | None:
        """Whether one gets better and neither worse; False for the reverse, None where none moves or they disagree."""
        if self.is_mixed or not (self.loss or self.accuracy):
            return None
        return self.loss < 0 or self.accuracy > 0


def effect(evidence: Evidence, margin: float) -> Effect:
    """What the evidence says of loss and accuracy, of which changes within a margin, a share, do not matter."""
    is_small = sizes(evidence, margin).get("validation_accuracy") == "too small to matter"
    accuracy = 0 if is_small else evidence.direction("validation_accuracy")
    return Effect(evidence.direction("validation_loss"), accuracy, is_small)


def _validated(test_metric: str) -> str:
    """The validation figure of a test figure."""
    return test_metric.replace("test", "validation")


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


def leaders(arms: Mapping[Arm, Figures], epochs: int = 1) -> dict[str, Arm]:
    """By metric the arm that is settled to be better than every other, where there is one.

    Such an arm is settled to differ from the first one, or is the first and differs from all others, so that on equal
    arms a star is rarer than a claim of the answers, which compare the first arm with each other.
    """
    names = list(arms)
    rivals = len(names) - 1
    pairs = {two: weigh(arms[two[0]], arms[two[1]], rivals, epochs) for two in combinations(names, 2)}

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
