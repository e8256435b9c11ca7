"""The sign-flip test: by hand, and where it may contradict Student's."""

from itertools import product

import numpy as np
import pytest

from fmnist_core.comparison.sign_flip import FEWEST_PAIRS, disagrees, sign_flip_p, smallest_p


@pytest.mark.parametrize("pairs", [6, 9, 12])
def test_it_counts_all_flips(pairs):
    differences = np.random.default_rng(pairs).normal(0.7, 1, pairs)
    flips = np.array(list(product([1, -1], repeat=pairs)))
    means = np.abs((flips * differences).mean(axis=1))
    expected = np.mean(means >= abs(differences.mean()) - 1e-12)
    assert sign_flip_p(differences) == pytest.approx(expected)


def test_many_pairs_are_sampled_and_always_alike():
    differences = np.random.default_rng(0).normal(0.5, 1, 15)
    flips = np.array(list(product([1, -1], repeat=15)))
    exact = np.mean(np.abs((flips * differences).mean(axis=1)) >= abs(differences.mean()) - 1e-12)
    assert sign_flip_p(differences) == sign_flip_p(differences) == pytest.approx(exact, abs=0.02)


def test_differences_that_all_point_one_way_have_the_smallest_p():
    for pairs in (6, 12):
        assert sign_flip_p(np.linspace(0.1, 0.2, pairs)) == smallest_p(pairs) == 2 ** (1 - pairs)
    assert smallest_p(20) == 2 / 4096
    assert sign_flip_p([0.0] * 8) == 1


def test_fewer_than_six_pairs_cannot_reach_five_percent():
    assert smallest_p(FEWEST_PAIRS) <= 0.05 < smallest_p(FEWEST_PAIRS - 1)


def test_a_claim_stands_where_six_pairs_could_say_no_more():
    """All six point one way: p is 2 of 64, the smallest there is, and above what Student's p was held to."""
    p_value = sign_flip_p([0.010, 0.012, 0.011, 0.013, 0.009, 0.011])
    assert not disagrees(p_value, 6, 0.001, claimed=True)


def test_a_claim_that_one_pair_contradicts_is_doubted():
    assert disagrees(sign_flip_p([0.010, 0.012, 0.011, 0.013, 0.009, -0.001]), 6, 0.001, claimed=True)


def test_an_outlier_that_hides_a_difference_from_student_is_said():
    """Nine of nine pairs point one way; one of them ten times as far, which widens Student's interval."""
    p_value = sign_flip_p([0.010, 0.011, 0.012, 0.009, 0.010, 0.011, 0.010, 0.012, 0.110])
    assert disagrees(p_value, 9, 0.004, claimed=False)
    assert not disagrees(p_value, 9, 0.001, claimed=False)
