"""What several runs draw for one epoch: from the generators, and in the order, as when they are trained one by one.

A processor draws, in several threads, while the device trains on what was drawn before. Runs of one seed draw alike,
which is what makes them comparable: what one of them draws does for all.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Generator, Tensor

from fmnist_core.config import INPUTS, RunConfig
from fmnist_core.network.draws import FRACTION_BITS
from fmnist_core.network.training import derived_generator

_STRETCH_BYTES = 2**26  # of what is drawn at a time, about: a few are held at once, and an epoch has several
_AHEAD = 2  # stretches


@dataclass(frozen=True, eq=False)
class Words:
    """The next words of s generators, 32 bits each, as they are drawn: two at a time, the first in the upper half."""

    pairs: Tensor  # int64 (s, pairs)
    start: int  # 1 where the first word was of use before
    values: int  # that a step uses
    steps: int

    @property
    def left(self) -> int:
        """How many words are of no use yet: 1 or 0."""
        return (self.start + self.values * self.steps) % 2

    def fill(self, row: int, generator: Generator, before: "Words | None") -> None:
        """Draw those of one generator, which has drawn those that came `before`."""
        pairs = self.pairs[row]
        if self.start:
            assert before is not None
            pairs[0] = before.pairs[row, -1]
        pairs[self.start :].random_(-(2**63), None, generator=generator)

    def by_step(self, device: torch.device) -> Tensor:
        """In their order, int32 (s, steps, values), on the device; `torch.rand` takes one word for each value."""
        pairs = self.pairs.to(device, non_blocking=True)
        words = pairs.view(torch.int32).view(len(pairs), -1, 2).flip(2).flatten(1)[:, self.start :]
        return words[:, : self.steps * self.values].reshape(len(pairs), self.steps, self.values)


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """What s seeds draw for k steps with b images each; None where no run draws such a thing."""

    masks: Words | None  # which hidden units are kept, layer by layer: b x all widths a step
    pixels: Words | None  # which pixels are kept: b x 784 a step
    flips: Tensor | None  # fractions, float32 (s, k, b)
    shifts: Tensor | None  # fractions, float32 (s, k, b, 2)

    def by_step(self, device: torch.device) -> dict[str, Tensor | None]:
        """All of it on the device, (s, k, ...) each, by name."""
        return {
            "masks": None if self.masks is None else self.masks.by_step(device),
            "pixels": None if self.pixels is None else self.pixels.by_step(device),
            "flips": None if self.flips is None else self.flips.to(device, non_blocking=True),
            "shifts": None if self.shifts is None else self.shifts.to(device, non_blocking=True),
        }


def keeps(words: Tensor, thresholds: Tensor) -> Tensor:
    """Which values dropout keeps, bool (n, values), of words (n, values) and each network's `keep_threshold` (n, 1)."""
    return words.bitwise_and(2**FRACTION_BITS - 1) < thresholds


