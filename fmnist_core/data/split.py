"""Divide the images into those that a run trains on and those that it is evaluated on, and scale them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fmnist_core.config import Protocol
from fmnist_core.data.dataset import Dataset

VALIDATION_SHARE = 6  # one training image in so many is held out: 10,000 of 60,000


_SPLIT_STREAM = 0x5B117  # sets the split's random numbers apart from others that start from the same seed


@dataclass(frozen=True, eq=False)
class Split:
    """What a run trains on, and what it is evaluated on after every epoch.

    Images are float32 (n, 784) from -1 to 1; labels int64 (n,). `train_indices` point into the data set's training
    images; so do `validation_indices`, but under the article's protocol they point into its test images.
    """

    train_images: Tensor
    train_labels: Tensor
    validation_images: Tensor
    validation_labels: Tensor
    train_indices: Tensor
    validation_indices: Tensor


def split_indices(data: Dataset, protocol: Protocol, seed: int) -> tuple[Tensor, Tensor]:
    """Training and validation indices, int64 and ascending, as `split` divides; much faster than dividing."""
    if protocol == "article":
        return torch.arange(len(data.train_images)), torch.arange(len(data.test_images))
    shuffled = torch.from_numpy(np.random.default_rng([seed, _SPLIT_STREAM]).permutation(len(data.train_labels)))
    by_class = shuffled[data.train_labels[shuffled].argsort(stable=True)]
    held_out = torch.zeros(len(shuffled), dtype=torch.bool)
    held_out[by_class[::VALIDATION_SHARE]] = True
    return (~held_out).nonzero().flatten(), held_out.nonzero().flatten()


def split(data: Dataset, protocol: Protocol, seed: int) -> Split:
    """Divide into training and validation as the protocol says.

    "held-out": one training image in six validates, as nearly as can be in every class, drawn from the seed; the test
    images stay unseen. "article": all training images train and the test images validate, whatever the seed.
    """
    train, validation = split_indices(data, protocol, seed)
    evaluation_images, evaluation_labels = (
        (data.test_images, data.test_labels) if protocol == "article" else (data.train_images, data.train_labels)
    )
    return Split(
        train_images=normalise(data.train_images[train]),
        train_labels=data.train_labels[train],
        validation_images=normalise(evaluation_images[validation]),
        validation_labels=evaluation_labels[validation],
        train_indices=train,
        validation_indices=validation,
    )


def normalise(images: Tensor) -> Tensor:
    """Bytes (n, 28, 28) to float32 (n, 784) from -1 for black to 1 for white."""
    return images.flatten(1).float().div_(127.5).sub_(1)
