"""Paired statistics over seeds: differences, their intervals and their p.

scipy is imported where it is used: most pages do without.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

CONFIDENCE = 0.95
# Differences that agree to this share of the values are equal but for rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class PairedDifference:
    """Mean difference of a metric between two arms, with its t interval; in the metric's unit (nats or shares)."""

    metric: str
    mean: float
    low: float  # -inf where the pairs allow no interval
    high: float  # inf where the pairs allow no interval
    pairs: int
    p_value: float  # two-sided, of no difference; 1 where the pairs allow no interval
    spread: float  # standard deviation of the differences (n - 1); NaN with one pair
    confidence: float = CONFIDENCE
    each: tuple[float, ...] = ()  # the differences that it is the mean of

    def interval(self, confidence: float) -> tuple[float, float]:
        """The interval around the mean for another confidence; as wide as can be where the pairs allow none."""
        if self.pairs == 1 or confidence == 1:
            return -math.inf, math.inf
        if self.spread == 0:  # the sign test decides; see `paired_difference`
            reach = 0.0 if self.mean == 0 or self.p_value <= 1 - confidence else math.inf
        else:
            reach = student_reach(self.pairs, confidence) * self.spread / math.sqrt(self.pairs)
        return self.mean - reach, self.mean + reach


def student_reach(pairs: int, confidence: float) -> float:
    """How many standard errors Student's t interval of so many differences reaches to either side of their mean."""
    from scipy import special

    return float(special.stdtrit(pairs - 1, (1 + confidence) / 2))


def paired_difference(
    first: Sequence[float], second: Sequence[float], metric: str, confidence: float = CONFIDENCE
) -> PairedDifference:
    """Second minus first over pairs: mean, Student's paired t interval and p, as `scipy.stats.ttest_rel` has them.

    One pair allows no interval. Neither do a few differences that are all equal and not zero: without a spread t has
    no scale, so the sign test decides, whose p is 2 ** (1 - n); from six pairs on it is below 0.05, and the interval
    shrinks to the difference itself. Differences that are all zero have the interval 0 to 0 and p = 1. No interval
    is wide enough for a confidence of 1. Raises ValueError for sequences of unequal length, empty ones and values that
    are not finite.
    """
    if len(first) != len(second) or len(first) == 0:
        raise ValueError(f"{metric} needs pairs, at least one: got {len(first)} and {len(second)} values")
    if not 0 < confidence <= 1:
        raise ValueError(f"confidence must be above 0 and at most 1, got {confidence}")
    values = np.array([first, second], dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{metric} must be finite in every pair, got {values[~np.isfinite(values)][0]}")
    differences = values[1] - values[0]
    pairs, mean, each = len(differences), float(differences.mean()), tuple(differences.tolist())
    spread = float(differences.std(ddof=1)) if pairs > 1 else math.nan
    tolerance = _ROUNDING * float(np.abs(values).max())
    if pairs == 1:
        p_value = 1.0
    elif spread <= tolerance:
        mean, spread = (0.0 if abs(mean) <= tolerance else mean), 0.0
        p_value = 1.0 if mean == 0 else 2.0 ** (1 - pairs)
    else:
        from scipy import special  # a quarter of a second: only where an interval is asked for

        p_value = 2 * float(special.stdtr(pairs - 1, -abs(mean) / spread * math.sqrt(pairs)))
    point = PairedDifference(metric, mean, -math.inf, math.inf, pairs, p_value, spread, confidence, each)
    low, high = point.interval(confidence)
    return replace(point, low=low, high=high)
