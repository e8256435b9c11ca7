"""How often equal arms are said to differ however one looks, and what is found: `python -m benchmarks.peeking`.

With `curve` it simulates the curve of `fmnist_core.comparison.peeking` instead, with 20 million comparisons.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy import special

from fmnist_core.comparison.evidence import LEVEL
from fmnist_core.comparison.measures import MEASURES
from fmnist_core.comparison.peeking import FIRST_LOOK, MOST_PAIRS, weight, whole_way

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
# Student's p and the number of pairs to the p that is held to the level.
Rule = Callable[[Floats, int], Floats]
LOOKS = range(FIRST_LOOK, MOST_PAIRS + 1)
KNOTS = 10.0 ** np.arange(-4, 0.01, 0.25)


def student(differences: Floats, pairs: int) -> Floats:
    """Student's two-sided p of the first pairs; differences have the shape (..., all pairs)."""
    seen = differences[..., :pairs]
    spread = seen.std(axis=-1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(seen.mean(axis=-1)) / spread * np.sqrt(pairs)
    equal = np.where(np.abs(seen[..., 0]) > 0, 2.0 ** (1 - pairs), 1.0)  # as `paired_difference` has it
    return np.where(spread > 1e-12, 2 * special.stdtr(pairs - 1, -np.nan_to_num(t)), equal)


def curve(comparisons: int, generator: np.random.Generator) -> Floats:
    """The chance that equal arms ever reach each of KNOTS, from weighted p-values at all looks."""
    lowest = np.full(comparisons, np.inf)
    total, squares = np.zeros(comparisons), np.zeros(comparisons)
    for pairs in range(1, MOST_PAIRS + 1):
        difference = generator.normal(size=comparisons)
        total += difference
        squares += difference**2
        if pairs in LOOKS:
            spread = np.sqrt(np.maximum(squares - total**2 / pairs, 1e-300) / (pairs - 1))
            t = np.abs(total) / spread / np.sqrt(pairs)
            np.minimum(lowest, 2 * special.stdtr(pairs - 1, -t) / weight(pairs), out=lowest)
    return np.searchsorted(np.sort(lowest), KNOTS, side="right") / comparisons


def equal_arms(comparisons: int, arms: int, generator: np.random.Generator) -> dict[str, Floats]:
    """By metric the values of equal arms, (comparisons, arms, pairs): seeds matter, loss and accuracy move together."""
    shape = (comparisons, arms, MOST_PAIRS)
    shared = generator.normal(0, 0.01, (comparisons, 1, MOST_PAIRS))
    own, other = generator.normal(0, 0.01, (2, *shape))
    loss = 0.40 + shared + own
    return {
        "gap": loss - (0.20 + shared + generator.normal(0, 0.005, shape)),
        "validation_loss": loss,
        # As 10,000 images give it: equal differences do occur.
        "validation_accuracy": (0.88 + 0.2 * shared - 0.2 * own + 0.2 * other).round(4),
    }


def holm(p_values: Floats, level: float) -> Flags:
    """What Holm's method claims; p-values have the shape (metrics, ...)."""
    order = np.argsort(p_values, axis=0)
    steps = level / np.arange(len(p_values), 0, -1).reshape(-1, *[1] * (p_values.ndim - 1))
    passed = np.logical_and.accumulate(np.take_along_axis(p_values, order, axis=0) <= steps, axis=0)
    claimed = np.empty_like(passed)
    np.put_along_axis(claimed, order, passed, axis=0)
    return claimed


def settled(
    values: Mapping[str, Floats], pairs: int, rule: Rule, epochs: int = 1
) -> dict[tuple[int, int], npt.NDArray[np.int8]]:
    """By two arms, (metrics, comparisons): 1 where a figure is settled to rise from the one to the other, -1, or 0.

    `epochs` is how many the epoch could have been chosen from.
    """
    arms = values["gap"].shape[1]
    found = {}
    for first, second in combinations(range(arms), 2):
        differences = np.stack([values[metric][:, second] - values[metric][:, first] for metric in MEASURES])
        claimed = holm(rule(student(differences, pairs), pairs), LEVEL / (arms - 1) / epochs)
        found[first, second] = (claimed * np.sign(differences[..., :pairs].mean(axis=-1))).astype(np.int8)
    return found


def claimed(found: Mapping[tuple[int, int], npt.NDArray[np.int8]]) -> Flags:
    """In which comparisons an answer claims anything: the first arm against each other."""
    return np.any([moves.any(axis=0) for (first, _), moves in found.items() if first == 0], axis=0)


def starred(found: Mapping[tuple[int, int], npt.NDArray[np.int8]]) -> Flags:
    """In which comparisons the table has a star: an arm that is settled to be better than every other."""
    arms = 1 + max(second for _, second in found)
    better = np.array([1 if "accuracy" in metric else -1 for metric in MEASURES])[:, None]
    stars = [
        np.all([(found[pair] if pair[1] == arm else -found[pair]) == better for pair in found if arm in pair], axis=0)
        for arm in range(arms)
    ]
    return np.any(stars, axis=(0, 1))


def looks(
    comparisons: int, arms: int, generator: np.random.Generator, rule: Rule
) -> Iterator[tuple[int, Flags, Flags]]:
    """Number of pairs, in which comparisons of equal arms something is claimed there, and in which there is a star."""
    values = equal_arms(comparisons, arms, generator)
    for pairs in range(2, MOST_PAIRS + 1):
        found = settled(values, pairs, rule)
        yield pairs, claimed(found), starred(found)


def plain(p_values: Floats, pairs: int) -> Floats:
    """The rule that forgets the other looks."""
    return p_values


def error_rates(comparisons: int, arms: int, rule: Rule) -> dict[str, float]:
    """Shares of comparisons of equal arms with a claim, or a star, by how the page is used."""
    ever, ever_star = np.zeros((2, comparisons), dtype=bool)
    rates = {}
    for pairs, claims, stars in looks(comparisons, arms, np.random.default_rng(arms), rule):
        ever, ever_star = ever | claims, ever_star | stars
        if pairs == 5:
            rates |= {"five pairs, seen once": claims.mean(), "while five pairs arrive": ever.mean()}
    return rates | {"grown to 20": ever.mean(), "a star, grown to 20": ever_star.mean()}


SHAPES: dict[str, Callable[[np.random.Generator, tuple[int, int]], Floats]] = {
    "normal": lambda generator, size: generator.normal(size=size),
    "heavy tails (t with 3 degrees of freedom)": lambda generator, size: generator.standard_t(3, size),
    "outliers": lambda generator, size: generator.normal(size=size) * np.where(generator.random(size) < 0.1, 10, 1),
    "coarse accuracies": lambda generator, size: generator.normal(0, 3, size).round(),
    "accuracies of few images": lambda generator, size: (
        generator.normal(0, 0.5, size).round() - generator.normal(0, 0.5, size).round()
    ),
    "skewed (exponential)": lambda generator, size: generator.exponential(size=size) - 1,
}


def error_of_shape(shape: str, comparisons: int) -> float:
    """How often one figure, whose differences have a mean of zero and this shape, is claimed to differ at any look."""
    differences = SHAPES[shape](np.random.default_rng(3), (comparisons, MOST_PAIRS))
    return float(np.any([whole_way(student(differences, pairs), pairs) <= LEVEL for pairs in LOOKS], axis=0).mean())


def found(effect: float, pairs: int, level: Mapping[int, float], comparisons: int = 40_000) -> float:
    """How often a difference of so many spreads is found at a number of pairs, by the level held to there."""
    differences = np.random.default_rng(pairs).normal(effect, 1, (comparisons, pairs))
    return float(np.mean(student(differences, pairs) <= level.get(pairs, 0.0)))


def designs(comparisons: int = 400_000) -> dict[str, dict[int, float]]:
    """Ways to spend 5 % over the looks: by number of pairs, what Student's p is held to."""
    differences = np.random.default_rng(1).normal(size=(comparisons, MOST_PAIRS))
    p_values = {pairs: student(differences, pairs) for pairs in LOOKS}
    weights = {
        "all looks alike, from 3": dict.fromkeys(LOOKS, 1.0),
        "all looks alike, from 5": dict.fromkeys(range(5, MOST_PAIRS + 1), 1.0),
        "5, 10 and 20 alone": dict.fromkeys((5, 10, 20), 1.0),
        "5, 10 and 20 four times the others": {pairs: weight(pairs) for pairs in LOOKS},
    }
    levels = {}
    for name, shares in weights.items():
        lowest = np.min([p_values[pairs] / share for pairs, share in shares.items()], axis=0)
        levels[name] = {pairs: float(np.quantile(lowest, LEVEL)) * share for pairs, share in shares.items()}
    forever = {f"for ever, t mixture with variance {g}": {n: mixture_level(n, g) for n in LOOKS} for g in (1, 4, 16)}
    return levels | forever | {"seen once": dict.fromkeys(LOOKS, LEVEL)}


def mixture_level(pairs: int, variance: float) -> float:
    """Student's p at which the t-test martingale with Gaussian effects reaches 1 / LEVEL (Wang and Ramdas, 2023).

    It holds at any number of pairs without end (Lai, 1976).
    """
    freedom, shrunk = pairs - 1, 1 + variance * pairs
    t = np.exp(np.linspace(-3, 15, 20_000))
    martingale = (pairs / 2) * (np.log1p(t**2 / freedom) - np.log1p(t**2 / freedom / shrunk)) - np.log(shrunk) / 2
    reached = martingale >= -np.log(LEVEL)
    return float(2 * special.stdtr(freedom, -t[reached.argmax()])) if reached.any() else 0.0


def main() -> None:
    """Print Markdown tables: errors by rule and way of looking, then what each way to spend the level finds."""
    if sys.argv[1:] == ["curve"]:
        parts = [curve(500_000, np.random.default_rng(seed)) for seed in range(40)]
        for knot, chance in zip(KNOTS, np.mean(parts, axis=0), strict=True):
            print(f"({knot:.5g}, {chance:.4g}),")
        return
    print("| arms | rule | five pairs, seen once | while five pairs arrive | grown to 20 | a star, grown to 20 |")
    print("|---|---|---|---|---|---|")
    rules: dict[str, Rule] = {"as if seen once": plain, "over the whole way": whole_way}
    for arms, comparisons in ((2, 100_000), (3, 50_000), (8, 10_000)):
        for name, rule in rules.items():
            rates = error_rates(comparisons, arms, rule)
            print(f"| {arms} | {name} | " + " | ".join(f"{rate:.1%}" for rate in rates.values()) + " |")
    print("\n| differences of one figure | claimed to differ, grown to 20 |\n|---|---|")
    for shape in SHAPES:
        print(f"| {shape} | {error_of_shape(shape, 100_000):.1%} |")
    effects = (1, 1.5, 2, 3, 5)
    print("\nFound, in %, by difference in spreads: " + ", ".join(map(str, effects)))
    print("| looks | level at 5 | 3 pairs | 5 pairs | 7 pairs | 10 pairs | 15 pairs | 20 pairs |\n" + "|---" * 8 + "|")
    for name, levels in designs().items():
        cells = [
            " ".join(f"{100 * found(effect, pairs, levels):.0f}" for effect in effects)
            for pairs in (3, 5, 7, 10, 15, 20)
        ]
        print(f"| {name} | {levels.get(5, 0):.4f} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
