"""Images in, probabilities out."""

import numpy as np
import numpy.typing as npt
from torch import Tensor

from fmnist_core.data.split import normalise
from fmnist_core.network.evaluation import log_probabilities
from fmnist_core.network.model import MLP


def probabilities(model: MLP, images: Tensor) -> npt.NDArray[np.float32]:
    """Class probabilities (n, 10), rows summing to 1, of uint8 images (n, 28, 28). Dropout is off."""
    scores: npt.NDArray[np.float32] = log_probabilities(model, normalise(images)).exp().numpy()
    return scores
