"""What a p-value is worth on a page that answers after every pair.

Who watches pairs arrive and adds seeds looks at up to eighteen tests, and some p is below 5 % by luck in a quarter of
all comparisons of equal arms. So Student's p is held to less at each look, such that the chance of a claim at any look,
from the third pair to the twentieth, is what it says. The paired t statistic has no scale, so that one curve does for
all figures. The looks at 5, 10 and 20 pairs, where people stop, get four times the level of the others: with equal
levels a difference of two spreads is found by five pairs in 48 % of comparisons, so in 67 %.
`python -m benchmarks.peeking` simulates the curve and the figures.
"""

import numpy as np
import numpy.typing as npt

FIRST_LOOK = 3
MOST_PAIRS = 20  # as many as a comparison takes seeds
_STOPS = (5, 10, 20)
_BETWEEN = 0.25
# Nominal p over the look's weight, and the chance that equal arms ever reach it: simulated with 20 million comparisons.
# Where p is tiny no two looks pass together, and the chance is the sum of all weights times as large.
_CURVE = (
    (1e-300, 6.75e-300),
    (1e-9, 6.75e-9),
    (0.0001, 0.000439),
    (0.00017783, 0.0007597),
    (0.00031623, 0.001314),
    (0.00056234, 0.002266),
    (0.001, 0.003917),
    (0.0017783, 0.006717),
    (0.0031623, 0.01146),
    (0.0056234, 0.01943),
    (0.01, 0.03276),
    (0.017783, 0.05485),
    (0.031623, 0.09112),
    (0.056234, 0.15),
    (0.1, 0.244),
    (0.17783, 0.3904),
    (0.31623, 0.6069),
    (0.56234, 0.8748),
    (1, 1),
)
_NOMINAL, _WHOLE_WAY = (np.log10(values) for values in zip(*_CURVE, strict=True))


def weight(pairs: int) -> float:
    """A look's share of the level, relative to the looks at 5, 10 and 20 pairs; 0 before the first look."""
    if not 0 <= pairs <= MOST_PAIRS:
        raise ValueError(f"pairs must number 0 to {MOST_PAIRS}, got {pairs}")
    if pairs < FIRST_LOOK:
        return 0.0
    return 1.0 if pairs in _STOPS else _BETWEEN


def whole_way(p_value: npt.ArrayLike, pairs: int) -> npt.NDArray[np.float64]:
    """The chance that equal arms ever show as much, at whatever look, as Student's p shows at this one."""
    share = weight(pairs)
    nominal = np.asarray(p_value, dtype=np.float64)
    if not share:
        return np.ones_like(nominal)
    weighted = np.log10(np.clip(nominal / share, _CURVE[0][0], 1))
    chances: npt.NDArray[np.float64] = 10 ** np.interp(weighted, _NOMINAL, _WHOLE_WAY)
    return chances


def look_level(level: float, pairs: int) -> float:
    """What Student's p is held to at this look, so that equal arms pass at any look with the chance `level`.

    The inverse of `whole_way`. An interval with the confidence 1 - look_level(level, pairs) holds at all looks at once
    with the confidence 1 - level.
    """
    return weight(pairs) * float(10 ** np.interp(np.log10(level), _WHOLE_WAY, _NOMINAL))
