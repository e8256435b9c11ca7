"""Curves smoothed so that their course shows through the noise of single epochs."""

import math
from collections.abc import Sequence


def smoothed(values: Sequence[float], weight: float) -> list[float]:
    """Each value averaged with those before it, which count `weight` times less from one epoch to the next.

    `weight` is from 0, which changes nothing, to below 1. The beginning is not drawn towards zero: an average of few
    values is one of these alone. What is not finite stays as it is and counts in no average.
    """
    if not 0 <= weight < 1:
        raise ValueError(f"the smoothing must be a number from 0 to below 1, got {weight!r}")
    total = count = 0.0
    result = []
    for value in values:
        if math.isfinite(value):
            total, count = weight * total + value, weight * count + 1
            value = total / count
        result.append(value)
    return result
