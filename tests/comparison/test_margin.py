"""Does a difference matter? Probabilities against baycomp, and what may be concluded however often one looks."""

import numpy as np
import pytest
from scipy import special

from fmnist_core.comparison.margin import chances, settled_size
from fmnist_core.comparison.paired_statistics import paired_difference
from fmnist_core.comparison.peeking import FIRST_LOOK, MOST_PAIRS, look_level

# What `two_on_single` of baycomp 1.0.3 gives. It widens the variance by 1 + n / (n - 1) for folds of cross-validation
# that share images, so it was asked about differences drawn together by the root of that: independent pairs.
REFERENCE = [
    (
        (-0.0066, -0.0012, -0.0101, -0.0051, -0.0098),
        0.005,
        (0.802122254945292, 0.1968061234349261, 0.001071621619781915),
    ),
    (
        (0.0005, -0.0011, 0.0018, 0.0002, -0.0007, 0.0013, 0.0009, -0.0004, 0.0011, 0.0001),
        0.005,
        (9.874046138434406e-09, 0.9999999539794211, 3.614653276695634e-08),
    ),
    ((0.012, 0.004, 0.007), 0.005, (0.016149254986555943, 0.16958106448608956, 0.8142696805273545)),
    ((0.3, -0.1, 0.25, 0.6), 0.2, (0.02420882165976725, 0.32202678300821297, 0.6537643953320198)),
]


def difference_of(values):
    return paired_difference([0.0] * len(values), values, "validation_accuracy")


@pytest.mark.parametrize(("differences", "margin", "expected"), REFERENCE)
def test_the_probabilities_are_those_of_baycomp(differences, margin, expected):
    assert chances(difference_of(differences), margin) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_one_pair_and_equal_pairs_have_no_probabilities():
    assert chances(difference_of([0.01]), 0.005) is None
    assert chances(difference_of([0.25, 0.25]), 0.005) is None


@pytest.mark.parametrize("margin", [0, -0.1, float("inf"), float("nan")])
def test_a_margin_is_a_positive_number(margin):
    with pytest.raises(ValueError, match="above 0"):
        chances(difference_of([0.01, 0.02]), margin)


def test_the_size_is_settled_by_the_interval_of_the_whole_way():
    difference = difference_of([0.001, -0.001, 0.0005, 0.0, 0.0002])
    low, high = difference.interval(1 - look_level(0.05, 5))
    reach = max(-low, high)
    assert settled_size(difference, 1.01 * reach, 0.05) == "too small to matter"
    assert settled_size(difference, 0.99 * reach, 0.05) is None
    assert settled_size(difference, 1.01 * reach, 0.05 / 7) is None  # picked from seven
    far = difference_of([0.021, 0.019, 0.0205, 0.02, 0.0202])
    assert settled_size(far, 0.015, 0.05) == "matters"
    assert settled_size(difference_of([-value for value in far.each]), 0.015, 0.05) == "matters"


@pytest.mark.parametrize(("pairs", "settled"), [(2, None), (3, None), (8, None), (10, "too small to matter")])
def test_equal_accuracies_in_few_pairs_settle_no_size(pairs, settled):
    assert settled_size(difference_of([0.0] * pairs), 0.005, 0.05) == settled


def test_a_difference_at_the_margin_is_rarely_called_small_or_large():
    """The worst case for both answers, over the whole way: at most 5 %, and three standard errors."""
    comparisons, margin = 20_000, 1.0
    differences = np.random.default_rng(5).normal(margin, 0.3, (comparisons, MOST_PAIRS))
    wrong = np.zeros(comparisons, dtype=bool)
    for pairs in range(FIRST_LOOK, MOST_PAIRS + 1):
        nominal = look_level(0.05, pairs)
        seen = differences[:, :pairs]
        reach = special.stdtrit(pairs - 1, 1 - nominal / 2) * seen.std(axis=1, ddof=1) / np.sqrt(pairs)
        low, high = seen.mean(axis=1) - reach, seen.mean(axis=1) + reach
        answered = (low >= margin) | (high <= -margin) | ((-margin < low) & (high < margin))
        wrong |= answered
        sizes = [settled_size(difference_of(differences[number, :pairs]), margin, 0.05) for number in range(40)]
        assert [size is not None for size in sizes] == answered[:40].tolist()
    assert 0.03 < wrong.mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / comparisons)
