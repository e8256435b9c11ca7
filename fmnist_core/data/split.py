"""Divide the images into those that a run trains on and those that it is evaluated on."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from fmnist_core.config import Protocol, RunConfig
from fmnist_core.data.dataset import CLASSES, Dataset, Labels, Pixels

VALIDATION_SHARE = 6  # one training image in so many is held out: 10,000 of 60,000
# Each sets its random numbers apart from others that start from the same seed.
_SPLIT_STREAM = 0x5B117
_CHOICE_STREAM = 0xC401CE
_NOISE_STREAM = 0x4015E

Indices = npt.NDArray[np.int64]


class TooFewImagesError(ValueError):
    """A run asks for more training images than its data have; the message says how many there are."""


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
    """What a run may train on, and what it is evaluated on after every epoch; see `training_examples`.

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


def training_image_count(data: Dataset, protocol: Protocol) -> int:
    """How many images `split` leaves for training."""
    count = len(data.train_labels)
    return count if protocol == "article" else count - -(-count // VALIDATION_SHARE)


def check_training_images(config: RunConfig, data: Dataset) -> None:
    """Raise TooFewImagesError where `config` asks for more training images than its protocol leaves of these data."""
    _check_count(config, training_image_count(data, config.protocol), f" of {data.name}")


def _check_count(config: RunConfig, available: int, whose: str = "") -> None:
    if config.training_images is not None and config.training_images > available:
        validated = "the test set" if config.protocol == "article" else "held-out images"
        raise TooFewImagesError(
            f"training images must be at most the {available:,}{whose} that validation on {validated} leaves, "
            f'got {config.training_images:,}; choose fewer or "all"'
        )


def training_examples(config: RunConfig, examples: Examples) -> Examples:
    """Those of a split's training examples that `config` trains on, with the labels that it trains on.

    Fewer images than all are drawn from the seed, as nearly as can be equally many of each class; a smaller number
    lies within a larger one. With label noise a label is wrong with that chance, and is then any of the nine others.
    What becomes of an image's label depends on the seed and the image alone: which other images are there changes
    nothing, and what is wrong at a small share is wrong, and the same, at a larger. Raises TooFewImagesError.
    """
    indices, labels = examples.indices, examples.labels
    _check_count(config, len(indices))
    if config.training_images is not None:
        order = _balanced_order(labels[indices], np.random.default_rng([config.seed, _CHOICE_STREAM]))
        indices = np.sort(indices[order[: config.training_images]])
    if config.label_noise:
        chance = np.random.default_rng([config.seed, _NOISE_STREAM])
        is_wrong = chance.random(len(labels)) < config.label_noise
        others = (labels + chance.integers(1, len(CLASSES), len(labels))) % len(CLASSES)
        labels = np.where(is_wrong, others, labels)
    return replace(examples, labels=labels, indices=indices)


def trains_on(config: RunConfig, data: Dataset, index: int) -> bool:
    """Whether a run of `config` trains on the data set's training image in this place."""
    examples = training_examples(config, split(data, config.protocol, config.seed).training)
    place = int(np.searchsorted(examples.indices, index))
    return place < len(examples) and int(examples.indices[place]) == index


def _balanced_order(labels: Labels, chance: np.random.Generator) -> Indices:
    """A random order of labels (n,) whose every beginning has the classes equally often, as far as they reach."""
    shuffled = chance.permutation(len(labels))
    by_class = labels[shuffled].argsort(kind="stable")
    counts = np.bincount(labels, minlength=len(CLASSES))
    turn = np.empty(len(labels), dtype=np.int64)  # of each in `shuffled`: how many of its class come before it
    turn[by_class] = np.arange(len(labels)) - np.repeat(counts.cumsum() - counts, counts)
    order: Indices = shuffled[turn.argsort(kind="stable")]
    return order
