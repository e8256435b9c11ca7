"""How far confidence and accuracy lie apart, without torch: as `evaluation.py` has it for training."""

import numpy as np
import numpy.typing as npt

from fmnist_core.network.figures import CONFIDENCE_BINS


def confidence_bins(confidence: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The bin, (n,) from 0 to 14, that each of the confidences (n,) falls into."""
    # Bins are open on the left, so that a confidence of exactly 1 belongs to the last.
    bins = np.ceil(confidence * CONFIDENCE_BINS).astype(np.int64) - 1
    return np.clip(bins, 0, CONFIDENCE_BINS - 1)


def binned_calibration_error(confidence: npt.NDArray[np.float64], correct: npt.NDArray[np.bool_]) -> float:
    """The expected calibration error, from 0 to 1, of n confidences and whether each prediction was right.

    Guo et al., 2017: the images are sorted into 15 bins of equal width by the probability of the predicted class; the
    distance between mean confidence and accuracy in each bin is averaged, weighted by the bin's number of images.
    """
    surplus = np.bincount(confidence_bins(confidence), weights=confidence - correct, minlength=CONFIDENCE_BINS)
    return float(np.abs(surplus).sum() / len(confidence))
