import math
from dataclasses import replace
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fmnist_core.comparison import verdict_words
from fmnist_core.comparison.arms import ArmRun
from fmnist_core.comparison.factors import FACTORS
from fmnist_core.comparison.margin import chances
from fmnist_core.comparison.measures import MEASURES, TEST_MEASURES, measure_name
from fmnist_core.comparison.paired_statistics import paired_difference
from fmnist_core.comparison.peeking import whole_way
from fmnist_core.comparison.reading import Reading
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


# Simulations


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
    assert np.mean([verdict.helps is True for verdict in verdicts]) > 0.8


# Words


def test_a_lower_loss_with_an_open_accuracy_helps():
    verdict = conclude(arms(gap=-0.17, loss=-0.05, accuracy=0.0016), DROPOUT, 0.0, 0.2, reading=Reading(margin=0.1))
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
    assert "the validation accuracy by 1.0 percentage points (0.7 to 1.3)" in verdict.sentences[0]


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
    verdict = conclude(arms(gap=-0.17), DROPOUT, 0.0, 0.2, reading=Reading(margin=0.1))
    assert verdict.headline == "Dropout 0.2 narrows the overfitting gap; whether it helps is too close to call."
    assert verdict.helps is None


def test_too_close_to_call_is_no_answer():
    verdict = conclude(arms(), DROPOUT, 0.0, 0.2, reading=Reading(margin=0.1))
    assert verdict.headline == "No answer yet: too close to call with 5 seeds."
    assert (verdict.helps, verdict.settled) == (None, frozenset())


def test_no_more_seeds_are_wanted_than_the_page_takes():
    """Twenty pairs with differences that come to nothing."""
    runs = [
        arm_run(rate, seed, (0.2, 0.4 + rate * (seed % 2 - 0.5), 0.88 + rate * (seed % 3 - 1) / 10))
        for rate in (0.0, 0.2)
        for seed in range(20)
    ]
    verdict = conclude(runs, DROPOUT, 0.0, 0.2)
    assert verdict.headline == "No answer: too close to call with 20 seeds, the most that this page takes."
    assert "about" not in " ".join(verdict.sentences)


def test_a_small_difference_takes_more_seeds_than_the_page_does():
    verdict = conclude(arms(loss=-0.001), DROPOUT, 0.0, 0.2)
    (loss,) = [sentence for sentence in verdict.sentences if sentence.startswith("Validation loss")]
    assert loss.endswith("; a difference as small as this one wants more seeds than the 20 that this page takes.")


def test_an_interval_that_excludes_zero_by_chance_is_a_hint():
    """The loss's p over the whole way is between 0.05 / 3 and 0.05, and the other two figures are open."""
    verdict = conclude(arms(loss=-0.018), DROPOUT, 0.0, 0.2)
    loss = verdict.differences[1]
    assert 0.05 / 3 < whole_way(loss.p_value, 5) < 0.05
    assert verdict.helps is None
    assert any(
        sentence.startswith("Validation loss: a hint, not settled with 5 seeds") for sentence in verdict.sentences
    )


def test_more_arms_need_stronger_evidence():
    two = arms(gap=-0.17, loss=-0.025)
    assert conclude(two, DROPOUT, 0.0, 0.2).helps is True
    more = [arm_run(rate, seed, (0.2, 0.4, 0.88)) for rate in (0.1, 0.3, 0.4, 0.5) for seed in range(5)]
    verdict = conclude(two + more, DROPOUT, 0.0, 0.2)
    assert verdict.helps is None
    assert any("6 arms" in sentence for sentence in verdict.sentences)


# Does it matter?


def test_too_small_to_matter_is_an_answer():
    verdict = conclude(arms(), DROPOUT, 0.0, 0.2)
    assert verdict.headline == "The validation accuracy changes too little to matter."
    answer = "Does it matter? No, the validation accuracy changes by less than 0.5 percentage points. How likely: "
    (sentence,) = [sentence for sentence in verdict.sentences if sentence.startswith("Does it matter?")]
    assert sentence.startswith(answer)
    assert not any(sentence.startswith("Validation accuracy: too close") for sentence in verdict.sentences)


