"""A sheet to draw on: a batch of small grey images, and the shapes that garments are made of.

Only additions, products, quotients, roots and comparisons are used, each exactly rounded on every machine: the same
random numbers give the same bytes wherever they are drawn. A sine or a matrix product would not promise that.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]  # float32, always; numpy's types lose that beside a Python float
Images = NDArray[np.uint8]
Pair = tuple[Array | float, Array | float]

SIZE = 28  # pixels a side


class Sheet:
    """A batch of blank images, and the random choices made for each.

    `x` and `y` are the pixels' places in garment coordinates, about -1 to 1 from left to right and top to bottom,
    shaped (count, 28, 28) and (count, 28, 1). Choices are shaped (count, 1, 1), to broadcast against them.
    """

    def __init__(self, rng: np.random.Generator, count: int) -> None:
        self.rng, self.count = rng, count
        place = (np.arange(SIZE, dtype=np.float32) - (SIZE - 1) / 2) / (SIZE / 2)
        self.y = (place[None, :, None] - self.between(-0.02, 0.02)) / self.between(0.96, 1.02)
        self.x = (place[None, None, :] - self.between(-0.02, 0.02)) / self.between(0.94, 1.04)
        self.x = self.x - self.between(-0.03, 0.03) * self.y
        self.across = np.abs(self.x)
        self.grey = np.zeros((count, SIZE, SIZE), np.float32)

    def between(self, low: float, high: float) -> Array:
        """A number for each image, uniform from `low` to `high`."""
        return np.float32(low) + np.float32(high - low) * self.rng.random((self.count, 1, 1), np.float32)

    def chance(self, probability: float) -> Array:
        """1 for images that have a feature, else 0."""
        return (self.rng.random((self.count, 1, 1), np.float32) < probability).astype(np.float32)

    def cloth(self) -> Array:
        """A fabric for each image: brightness, soft folds, and stripes or checks on some."""
        knots = self.rng.random((self.count, 6, 6), np.float32)
        step = np.linspace(0, 4.999, SIZE).astype(np.float32)
        low = step.astype(np.int64)
        part = step - low.astype(np.float32)
        rows = knots[:, low] + (knots[:, low + 1] - knots[:, low]) * part[:, None]
        folds = rows[:, :, low] + (rows[:, :, low + 1] - rows[:, :, low]) * part
        period, contrast = self.between(0.12, 0.45), self.between(0.15, 0.6)
        stripes = self.chance(0.12) * wave(self.y / period) + self.chance(0.08) * wave(self.x / period)
        plain = self.between(0.55, 1.0) * (1 + self.between(0.1, 0.5) * (folds - np.float32(0.5)))
        cloth: Array = plain * (1 - contrast * np.minimum(stripes, 1))
        return cloth

    def paint(self, where: Array, value: Array | float) -> None:
        """Cover `where` (0 to 1) with `value`."""
        self.grey += where * (value - self.grey)

    def shade(self, where: Array, factor: Array | float) -> None:
        """Multiply the brightness of `where` (0 to 1) by `factor`."""
        self.grey *= 1 + where * (factor - 1)

    def developed(self) -> Images:
        """Add grain, and round to bytes."""
        # Strong on purpose: it is what a network that overfits learns by heart.
        grain = self.rng.random((self.count, SIZE, SIZE), np.float32) - np.float32(0.5)
        grey = self.grey * (1 + self.between(0.4, 0.9) * grain)
        rounded: Images = (np.clip(grey, 0, 1) * 255 + np.float32(0.5)).astype(np.uint8)
        return rounded


def wave(position: Array) -> Array:
    """A triangle wave of period 1 between 0 and 1."""
    height: Array = np.abs(position - np.floor(position) - np.float32(0.5)) * 2
    return height


def inside(distance: Array) -> Array:
    """How much of a pixel lies inside, given the distance from the edge: soft over one pixel."""
    share: Array = np.clip(distance * (SIZE / 2) + np.float32(0.5), 0, 1)
    return share


def line(distance: Array, width: Array | float) -> Array:
    """A line on both sides of distance 0, `width` to each side."""
    return inside(width - np.abs(distance))


def through(place: Array, *knots: Pair) -> Array:
    """The straight lines through (place, value) knots, in rising order of place; level beyond the ends."""
    value = np.zeros_like(place) + knots[0][1]
    for (p0, v0), (p1, v1) in pairwise(knots):
        value += (v1 - v0) * np.clip((place - p0) / (p1 - p0), 0, 1)
    return value


def limb(x: Array, y: Array, start: Pair, end: Pair, width: Pair) -> Array:
    """A straight strip from `start` to `end` whose half-width goes from one to the other."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = np.sqrt(dx * dx + dy * dy)
    along = ((x - start[0]) * dx + (y - start[1]) * dy) / length
    aside = np.abs((x - start[0]) * dy - (y - start[1]) * dx) / length
    half = width[0] + (width[1] - width[0]) * np.clip(along / length, 0, 1)
    return inside(half - aside) * inside(along) * inside(length - along)
