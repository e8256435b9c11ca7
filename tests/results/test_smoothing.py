import math

import numpy as np
import pytest

from fmnist_core.results.smoothing import smoothed


def test_no_weight_changes_nothing():
    assert smoothed([3.0, 1.0, 2.0], 0) == [3.0, 1.0, 2.0]


def test_each_value_is_an_average_of_itself_and_those_before():
    values, weight = [3.0, 1.0, 2.0, 5.0], 0.6
    for end, result in enumerate(smoothed(values, weight), 1):
        weights = weight ** np.arange(end)[::-1]
        assert result == pytest.approx(np.average(values[:end], weights=weights))


def test_a_level_curve_stays_level_from_its_beginning():
    assert smoothed([0.4] * 9, 0.9) == pytest.approx([0.4] * 9)


def test_what_is_not_finite_stays_and_spoils_nothing():
    result = smoothed([1.0, math.inf, math.nan, 1.0], 0.9)
    assert result[1] == math.inf
    assert math.isnan(result[2])
    assert (result[0], result[3]) == (1.0, pytest.approx(1.0))


@pytest.mark.parametrize("weight", [-0.1, 1.0, math.nan])
def test_a_weight_that_would_never_forget_is_refused(weight):
    with pytest.raises(ValueError, match="from 0 to below 1"):
        smoothed([1.0], weight)
