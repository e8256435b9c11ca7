"""Axes of a static chart: where they end, how values become places, and which ticks are written how."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fmnist_core.wording import number_text

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high`, drawn from `start` to `end` (pixels; for a y axis the start is below)."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def holds(self, value: float) -> bool:
        """Whether a value lies on the axis, but for rounding."""
        slack = 1e-9 * abs(self.high - self.low)
        return min(self.low, self.high) - slack <= value <= max(self.low, self.high) + slack


def axis_ends(axis: Mapping[str, Any], values: Sequence[float]) -> tuple[float, float]:
    """Where an axis begins and ends: its range, else what its options allow of the values, with some room."""
    if axis.get("range") is not None:
        low, high = axis["range"]
        return float(low), float(high)
    finite = [value for value in values if math.isfinite(value)]
    options = axis.get("autorangeoptions") or {}
    if not finite:
        return 0.0, 1.0
    room = 0.06 * (max(finite) - min(finite)) or 0.05
    low = float(options.get("minallowed", min(finite) - room))
    high = float(options.get("maxallowed", max(finite) + room))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def ticks(axis: Mapping[str, Any], scale: Scale, most: int) -> list[tuple[float, str]]:
    """The values at which an axis has ticks, and what is written there; about `most` of them."""
    if axis.get("tickvals") is not None:
        return [
            (value, str(text))
            for value, text in zip(axis["tickvals"], axis.get("ticktext") or axis["tickvals"], strict=True)
            if scale.holds(value)
        ]
    low, high = sorted((scale.low, scale.high))
    step = float(axis["dtick"]) if "dtick" in axis else _step((high - low) / (1.25 * max(1, most)))
    if axis.get("title", {}).get("text") == "Epoch":
        step = max(1.0, math.ceil(step))  # there is no half of an epoch
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    is_share = "%" in str(axis.get("tickformat", ""))
    return [(place * step, _written(place * step, step, is_share)) for place in range(first, last + 1)]


def _step(least: float) -> float:
    """The smallest round number that is no smaller."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * step for step in _STEPS if power * step >= least * (1 - 1e-9))


def _written(value: float, step: float, is_share: bool) -> str:
    if is_share:
        value, step = 100 * value, 100 * step
    digits = max(0, math.ceil(-math.log10(step) - 1e-9) + (round(step / 10 ** math.floor(math.log10(step)), 6) == 2.5))
    text = number_text(round(value, digits)) if digits else f"{value:.0f}"
    text = "0" if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")
    return f"{text}%" if is_share else text
