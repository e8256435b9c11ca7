"""Images in, probabilities out, and the picking of images worth a look."""

from typing import Literal

import numpy as np
import numpy.typing as npt
from torch import Tensor

from fmnist_core.data import normalise
from fmnist_core.evaluation import log_probabilities
from fmnist_core.model import MLP

Choice = Literal["random", "class", "mistakes"]


def probabilities(model: MLP, images: Tensor) -> npt.NDArray[np.float32]:
    """Class probabilities (n, 10), rows summing to 1, of uint8 images (n, 28, 28). Dropout is off."""
    scores: npt.NDArray[np.float32] = log_probabilities(model, normalise(images)).exp().numpy()
    return scores


def candidates(
    choice: Choice, labels: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], label: int
) -> npt.NDArray[np.int64]:
    """Positions of the images that `choice` admits: all, those of class `label`, or those classified wrongly."""
    if choice == "random":
        return np.arange(len(labels))
    return np.flatnonzero(labels == label if choice == "class" else labels != predicted)


def shuffled(positions: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.int64]:
    """`positions` in an order that depends on `seed` alone, so that "next" never shows an image twice in a round."""
    return np.random.default_rng(seed).permutation(positions)


def new_order() -> int:
    """A fresh seed for `shuffled`."""
    return int(np.random.default_rng().integers(2**31))
