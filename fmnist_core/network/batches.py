"""Examples as the network takes them: rows of bytes, scaled batch by batch."""

import torch
from torch import Tensor

from fmnist_core.config import INPUTS
from fmnist_core.data.split import Examples

_MINUS_ONE, _HALF_RANGE = torch.full((INPUTS,), -1.0), torch.full((INPUTS,), 127.5)


class Batches:
    """A number of examples as tensors in the memory of the data set; what is taken is a copy, and scaled."""

    def __init__(self, examples: Examples) -> None:
        self._images = torch.from_numpy(examples.images).flatten(1)
        self._labels = torch.from_numpy(examples.labels)
        self._indices = torch.from_numpy(examples.indices)

    def __len__(self) -> int:
        return len(self._indices)

    @property
    def labels(self) -> Tensor:
        """All labels, int64 (n,), in order."""
        return self._labels[self._indices]

    def take(self, places: Tensor | slice) -> tuple[Tensor, Tensor]:
        """Images, float32 (k, 784), and labels, int64 (k,), of the examples in these places."""
        rows = self._indices[places]
        return scaled(self._images.index_select(0, rows)), self._labels.index_select(0, rows)

    def take_bytes(self, places: Tensor, images: Tensor) -> Tensor:
        """Put the images of the examples in these places, as they are stored, into uint8 `images` (k, 784)."""
        return torch.index_select(self._images, 0, self._indices.index_select(0, places), out=images)


def scale_into(values: Tensor, images: Tensor) -> Tensor:
    """Put images (n, 784), as `scaled` makes them, into float32 `values` (n, 784), on the processor."""
    # One pass instead of two, to the same bits; `x / 127.5` is not `x * (1 / 127.5)`.
    return torch.addcdiv(_MINUS_ONE, values.copy_(images), _HALF_RANGE, out=values)


def scaled(images: Tensor) -> Tensor:
    """Bytes (n, 784) or (n, 28, 28) to float32 (n, 784) from -1 for black to 1 for white."""
    return images.flatten(1).float().div_(127.5).sub_(1)
