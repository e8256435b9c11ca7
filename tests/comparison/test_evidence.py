"""The one rule: which figures of two arms may be claimed, and which arm may carry a star."""

import math

import numpy as np
import pytest
from scipy import stats

from fmnist_core.comparison.evidence import Effect, Evidence, effect, holm, leaders, weigh
from fmnist_core.comparison.measures import MEASURES, TEST_MEASURES
from fmnist_core.comparison.peeking import look_level, whole_way

NOISE = np.array([-0.010, 0.004, 0.012, -0.002, -0.004, 0.007, -0.008, 0.001, 0.003, -0.003])


def arm(*, gap=0.2, loss=0.4, accuracy=0.88, pairs=5, phase=0, **tests):
    """An arm's figures by seed: noise that another phase does not share."""
    noise = np.roll(NOISE, phase)[:pairs]
    shifts = {"gap": (gap, 1), "validation_loss": (loss, 0.5), "validation_accuracy": (accuracy, -0.1)}
    shifts |= {name: (value, 0.5) for name, value in tests.items()}
    return {
        seed: {name: value + scale * noise[seed] for name, (value, scale) in shifts.items()} for seed in range(pairs)
    }


@pytest.mark.parametrize(
    ("p_values", "claimed", "levels"),
    [
        ((0.01, 0.02, 0.04), "abc", (0.05, 0.05, 0.05)),  # thresholds 0.05/3, 0.05/2, 0.05
        ((0.01, 0.03, 0.04), "a", (0.05 / 3, 0.025, 0.025)),  # the second fails, and with it the third
        ((0.02, 0.02, 0.02), "", (0.05 / 3,) * 3),
        ((0.9, 0.001, 0.9), "b", (0.025, 0.05 / 3, 0.025)),
    ],
)
def test_holms_correction_by_hand(p_values, claimed, levels):
    found, held_to = holm(dict(zip("abc", p_values, strict=True)), 0.05)
    assert found == frozenset(claimed)
    assert tuple(held_to[name] for name in "abc") == pytest.approx(levels)


def test_of_no_figure_nothing_is_claimed():
    assert holm({}, 0.05) == (frozenset(), {})


def test_p_and_interval_hold_over_the_whole_way():
    first, second = arm(), arm(loss=0.38, phase=3)
    evidence = weigh(first, second)
    before, after = ([one[seed]["validation_loss"] for seed in range(5)] for one in (first, second))
    expected = stats.ttest_rel(after, before)
    loss = evidence.differences["validation_loss"]
    assert loss.p_value == pytest.approx(expected.pvalue)
    assert evidence.p_values["validation_loss"] == pytest.approx(float(whole_way(expected.pvalue, 5)))
    interval = expected.confidence_interval(1 - look_level(0.05, 5))
    assert (loss.low, loss.high) == pytest.approx((interval.low, interval.high))


def test_what_is_settled_has_a_direction():
    evidence = weigh(arm(), arm(loss=0.3, accuracy=0.86, phase=3))
    assert evidence.settled == {"validation_loss", "validation_accuracy"}
    assert [evidence.direction(metric) for metric in MEASURES] == [0, -1, -1]


def test_only_seeds_that_both_arms_have_are_pairs():
    first, second = arm(pairs=6), arm(loss=0.3, phase=3, pairs=5)
    del first[1]
    assert weigh(first, second).seeds == (0, 2, 3, 4)
    assert weigh({}, second) == Evidence()
    assert not Evidence().all_guess


@pytest.mark.parametrize("pairs", [1, 2])
def test_before_the_third_pair_nothing_is_settled_and_no_interval_drawn(pairs):
    evidence = weigh(arm(pairs=pairs), arm(loss=0.1, phase=3, pairs=pairs))
    assert not evidence.settled
    assert math.isinf(evidence.differences["validation_loss"].high)


def test_an_answer_picked_from_many_needs_stronger_evidence():
    first, second = arm(), arm(loss=0.38, phase=3)
    assert "validation_loss" in weigh(first, second).settled
    assert "validation_loss" not in weigh(first, second, rivals=7).settled


def test_a_chosen_epoch_widens_intervals_too():
    first, second = arm(), arm(loss=0.38, phase=3)
    plain, chosen = weigh(first, second), weigh(first, second, epochs=30)
    assert "validation_loss" in plain.settled
    assert not chosen.settled
    loss = chosen.differences["validation_loss"]
    assert (loss.low, loss.high) == pytest.approx(loss.interval(1 - look_level(0.05 / 30, 5)))
    assert loss.low < plain.differences["validation_loss"].low


