"""Images as libraries take them whole: rows of floats from -1 to 1."""

import numpy as np
import numpy.typing as npt

from fmnist_core.data.dataset import Pixels


def rows(images: Pixels) -> npt.NDArray[np.float32]:
    """Bytes (n, 28, 28) to float32 (n, 784), from -1 for black to 1 for white."""
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(127.5) - np.float32(1)
