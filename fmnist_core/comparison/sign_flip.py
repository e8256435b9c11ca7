"""The sign-flip test beside Student's: it takes no bell curve for granted, only that equal arms may change places."""

from collections.abc import Sequence

import numpy as np

# Fewer pairs cannot reach 5 % whatever they show: with five, the smallest p is 2 of 32.
FEWEST_PAIRS = 6
# As many flips as twelve pairs have; of more pairs, this many are drawn.
_FLIPS = 2**12


def smallest_p(pairs: int) -> float:
    """The smallest two-sided p that so many pairs can have: that of differences which all point one way."""
    return 2.0 / min(1 << pairs, _FLIPS)


def sign_flip_p(differences: Sequence[float]) -> float:
    """Two-sided p of no difference: the share of sign flips whose mean lies as far from zero as the observed one.

    Exact for up to twelve pairs; of more, a fixed sample of flips is taken, so that the same pairs always give the
    same p. Differences must be finite.
    """
    values = np.asarray(differences, dtype=np.float64)
    if not np.any(values):
        return 1.0
    from scipy import stats  # takes more than a second: only where a comparison has pairs enough

    outcome = stats.permutation_test(
        (values,), np.mean, permutation_type="samples", vectorized=True, n_resamples=_FLIPS, rng=0
    )
    return float(outcome.pvalue)


def disagrees(p_value: float, pairs: int, level: float, claimed: bool) -> bool:
    """Whether the sign-flip test would decide otherwise than Student's, which has `claimed` a difference or not.

    `level` is what p is held to at this look. Few pairs cannot reach it whatever they show, so that a claim is
    contradicted only by pairs which do not even reach the smallest p that there is.
    """
    if claimed:
        return p_value > max(level, smallest_p(pairs))
    return p_value <= level
