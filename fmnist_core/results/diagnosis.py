"""Learning curves in words: still learning, fits well, or overfits since an epoch."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from fmnist_core.wording import counted, decimal

Finding = Literal["too early", "learns nothing", "still learning", "fits well", "overfits", "unstable"]

# Single epochs jump at a constant learning rate, so findings compare medians over this many epochs.
WINDOW = 3
ENOUGH_EPOCHS = 5
# A fall of less than this share of the loss is taken for noise.
NOISE_SHARE = 0.02
# So is a rise of less than this: at a constant learning rate even medians wander by up to 4 %.
RISE_SHARE = 0.05
# The loss of a network that gives all ten classes the same probability, in nats.
CHANCE_LOSS = math.log(10)
# Its accuracy is 10 %; by chance, 10,000 images raise it to 11 % in one of a thousand runs.
CHANCE_ACCURACY = 0.11
_REMEDY = "Try a lower learning rate, less dropout or fewer layers."


@dataclass(frozen=True)
class Diagnosis:
    """What the curves say, and the figures that say it."""

    finding: Finding
    sentence: str


def best_epoch(epochs: pd.DataFrame) -> int:
    """The epoch with the lowest validation loss, the earliest of equals. `epochs` must not be empty."""
    return int(epochs["epoch"].iloc[best_place(epochs)])


def best_place(epochs: pd.DataFrame) -> int:
    """The place of the best epoch's row, from 0."""
    return int(np.nanargmin(epochs["validation_loss"].to_numpy(dtype=float)))


def is_at_chance(accuracy: float) -> bool:
    """Whether a network with this accuracy, a share of many images, does no better than guessing."""
    return accuracy < CHANCE_ACCURACY


def diagnose(epochs: pd.DataFrame) -> Diagnosis:
    """Read the curves of one run: a frame with the columns of EpochResult, in order of epochs.

    It overfits when the median validation loss of the last epochs lies clearly above the lowest such median, while
    the evaluated training loss went on falling; where that rose, too, it is unstable. It still learns when the last
    epochs lowered the validation loss by more than the noise, to where it had never been. From the second epoch on it
    learns nothing where it does no better than guessing.
    """
    if len(epochs) >= 2 and all(map(is_at_chance, epochs["validation_accuracy"].iloc[-WINDOW:])):
        return Diagnosis(
            "learns nothing",
            f"Learns nothing: validation accuracy is {epochs['validation_accuracy'].iloc[-1]:.1%}, and guessing at "
            f"random gives 10%. {_REMEDY}",
        )
    if len(epochs) < 2 * WINDOW:
        return Diagnosis(
            "too early",
            f"Too early to tell: a diagnosis needs {2 * WINDOW} epochs, and {len(epochs)} "
            f"{'is' if len(epochs) == 1 else 'are'} done.",
        )
    validation = _smoothed(epochs["validation_loss"])
    training = _smoothed(epochs["evaluated_training_loss"])
    lowest_at = int(validation.argmin())
    lowest, last = float(validation[lowest_at]), float(validation[-1])
    rise, fall = last - lowest, float(training[lowest_at] - training[-1])
    if last > 0.95 * CHANCE_LOSS:
        return Diagnosis(
            "learns nothing",
            f"Learns nothing: validation loss is {decimal(last, 3)}, and guessing at random gives {CHANCE_LOSS:.3f}. "
            f"{_REMEDY}",
        )
    if rise > RISE_SHARE * lowest and fall <= 0:
        return Diagnosis(
            "unstable",
            f"Unstable: training and validation loss both rise; validation loss is {decimal(rise, 3)} above its low of "
            f"{decimal(lowest, 3)}. That is not overfitting. Try a lower learning rate.",
        )
    if rise > RISE_SHARE * lowest:
        since = int(epochs["epoch"].iloc[lowest_at + WINDOW // 2])
        return Diagnosis(
            "overfits",
            f"Overfits since about epoch {since}: validation loss has risen by {decimal(rise, 3)} from its low of "
            f"{decimal(lowest, 3)}, while training loss (dropout off) fell by {decimal(fall, 3)}. The network "
            "now learns its training images by heart. Try dropout, fewer epochs or weight decay.",
        )
    span = min(WINDOW, len(validation) - 1)
    recent_fall = float(validation[-1 - span]) - last
    below_all_before = float(validation[:-span].min()) - last  # less than that after a bump
    if below_all_before > NOISE_SHARE * last:
        return Diagnosis(
            "still learning",
            f"Still learning: validation loss fell by {decimal(recent_fall, 3)} over the last "
            f"{counted(span, 'epoch')}. More epochs may lower it further.",
        )
    gap = float(epochs["validation_loss"].iloc[-1] - epochs["evaluated_training_loss"].iloc[-1])
    return Diagnosis(
        "fits well",
        f"Fits well: validation loss has levelled off at {decimal(last, 3)} without a clear rise. It ends "
        f"{decimal(abs(gap), 3)} {'above' if gap >= 0 else 'below'} training loss (dropout off).",
    )


def _smoothed(losses: "pd.Series[float]") -> npt.NDArray[np.float64]:
    """Running medians over WINDOW epochs, (n - WINDOW + 1,)."""
    windows = np.lib.stride_tricks.sliding_window_view(losses.to_numpy(dtype=np.float64), WINDOW)
    medians: npt.NDArray[np.float64] = np.median(windows, axis=1)
    return medians
