"""How sure runs are, and how often they are right: reliability, bin by bin of confidence."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from fmnist_core.network.confidence import binned_calibration_error, confidence_bins
from fmnist_core.network.figures import CONFIDENCE_BINS
from fmnist_core.results.confusion import Classes, Floats, Probabilities

# Points of calibration error: about two standard deviations of the difference of two runs on 10,000 images, which is
# 0.24 when the images are drawn again and again from those that there are.
_TOLD_APART = 0.5


@dataclass(frozen=True, eq=False)
class Reliability:
    """How often a run is right, bin by bin of its confidence, the probability of the class that it chose.

    The arrays have a place for each of the 15 bins of `expected_calibration_error`. All but `count` are shares.
    """

    lower: Floats  # edges of the bins; a confidence on an edge belongs to the bin below it
    upper: Floats
    count: npt.NDArray[np.int64]  # images
    confidence: Floats  # mean over the bin's images; NaN in a bin without any
    accuracy: Floats  # NaN in a bin without images
    calibration_error: float
    mean_confidence: float  # over all images
    mean_accuracy: float


def reliability(probabilities: Probabilities, labels: Classes) -> Reliability:
    """Compare confidence and accuracy over n images. Raises ValueError where there is nothing to average over."""
    if len(probabilities) == 0 or len(probabilities) != len(labels):
        raise ValueError(
            "reliability needs as many labels as probabilities and at least one, "
            f"got {len(probabilities)}, {len(labels)}"
        )
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    bins = confidence_bins(confidence)
    count = np.bincount(bins, minlength=CONFIDENCE_BINS).astype(np.int64)

    def means(values: Floats) -> Floats:
        sums = np.bincount(bins, weights=values, minlength=CONFIDENCE_BINS)
        averages: Floats = np.divide(sums, count, out=np.full(CONFIDENCE_BINS, np.nan), where=count > 0)
        return averages

    edges = np.linspace(0, 1, CONFIDENCE_BINS + 1)
    return Reliability(
        lower=edges[:-1],
        upper=edges[1:],
        count=count,
        confidence=means(confidence),
        accuracy=means(correct.astype(np.float64)),
        calibration_error=binned_calibration_error(confidence, correct),
        mean_confidence=float(confidence.mean()),
        mean_accuracy=float(correct.mean()),
    )


def calibration_table(curves: Mapping[str, Reliability]) -> pd.DataFrame:
    """How sure each run is, how often it is right, and its calibration error, in words; a row a run."""
    rows = []
    for name, one in curves.items():
        surplus = 100 * (one.mean_confidence - one.mean_accuracy)
        rows.append(
            {
                "Run": name,
                "Sure on average": f"{one.mean_confidence:.1%}",
                "Right": f"{one.mean_accuracy:.1%}",
                "Over-confident by": f"{surplus:.1f} points".replace("-", "\N{MINUS SIGN}"),
                "Calibration error": f"{100 * one.calibration_error:.1f} points",
            }
        )
    return pd.DataFrame(rows)


def better_calibrated(curves: Mapping[str, Reliability]) -> str:
    """Which of two runs is better calibrated on these images, in a sentence that claims no more than that."""
    (first, low), (second, high) = sorted(
        ((name, one.calibration_error) for name, one in curves.items()), key=lambda item: item[1]
    )
    if 100 * (high - low) < _TOLD_APART:
        return "Both are calibrated about equally well on these images."
    return (
        f"{first} is better calibrated on these images: its calibration error is {100 * (high - low):.1f} points "
        f"lower than that of {second}."
    )
