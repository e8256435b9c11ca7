"""The data set: images and labels, and where they came from."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

# The names by which the official labels go; torchvision's are the same, but importing it takes seconds.
CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

Pixels = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
DataName = Literal["Fashion-MNIST", "Drawn garments"]


class DataError(RuntimeError):
    """The data that a run needs are not those that this machine has; the message says what to do."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels, and where they came from.

    Images are uint8 (n, 28, 28), 0 for black; labels int64 (n,), indices into `CLASSES`. Processes may share the
    memory, so nobody writes to it. Raises ValueError that names the array and the rule.
    """

    name: DataName
    source: str  # for people: where these copies came from
    train_images: Pixels
    train_labels: Labels
    test_images: Pixels
    test_labels: Labels
    notes: tuple[str, ...] = ()  # sentences about sources that were tried and failed

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            images, labels = getattr(self, f"{part}_images"), getattr(self, f"{part}_labels")
            if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28):
                raise ValueError(f"{part}_images must be uint8 (n, 28, 28), got {images.dtype} {images.shape}")
            if labels.dtype != np.int64 or labels.shape != images.shape[:1] or not len(labels):
                raise ValueError(
                    f"{part}_labels must be int64, one for each of at least one image, "
                    f"got {labels.dtype} {labels.shape} for {len(images)} images"
                )
            low, high = int(labels.min()), int(labels.max())
            if low < 0 or high >= len(CLASSES):
                raise ValueError(f"{part}_labels must be from 0 to {len(CLASSES) - 1}, got {low} to {high}")

    @property
    def is_real(self) -> bool:
        """Whether these are the official images, not drawn ones."""
        return self.name == "Fashion-MNIST"

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits that stand for the images and labels, wherever they came from."""
        digest = hashlib.sha256()
        for array in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            digest.update(repr(array.shape).encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()[:16]
