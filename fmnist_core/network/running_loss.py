"""The training loss within an epoch, for people who wait for the epoch's own."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

STRETCHES = 40  # of an epoch, about


class RunningLoss:
    """What the batches of one epoch have shown so far.

    The loop only counts in `batches_done`; losses are worked out for those who ask. In a row each takes a fifth of the
    time that it takes between two steps, where all that it needs has left the caches.
    """

    def __init__(self, sizes: Sequence[int], loss_of: Callable[[int], Tensor]) -> None:
        """`sizes`: samples a batch. `loss_of`: the mean loss () of a batch that is done, by its place from 0."""
        self.batches_done = 0
        self._loss_of = loss_of
        self._sizes = torch.tensor(sizes)
        self._stretch = -(-len(sizes) // STRETCHES)  # batches in one
        self._points: list[tuple[float, float]] = []

    def mean(self) -> float:
        """The mean over all samples so far."""
        sizes = self._sizes[: self.batches_done]
        return float((self._losses(0, self.batches_done) * sizes).cumsum(0, dtype=torch.float64)[-1]) / int(sizes.sum())

    def points(self) -> list[tuple[float, float]]:
        """Each stretch of batches that is whole: the share of the epoch in its middle, and its mean loss.

        Without what is not finite. A point that was there once stays as it is.
        """
        batches = len(self._sizes)
        while True:
            start = len(self._points) * self._stretch
            stop = min(start + self._stretch, batches)
            if start >= batches or self.batches_done < stop:
                return [(share, loss) for share, loss in self._points if math.isfinite(loss)]
            sizes = self._sizes[start:stop]
            loss = float((self._losses(start, stop) * sizes).sum()) / int(sizes.sum())
            self._points.append(((start + stop) / 2 / batches, loss))

    def _losses(self, start: int, stop: int) -> Tensor:
        return torch.stack([self._loss_of(batch) for batch in range(start, stop)])
