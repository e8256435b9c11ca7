"""The p that holds over the whole way: its curve, its inverse, and its errors by simulation."""

import numpy as np
import pytest

from benchmarks import peeking as simulation
from fmnist_core.comparison.evidence import weigh
from fmnist_core.comparison.peeking import FIRST_LOOK, MOST_PAIRS, look_level, weight, whole_way
from fmnist_core.comparison.study import SEED_COUNT_LIMITS

RULES = {"plain": simulation.plain, "whole way": whole_way}


def test_the_curve_reaches_as_far_as_a_comparison_takes_seeds():
    assert SEED_COUNT_LIMITS[1] == MOST_PAIRS


@pytest.mark.parametrize("pairs", range(FIRST_LOOK, MOST_PAIRS + 1))
@pytest.mark.parametrize("level", [0.05, 0.05 / 3, 0.05 / 21, 1e-5, 1e-12])
def test_level_and_chance_are_inverse(level, pairs):
    assert float(whole_way(look_level(level, pairs), pairs)) == pytest.approx(level)


def test_the_looks_where_people_stop_get_four_times_the_level():
    assert look_level(0.05, 5) == look_level(0.05, 10) == look_level(0.05, 20) == 4 * look_level(0.05, 6)
    assert look_level(0.05, 5) == pytest.approx(0.0161, abs=1e-4)


@pytest.mark.parametrize("pairs", [0, 1, 2])
def test_before_the_third_pair_nothing_is_concluded(pairs):
    assert look_level(0.05, pairs) == 0
    assert whole_way([0.0, 1e-9], pairs).tolist() == [1, 1]


def test_more_pairs_than_the_curve_knows_are_refused():
    with pytest.raises(ValueError, match="0 to 20, got 21"):
        weight(21)


def test_the_chance_rises_with_p_and_is_at_least_p():
    p_values = np.geomspace(1e-14, 1, 400)
    for pairs in (3, 5):
        chances = whole_way(p_values, pairs)
        assert (np.diff(chances) >= 0).all()
        assert (chances >= p_values).all()
        assert chances[-1] == 1


def test_the_curve_agrees_with_a_simulation():
    """Within four standard errors of 200,000 comparisons, at each knot that enough of them reach."""
    comparisons = 200_000
    reached = simulation.curve(comparisons, np.random.default_rng(7))
    stated = whole_way(simulation.KNOTS, 5)
    enough = reached * comparisons > 50
    assert enough.sum() >= 16
    errors = np.sqrt(stated * (1 - stated) / comparisons)
    assert (np.abs(reached - stated)[enough] <= 4 * errors[enough] + 1e-12).all()


@pytest.mark.parametrize(("arms", "comparisons"), [(2, 10_000), (3, 4000), (8, 500)])
def test_equal_arms_are_rarely_said_to_differ_however_one_looks(arms, comparisons):
    """Any claim on gap, loss or accuracy and any star, at any look: at most 5 %, and three standard errors."""
    rates = simulation.error_rates(comparisons, arms, whole_way)
    allowed = 0.05 + 3 * np.sqrt(0.05 * 0.95 / comparisons)
    assert all(rate <= allowed for rate in rates.values()), rates


def test_looking_without_paying_would_be_wrong_too_often():
    """The simulation sees what it is for: a rule that forgets the other looks errs."""
    rates = simulation.error_rates(4000, 2, simulation.plain)
    assert rates["five pairs, seen once"] < 0.05 < rates["while five pairs arrive"] < rates["grown to 20"]


@pytest.mark.parametrize("shape", [shape for shape in simulation.SHAPES if not shape.startswith("skewed")])
def test_symmetric_differences_of_another_shape_are_no_worse(shape):
    """Of equal arms differences are symmetric, whatever else; Student's p is then careful rather than bold."""
    comparisons = 20_000
    assert simulation.error_of_shape(shape, comparisons) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / comparisons)


def test_a_difference_of_two_spreads_is_found_more_often_than_with_equal_looks():
    """Why 5, 10 and 20 pairs get more: by five pairs 67 % against 48 %."""
    designs = simulation.designs(100_000)
    rates = {name: simulation.found(2, 5, levels) for name, levels in designs.items()}
    assert rates["5, 10 and 20 four times the others"] > 1.3 * rates["all looks alike, from 3"]
    assert rates["5, 10 and 20 four times the others"] > max(
        rate for name, rate in rates.items() if name.startswith("for ever")
    )


@pytest.mark.parametrize(("arms", "pairs"), [(2, 3), (2, 5), (3, 7), (3, 20)])
def test_the_simulation_decides_as_the_page_does(arms, pairs):
    """The vectorised rule of the simulation claims what `weigh` claims, of equal arms and of others."""
    values = simulation.equal_arms(60, arms, np.random.default_rng(pairs))
    values["validation_loss"][:, 1] -= np.linspace(0, 0.5, 60)[:, None]
    found = simulation.settled(values, pairs, whole_way)
    claims = 0
    for number in range(60):
        figures = [
            {seed: {metric: value[number, arm, seed] for metric, value in values.items()} for seed in range(pairs)}
            for arm in range(arms)
        ]
        for (first, second), moves in found.items():
            evidence = weigh(figures[first], figures[second], arms - 1)
            assert [evidence.direction(metric) for metric in values] == moves[:, number].tolist()
            claims += bool(evidence.settled)
    assert claims


def test_whoever_picks_an_epoch_is_rarely_misled():
    """Ten epochs that have nothing to do with one another, the worst case: any claim at any of them, at any look."""
    comparisons, epochs = 4000, 10
    generator = np.random.default_rng(11)
    claimed = np.zeros(comparisons, dtype=bool)
    careless = np.zeros(comparisons, dtype=bool)
    for _ in range(epochs):
        values = simulation.equal_arms(comparisons, 2, generator)
        for pairs in range(FIRST_LOOK, MOST_PAIRS + 1):
            moves = simulation.settled(values, pairs, whole_way, epochs)
            claimed |= simulation.claimed(moves)
            careless |= simulation.claimed(simulation.settled(values, pairs, whole_way))
    assert claimed.mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / comparisons)
    assert careless.mean() > 0.3