def test_a_narrower_gap_beside_an_accuracy_that_stays_is_said():
    verdict = conclude(arms(gap=-0.17), DROPOUT, 0.0, 0.2)
    assert verdict.headline == (
        "Dropout 0.2 narrows the overfitting gap; the validation accuracy changes too little to matter."
    )


def test_a_change_that_is_settled_and_too_small_decides_nothing():
    """Accuracy falls by 0.3 points for sure, and the reader cares from 1 point on: loss alone decides."""
    runs = arms(loss=-0.05, accuracy=-0.01)
    assert conclude(runs, DROPOUT, 0.0, 0.2).headline.startswith("Mixed")
    verdict = conclude(runs, DROPOUT, 0.0, 0.2, reading=Reading(margin=2))
    assert "validation_accuracy" in verdict.settled
    assert (verdict.headline, verdict.helps) == ("Dropout 0.2 helps: it lowers the validation loss.", True)


def test_a_change_beyond_the_margin_matters():
    verdict = conclude(arms(accuracy=0.02), DROPOUT, 0.0, 0.2)
    assert "Does it matter? Yes, the validation accuracy changes by more than 0.5 percentage points. " in " ".join(
        verdict.sentences
    )


def test_an_open_size_says_how_likely_it_is_what():
    verdict = conclude(arms(accuracy=0.0006), DROPOUT, 0.0, 0.2, reading=Reading(margin=0.1))
    likely = chances(verdict.differences[2], 0.001)
    assert (
        "Does it matter? Not settled, by a margin of 0.1 percentage points of validation accuracy. How likely: "
        f"{likely.below:.1%} lower by more than that, {likely.within:.1%} within it, {likely.above:.1%} higher by more."
    ) in verdict.sentences


# Assumptions


def with_losses(differences):
    """Two arms whose losses differ by these, pair by pair."""
    return [
        arm_run(rate, seed, (0.2, 0.4 + (difference if rate else 0), 0.88 + rate * (seed % 3 - 1) / 10))
        for rate in (0.0, 0.2)
        for seed, difference in enumerate(differences)
    ]


def doubts(verdict):
    return [sentence for sentence in verdict.sentences if "sign-flip" in sentence]


def test_where_the_sign_flip_test_doubts_a_claim_the_verdict_says_so():
    """Two of ten pairs point the other way, if only just: of 1,024 flips 8 lie as far out."""
    verdict = conclude(with_losses([-0.1] * 4 + [-0.11] * 4 + [0.01] * 2), DROPOUT, 0, 0.2)
    assert "validation_loss" in verdict.settled
    (doubt,) = [sentence for sentence in doubts(verdict) if sentence.startswith("Validation loss")]
    assert doubt == (
        "Validation loss: the sign-flip test (p = 0.0078), which takes no bell curve for granted, does not confirm the "
        "claim: the pairs do not agree well enough. Take it with care."
    )


def test_where_an_outlier_hides_a_difference_the_verdict_says_so():
    verdict = conclude(
        with_losses([-0.010, -0.011, -0.012, -0.009, -0.010, -0.011, -0.010, -0.012, -0.011, -0.2]), DROPOUT, 0, 0.2
    )
    assert "validation_loss" not in verdict.settled
    (doubt,) = [sentence for sentence in doubts(verdict) if sentence.startswith("Validation loss")]
    assert doubt == (
        "Validation loss: the sign-flip test (p = 0.002) would settle it, Student's does not: a few pairs differ far "
        "more than the others."
    )


def test_where_both_tests_agree_or_pairs_are_few_nothing_is_said():
    assert not doubts(conclude(with_losses([-0.110, -0.111, -0.112, -0.109, -0.110, -0.112, -0.111]), DROPOUT, 0, 0.2))
    assert not doubts(conclude(with_losses([-0.010, -0.011, -0.012, -0.011, -0.2]), DROPOUT, 0, 0.2))


# Epochs


def grown(seeds=5, epochs=30, protocol="held-out"):
    """Two arms whose losses cross: with dropout it is higher by 0.05 at first, and lower by 0.05 in the end."""
    runs = []
    for rate in (0.0, 0.2):
        for seed in range(seeds):
            span = np.linspace(1, -1, epochs)
            losses = 0.5 + NOISE[seed] * (1 + rate) + (0.05 * span if rate else 0) + 0.1 * span**2
            run = arm_run(rate, seed, (0.2, 0.4, 0.88 + NOISE[seed] / 10 * (1 - 4 * rate)), protocol=protocol)
            frame = pd.concat([run.epochs] * epochs).assign(epoch=range(1, epochs + 1), validation_loss=losses)
            runs.append(replace(run, epochs=frame))
    return runs


