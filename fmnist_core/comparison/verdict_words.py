"""The sentences of a verdict: they claim no more than the figures carry."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fmnist_core.comparison.factors import Factor, Level
from fmnist_core.comparison.measures import Metric, measure_name
from fmnist_core.comparison.paired_statistics import CONFIDENCE, SEEDS_CAP, PairedDifference, seeds_needed
from fmnist_core.config import Protocol
from fmnist_core.wording import capitalised, counted, listed

# Fewer tell so little about the spread that they give no estimate of how many would do.
ENOUGH_PAIRS = 3


@dataclass(frozen=True)
class VerdictWords:
    """The sentences of one verdict."""

    factor: Factor
    first: Level
    second: Level
    protocol: Protocol
    pairs: int  # finished in both arms
    asked: int  # in all
    rivals: int  # arms that could have been compared with one

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

    def one_pair_headline(self) -> str:
        return "One seed cannot settle it." if self.asked == 1 else "One pair of runs cannot settle it."

    def one_pair(self, seed: int, values: dict[Metric, list[list[float]]]) -> str:
        parts = []
        for metric, ((before,), (after,)) in values.items():
            scale, unit, digits = (100, "%", 1) if "accuracy" in metric else (1, "", 3)
            both = f"{scale * after:.{digits}f}{unit} against {scale * before:.{digits}f}{unit}"
            parts.append(f"{self.name(metric)} {both}")
        last = "Run five seeds." if self.asked == 1 else ""
        return (
            f"With seed {seed}, {self.subject} against {self.baseline} ends with {listed(parts)}. "
            f"How much of that is chance, one pair cannot tell. {last}".strip()
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

    def undecided(self, difference: PairedDifference, looked_at: int, level: float) -> str:
        name = capitalised(self.name(difference.metric))
        needed = seeds_needed(difference, level=level)
        if math.isinf(difference.low):
            return f"{name}: the same difference in {self.pairs} pairs, too few to settle it; run {needed} seeds."
        if self.pairs < ENOUGH_PAIRS:
            outlook = f"{self.pairs} seeds say too little about the spread, run five"
        elif difference.mean == 0:
            outlook = "no difference on average"
        elif needed is None:
            outlook = f"a difference as small as this one would take more than {SEEDS_CAP:,}"
        else:
            outlook = f"about {_rounded_up(max(needed, self.pairs + 1))} would settle a difference of this size"
        if difference.low <= 0 <= difference.high:
            return f"{name}: too close to call with {self.pairs} seeds ({_span(difference)}); {outlook}."
        arms = f" and {self.rivals + 1} arms" if self.rivals > 1 else ""
        return (
            f"{name}: a hint, not settled with {self.pairs} seeds. Its interval ({_span(difference)}) leaves out "
            f"zero, but with {looked_at} figures{arms} looked at one does so by chance too often; {outlook}."
        )

    def headline(self, gap: int, loss: int, accuracy: int) -> str:
        """From the directions that are settled: 1 up, -1 down, 0 open."""
        moves = [
            f"{'lowers' if direction < 0 else 'raises'} the {self.name(metric)}"
            for metric, direction in (("validation_loss", loss), ("validation_accuracy", accuracy))
            if direction
        ]
        subject = capitalised(self.subject)
        if loss * accuracy > 0:  # both up or both down: one of them is better, the other worse
            return f"Mixed: {self.subject} {moves[0]} and also the {self.name('validation_accuracy')}{self.compared}."
        if moves:
            is_better = loss < 0 or accuracy > 0
            if self.compared:
                judgement = f"is {'better' if is_better else 'worse'} than {self.baseline}"
            else:
                judgement = "helps" if is_better else "hurts"
            return f"{subject} {judgement}: it {' and '.join(moves)}."
        if gap:
            verb = "narrows" if gap < 0 else "widens"
            return f"{subject} {verb} the overfitting gap{self.compared}; whether it helps is too close to call."
        return f"Too close to call with {self.pairs} seeds."

    def rest(self) -> tuple[str, ...]:
        """What of the comparison the figures leave out, and what they stand for."""
        sentences = []
        if self.pairs < self.asked:
            sentences.append(f"This rests on {self.pairs} of {self.asked} pairs; the others have not finished.")
        if self.protocol == "article":
            sentences.append(
                "The article validates on the test set, so its test figures chose the best epoch, too, and are "
                "optimistic there."
            )
        return tuple(sentences)

    def footing(self) -> str:
        return (
            f"In brackets: {CONFIDENCE:.0%} intervals (paired t over {self.pairs} seeds) for this recipe on this data, "
            "at the last epoch."
        )


def _written(difference: PairedDifference) -> tuple[Callable[[float], str], str]:
    """How to write the size of this difference: with as many digits as tell mean, bounds and zero apart; its unit."""
    accuracy = "accuracy" in difference.metric
    scale, digits, unit = (100, 1, " percentage points") if accuracy else (1, 2, "")
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


def _rounded_up(count: int) -> int:
    """An estimate without false precision: above 20 a multiple of 5, above 100 of 50."""
    step = 1 if count <= 20 else 5 if count <= 100 else 50
    return math.ceil(count / step) * step
