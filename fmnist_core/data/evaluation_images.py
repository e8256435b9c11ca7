"""The images that runs are evaluated on: those that they were not trained on."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from fmnist_core.config import RunConfig
from fmnist_core.data.dataset import Dataset, Labels, Pixels
from fmnist_core.data.image_name import ImageName, Source
from fmnist_core.data.split import Indices, split_indices

Part = Literal["validation", "test"]  # of a data set: what a run may be evaluated on
Positions = Indices


@dataclass(frozen=True, eq=False)
class EvaluationImages:
    """Images of a data set: `positions`, int64 (n,) and ascending, point into its training or its test images."""

    source: Source
    positions: Positions

    def __len__(self) -> int:
        return len(self.positions)

    def name(self, row: int) -> ImageName:
        """The name of the image in place `row`."""
        return ImageName(self.source, int(self.positions[row]))

    def labels(self, data: Dataset) -> Labels:
        """The images' labels, int64 (n,)."""
        labels = data.train_labels if self.source == "train" else data.test_labels
        return labels[self.positions]

    def pixels(self, data: Dataset) -> Pixels:
        """The images, uint8 (n, 28, 28)."""
        images = data.train_images if self.source == "train" else data.test_images
        return images[self.positions]

    def row(self, name: ImageName) -> int | None:
        """The place of an image among these, or None."""
        place = int(np.searchsorted(self.positions, name.index))
        is_here = name.source == self.source and place < len(self) and self.positions[place] == name.index
        return place if is_here else None

    def rows_of(self, other: "EvaluationImages") -> Positions:
        """The places here of images of `other`, all of which must be here."""
        assert self.source == other.source, (self.source, other.source)
        rows: Positions = np.searchsorted(self.positions, other.positions)
        assert (self.positions[rows] == other.positions).all(), "all images must be here"
        return rows


def evaluation_images(data: Dataset, config: RunConfig, part: Part) -> EvaluationImages:
    """What a run is evaluated on: the test images, or the validation images that its protocol and seed set aside."""
    if part == "test" or config.protocol == "article":
        return EvaluationImages("test", np.arange(len(data.test_images)))
    return EvaluationImages("train", split_indices(data, config.protocol, config.seed)[1])


def common_images(first: EvaluationImages, second: EvaluationImages) -> EvaluationImages | None:
    """The images that both runs are evaluated on; None where there are none.

    Runs of different seeds hold different images out: neither may be evaluated on what the other was trained on.
    """
    if first.source != second.source:
        return None
    positions = np.intersect1d(first.positions, second.positions, assume_unique=True)
    return EvaluationImages(first.source, positions) if len(positions) else None
