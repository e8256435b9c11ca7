"""How many seeds would settle a difference, as far as the page takes them."""

import math

import numpy as np

from fmnist_core.comparison.paired_statistics import PairedDifference
from fmnist_core.comparison.peeking import FIRST_LOOK, MOST_PAIRS, look_level


def seeds_needed(difference: PairedDifference, level: float, power: float = 0.8) -> int | None:
    """The number of seeds, beyond those at hand, that settles a true difference of the observed size and spread.

    Settled means that p, held to `level` over the whole way, may be claimed at that number with probability `power`,
    which follows the noncentral t distribution (Cohen, 1988). None where more seeds would be needed than the page
    takes, where no difference was seen, and where one pair shows no spread. An estimate: the observed size and spread
    are themselves uncertain.
    """
    if difference.pairs < 2 or difference.mean == 0:
        return None
    for pairs in range(max(FIRST_LOOK, difference.pairs + 1), MOST_PAIRS + 1):
        if _chance(difference, pairs, look_level(level, pairs)) >= power:
            return pairs
    return None


def _chance(difference: PairedDifference, pairs: int, nominal: float) -> float:
    if difference.spread == 0:  # the sign test's p is the same whatever the size, as in `paired_difference`
        return float(2.0 ** (1 - pairs) <= nominal)
    from scipy import special

    critical = special.stdtrit(pairs - 1, 1 - nominal / 2)
    noncentrality = abs(difference.mean) / difference.spread * math.sqrt(pairs)
    return float(1 - np.nan_to_num(special.nctdtr(pairs - 1, noncentrality, critical), nan=0.0))
