"""The figures that training and evaluation bring forth, as the store keeps them."""

from dataclasses import dataclass, field

# Part of every run's key. Raise it whenever a change in this room, or in how data are split, can change a run's
# figures: stored runs of the earlier version then no longer pass for new ones.
TRAINING_VERSION = 1

# Images at a time. Small enough that a chunk's activations stay in the processor's cache, large enough to hide the
# call overhead.
CHUNK = 1000

CONFIDENCE_BINS = 15

# How many training images an epoch is evaluated on at most: the first of those trained on.
TRAINING_CHECK_IMAGES = 10_000


@dataclass(frozen=True, kw_only=True)
class EpochResult:
    """What one epoch showed. Losses are nats a sample, means over samples; accuracies are shares from 0 to 1.

    Label smoothing changes what is minimised, not what is shown: every loss here is the plain negative
    log-likelihood.
    """

    epoch: int  # counted from 1
    training_loss: float  # as trained: while the weights moved, dropout on
    training_accuracy: float
    evaluated_training_loss: float  # after the epoch, dropout off, on fixed training images
    evaluated_training_accuracy: float
    validation_loss: float
    validation_accuracy: float
    validation_calibration_error: float
    learning_rate: float  # of the epoch's last step
    seconds: float = field(compare=False)  # wall clock, evaluation included


@dataclass(frozen=True)
class Evaluation:
    """Over all images: mean negative log-likelihood (nats), share classified correctly, how far confidence errs."""

    loss: float
    accuracy: float
    calibration_error: float