def test_a_test_figure_is_asked_only_where_its_validation_figure_is_settled():
    first = arm(test_loss=0.42, test_accuracy=0.87)
    second = arm(loss=0.3, test_loss=0.32, test_accuracy=0.5, phase=3)
    evidence = weigh(first, second)
    assert evidence.settled == {"validation_loss", "test_loss"}
    assert evidence.p_values["test_accuracy"] < 0.001
    assert "test_accuracy" not in evidence.levels
    assert evidence.levels["test_loss"] == pytest.approx(0.05)  # alone in its family


def test_test_figures_change_no_other_claim():
    hidden = weigh(arm(), arm(loss=0.3, phase=3))
    shown = weigh(arm(test_loss=0.42, test_accuracy=0.87), arm(loss=0.3, test_loss=0.32, test_accuracy=0.9, phase=3))
    assert hidden.settled == shown.settled - set(TEST_MEASURES)


def test_a_test_figure_that_a_seed_lacks_does_not_count():
    first, second = arm(test_loss=0.42), arm(loss=0.3, test_loss=0.32, phase=3)
    del second[4]["test_loss"]
    assert set(weigh(first, second).differences) == set(MEASURES)


def test_of_networks_that_guess_nothing_is_settled():
    evidence = weigh(arm(accuracy=0.1), arm(loss=0.2, accuracy=0.1, phase=3))
    assert evidence.all_guess
    assert not evidence.settled
    assert weigh(arm(accuracy=0.1), arm(loss=0.2, phase=3)).guessing == (5, 0)


@pytest.mark.parametrize(
    ("loss", "accuracy", "helps", "is_mixed"),
    [
        (-1, 0, True, False),
        (-1, 1, True, False),
        (0, 1, True, False),
        (1, 0, False, False),
        (1, -1, False, False),
        (0, -1, False, False),
        (-1, -1, None, True),
        (1, 1, None, True),
        (0, 0, None, False),
    ],
)
def test_what_helps_makes_one_better_and_neither_worse(loss, accuracy, helps, is_mixed):
    change = Effect(loss, accuracy, is_small=False)
    assert (change.helps, change.is_mixed) == (helps, is_mixed)


def test_an_accuracy_that_moves_too_little_to_matter_does_not_count():
    evidence = weigh(arm(), arm(loss=0.3, accuracy=0.877, phase=3))
    assert "validation_accuracy" in evidence.settled
    assert effect(evidence, 0.001) == Effect(-1, -1, is_small=False)
    assert effect(evidence, 0.01) == Effect(-1, 0, is_small=True)


# Stars


def test_the_arm_that_is_better_than_every_other_leads():
    arms = {"a": arm(), "b": arm(loss=0.3, accuracy=0.95, phase=3), "c": arm(loss=0.35, phase=5)}
    assert leaders(arms) == {"validation_loss": "b", "validation_accuracy": "b"}
    assert leaders({"a": arm(), "b": arm(loss=0.5, phase=3)}) == {"validation_loss": "a"}


def test_an_arm_that_only_some_lose_to_does_not_lead():
    arms = {"a": arm(), "b": arm(loss=0.30, phase=3), "c": arm(loss=0.301, phase=5)}
    assert leaders(arms) == {}


def test_an_arm_without_runs_leaves_nobody_in_the_lead():
    assert leaders({"a": arm(), "b": arm(loss=0.3, phase=3), "c": {}}) == {}
    assert leaders({"a": arm()}) == leaders({}) == {}


def test_a_star_is_always_a_claim_of_the_answer():
    """A test figure's star is also a claim on its validation figure: revealing one gives equal arms no more."""
    generator = np.random.default_rng(2)
    stars = dict.fromkeys((*MEASURES, *TEST_MEASURES), 0)
    for _ in range(300):
        step = generator.normal(0, 0.05)
        arms = {
            name: {
                seed: {metric: 0.5 + step * name + generator.normal(0, 0.02) for metric in stars} for seed in range(5)
            }
            for name in range(3)
        }
        answers = {other: weigh(arms[0], arms[other], 2) for other in (1, 2)}
        for metric, leader in leaders(arms).items():
            stars[metric] += 1
            claimed = [answers[other].settled for other in ((leader,) if leader else (1, 2))]
            assert all({metric, metric.replace("test", "validation")} <= metrics for metrics in claimed)
    assert min(stars.values()) > 3