def test_each_epoch_has_its_answer():
    def loss_at(epoch):
        verdict = conclude(grown(), DROPOUT, 0.0, 0.2, reading=Reading(epoch=epoch))
        return round(verdict.differences[1].mean, 3), "validation_loss" in verdict.settled

    assert loss_at("last") == (-0.05, True)
    assert loss_at(1) == (0.05, True)
    assert loss_at("best")[0] == pytest.approx(-0.006, abs=0.002)


def test_the_answer_says_at_which_epoch_it_is():
    sentences = {
        epoch: conclude(grown(), DROPOUT, 0.0, 0.2, reading=Reading(epoch=epoch)).sentences[-1]
        for epoch in ("last", "best", 12)
    }
    assert sentences["last"].endswith("Taken at the last epoch.")
    assert "chosen on the validation images that judge it here" in sentences["best"]
    assert "Taken at epoch 12." in sentences[12]
    assert "all 30 epochs together" in sentences[12]
    article = conclude(grown(protocol="article"), DROPOUT, 0.0, 0.2, reading=Reading(epoch="best"))
    assert "chosen on the test images that judge it here" in article.sentences[-1]


def test_a_chosen_epoch_needs_stronger_evidence():
    """Thirty epochs could have been chosen: an interval that any of them would have had."""
    runs = grown()
    last, chosen = (
        conclude(runs, DROPOUT, 0.0, 0.2, reading=Reading(epoch=epoch)).differences[1] for epoch in ("last", 30)
    )
    assert last.mean == chosen.mean
    assert chosen.high - chosen.low > 2 * (last.high - last.low)


def test_the_tests_of_the_best_epoch_belong_to_the_best_epoch():
    runs = [
        replace(one, tests={"best": Evaluation(0.3 + one.level, 0.9, 0), "last": Evaluation(0.5, 0.9, 0)})
        for one in grown(3)
    ]

    def test_losses(epoch):
        verdict = conclude(runs, DROPOUT, 0.0, 0.2, reveal_tests=True, reading=Reading(epoch=epoch))
        return [difference.mean for difference in verdict.differences if difference.metric == "test_loss"]

    assert test_losses("best") == [pytest.approx(0.2)]
    assert test_losses("last") == [0]
    assert test_losses(12) == []  # of that epoch no weights are kept


# Few pairs, networks that guess


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
    assert "the test loss by 0.039 (0.037 to 0.042)" in shown.sentences[0]
    assert "No, the test accuracy changes by less than 0.5 percentage points." in " ".join(shown.sentences)


def test_no_dropout_reads_as_a_name():
    verdict = conclude(arms(0.2, 0.0, loss=0.05), DROPOUT, 0.2, 0.0)
    assert verdict.headline == "No dropout is worse than dropout 0.2: it raises the validation loss."


def test_two_seeds_settle_nothing_and_say_what_to_do():
    verdict = conclude(arms(loss=-0.05, seeds=2), DROPOUT, 0.0, 0.2)
    assert (verdict.headline, verdict.settled) == ("Two seeds cannot settle it.", frozenset())
    assert verdict.sentences[0].startswith("With seeds 0 and 1, dropout 0.2 against no dropout ends on average with ")
    assert verdict.sentences[0].endswith("How much of that is chance, two pairs cannot tell. Run five seeds.")
    assert all(math.isinf(difference.high) for difference in verdict.differences)


def test_a_test_figure_is_not_asked_where_its_validation_figure_is_open():
    runs = [
        replace(one, tests={"last": Evaluation(0.4 - 0.2 * one.level + one.seed / 1000 * one.level, 0.9, 0)})
        for one in arms()
    ]
    verdict = conclude(runs, DROPOUT, 0.0, 0.2, reveal_tests=True)
    assert not verdict.settled
    assert any(
        sentence.startswith("Test loss: not asked, since the validation loss is not settled (")
        for sentence in verdict.sentences
    )
