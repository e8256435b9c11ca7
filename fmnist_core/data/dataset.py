"""The data set: images and labels in memory, and where they came from."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from fmnist_core.data.torchvision_import import FashionMNIST

CLASSES: tuple[str, ...] = tuple(FashionMNIST.classes)


class DataError(RuntimeError):
    """The data that a run needs are not those that this machine has; the message says what to do."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels in memory, and where they came from.

    Images are uint8 (n, 28, 28), 0 for black; labels int64 (n,), indices into `CLASSES`.
    Raises ValueError that names the tensor and the rule.
    """

    name: Literal["Fashion-MNIST", "Drawn garments"]
    source: str  # for people: where these copies came from
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    notes: tuple[str, ...] = ()  # sentences about sources that were tried and failed

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            images, labels = getattr(self, f"{part}_images"), getattr(self, f"{part}_labels")
            if images.dtype != torch.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28):
                raise ValueError(f"{part}_images must be uint8 (n, 28, 28), got {images.dtype} {tuple(images.shape)}")
            if labels.dtype != torch.int64 or labels.shape != images.shape[:1] or not len(labels):
                raise ValueError(
                    f"{part}_labels must be int64, one for each of at least one image, "
                    f"got {labels.dtype} {tuple(labels.shape)} for {len(images)} images"
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
        for tensor in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            digest.update(repr(tuple(tensor.shape)).encode())
            digest.update(tensor.contiguous().numpy().data)
        return digest.hexdigest()[:16]
