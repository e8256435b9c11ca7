"""A paired difference in words."""

import math

from fmnist_core.comparison.measures import unit_of
from fmnist_core.comparison.paired_statistics import PairedDifference
from fmnist_core.wording import signed_number


def difference_text(difference: PairedDifference) -> str:
    """A difference, its unit and its interval in words; accuracies are in percentage points."""
    unit = unit_of(difference.metric)
    text = f"{signed_number(unit.scale * difference.mean, unit.digits)} {unit.of_differences}"
    if not has_interval(difference):
        return f"{text} (too few seeds for an interval)"
    low, high = (signed_number(unit.scale * end, unit.digits) for end in (difference.low, difference.high))
    return f"{text} ({low} to {high})"


def has_interval(difference: PairedDifference) -> bool:
    """Whether the pairs allow an interval."""
    return math.isfinite(difference.low) and math.isfinite(difference.high)
