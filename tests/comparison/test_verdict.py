import math
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fmnist_core.comparison import verdict_words
from fmnist_core.comparison.arms import ArmRun
from fmnist_core.comparison.factors import FACTORS
from fmnist_core.comparison.measures import MEASURES, TEST_MEASURES, measure_name
from fmnist_core.comparison.paired_statistics import PairedDifference, paired_difference, seeds_needed, settled
from fmnist_core.comparison.verdict import conclude
from fmnist_core.config import RunConfig
from fmnist_core.network.figures import Evaluation

DROPOUT = FACTORS["dropout"]
SIMULATIONS = 2000


def arm_run(dropout, seed, figures, *, status="finished", protocol="held-out", tests=None, calibration=0.05):
    """A finished run whose last epoch has (evaluated training loss, validation loss, validation accuracy)."""
    training, loss, accuracy = figures
    epochs = pd.DataFrame(
        {
            "epoch": [30],
            "evaluated_training_loss": [training],
            "validation_loss": [loss],
            "validation_accuracy": [accuracy],
            "validation_calibration_error": [calibration],
        }
    )
    run = SimpleNamespace(status=status, config=RunConfig(dropout=dropout, seed=seed, protocol=protocol))
    evaluations = {} if tests is None else {"last": Evaluation(*tests, 0.05)}
    return ArmRun(dropout, seed, run, epochs, evaluations)


# Noise of a seed that is no pattern of another's: sums to zero, so that the means are exact.
NOISE = (-0.010, 0.004, 0.012, -0.002, -0.004)


def arms(first=0.0, second=0.2, *, gap=0.0, loss=0.0, accuracy=0.0, seeds=5, protocol="held-out", spread=1.0, **last):
    """Two arms whose differences have the given means, with a spread of about 0.008 nats and 0.2 points."""
    runs = []
    for seed in range(seeds):
        noise = spread * NOISE[seed]
        start = (0.20 + noise / 2, 0.41 - noise, 0.880 + noise / 10)
        end = (start[0] + loss - gap + noise / 2, start[1] + loss + noise, start[2] + accuracy - noise / 5)
        runs.append(arm_run(first, seed, start, protocol=protocol, calibration=0.08))
        runs.append(arm_run(second, seed, end, protocol=protocol, **last))
    return runs


# Differences


def test_the_hand_computed_case():
    """Differences 1, 2, 3: mean 2, standard deviation 1, error 1/sqrt(3), t(0.975, 2) = 4.302653."""
    difference = paired_difference([0, 0, 0], [1, 2, 3], "gap")
    assert (difference.mean, difference.spread, difference.pairs) == pytest.approx((2, 1, 3))
    assert difference.low == pytest.approx(2 - 4.302653 / math.sqrt(3), abs=1e-6)
    assert difference.high == pytest.approx(2 + 4.302653 / math.sqrt(3), abs=1e-6)
    assert difference.p_value == pytest.approx(0.0741799, abs=1e-6)  # t = 3.4641 with 2 degrees of freedom


@pytest.mark.parametrize("pairs", [2, 3, 5, 20])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_it_agrees_with_scipy(pairs, confidence):
    generator = np.random.default_rng(pairs)
    first, second = generator.normal(0.4, 0.02, (2, pairs))
    difference = paired_difference(first, second, "validation_loss", confidence)
    expected = stats.ttest_rel(second, first)
    interval = expected.confidence_interval(confidence)
    assert difference.p_value == pytest.approx(expected.pvalue)
    assert (difference.low, difference.high) == pytest.approx((interval.low, interval.high))
    deltas = second - first
    assert (difference.low, difference.high) == pytest.approx(
        stats.t.interval(confidence, pairs - 1, loc=deltas.mean(), scale=stats.sem(deltas))
    )


def test_one_pair_has_a_difference_but_no_interval():
    difference = paired_difference([0.5], [0.4], "gap")
    assert difference.mean == pytest.approx(-0.1)
    assert (difference.low, difference.high, difference.p_value) == (-math.inf, math.inf, 1)
    assert math.isnan(difference.spread)


def test_no_difference_in_any_pair_is_certain():
    difference = paired_difference([0.1, 0.3], [0.1, 0.3], "gap")
    assert (difference.mean, difference.low, difference.high, difference.p_value) == (0, 0, 0, 1)