class EpochDraws:
    """The draws of an epoch for distinct seeds; made in the background, in order, a stretch of steps at a time.

    `configs` are those of the runs, of one shape; `sizes` are those of the batches. `pinned`: in memory from which a
    GPU takes them by itself.
    """

    def __init__(self, configs: Sequence[RunConfig], epoch: int, sizes: Sequence[int], *, pinned: bool) -> None:
        self._hidden = sum(configs[0].hidden) if any(config.dropout for config in configs) else 0  # values an image
        self._pixels = INPUTS if any(config.input_dropout for config in configs) else 0
        self._flips = any(config.flips for config in configs)
        self._shifts = any(config.shift_pixels for config in configs)
        self._pinned = pinned
        self._seeds = [_SeedDraws(seed, epoch) for seed in sorted({config.seed for config in configs})]
        self._threads = ThreadPoolExecutor(min(len(self._seeds), os.cpu_count() or 1), "draws")
        self._orders = [self._threads.submit(seed.order, sum(sizes)) for seed in self._seeds]
        self._lengths = list(self._stretch_lengths(sizes))
        self._under_way: list[tuple[Stretch, list[Future[None]]]] = []
        for rows, steps in self._lengths[:_AHEAD]:
            self._begin(rows, steps)

    def orders(self) -> Tensor:
        """In which order the runs of each seed take their images, int64 (seeds, images)."""
        return torch.stack([order.result() for order in self._orders])

    def stretches(self) -> Iterator[tuple[int, int, Stretch]]:
        """Images in a batch, steps, and what they draw. Those that follow are drawn while this one is used."""
        try:
            later = [*self._lengths[_AHEAD:], *[None] * _AHEAD]
            for (rows, steps), next_length in zip(self._lengths, later, strict=False):
                stretch, tasks = self._under_way.pop(0)
                for task in tasks:
                    task.result()
                if next_length is not None:
                    self._begin(*next_length)
                yield rows, steps, stretch
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _stretch_lengths(self, sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
        for rows, batches in groupby(sizes):
            left = len(list(batches))
            longest = max(1, _STRETCH_BYTES // (len(self._seeds) * rows * 4 * (self._hidden + self._pixels + 3)))
            while left:
                yield rows, min(left, longest)
                left -= min(left, longest)

    def _begin(self, rows: int, steps: int) -> None:
        before: Stretch | None = None
        tasks_before: Sequence[Future[None] | None] = [None] * len(self._seeds)
        if self._under_way:
            before, tasks_before = self._under_way[-1]
        drawn = Stretch(
            masks=self._words(rows * self._hidden, steps, None if before is None else before.masks),
            pixels=self._words(rows * self._pixels, steps, None if before is None else before.pixels),
            flips=self._fractions(steps, rows) if self._flips else None,
            shifts=self._fractions(steps, rows, 2) if self._shifts else None,
        )
        # A seed draws one thing after the other. What a task waits for was begun before it: none waits for ever.
        tasks = [
            self._threads.submit(seed.fill, row, drawn, before, after)
            for row, (seed, after) in enumerate(zip(self._seeds, tasks_before, strict=True))
        ]
        self._under_way.append((drawn, tasks))

    def _words(self, values: int, steps: int, before: Words | None) -> Words | None:
        if not values:
            return None
        start = 0 if before is None else before.left
        pairs = -(-(start + values * steps) // 2)
        memory = torch.empty(len(self._seeds), pairs, dtype=torch.int64, pin_memory=self._pinned)
        return Words(memory, start, values, steps)

    def _fractions(self, *size: int) -> Tensor:
        return torch.empty(len(self._seeds), *size, pin_memory=self._pinned)


class _SeedDraws:
    """The generators of one seed in one epoch."""

    def __init__(self, seed: int, epoch: int) -> None:
        self._seed, self._epoch = seed, epoch
        self._masks, self._pixels = (
            derived_generator(seed, "masks", epoch),
            derived_generator(seed, "input masks", epoch),
        )
        self._flips, self._shifts = derived_generator(seed, "flips", epoch), derived_generator(seed, "shifts", epoch)

    def order(self, samples: int) -> Tensor:
        return torch.randperm(samples, generator=derived_generator(self._seed, "order", self._epoch))

    @torch.inference_mode()  # it holds for the thread alone
    def fill(self, row: int, drawn: Stretch, before: Stretch | None, after: Future[None] | None) -> None:
        """Put what is drawn into the `row` of this seed, once that of the stretch `before` is there."""
        if after is not None:
            after.result()
        if drawn.masks is not None:
            drawn.masks.fill(row, self._masks, None if before is None else before.masks)
        if drawn.pixels is not None:
            drawn.pixels.fill(row, self._pixels, None if before is None else before.pixels)
        if drawn.flips is not None:
            drawn.flips[row].uniform_(generator=self._flips)
        if drawn.shifts is not None:
            drawn.shifts[row].uniform_(generator=self._shifts)
