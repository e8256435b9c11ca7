"""Does a difference matter? How likely it lies above a margin, below it, or is too small to matter."""

import math
from typing import Literal, NamedTuple

from fmnist_core.comparison.paired_statistics import PairedDifference
from fmnist_core.comparison.peeking import look_level

Size = Literal["matters", "too small to matter"]


class Chances(NamedTuple):
    """The probabilities that the true difference lies below -margin, within the margin, and above it: they sum to 1."""

    below: float
    within: float
    above: float


def chances(difference: PairedDifference, margin: float) -> Chances | None:
    """How likely the true difference lies on each side of a margin, which is in the difference's unit.

    Benavoli and others (2017), for independent pairs: with a flat prior the true difference has Student's t
    distribution around the observed mean. None where the pairs show no spread, which gives that distribution no width.
    The probabilities are those of these pairs, seen once; `settled_size` says what holds however often one looks.
    """
    if not 0 < margin < math.inf:
        raise ValueError(f"margin must be a finite number above 0, got {margin}")
    if not difference.spread > 0:
        return None
    from scipy import special

    error = difference.spread / math.sqrt(difference.pairs)
    below = float(special.stdtr(difference.pairs - 1, (-margin - difference.mean) / error))
    above = float(special.stdtr(difference.pairs - 1, (difference.mean - margin) / error))
    return Chances(below, max(0.0, 1 - below - above), above)


def settled_size(difference: PairedDifference, margin: float, level: float) -> Size | None:
    """Whether the true difference is settled to lie beyond a margin or within it; None where that is open.

    It follows from one interval that holds over the whole way with the confidence 1 - level, so that the chance of ever
    being wrong about it is at most `level`. Differences that are all equal want as many pairs as the sign test.
    """
    nominal = look_level(level, difference.pairs)
    if difference.spread == 0 and 2.0 ** (1 - difference.pairs) > nominal:
        return None
    low, high = difference.interval(1 - nominal)
    if -margin < low and high < margin:
        return "too small to matter"
    return "matters" if low >= margin or high <= -margin else None
