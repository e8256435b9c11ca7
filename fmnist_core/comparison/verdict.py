"""Does it help? The evidence over seeds, and the answer in words that claim no more than it carries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fmnist_core.comparison.arms import ArmRun, figures_at, shared_epochs
from fmnist_core.comparison.evidence import Evidence, effect, sizes, weigh
from fmnist_core.comparison.factors import Factor, Level
from fmnist_core.comparison.measures import is_accuracy
from fmnist_core.comparison.paired_statistics import PairedDifference
from fmnist_core.comparison.peeking import FIRST_LOOK, look_level
from fmnist_core.comparison.reading import STANDARD_READING, Reading
from fmnist_core.comparison.sign_flip import FEWEST_PAIRS, disagrees, sign_flip_p
from fmnist_core.comparison.verdict_words import VerdictWords
from fmnist_core.config import Protocol


@dataclass(frozen=True)
class Verdict:
    """The answer in words, and the differences that carry it: gap, validation loss and accuracy, then test figures.

    `helps` is True where loss or accuracy is settled to be better and neither to be worse, False where the reverse
    holds, and None where nothing is settled or the two disagree; a change of accuracy that is too small to matter is
    none. `settled` names the metrics of `differences` that may be claimed, which is stricter than an interval
    that excludes zero.
    """

    headline: str
    sentences: tuple[str, ...]
    differences: tuple[PairedDifference, ...] = ()
    helps: bool | None = None
    settled: frozenset[str] = frozenset()


def conclude(
    runs: Sequence[ArmRun],
    factor: Factor,
    first: Level,
    second: Level,
    reveal_tests: bool = False,
    reading: Reading = STANDARD_READING,
) -> Verdict:
    """Compare the arm at the level `second` to that at `first` by the evidence of the seeds that both finished."""
    arms = [{one.seed: one for one in runs if one.level == level} for level in (first, second)]
    figures = [
        {seed: figures_at(one, reading.epoch, reveal_tests) for seed, one in arm.items() if one.finished}
        for arm in arms
    ]
    asked = arms[0].keys() & arms[1].keys()
    protocol: Protocol = next((one.run.config.protocol for one in runs if one.run is not None), "held-out")
    rivals = max(1, len({one.level for one in runs}) - 1)
    epochs = reading.views(shared_epochs(runs))
    evidence = weigh(figures[0], figures[1], rivals, epochs)
    shown = tuple(evidence.differences.values())
    words = VerdictWords(factor, first, second, protocol, evidence.seeds, len(asked), rivals, reading, epochs)
    if not evidence.seeds:
        return Verdict("No answer yet.", (words.waiting([len(arm) for arm in figures]),))
    if evidence.all_guess:
        return Verdict("Neither arm learns anything.", (words.both_guess(), *words.rest()))
    hopeless = words.guessing(evidence.guessing)
    if all(difference.mean == 0 and not difference.spread > 0 for difference in shown):
        return Verdict("No difference at all.", (*hopeless, words.identical(), *words.rest()), shown)
    if len(evidence.seeds) < FIRST_LOOK:
        means = {
            metric: [sum(arm[seed][metric] for seed in evidence.seeds) / len(evidence.seeds) for arm in figures]
            for metric in evidence.differences
        }
        return Verdict(words.few_pairs_headline(), (*hopeless, words.few_pairs(means), *words.rest()), shown)
    settled_sizes = sizes(evidence, reading.margin_share)
    small = {name for name, size in settled_sizes.items() if size == "too small to matter"}
    gap, change = evidence.direction("gap"), effect(evidence, reading.margin_share)
    sentences = [words.claims([one for one in shown if one.metric in evidence.settled])] if evidence.settled else []
    if change.loss < 0 and change.is_mixed:
        sentences.append(words.disagreement(gap < 0 and _is_calmer(arms, evidence.seeds, reading)))
    for one in shown:
        if one.metric not in evidence.settled and one.metric not in small:
            sentences.append(words.undecided(one, evidence.levels.get(one.metric)))
        if is_accuracy(one.metric):
            sentences += words.size(one, settled_sizes.get(one.metric))
    return Verdict(
        words.headline(gap, change),
        (*hopeless, *sentences, *_doubts(evidence, words), *words.rest(), words.footing()),
        shown,
        change.helps,
        evidence.settled,
    )


def _is_calmer(arms: Sequence[Mapping[int, ArmRun]], seeds: Sequence[int], reading: Reading) -> bool:
    """Whether in each pair the second arm's confidence lies nearer to its accuracy."""
    before, after = ([arm[seed].at(reading.epoch)["validation_calibration_error"] for seed in seeds] for arm in arms)
    return all(then > now for then, now in zip(before, after, strict=True))


def _doubts(evidence: Evidence, words: VerdictWords) -> list[str]:
    """What the sign-flip test makes of the figures, where it decides otherwise than Student's."""
    pairs = len(evidence.seeds)
    doubts = []
    for metric, level in evidence.levels.items() if pairs >= FEWEST_PAIRS else ():
        claimed = metric in evidence.settled
        p_value = sign_flip_p(evidence.differences[metric].each)
        if disagrees(p_value, pairs, look_level(level, pairs), claimed):
            doubts.append(words.doubt(metric, p_value, claimed))
    return doubts