@pytest.mark.parametrize(("pairs", "certain"), [(2, False), (5, False), (6, True)])
def test_equal_differences_are_settled_by_the_sign_test(pairs, certain):
    """With two images of 200 more in each of two pairs, scipy's t would be infinite; that is no proof."""
    first = np.linspace(0.80, 0.85, pairs)
    difference = paired_difference(first, first + 0.01, "validation_accuracy")
    assert difference.p_value == 2.0 ** (1 - pairs)
    assert (difference.low > 0) == certain
    assert math.isinf(difference.low) != certain
    assert seeds_needed(difference) == 6


@pytest.mark.parametrize(
    ("first", "second"), [([], []), ([0.1], [0.1, 0.2]), ([0.1, math.nan], [0.1, 0.2]), ([0.1, 0.2], [math.inf, 0.1])]
)
def test_what_is_no_pair_of_finite_numbers_is_rejected(first, second):
    with pytest.raises(ValueError, match="gap"):
        paired_difference(first, second, "gap")


@pytest.mark.parametrize("pairs", [2, 5, 10])
def test_the_interval_covers_the_truth_in_95_percent_of_simulations(pairs):
    generator = np.random.default_rng(pairs)
    first = generator.normal(0.40, 0.02, (SIMULATIONS, pairs))
    second = first + generator.normal(0.03, 0.02, (SIMULATIONS, pairs))
    differences = [paired_difference(*pair, "gap") for pair in zip(first, second, strict=True)]
    covered = np.mean([difference.low <= 0.03 <= difference.high for difference in differences])
    assert 0.93 <= covered <= 0.97


# Seeds needed


@pytest.mark.parametrize(("effect", "expected"), [(0.5, 34), (0.8, 15), (1.0, 10)])
def test_seeds_needed_agree_with_published_tables(effect, expected):
    """Pairs for a power of 0.8 at 0.05 two-sided, as in Cohen's tables and G*Power."""
    assert seeds_needed(PairedDifference("gap", effect, -1, 1, 5, 0.1, 1.0)) == expected


@pytest.mark.parametrize(("effect", "level"), [(0.6, 0.05), (1.0, 0.05 / 3), (2.0, 0.05)])
def test_seeds_needed_agree_with_simulated_power(effect, level):
    needed = seeds_needed(PairedDifference("gap", -effect, -1, 1, 5, 0.1, 1.0), level=level)
    generator = np.random.default_rng(1)

    def power(pairs):
        samples = generator.normal(effect, 1, (20_000, pairs))
        return np.mean(stats.ttest_1samp(samples, 0, axis=1).pvalue < level)

    assert power(needed) > 0.79
    assert power(needed - 1) < 0.81


def test_seeds_needed_knows_when_it_cannot_know():
    assert seeds_needed(PairedDifference("gap", 0.01, -1, 1, 5, 0.9, 1.0)) is None  # beyond the cap
    assert seeds_needed(paired_difference([0.1], [0.2], "gap")) is None
    assert seeds_needed(paired_difference([0.1, 0.2], [0.1, 0.2], "gap")) is None


# Several at once


def p(metric, value):
    return PairedDifference(metric, 0.1, 0, 1, 5, value, 0.1)


@pytest.mark.parametrize(
    ("p_values", "expected"),
    [
        ((0.01, 0.02, 0.04), "abc"),  # thresholds 0.05/3, 0.05/2, 0.05
        ((0.01, 0.03, 0.04), "a"),  # the second fails, and with it the third
        ((0.02, 0.02, 0.02), ""),
        ((0.9, 0.001, 0.9), "b"),
    ],
)
def test_holms_correction_by_hand(p_values, expected):
    differences = [p(metric, value) for metric, value in zip("abc", p_values, strict=True)]
    assert settled(differences) == frozenset(expected)


