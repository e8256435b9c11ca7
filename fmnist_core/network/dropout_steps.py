"""The thinned networks of a run's training steps: which units each image of a batch met, and what they were worth.

Everything is the run's own: the batches and masks are those that the epoch drew, and the network is the stored one.
In training each step has also moved the weights a little; here they are those that the epoch ended with.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fmnist_core.config import INPUTS, RunConfig
from fmnist_core.data.dataset import Dataset, Labels, Pixels
from fmnist_core.data.split import split, training_examples
from fmnist_core.network.draws import Draws, batch_bounds
from fmnist_core.network.stored_network import Floats, StoredNetwork

MOST_STEPS = 20

Kept = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class DropoutStep:
    """One training step. Of n images: the bytes (n, 28, 28), the labels (n,), and what each one's network kept.

    `kept` holds each hidden layer's units, bool (n, width), and `kept_pixels` the pixels, (n, 784).
    Losses are nats, (n,): of each image's own thinned network, and of the whole one. `units` are the thinned networks'
    hidden layers, float32 (n, width).
    """

    images: Pixels
    labels: Labels
    kept: tuple[Kept, ...]
    kept_pixels: Kept
    units: tuple[Floats, ...]
    thinned_losses: Floats
    whole_losses: Floats


def shown_batches(config: RunConfig, training_images: int) -> list[tuple[int, int]]:
    """First and last-plus-one position of each batch that can be asked for: an epoch's first ones."""
    return batch_bounds(training_images, config.batch_size)[:MOST_STEPS]


def dropout_step(network: StoredNetwork, data: Dataset, epoch: int, step: int) -> DropoutStep:
    """What the run's training step `step`, from 0, of an epoch drew. Raises IndexError where there is no such one.

    Images are as they are stored, though the run may have mirrored or moved them. Batch normalisation uses what it
    learnt.
    """
    config = network.config
    examples = training_examples(config, split(data, config.protocol, config.seed).training)
    batches = shown_batches(config, len(examples))
    if not 0 <= step < len(batches):
        raise IndexError(f"step must be from 0 to {len(batches) - 1}, got {step}")
    start, stop = batches[step]
    order = Draws(config.seed, "order", epoch).first_of_permutation(len(examples), stop)
    indices = examples.indices[order[start:]]
    images, labels = examples.images[indices], examples.labels[indices]
    sizes = [last - first for first, last in batches[: step + 1]]
    kept = _kept(Draws(config.seed, "masks", epoch), sizes, config.hidden, config.dropout)
    (kept_pixels,) = _kept(Draws(config.seed, "input masks", epoch), sizes, (INPUTS,), config.input_dropout)
    units, thinned = network.thinned(images, kept, kept_pixels)
    whole, each = network.log_probabilities(images), np.arange(len(labels))
    return DropoutStep(images, labels, kept, kept_pixels, units, -thinned[each, labels], -whole[each, labels])


def _kept(draws: Draws, sizes: Sequence[int], widths: Sequence[int], rate: float) -> tuple[Kept, ...]:
    """What the last of several steps kept of layers with these widths: all of it where there is no dropout.

    `sizes` are those of the steps' batches, one mask after the other comes from `draws`.
    """
    if not rate:
        return tuple(np.ones((sizes[-1], width), dtype=bool) for width in widths)
    for rows in sizes[:-1]:
        for width in widths:
            draws.kept((rows, width), rate)
    return tuple(draws.kept((sizes[-1], width), rate) for width in widths)
