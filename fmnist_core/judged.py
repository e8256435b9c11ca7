"""The images that runs are judged by: those that they were not trained on."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fmnist_core.config import RunConfig
from fmnist_core.data import Dataset, split_indices
from fmnist_core.image_name import ImageName, Source
from fmnist_core.schema import Part

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class JudgedImages:
    """Images of a data set: `positions`, int64 (n,) and ascending, point into its training or its test images."""

    source: Source
    positions: Positions

    def __len__(self) -> int:
        return len(self.positions)

    def name(self, row: int) -> ImageName:
        """The name of the image in place `row`."""
        return ImageName(self.source, int(self.positions[row]))

    def labels(self, data: Dataset) -> npt.NDArray[np.int64]:
        """The images' labels, int64 (n,)."""
        labels = data.train_labels if self.source == "train" else data.test_labels
        return labels.numpy()[self.positions]

    def pixels(self, data: Dataset) -> npt.NDArray[np.uint8]:
        """The images, uint8 (n, 28, 28)."""
        images = data.train_images if self.source == "train" else data.test_images
        return images.numpy()[self.positions]

    def row(self, name: ImageName) -> int | None:
        """The place of an image among these, or None."""
        place = int(np.searchsorted(self.positions, name.index))
        is_here = name.source == self.source and place < len(self) and self.positions[place] == name.index
        return place if is_here else None

    def rows_of(self, other: "JudgedImages") -> Positions:
        """The places here of images of `other`, all of which must be here."""
        assert self.source == other.source, (self.source, other.source)
        rows: Positions = np.searchsorted(self.positions, other.positions)
        assert (self.positions[rows] == other.positions).all(), "all images must be here"
        return rows


def judged_images(data: Dataset, config: RunConfig, part: Part) -> JudgedImages:
    """What a run is judged by: the test images, or the validation images that its protocol and seed set aside."""
    if part == "test" or config.protocol == "article":
        return JudgedImages("test", np.arange(len(data.test_images)))
    return JudgedImages("train", split_indices(data, config.protocol, config.seed)[1].numpy())


def common_images(first: JudgedImages, second: JudgedImages) -> JudgedImages | None:
    """The images that both runs are judged by; None where there are none.

    Runs of different seeds hold different images out: neither may be judged by what the other was trained on.
    """
    if first.source != second.source:
        return None
    positions = np.intersect1d(first.positions, second.positions, assume_unique=True)
    return JudgedImages(first.source, positions) if len(positions) else None