def simulated(seed, pairs, loss=0.0, accuracy=0.0):
    """2,000 comparisons with seeds that matter to both arms, and loss and accuracy that move together."""
    generator = np.random.default_rng(seed)
    shared = generator.normal(0, 0.01, (SIMULATIONS, 1, pairs))
    own = generator.normal(0, 0.01, (2, SIMULATIONS, 2, pairs))
    means = np.array([0.0, 1.0])[:, None]
    losses = 0.40 + shared + own[0] + loss * means
    # Accuracies as 10,000 images give them: equal differences do occur.
    accuracies = (0.88 + 0.2 * shared - 0.2 * own[0] + 0.2 * own[1] + accuracy * means).round(4)
    training = 0.20 + shared + generator.normal(0, 0.005, losses.shape)
    columns = {"evaluated_training_loss": training, "validation_loss": losses, "validation_accuracy": accuracies}
    run = SimpleNamespace(status="finished", config=RunConfig())
    for number in range(SIMULATIONS):
        rows = pd.DataFrame({name: values[number].ravel() for name, values in columns.items()})
        rows["validation_calibration_error"] = 0.05
        yield [
            ArmRun(dropout, seed, run, rows.iloc[arm * pairs + seed : arm * pairs + seed + 1], {})
            for arm, dropout in enumerate((0.0, 0.2))
            for seed in range(pairs)
        ]


