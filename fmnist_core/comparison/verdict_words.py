"""The sentences of a verdict: they claim no more than the figures carry."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fmnist_core.comparison.evidence import Effect
from fmnist_core.comparison.factors import Factor, Level
from fmnist_core.comparison.margin import Size, chances
from fmnist_core.comparison.measures import is_accuracy, measure_name
from fmnist_core.comparison.paired_statistics import CONFIDENCE, PairedDifference
from fmnist_core.comparison.peeking import MOST_PAIRS
from fmnist_core.comparison.power import seeds_needed
from fmnist_core.comparison.reading import Reading, epoch_caption, epoch_phrase
from fmnist_core.config import Protocol
from fmnist_core.wording import capitalised, counted, listed, percentage

# Who has asked for fewer seeds is told to run as many.
FEWEST_ADVISED = 5


@dataclass(frozen=True)
class VerdictWords:
    """The sentences of one verdict."""

    factor: Factor
    first: Level
    second: Level
    protocol: Protocol
    seeds: Sequence[int]  # finished in both arms
    asked: int  # in all
    rivals: int  # arms that could have been compared with one
    reading: Reading
    epochs: int  # that could have been read

    @property
    def pairs(self) -> int:
        return len(self.seeds)

    @property
    def subject(self) -> str:
        return self.factor.subject(self.second)

    @property
    def baseline(self) -> str:
        return self.factor.subject(self.first)

    @property
    def compared(self) -> str:
        return "" if self.factor.is_none(self.first) else f" compared with {self.baseline}"

    def name(self, metric: str) -> str:
        return measure_name(metric, self.protocol)

    def waiting(self, finished: Sequence[int]) -> str:
        done = " and ".join(
            f"{count} with {name}" for count, name in zip(finished, (self.baseline, self.subject), strict=True)
        )
        return f"It takes two finished runs with the same seed, one in each arm; so far there are {done}."

    def identical(self) -> str:
        where = "with the one seed" if self.pairs == 1 else f"in all {self.pairs} pairs"
        return f"{capitalised(self.subject)} and {self.baseline} end with the same figures {where}."

    def both_guess(self) -> str:
        return (
            f"With {self.baseline} as with {self.subject}, all networks end at an accuracy of about 10%, "
            "as by guessing, so there is nothing to compare. Try a lower learning rate, less dropout or fewer layers."
        )

    def guessing(self, counts: Sequence[int]) -> tuple[str, ...]:
        """What to know before all else: how many of each arm's networks are at chance, where some are."""
        return tuple(
            f"With {name}, {count} of {counted(self.pairs, 'network')} {'learns' if count == 1 else 'learn'} nothing: "
            f"{'it ends' if count == 1 else 'they end'} at an accuracy of about 10%, as by guessing."
            for name, count in zip((self.baseline, self.subject), counts, strict=True)
            if count
        )

    def few_pairs_headline(self) -> str:
        number = {1: "One", 2: "Two"}[self.pairs]
        if self.asked == self.pairs:
            return f"{number} {'seed' if self.pairs == 1 else 'seeds'} cannot settle it."
        return f"{number} {'pair' if self.pairs == 1 else 'pairs'} of runs cannot settle it."

    def few_pairs(self, means: Mapping[str, Sequence[float]]) -> str:
        parts = []
        for metric, (before, after) in means.items():
            scale, unit, digits = (100, "%", 1) if is_accuracy(metric) else (1, "", 3)
            both = f"{scale * after:.{digits}f}{unit} against {scale * before:.{digits}f}{unit}"
            parts.append(f"{self.name(metric)} {both}")
        seeds = f"{'seed' if self.pairs == 1 else 'seeds'} {listed(list(map(str, self.seeds)))}"
        pairs = "one pair" if self.pairs == 1 else "two pairs"
        advice = " Run five seeds." if self.asked < FEWEST_ADVISED else ""
        return (
            f"With {seeds}, {self.subject} against {self.baseline} ends{' on average' * (self.pairs > 1)} with "
            f"{listed(parts)}, {epoch_phrase(self.reading.epoch)}. How much of that is chance, {pairs} cannot tell."
            f"{advice}"
        )

    def claims(self, differences: Sequence[PairedDifference]) -> str:
        parts = []
        for verb, sign in (("lowers", -1), ("raises", 1)):
            those = [f"the {self.name(one.metric)} by {_size(one)}" for one in differences if one.mean * sign > 0]
            parts += [f"{verb} {listed(those)}"] if those else []
        return f"{capitalised(self.subject)} {', and '.join(parts)}{self.compared}."

    def disagreement(self, calmer: bool) -> str:
        if calmer:
            return "It makes the network less over-confident, not more often right."
        return "The probabilities get better, the choices do not: fewer images are classified right."

    def undecided(self, difference: PairedDifference, level: float | None) -> str:
        """What is open about a figure; `level` is what its p was held to, None where it was not asked."""
        name = capitalised(self.name(difference.metric))
        if math.isinf(difference.low):
            return f"{name}: the same difference in {self.pairs} pairs, too few to settle it."
        if level is None:
            validated = self.name(difference.metric.replace("test", "validation"))
            return f"{name}: not asked, since the {validated} is not settled ({_span(difference)})."
        needed = seeds_needed(difference, level)
        if difference.mean == 0:
            outlook = "no difference on average"
        elif needed is None:
            outlook = f"a difference as small as this one wants more seeds than the {MOST_PAIRS} that this page takes"
        else:
            outlook = f"about {needed} would settle a difference of this size"
        if difference.low <= 0 <= difference.high:
            return f"{name}: too close to call with {self.pairs} seeds ({_span(difference)}); {outlook}."
        arms = f" and {self.rivals + 1} arms" if self.rivals > 1 else ""
        return (
            f"{name}: a hint, not settled with {self.pairs} seeds. Its interval ({_span(difference)}) leaves out "
            f"zero, but with several figures{arms} looked at one does so by chance too often; {outlook}."
        )

    def size(self, difference: PairedDifference, settled: Size | None) -> list[str]:
        """Whether the change of an accuracy matters, and how likely; nothing where the pairs tell no spread."""
        likely = chances(difference, self.reading.margin_share)
        if likely is None:
            return []
        margin, name = self.reading.margin_words, self.name(difference.metric)
        answer = {
            "matters": f"Yes, the {name} changes by more than {margin}.",
            "too small to matter": f"No, the {name} changes by less than {margin}.",
            None: f"Not settled, by a margin of {margin} of {name}.",
        }[settled]
        return [
            f"Does it matter? {answer} How likely: {percentage(likely.below)} lower by more than that, "
            f"{percentage(likely.within)} within it, {percentage(likely.above)} higher by more."
        ]

    def doubt(self, metric: str, p_value: float, claimed: bool) -> str:
        """That the sign-flip test decides otherwise than Student's."""
        name, test = capitalised(self.name(metric)), f"the sign-flip test (p = {p_value:.2g})"
        if claimed:
            return (
                f"{name}: {test}, which takes no bell curve for granted, does not confirm the claim: the pairs do not "
                "agree well enough. Take it with care."
            )
        return f"{name}: {test} would settle it, Student's does not: a few pairs differ far more than the others."

    def headline(self, gap: int, change: Effect) -> str:
        """From the directions that are settled: 1 up, -1 down, 0 open."""
        moves = [
            f"{'lowers' if direction < 0 else 'raises'} the {self.name(metric)}"
            for metric, direction in (("validation_loss", change.loss), ("validation_accuracy", change.accuracy))
            if direction
        ]
        subject, name = capitalised(self.subject), self.name("validation_accuracy")
        if change.is_mixed:
            return f"Mixed: {self.subject} {moves[0]} and also the {name}{self.compared}."
        if moves:
            if self.compared:
                judgement = f"is {'better' if change.helps else 'worse'} than {self.baseline}"
            else:
                judgement = "helps" if change.helps else "hurts"
            return f"{subject} {judgement}: it {' and '.join(moves)}."
        narrows = f"{subject} {'narrows' if gap < 0 else 'widens'} the overfitting gap{self.compared}; " if gap else ""
        if change.is_small:
            return capitalised(f"{narrows}the {name} changes too little to matter.")
        if gap:
            return f"{narrows}whether it helps is too close to call."
        if self.pairs == MOST_PAIRS:
            return f"No answer: too close to call with {self.pairs} seeds, the most that this page takes."
        return f"No answer yet: too close to call with {self.pairs} seeds."

    def rest(self) -> tuple[str, ...]:
        """What of the comparison the figures leave out, and what they stand for."""
        sentences = []
        if self.pairs < self.asked:
            sentences.append(f"This rests on {self.pairs} of {self.asked} pairs; the others have not finished.")
        if self.protocol == "article" and self.reading.epoch != "best":  # there the footing says it
            sentences.append(
                "The article validates on the test set, so its test figures chose the best epoch, too, and are "
                "optimistic there."
            )
        return tuple(sentences)

    def footing(self) -> str:
        return (
            f"In brackets: {CONFIDENCE:.0%} intervals (paired t over {self.pairs} seeds) for this recipe on this data. "
            f"They hold however often you look and however many seeds you add, up to {MOST_PAIRS}. "
            f"{epoch_caption(self.reading.epoch, self.protocol, self.epochs)}"
        )


