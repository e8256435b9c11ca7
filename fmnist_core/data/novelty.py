"""Which images are unlike all that a network has been trained on: novelty detection by nearest neighbours."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fmnist_core.data.dataset import Pixels

FALSE_ALARMS = 0.02  # the most garments of the data set's own kind that may be called novel

_NEIGHBOURS = 5
_CELLS = 7  # along each side, so that a shift of a pixel or two counts little
_REFERENCE = 10_000  # images that others are compared with
_HELD_OUT = 2_000  # images of the same kind that are not among them, and tell which distance is common
_CHUNK = 250  # images at once; their distances take 10 MB

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class NoveltyDetector:
    """Compares images with a sample of `train_images`, uint8 (n, 28, 28); the same ones in every process."""

    train_images: Pixels

    def novel(self, images: Pixels) -> npt.NDArray[np.bool_]:
        """Which of the images, uint8 (n, 28, 28), lie further from the training images than those do from each other.

        Holds for at most `FALSE_ALARMS` of new images of the same kind.
        """
        reference, threshold = self._known
        return _distances(_pooled(images), reference) > threshold

    @cached_property
    def _known(self) -> tuple[Floats, float]:
        """Features of the reference images, and the distance that counts as novel; made when first asked for."""
        count = len(self.train_images)
        order = np.random.default_rng(0).permutation(count)
        held_out = min(_HELD_OUT, count // 5)
        reference = _pooled(self.train_images[np.sort(order[held_out : held_out + _REFERENCE])])
        common = _distances(_pooled(self.train_images[np.sort(order[:held_out])]), reference)
        # Half of the alarms are left for what 2,000 images cannot tell of all others.
        return reference, float(np.quantile(common, 1 - FALSE_ALARMS / 2))


def _pooled(images: Pixels) -> Floats:
    """Mean brightness of the 49 squares of 4 x 4 pixels, from 0 to 1: (n, 49)."""
    width = images.shape[-1] // _CELLS
    squares = images.reshape(len(images), _CELLS, width, _CELLS, width)
    means: Floats = squares.mean(axis=(2, 4), dtype=np.float32) / np.float32(255)
    return means.reshape(len(images), -1)


def _distances(features: Floats, reference: Floats) -> Floats:
    """Euclidean distance of each row to its fifth nearest in the reference, (n,)."""
    nth = min(_NEIGHBOURS, len(reference)) - 1
    squares = (reference**2).sum(axis=1)
    found = []
    for start in range(0, len(features), _CHUNK):
        chunk = features[start : start + _CHUNK]
        squared = squares - 2 * (chunk @ reference.T) + (chunk**2).sum(axis=1, keepdims=True)
        found.append(np.partition(squared, nth, axis=1)[:, nth])
    distances: Floats = np.sqrt(np.concatenate(found).clip(0))
    return distances