@pytest.mark.parametrize("pairs", [2, 5])
def test_equal_arms_are_rarely_claimed_to_differ(pairs, monkeypatch):
    monkeypatch.setattr(verdict_words, "seeds_needed", lambda *_, **__: None)  # words only, and slow
    verdicts = [conclude(runs, DROPOUT, 0.0, 0.2) for runs in islice(simulated(pairs, pairs), SIMULATIONS // 2)]
    helps = np.mean([verdict.helps is True for verdict in verdicts])
    anything = np.mean([bool(verdict.settled) for verdict in verdicts])
    assert helps <= 0.05
    assert anything <= 0.065


def test_a_real_difference_is_found(monkeypatch):
    monkeypatch.setattr(verdict_words, "seeds_needed", lambda *_, **__: None)
    verdicts = [conclude(runs, DROPOUT, 0.0, 0.2) for runs in islice(simulated(3, 5, loss=-0.05), 200)]
    assert np.mean([verdict.helps is True for verdict in verdicts]) > 0.9


# Words


def test_a_lower_loss_with_an_open_accuracy_helps():
    verdict = conclude(arms(gap=-0.17, loss=-0.05, accuracy=0.0006), DROPOUT, 0.0, 0.2)
    assert verdict.headline == "Dropout 0.2 helps: it lowers the validation loss."
    assert verdict.helps is True
    assert verdict.settled == {"gap", "validation_loss"}
    assert verdict.sentences[0] == (
        "Dropout 0.2 lowers the overfitting gap by 0.17 (0.16 to 0.18) and the validation loss by 0.05 (0.04 to 0.06)."
    )
    assert verdict.sentences[1].startswith("Validation accuracy: too close to call with 5 seeds (")
    assert " higher, in percentage points); about " in verdict.sentences[1]
    assert "would settle a difference of this size." in verdict.sentences[1]
    assert [difference.metric for difference in verdict.differences] == list(MEASURES)
    assert verdict.differences[0].mean == pytest.approx(-0.17)


def test_both_better_helps():
    verdict = conclude(arms(gap=-0.1, loss=-0.05, accuracy=0.01), DROPOUT, 0.0, 0.2)
    assert verdict.headline == "Dropout 0.2 helps: it lowers the validation loss and raises the validation accuracy."
    assert "the validation accuracy by 1.0 percentage points (0.8 to 1.2)" in verdict.sentences[0]


def test_both_worse_hurts():
    verdict = conclude(arms(0.2, 0.5, gap=-0.1, loss=0.05, accuracy=-0.01), DROPOUT, 0.2, 0.5)
    assert verdict.helps is False
    assert verdict.headline == (
        "Dropout 0.5 is worse than dropout 0.2: it raises the validation loss and lowers the validation accuracy."
    )


def test_a_contradiction_is_said():
    verdict = conclude(arms(gap=-0.1, loss=-0.05, accuracy=-0.01), DROPOUT, 0.0, 0.2)
    assert verdict.helps is None
    assert verdict.headline == "Mixed: dropout 0.2 lowers the validation loss and also the validation accuracy."
    assert verdict.sentences[1] == "It makes the network less over-confident, not more often right."


def test_over_confidence_is_named_only_where_calibration_shows_it():
    verdict = conclude(arms(gap=-0.1, loss=-0.05, accuracy=-0.01, calibration=0.09), DROPOUT, 0.0, 0.2)
    assert "over-confident" not in " ".join(verdict.sentences)
    assert verdict.sentences[1].startswith("The probabilities get better, the choices do not")


def test_the_opposite_contradiction_is_mixed_too():
    verdict = conclude(arms(gap=-0.1, loss=0.05, accuracy=0.01), DROPOUT, 0.0, 0.2)
    assert verdict.headline == "Mixed: dropout 0.2 raises the validation loss and also the validation accuracy."
    assert verdict.helps is None


def test_the_gap_alone_is_no_help():
    verdict = conclude(arms(gap=-0.17), DROPOUT, 0.0, 0.2)
    assert verdict.headline == "Dropout 0.2 narrows the overfitting gap; whether it helps is too close to call."
    assert verdict.helps is None


def test_nothing_settled_is_too_close_to_call():
    verdict = conclude(arms(), DROPOUT, 0.0, 0.2)
    assert (verdict.headline, verdict.helps, verdict.settled) == ("Too close to call with 5 seeds.", None, frozenset())


def test_an_interval_that_excludes_zero_by_chance_is_a_hint():
    """p of the loss is between 0.05 / 3 and 0.05, and the other two figures are open."""
    verdict = conclude(arms(loss=-0.0125), DROPOUT, 0.0, 0.2)
    loss = verdict.differences[1]
    assert 0.05 / 3 < loss.p_value < 0.05
    assert verdict.helps is None
    assert any(
        sentence.startswith("Validation loss: a hint, not settled with 5 seeds") for sentence in verdict.sentences
    )


def test_more_arms_need_stronger_evidence():
    two = arms(gap=-0.17, loss=-0.0135)
    assert conclude(two, DROPOUT, 0.0, 0.2).helps is True
    more = [arm_run(rate, seed, (0.2, 0.4, 0.88)) for rate in (0.1, 0.3, 0.4, 0.5) for seed in range(5)]
    verdict = conclude(two + more, DROPOUT, 0.0, 0.2)
    assert verdict.helps is None
    assert any("6 arms" in sentence for sentence in verdict.sentences)


def test_one_seed_settles_nothing_and_says_what_to_do():
    verdict = conclude(arms(gap=-0.17, loss=-0.05, accuracy=0.01, seeds=1), DROPOUT, 0.0, 0.2)
    assert verdict.headline == "One seed cannot settle it."
    assert verdict.helps is None
    assert verdict.sentences[0].startswith("With seed 0, dropout 0.2 against no dropout ends with overfitting gap ")
    assert "validation loss 0.360 against 0.420" in verdict.sentences[0]
    assert verdict.sentences[0].endswith("Run five seeds.")


def test_one_finished_pair_of_five_waits_for_the_others():
    runs = arms()
    waiting = [ArmRun(one.level, one.seed, None, one.epochs, {}) if one.seed else one for one in runs]
    verdict = conclude(waiting, DROPOUT, 0.0, 0.2)
    assert verdict.headline == "One pair of runs cannot settle it."
    assert "This rests on 1 of 5 pairs; the others have not finished." in verdict.sentences
    assert "Run five seeds" not in " ".join(verdict.sentences)


@pytest.mark.parametrize("seeds", [1, 5])
def test_of_two_arms_that_guess_nothing_is_claimed(seeds):
    runs = [
        arm_run(rate, seed, (loss + NOISE[seed], loss, 0.1))
        for rate, loss in ((0.0, 2.4), (0.2, 2.3))
        for seed in range(seeds)
    ]
    verdict = conclude(runs, DROPOUT, 0.0, 0.2)
    assert verdict.headline == "Neither arm learns anything."
    assert "lower learning rate" in verdict.sentences[0]
    assert (verdict.helps, verdict.settled, verdict.differences) == (None, frozenset(), ())


@pytest.mark.parametrize(("guessing", "begin"), [(5, "With dropout 0.2, 5 of 5"), (2, "With dropout 0.2, 2 of")])
def test_an_arm_that_guesses_is_named_before_all_else(guessing, begin):
    learnt = arms()
    runs = [
        arm_run(0.2, one.seed, (2.303, 2.303 + NOISE[one.seed], 0.1)) if one.level and one.seed < guessing else one
        for one in learnt
    ]
    verdict = conclude(runs, DROPOUT, 0.0, 0.2)
    assert verdict.sentences[0].startswith(begin)
    assert not any(
        "by guessing" in sentence for sentence in (*verdict.sentences[1:], *conclude(learnt, DROPOUT, 0, 0.2).sentences)
    )


@pytest.mark.parametrize("status", ["queued", "running", "stopped", "failed"])
def test_only_finished_pairs_count(status):
    runs = arms(loss=-0.05)
    extra = [arm_run(0.0, 5, (0.2, 0.4, 0.9)), arm_run(0.2, 5, (9.0, 9.0, 0.1), status=status)]
    verdict = conclude(runs + extra, DROPOUT, 0.0, 0.2)
    assert verdict.differences == conclude(runs, DROPOUT, 0.0, 0.2).differences
    assert "This rests on 5 of 6 pairs; the others have not finished." in verdict.sentences


def test_without_a_pair_it_says_what_it_waits_for():
    runs = [arm_run(0.0, 0, (0.2, 0.4, 0.9)), arm_run(0.2, 0, (0.2, 0.4, 0.9), status="running")]
    verdict = conclude(runs, DROPOUT, 0.0, 0.2)
    assert verdict.headline == "No answer yet."
    assert verdict.sentences == (
        "It takes two finished runs with the same seed, one in each arm; so far there are 1 with no dropout and 0 "
        "with dropout 0.2.",
    )
    assert conclude([], DROPOUT, 0.0, 0.2).differences == ()


@pytest.mark.parametrize("seeds", [1, 3])
def test_identical_runs_do_not_differ_at_all(seeds):
    figures = [(0.2 + noise, 0.4 - noise, 0.88) for noise in NOISE[:seeds]]
    runs = [arm_run(rate, seed, one) for rate in (0.0, 0.2) for seed, one in enumerate(figures)]
    verdict = conclude(runs, DROPOUT, 0.0, 0.2)
    assert (verdict.headline, verdict.helps) == ("No difference at all.", None)


def test_under_the_articles_protocol_the_validation_loss_is_the_test_loss():
    runs = arms(loss=-0.05, protocol="article")
    verdict = conclude(runs, DROPOUT, 0.0, 0.2, reveal_tests=True)
    assert verdict.headline == "Dropout 0.2 helps: it lowers the test loss."
    assert [difference.metric for difference in verdict.differences] == list(MEASURES)
    assert "The article validates on the test set" in " ".join(verdict.sentences)
    assert "validation" not in " ".join(verdict.sentences)
    assert measure_name("test_accuracy", "article") == measure_name("validation_accuracy", "article") == "test accuracy"


def test_test_figures_appear_when_revealed_and_change_no_other_claim():
    runs = [
        ArmRun(
            one.level,
            one.seed,
            one.run,
            one.epochs,
            {"last": Evaluation(0.4 - 0.2 * one.level + noise, 0.9 + noise, 0)},
        )
        for one, noise in zip(arms(loss=-0.05), (0, 0.001, 0.002, 0.002, 0, 0.003, 0.001, 0, 0, 0.001), strict=True)
    ]
    hidden, shown = conclude(runs, DROPOUT, 0.0, 0.2), conclude(runs, DROPOUT, 0.0, 0.2, reveal_tests=True)
    assert [difference.metric for difference in shown.differences] == [*MEASURES, *TEST_MEASURES]
    assert shown.settled == hidden.settled | {"test_loss"}
    assert (shown.headline, shown.helps) == (hidden.headline, hidden.helps)
    assert "the test loss by 0.039 (0.037 to 0.041)" in shown.sentences[0]
    assert "Test accuracy: too close to call with 5 seeds" in " ".join(shown.sentences)


def test_no_dropout_reads_as_a_name():
    verdict = conclude(arms(0.2, 0.0, loss=0.05), DROPOUT, 0.2, 0.0)
    assert verdict.headline == "No dropout is worse than dropout 0.2: it raises the validation loss."


def test_two_seeds_give_no_estimate_of_how_many_would_do():
    verdict = conclude(arms(loss=-0.05, seeds=2), DROPOUT, 0.0, 0.2)
    assert "2 seeds say too little about the spread, run five" in " ".join(verdict.sentences)
    assert "would settle" not in " ".join(verdict.sentences)
