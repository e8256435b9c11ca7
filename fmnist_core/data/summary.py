"""What a data set holds: counts, mean images and brightness, and samples of each class."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fmnist_core.data.dataset import CLASSES, Dataset
from fmnist_core.data.split import split

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Summary:
    """Figures of a data set; those about pixels are over the training images."""

    class_counts: dict[str, list[int]]  # part of the data -> images of each class, in the order of CLASSES
    mean_images: Pixels  # (10, 28, 28)
    pixel_counts: list[int]  # how many pixels have each of the 256 values


def summarise(dataset: Dataset) -> Summary:
    """Count and average. The split shown is that of seed 0; every seed's has the same sizes."""
    parts = split(dataset, "held-out", seed=0)
    labels = {
        "Training": parts.train_labels,
        "Validation": parts.validation_labels,
        "Test": dataset.test_labels,
    }
    means = [
        dataset.train_images[dataset.train_labels == label].float().mean(dim=0).round() for label in range(len(CLASSES))
    ]
    return Summary(
        class_counts={name: torch.bincount(part, minlength=len(CLASSES)).tolist() for name, part in labels.items()},
        mean_images=torch.stack(means).to(torch.uint8).numpy(),
        pixel_counts=torch.bincount(dataset.train_images.flatten(), minlength=256).tolist(),
    )


def class_samples(images: Tensor, labels: Tensor, label: int, count: int, seed: int) -> Pixels:
    """`count` different images (n, 28, 28) of one class, or all where there are fewer; the seed picks them."""
    positions = np.flatnonzero((labels == label).numpy())
    chosen = np.random.default_rng([seed, label]).permutation(positions)[:count]
    samples: Pixels = images[torch.from_numpy(chosen)].numpy()
    return samples
