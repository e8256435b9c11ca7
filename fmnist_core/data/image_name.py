"""How one image of a data set is called, in addresses and links: "test-123" or "train-4567"."""

import re
from dataclasses import dataclass
from typing import Literal, Self

from fmnist_core.data.dataset import Dataset, Pixels

Source = Literal["train", "test"]

# ASCII only, and matched to the very end: other scripts' digits or a line break must not slip through.
_NAME = re.compile(r"(train|test)-(0|[1-9][0-9]{0,6})", re.ASCII)


@dataclass(frozen=True, order=True)
class ImageName:
    """An image by its place among a data set's training or test images, counted from 0."""

    source: Source
    index: int

    def __str__(self) -> str:
        return f"{self.source}-{self.index}"

    @property
    def title(self) -> str:
        """How people read it: "Test image 1,234"."""
        return f"{'Training' if self.source == 'train' else 'Test'} image {self.index:,}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """`str`'s inverse. Raises ValueError for anything else, also for a number of more than seven digits."""
        match = _NAME.fullmatch(text)
        if match is None:
            raise ValueError(f"an image's name must be like test-123 or train-4567, got {text!r}")
        return cls("train" if match[1] == "train" else "test", int(match[2]))

    def find(self, data: Dataset) -> tuple[Pixels, int]:
        """The image, uint8 (28, 28), and its label. Raises ValueError where `data` has no such image."""
        images, labels = (
            (data.train_images, data.train_labels) if self.source == "train" else (data.test_images, data.test_labels)
        )
        if self.index >= len(images):
            raise ValueError(f"{data.name} has {self.source} images 0 to {len(images) - 1:,}, and no {self}")
        return images[self.index], int(labels[self.index])
