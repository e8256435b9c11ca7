"""Does it help? Paired statistics over seeds, and the answer in words that claim no more than they carry."""

from collections.abc import Sequence
from dataclasses import dataclass

from fmnist_core.comparison.arms import ArmRun
from fmnist_core.comparison.factors import Factor, Level
from fmnist_core.comparison.measures import MEASURES, TEST_MEASURES, Metric
from fmnist_core.comparison.paired_statistics import CONFIDENCE, PairedDifference, paired_difference, settled
from fmnist_core.comparison.verdict_words import VerdictWords
from fmnist_core.config import Protocol
from fmnist_core.results.diagnosis import is_at_chance


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


def conclude(
    runs: Sequence[ArmRun], factor: Factor, first: Level, second: Level, reveal_tests: bool = False
) -> Verdict:
    """Compare the arm at the level `second` to that at `first`, at the last epoch, over seeds that both finished.

    Gap, validation loss and accuracy are corrected for one another by Holm's method, so that with equal arms any
    claim on them is made on at most 5 % of comparisons; test figures are corrected among themselves, so that revealing
    them changes no other claim. Where `runs` hold k > 2 arms, each verdict is held to 5 % / (k - 1) instead: the
    reader may pick the most striking. Where all networks of both arms guess, nothing is claimed.
    """
    arms = [{one.seed: one for one in runs if one.level == level} for level in (first, second)]
    asked = sorted(arms[0].keys() & arms[1].keys())
    seeds = [seed for seed in asked if all(arm[seed].finished for arm in arms)]
    protocol: Protocol = next((one.run.config.protocol for one in runs if one.run is not None), "held-out")
    rivals = max(1, len({one.level for one in runs}) - 1)
    words = VerdictWords(factor, first, second, protocol, len(seeds), len(asked), rivals)
    if not seeds:
        return Verdict("No answer yet.", (words.waiting([sum(one.finished for one in arm.values()) for arm in arms]),))
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
    guessing = [sum(is_at_chance(_last(arm[seed], "validation_accuracy")) for seed in seeds) for arm in arms]
    if guessing == [len(seeds)] * 2:
        return Verdict("Neither arm learns anything.", (words.both_guess(), *words.rest()))
    hopeless = words.guessing(guessing)
    if all(difference.mean == 0 and not difference.spread > 0 for difference in shown):
        return Verdict("No difference at all.", (*hopeless, words.identical(), *words.rest()), shown)
    if len(seeds) == 1:
        return Verdict(words.one_pair_headline(), (*hopeless, words.one_pair(seeds[0], values), *words.rest()), shown)
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
        (*hopeless, *sentences, *undecided, *words.rest(), words.footing()),
        shown,
        None if better == worse else better,
        frozenset(claims),
    )


def _last(one: ArmRun, column: str) -> float:
    return float(one.epochs[column].iloc[-1])


def _figure(one: ArmRun, metric: Metric) -> float:
    """The finished run's figure at its last epoch, in nats or as a share."""
    if metric == "gap":
        return _last(one, "validation_loss") - _last(one, "evaluated_training_loss")
    if metric in TEST_MEASURES:
        return one.tests["last"].loss if metric == "test_loss" else one.tests["last"].accuracy
    return _last(one, metric)


def _direction(difference: PairedDifference, claims: set[str]) -> int:
    """1 where it is settled that the figure rises from the first arm to the second, -1 where it falls, else 0."""
    return (difference.mean > 0) - (difference.mean < 0) if difference.metric in claims else 0
