"""Does dropout help? Paired statistics over seeds, and the answer in words that claim no more than they carry."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats

from fmnist_core.config import Protocol

if TYPE_CHECKING:  # study imports this module
    from fmnist_core.study import ArmRun

Metric = Literal["gap", "validation_loss", "validation_accuracy", "test_loss", "test_accuracy"]

MEASURES: tuple[Metric, ...] = ("gap", "validation_loss", "validation_accuracy")
TEST_MEASURES: tuple[Metric, ...] = ("test_loss", "test_accuracy")
CONFIDENCE = 0.95
SEEDS_CAP = 1000
# Fewer tell so little about the spread that they give no estimate of how many would do.
ENOUGH_PAIRS = 3
# Differences that agree to this share of the values are equal but for rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class PairedDifference:
    """Mean difference of a metric between two arms, with its t interval; in the metric's unit (nats or shares)."""

    metric: str
    mean: float
    low: float  # -inf where the pairs allow no interval
    high: float  # inf where the pairs allow no interval
    pairs: int
    p_value: float  # two-sided, of no difference; 1 where the pairs allow no interval
    spread: float  # standard deviation of the differences (n - 1); NaN with one pair
    confidence: float = CONFIDENCE


def paired_difference(
    first: Sequence[float], second: Sequence[float], metric: str, confidence: float = CONFIDENCE
) -> PairedDifference:
    """Second minus first over pairs: mean, Student's paired t interval and p, as `scipy.stats.ttest_rel` has them.

    One pair allows no interval. Neither do a few differences that are all equal and not zero: without a spread t has
    no scale, so the sign test decides, whose p is 2 ** (1 - n); from six pairs on it is below 0.05, and the interval
    shrinks to the difference itself. Differences that are all zero have the interval 0 to 0 and p = 1. Raises
    ValueError for sequences of unequal length, empty ones and values that are not finite.
    """
    if len(first) != len(second) or len(first) == 0:
        raise ValueError(f"{metric} needs pairs, at least one: got {len(first)} and {len(second)} values")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    values = np.array([first, second], dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{metric} must be finite in every pair, got {values[~np.isfinite(values)][0]}")
    differences = values[1] - values[0]
    pairs, mean = len(differences), float(differences.mean())
    if pairs == 1:
        return PairedDifference(metric, mean, -math.inf, math.inf, 1, 1.0, math.nan, confidence)
    spread = float(differences.std(ddof=1))
    tolerance = _ROUNDING * float(np.abs(values).max())
    if spread <= tolerance:
        if abs(mean) <= tolerance:
            return PairedDifference(metric, 0.0, 0.0, 0.0, pairs, 1.0, 0.0, confidence)
        p_value = 2.0 ** (1 - pairs)
        reach = 0.0 if p_value <= 1 - confidence else math.inf
        return PairedDifference(metric, mean, mean - reach, mean + reach, pairs, p_value, 0.0, confidence)
    error = spread / math.sqrt(pairs)
    reach = float(stats.t.ppf((1 + confidence) / 2, pairs - 1)) * error
    p_value = 2 * float(stats.t.sf(abs(mean) / error, pairs - 1))
    return PairedDifference(metric, mean, mean - reach, mean + reach, pairs, p_value, spread, confidence)


def seeds_needed(difference: PairedDifference, power: float = 0.8, level: float | None = None) -> int | None:
    """Pairs with which a true difference of the observed size and spread is settled with probability `power`.

    Settled means that the two-sided paired t test rejects at `level`, by default 1 - confidence; its power follows
    the noncentral t distribution (Cohen, 1988). None where the pairs tell no spread, where no difference was seen, and
    beyond SEEDS_CAP pairs. An estimate: the observed size and spread are themselves uncertain.
    """
    level = 1 - difference.confidence if level is None else level
    if difference.pairs < 2 or difference.mean == 0:
        return None
    if difference.spread == 0:
        return math.ceil(1 - math.log2(level))  # the sign test's, as in `paired_difference`
    pairs = np.arange(2, SEEDS_CAP + 1)
    critical = stats.t.ppf(1 - level / 2, pairs - 1)
    reached = stats.nct.sf(critical, pairs - 1, abs(difference.mean) / difference.spread * np.sqrt(pairs)) >= power
    return int(pairs[reached.argmax()]) if reached.any() else None


def settled(differences: Sequence[PairedDifference], level: float = 1 - CONFIDENCE) -> frozenset[str]:
    """Metrics whose difference is not zero, of several looked at together, by Holm's step-down correction (1979).

    Whatever the metrics have to do with one another, the chance of one or more false ones is at most `level`.
    """
    found: set[str] = set()
    for place, difference in enumerate(sorted(differences, key=lambda difference: difference.p_value)):
        if difference.p_value > level / (len(differences) - place):
            break
        found.add(difference.metric)
    return frozenset(found)


@dataclass(frozen=True)
class Verdict:
    """The answer in words, and the differences that carry it: gap, validation loss and accuracy, then test figures.

    `helps` is True where loss or accuracy is settled to be better and neither to be worse, False where the reverse
    holds, and None where nothing is settled or the two disagree. `settled` names the metrics of `differences` that
    may be claimed, which is stricter than an interval that excludes zero.
    """

    headline: str
    sentences: tuple[str, ...]
    differences: tuple[PairedDifference, ...] = ()
    helps: bool | None = None
    settled: frozenset[str] = frozenset()


def measure_name(metric: str, protocol: Protocol) -> str:
    """What to call a metric. The article's protocol validates on the test set, so validation is called test there."""
    if metric == "gap":
        return "overfitting gap"
    return metric.replace("_", " ").replace("validation", "test" if protocol == "article" else "validation")


def judge(runs: Sequence["ArmRun"], first: float, second: float, reveal_tests: bool = False) -> Verdict:
    """Compare the arm with dropout `second` to that with `first`, at the last epoch, over seeds that both finished.

    Gap, validation loss and accuracy are corrected for one another by Holm's method, so that with equal arms any
    claim on them is made on at most 5 % of comparisons; test figures are corrected among themselves, so that revealing
    them changes no other claim. Where `runs` hold k > 2 arms, each verdict is held to 5 % / (k - 1) instead: the
    reader may pick the most striking.
    """
    arms = [{one.seed: one for one in runs if one.dropout == dropout} for dropout in (first, second)]
    asked = sorted(arms[0].keys() & arms[1].keys())
    seeds = [seed for seed in asked if all(arm[seed].finished for arm in arms)]
    protocol: Protocol = next((one.run.config.protocol for one in runs if one.run is not None), "held-out")
    rivals = max(1, len({one.dropout for one in runs}) - 1)
    words = _Words(first, second, protocol, len(seeds), len(asked), rivals)
    if not seeds:
        return words.waiting([sum(one.finished for one in arm.values()) for arm in arms])
    families = [MEASURES]
    # The article's protocol has shown its test figures as validation.
    if reveal_tests and protocol == "held-out" and all("last" in arm[seed].tests for arm in arms for seed in seeds):
        families.append(TEST_MEASURES)
    values = {
        metric: [[_figure(arm[seed], metric) for seed in seeds] for arm in arms]
        for family in families
        for metric in family
    }
    differences = {metric: paired_difference(before, after, metric) for metric, (before, after) in values.items()}
    shown = tuple(differences.values())
    if all(difference.mean == 0 and not difference.spread > 0 for difference in shown):
        return Verdict("No difference at all.", (words.identical(), *words.rest()), shown)
    if len(seeds) == 1:
        return Verdict(words.one_pair_headline(), (words.one_pair(seeds[0], values), *words.rest()), shown)
    level = (1 - CONFIDENCE) / rivals
    claims, undecided = set[str](), list[str]()
    for family in families:
        together = [differences[metric] for metric in family]
        claimed = settled(together, level)
        missing = [difference for difference in together if difference.metric not in claimed]
        undecided += [words.undecided(one, len(family), level / len(missing)) for one in missing]
        claims |= claimed
    gap, loss, accuracy = (_direction(differences[metric], claims) for metric in MEASURES)
    sentences = [words.claims([one for one in shown if one.metric in claims])] if claims else []
    if loss < 0 and accuracy < 0:
        before, after = ([float(_last(arm[seed], "validation_calibration_error")) for seed in seeds] for arm in arms)
        calmer = gap < 0 and all(then > now for then, now in zip(before, after, strict=True))
        sentences.append(words.disagreement(calmer))
    better, worse = loss < 0 or accuracy > 0, loss > 0 or accuracy < 0
    return Verdict(
        words.headline(gap, loss, accuracy),
        (*sentences, *undecided, *words.rest(), words.footing()),
        shown,
        None if better == worse else better,
        frozenset(claims),
    )


def _last(one: "ArmRun", column: str) -> float:
    return float(one.epochs[column].iloc[-1])


def _figure(one: "ArmRun", metric: Metric) -> float:
    """The finished run's figure at its last epoch, in nats or as a share."""
    if metric == "gap":
        return _last(one, "validation_loss") - _last(one, "evaluated_training_loss")
    if metric in TEST_MEASURES:
        return one.tests["last"].loss if metric == "test_loss" else one.tests["last"].accuracy
    return _last(one, metric)


def _direction(difference: PairedDifference, claims: set[str]) -> int:
    """1 where it is settled that the figure rises from the first arm to the second, -1 where it falls, else 0."""
    return (difference.mean > 0) - (difference.mean < 0) if difference.metric in claims else 0


@dataclass(frozen=True)
class _Words:
    """The sentences of one verdict."""

    first: float
    second: float
    protocol: Protocol
    pairs: int  # finished in both arms
    asked: int  # in all
    rivals: int  # arms that could have been compared with one

    @property
    def subject(self) -> str:
        return _arm_name(self.second)

    @property
    def compared(self) -> str:
        return f" compared with {_arm_name(self.first)}" if self.first != 0 else ""

    def name(self, metric: str) -> str:
        return measure_name(metric, self.protocol)

    def waiting(self, finished: Sequence[int]) -> Verdict:
        done = " and ".join(
            f"{count} with {_arm_name(rate)}" for count, rate in zip(finished, (self.first, self.second), strict=True)
        )
        return Verdict(
            "No answer yet.",
            (f"It takes two finished runs with the same seed, one in each arm; so far there are {done}.",),
        )

    def identical(self) -> str:
        where = "with the one seed" if self.pairs == 1 else f"in all {self.pairs} pairs"
        return f"{_capital(self.subject)} and {_arm_name(self.first)} end with the same figures {where}."

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
            f"With seed {seed}, {self.subject} against {_arm_name(self.first)} ends with {_listed(parts)}. "
            f"How much of that is chance, one pair cannot tell. {last}".strip()
        )

    def claims(self, differences: Sequence[PairedDifference]) -> str:
        parts = []
        for verb, sign in (("lowers", -1), ("raises", 1)):
            those = [f"the {self.name(one.metric)} by {_size(one)}" for one in differences if one.mean * sign > 0]
            parts += [f"{verb} {_listed(those)}"] if those else []
        return f"{_capital(self.subject)} {', and '.join(parts)}{self.compared}."

    def disagreement(self, calmer: bool) -> str:
        if calmer:
            return "It makes the network less over-confident, not more often right."
        return "The probabilities get better, the choices do not: fewer images are classified right."

    def undecided(self, difference: PairedDifference, looked_at: int, level: float) -> str:
        name = _capital(self.name(difference.metric))
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
        subject = _capital(self.subject)
        if loss * accuracy > 0:  # both up or both down: one of them is better, the other worse
            return f"Mixed: {self.subject} {moves[0]} and also the {self.name('validation_accuracy')}{self.compared}."
        if moves:
            helps = "helps" if loss < 0 or accuracy > 0 else "hurts"
            return f"{subject} {helps}{self.compared}: it {' and '.join(moves)}."
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


def _arm_name(dropout: float) -> str:
    return f"dropout {dropout:g}" if dropout else "no dropout"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


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
