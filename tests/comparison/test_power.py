"""How many seeds would settle a difference: against simulated power, and never more than the page takes."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.peeking import student
from fmnist_core.comparison.paired_statistics import PairedDifference, paired_difference
from fmnist_core.comparison.peeking import MOST_PAIRS, look_level
from fmnist_core.comparison.power import seeds_needed


def seen(effect, pairs=3):
    """A difference of so many spreads, seen in a few pairs."""
    return PairedDifference("gap", effect, -1, 1, pairs, 0.1, 1.0)


@pytest.mark.parametrize(("effect", "level"), [(0.9, 0.05), (-1.1, 0.05 / 3), (2.0, 0.05 / 3), (4.0, 0.05 / 21)])
def test_the_number_is_the_first_that_finds_it_in_four_of_five_simulations(effect, level):
    needed = seeds_needed(seen(effect), level)
    generator = np.random.default_rng(1)

    def power(pairs):
        samples = generator.normal(effect, 1, (20_000, pairs))
        return np.mean(student(samples, pairs) <= look_level(level, pairs))

    assert power(needed) > 0.79
    assert all(power(pairs) < 0.81 for pairs in range(4, needed))


def test_it_follows_the_noncentral_t_distribution():
    needed = seeds_needed(seen(1.5), 0.05)
    powers = {
        pairs: stats.nct.sf(stats.t.ppf(1 - look_level(0.05, pairs) / 2, pairs - 1), pairs - 1, 1.5 * pairs**0.5)
        for pairs in range(4, MOST_PAIRS + 1)
    }
    assert needed == min(pairs for pairs, power in powers.items() if power >= 0.8) == 10


def test_no_more_seeds_are_advised_than_the_page_takes():
    assert seeds_needed(seen(0.3), 0.05) is None
    assert seeds_needed(seen(5.0, pairs=MOST_PAIRS), 0.05) is None
    assert all(seeds_needed(seen(effect), 0.05 / 7) in {None, *range(4, 21)} for effect in np.linspace(0.1, 60, 80))


def test_more_seeds_are_advised_than_there_are():
    assert seeds_needed(seen(5.0, pairs=7), 0.05) == 8


def test_without_a_spread_or_a_difference_there_is_no_advice():
    assert seeds_needed(paired_difference([0.1], [0.2], "gap"), 0.05) is None
    assert seeds_needed(paired_difference([0.1, 0.2], [0.1, 0.2], "gap"), 0.05) is None


def test_equal_differences_want_what_the_sign_test_wants():
    difference = paired_difference([0.5, 0.5, 0.5], [0.75, 0.75, 0.75], "validation_accuracy")
    assert seeds_needed(difference, 0.05) == 9  # 2 ** -8 is below a quarter of 1.6 %
