"""What a data set holds: counts, mean images and brightness, and samples of each class."""

from dataclasses import dataclass

import numpy as np

from fmnist_core.data.dataset import CLASSES, Dataset, Labels, Pixels
from fmnist_core.data.split import split_indices

_CHUNK = 1000  # images


@dataclass(frozen=True)
class Summary:
    """Figures of a data set; those about pixels are over the training images."""

    class_counts: dict[str, list[int]]  # part of the data -> images of each class, in the order of CLASSES
    mean_images: Pixels  # (10, 28, 28)
    pixel_counts: list[int]  # how many pixels have each of the 256 values


def summarise(dataset: Dataset) -> Summary:
    """Count and average. The split shown is that of seed 0; every seed's has the same sizes."""
    images, labels = dataset.train_images, dataset.train_labels
    train, validation = split_indices(dataset, "held-out", seed=0)
    parts = {"Training": labels[train], "Validation": labels[validation], "Test": dataset.test_labels}
    means = np.stack([images[labels == label].mean(axis=0) for label in range(len(CLASSES))])
    pixel_counts = np.zeros(256, dtype=np.int64)
    for start in range(0, len(images), _CHUNK):  # counting takes eight bytes a pixel
        pixel_counts += np.bincount(images[start : start + _CHUNK].ravel(), minlength=256)
    return Summary(
        class_counts={name: np.bincount(part, minlength=len(CLASSES)).tolist() for name, part in parts.items()},
        mean_images=means.round().astype(np.uint8),
        pixel_counts=pixel_counts.tolist(),
    )


def class_samples(images: Pixels, labels: Labels, label: int, count: int, seed: int) -> Pixels:
    """`count` different images (n, 28, 28) of one class, or all where there are fewer; the seed picks them."""
    chosen = np.random.default_rng([seed, label]).permutation(np.flatnonzero(labels == label))[:count]
    samples: Pixels = images[chosen]
    return samples
