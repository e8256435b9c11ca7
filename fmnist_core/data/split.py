"""Divide the images into those that a run trains on and those that it is evaluated on."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from fmnist_core.config import Protocol
from fmnist_core.data.dataset import Dataset, Labels, Pixels

VALIDATION_SHARE = 6  # one training image in so many is held out: 10,000 of 60,000
_SPLIT_STREAM = 0x5B117  # sets the split's random numbers apart from others that start from the same seed

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Examples:
    """Some images of a data set with their labels, by `indices`, int64 (n,): the bytes are the data set's, no copies.

    `images` are uint8 (m, 28, 28), `labels` int64 (m,): all from which the indices choose.
    """

    images: Pixels
    labels: Labels
    indices: Indices

    def __len__(self) -> int:
        return len(self.indices)

    @classmethod
    def all(cls, images: Pixels, labels: Labels) -> Self:
        """Every image, in order."""
        return cls(images, labels, np.arange(len(images)))

    def first(self, count: int) -> "Examples":
        """The first `count` of these, or all where there are fewer."""
        return Examples(self.images, self.labels, self.indices[:count])


@dataclass(frozen=True, eq=False)
class Split:
    """What a run trains on, and what it is evaluated on after every epoch.

    Both are among the data set's training images, except under the article's protocol: it validates on the test images.
    """

    training: Examples
    validation: Examples


def split_indices(data: Dataset, protocol: Protocol, seed: int) -> tuple[Indices, Indices]:
    """Training and validation indices, int64 and ascending, as `split` divides."""
    if protocol == "article":
        return np.arange(len(data.train_images)), np.arange(len(data.test_images))
    shuffled = np.random.default_rng([seed, _SPLIT_STREAM]).permutation(len(data.train_labels))
    by_class = shuffled[data.train_labels[shuffled].argsort(kind="stable")]
    held_out = np.zeros(len(shuffled), dtype=bool)
    held_out[by_class[::VALIDATION_SHARE]] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def split(data: Dataset, protocol: Protocol, seed: int) -> Split:
    """Divide into training and validation as the protocol says.

    "held-out": one training image in six validates, as nearly as can be in every class, drawn from the seed; the test
    images stay unseen. "article": all training images train and the test images validate, whatever the seed.
    """
    train, validation = split_indices(data, protocol, seed)
    training_set, test_set = (data.train_images, data.train_labels), (data.test_images, data.test_labels)
    return Split(
        training=Examples(*training_set, train),
        validation=Examples(*(test_set if protocol == "article" else training_set), validation),
    )
