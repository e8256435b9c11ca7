"""What several runs draw for one epoch, each from generators of its own: as they would when trained one by one.

A processor's generators draw, in several threads, while the device trains on what they drew before.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Generator, Tensor

from fmnist_core.config import INPUTS, RunConfig
from fmnist_core.network.augmentation import draw_flips, draw_shifts
from fmnist_core.network.draws import derived_seed
from fmnist_core.network.fast_step import KeptValues

_STRETCH_BYTES = 2**25  # of what is drawn at a time, about: little enough to hold twice, enough to keep a device busy


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """What n runs draw for k steps with b images each; None where none of them draws such a thing.

    Where others do, a run that does not keeps everything, mirrors nothing and moves nothing.
    """

    kept: Tensor | None  # hidden units, layer by layer, bool (n, k, b x all widths)
    kept_pixels: Tensor | None  # bool (n, k, b x 784)
    flips: Tensor | None  # bool (n, k, b)
    shifts: Tensor | None  # as `augmentation.draw_shifts` for the furthest of all, int64 (n, k, b, 2)


class EpochDraws:
    """An epoch's draws of runs of one shape, whose batches have `sizes`: in order, a stretch of steps at a time."""

    def __init__(self, configs: Sequence[RunConfig], epoch: int, sizes: Sequence[int]) -> None:
        self._sizes = sizes
        self._furthest = max(config.shift_pixels for config in configs)
        self._flips = any(config.flips for config in configs)
        self._mask = sum(configs[0].hidden) if any(config.dropout for config in configs) else 0  # values an image
        self._pixels = INPUTS if any(config.input_dropout for config in configs) else 0
        self._runs = [_RunDraws(config, epoch) for config in configs]
        self._threads = ThreadPoolExecutor(min(len(configs), os.cpu_count() or 1), "draws")
        self._first_orders = [self._threads.submit(run.order, sum(sizes)) for run in self._runs]

    def orders(self) -> Tensor:
        """In which order each run takes its images, int64 (n, images)."""
        return torch.stack([order.result() for order in self._first_orders])

    def stretches(self) -> Iterator[tuple[int, int, Stretch]]:
        """Images in a batch, steps, and what they draw. The next stretch is drawn while this one is used."""
        try:
            lengths = list(self._lengths())
            under_way = self._begin(*lengths[0])
            for (rows, steps), following in zip(lengths, [*lengths[1:], None], strict=True):
                stretch, tasks = under_way
                for task in tasks:
                    task.result()
                if following is not None:
                    under_way = self._begin(*following)
                yield rows, steps, stretch
        finally:
            self._threads.shutdown(cancel_futures=True)

    def _lengths(self) -> Iterator[tuple[int, int]]:
        for rows, batches in groupby(self._sizes):
            left = len(list(batches))
            a_step = len(self._runs) * rows * (self._mask + self._pixels + 17)
            longest = max(1, _STRETCH_BYTES // a_step)
            while left:
                yield rows, min(left, longest)
                left -= min(left, longest)

    def _begin(self, rows: int, steps: int) -> tuple[Stretch, list[Future[None]]]:
        lead = (len(self._runs), steps)
        stretch = Stretch(
            kept=torch.empty(*lead, rows * self._mask, dtype=torch.bool) if self._mask else None,
            kept_pixels=torch.empty(*lead, rows * self._pixels, dtype=torch.bool) if self._pixels else None,
            flips=torch.empty(*lead, rows, dtype=torch.bool) if self._flips else None,
            shifts=torch.empty(*lead, rows, 2, dtype=torch.int64) if self._furthest else None,
        )
        tasks = [self._threads.submit(run.fill, stretch, row, self._furthest) for row, run in enumerate(self._runs)]
        return stretch, tasks


class _RunDraws:
    """The generators of one run in one epoch."""

    def __init__(self, config: RunConfig, epoch: int) -> None:
        self._config, self._epoch = config, epoch
        self._masks, self._pixels = self._generator("masks"), self._generator("input masks")
        self._flips, self._shifts = self._generator("flips"), self._generator("shifts")

    def _generator(self, purpose: str) -> Generator:
        return Generator().manual_seed(derived_seed(self._config.seed, purpose, self._epoch))

    def order(self, samples: int) -> Tensor:
        return torch.randperm(samples, generator=self._generator("order"))

    @torch.inference_mode()  # it holds for the thread alone
    def fill(self, stretch: Stretch, row: int, furthest: int) -> None:
        config = self._config
        if stretch.kept is not None:
            _fill_kept(stretch.kept[row], config.dropout, self._masks)
        if stretch.kept_pixels is not None:
            _fill_kept(stretch.kept_pixels[row], config.input_dropout, self._pixels)
        if stretch.flips is not None:
            chosen = stretch.flips[row]
            chosen.copy_(draw_flips(chosen.numel(), self._flips).view(chosen.shape)) if config.flips else chosen.fill_(
                False
            )
        if stretch.shifts is not None:
            starts, own = stretch.shifts[row], config.shift_pixels
            starts.fill_(furthest - own)
            if own:
                starts += draw_shifts(starts.numel() // 2, own, self._shifts).view(starts.shape)


def _fill_kept(kept: Tensor, probability: float, generator: Generator) -> None:
    if not probability:
        kept.fill_(True)
        return
    values = KeptValues(probability, generator, kept.numel())
    values.draw()
    kept.copy_(torch.from_numpy(values.kept).view(kept.shape))