def _written(difference: PairedDifference) -> tuple[Callable[[float], str], str]:
    """How to write the size of this difference: with as many digits as tell mean, bounds and zero apart; its unit."""
    scale, digits, unit = (100, 1, " percentage points") if is_accuracy(difference.metric) else (1, 2, "")
    figures = {0.0, *(abs(value) * scale for value in (difference.mean, difference.low, difference.high))}
    while digits < 5 and len({round(value, digits) for value in figures}) < len(figures):
        digits += 1
    return lambda value: f"{abs(value) * scale:.{digits}f}", unit


def _size(difference: PairedDifference) -> str:
    """The size of a settled difference with its interval: "0.17 (0.15 to 0.19)"."""
    write, unit = _written(difference)
    near, far = sorted((abs(difference.low), abs(difference.high)))
    if near == far:
        return f"{write(difference.mean)}{unit} in each pair"
    return f"{write(difference.mean)}{unit} ({write(near)} to {write(far)})"


def _span(difference: PairedDifference) -> str:
    """The interval of an open difference: "0.02 lower to 0.05 higher"."""
    write, unit = _written(difference)
    unit = unit and f", in{unit}"
    low, high = (f"{write(bound)} {'higher' if bound > 0 else 'lower'}" for bound in (difference.low, difference.high))
    return f"{low} in each pair{unit}" if difference.low == difference.high else f"{low} to {high}{unit}"
