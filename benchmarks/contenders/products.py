"""The matrix products of training and evaluating, and nothing else: what no loop can do without."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch

from fmnist_core.config import INPUTS, OUTPUTS, RunConfig
from fmnist_core.data.dataset import Dataset
from fmnist_core.network.figures import CHUNK


def epochs(config: RunConfig, data: Dataset) -> Iterator[float]:
    """Each step does the products of an epoch; the last batch counts as full. No accuracy comes of it: 0."""
    there, back = products(config, config.batch_size)
    evaluate, _ = products(config, CHUNK)
    while True:
        for _ in range(0, len(data.train_images), config.batch_size):
            there()
            back()
        for _ in range(0, len(data.test_images), CHUNK):
            evaluate()
        yield 0.0


def products(config: RunConfig, rows: int) -> tuple[Callable[[], None], Callable[[], None]]:
    """What multiplies matrices as a batch of so many rows does on its way through the network, and back."""
    layers = []
    for inputs, outputs in pairwise((INPUTS, *config.hidden, OUTPUTS)):
        weight, entering, slopes = torch.randn(outputs, inputs), torch.randn(rows, inputs), torch.randn(rows, outputs)
        layers.append((weight, entering, slopes, *map(torch.empty_like, (weight, entering, slopes))))

    def there() -> None:
        for weight, entering, _, _, _, sums in layers:
            torch.mm(entering, weight.t(), out=sums)

    def back() -> None:
        for index, (weight, entering, slopes, gradient, below, _) in reversed([*enumerate(layers)]):
            torch.mm(slopes.t(), entering, out=gradient)
            if index:
                torch.mm(slopes, weight, out=below)

    return there, back
