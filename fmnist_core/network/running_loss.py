"""The training loss within an epoch, for people who wait for the epoch's own."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

STRETCHES = 40  # of an epoch, about


class RunningLoss:
    """What the batches of one epoch have shown so far.

    The loop only appends to `losses`; means are worked out for who asks for them, so that they cost the others nothing.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.losses: list[Tensor] = []  # each batch's mean
        self._sizes = torch.tensor(sizes)
        self._stretch = -(-len(sizes) // STRETCHES)  # batches in one
        self._points: list[tuple[float, float]] = []

    def mean(self) -> float:
        """The mean over all samples so far."""
        sizes = self._sizes[: len(self.losses)]
        return float((torch.stack(self.losses) * sizes).cumsum(0, dtype=torch.float64)[-1]) / int(sizes.sum())

    def points(self) -> list[tuple[float, float]]:
        """Each stretch of batches that is whole: the share of the epoch in its middle, and its mean loss.

        Without what is not finite. A point that was there once stays as it is.
        """
        batches = len(self._sizes)
        while True:
            start = len(self._points) * self._stretch
            stop = min(start + self._stretch, batches)
            if start >= batches or len(self.losses) < stop:
                return [(share, loss) for share, loss in self._points if math.isfinite(loss)]
            sizes = self._sizes[start:stop]
            loss = float((torch.stack(self.losses[start:stop]) * sizes).sum()) / int(sizes.sum())
            self._points.append(((start + stop) / 2 / batches, loss))
