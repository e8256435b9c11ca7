"""How good a network is on a set of images, always with dropout off."""

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from fmnist_core.network.figures import Evaluation
from fmnist_core.network.model import MLP

# Small enough that a chunk's activations stay in the processor's cache, large enough to hide the call overhead.
CHUNK = 1000


CONFIDENCE_BINS = 15


def log_probabilities(model: MLP, images: Tensor, pulse: Callable[[], None] | None = None) -> Tensor:
    """Log-probabilities (n, 10) of float images (n, 784), computed in evaluation mode.

    The mode that the model was in is restored. `pulse`, where given, is called after each chunk of images.
    """
    was_training = model.training
    model.eval()  # without it dropout and batch normalisation would behave as in training
    chunks = []
    try:
        with torch.inference_mode():
            for chunk in images.split(CHUNK):
                chunks.append(model(chunk))
                if pulse is not None:
                    pulse()
    finally:
        model.train(was_training)
    return torch.cat(chunks)


def evaluate(model: MLP, images: Tensor, labels: Tensor, pulse: Callable[[], None] | None = None) -> Evaluation:
    """Loss, accuracy and calibration error of `model` on images (n, 784) with labels (n,), with dropout off.

    Raises ValueError where there is nothing to average over.
    """
    if len(images) == 0 or len(images) != len(labels):
        raise ValueError(f"evaluate needs as many labels as images and at least one, got {len(images)}, {len(labels)}")
    return evaluate_log_probabilities(log_probabilities(model, images, pulse), labels)


def evaluate_log_probabilities(scores: Tensor, labels: Tensor) -> Evaluation:
    """Loss, accuracy and calibration error of log-probabilities (n, 10) for labels (n,)."""
    return Evaluation(
        loss=float(F.nll_loss(scores.double(), labels)),
        accuracy=float((scores.argmax(dim=1) == labels).double().mean()),
        calibration_error=expected_calibration_error(scores, labels),
    )


def expected_calibration_error(scores: Tensor, labels: Tensor) -> float:
    """How far confidence and accuracy lie apart, from 0 to 1, for log-probabilities (n, 10) and labels (n,).

    Guo et al., 2017: the images are sorted into 15 bins of equal width by the probability of the predicted class; the
    distance between mean confidence and accuracy in each bin is averaged, weighted by the bin's number of images.
    """
    confidence, predicted = scores.double().exp().max(dim=1)
    return binned_calibration_error(confidence, predicted == labels)


def binned_calibration_error(confidence: Tensor, correct: Tensor) -> float:
    """`expected_calibration_error` of float64 confidences (n,) and whether each prediction was right, bool (n,)."""
    surplus = confidence - correct.double()
    bins = confidence_bins(confidence)
    return float(torch.zeros(CONFIDENCE_BINS).double().index_add_(0, bins, surplus).abs().sum() / len(confidence))


def confidence_bins(confidence: Tensor) -> Tensor:
    """The bin, int64 (n,) from 0 to 14, that each of the confidences (n,) falls into."""
    # Bins are open on the left, so that a confidence of exactly 1 belongs to the last.
    return (confidence * CONFIDENCE_BINS).ceil().long().sub_(1).clamp_(0, CONFIDENCE_BINS - 1)


def evaluate_with_training_mode_left_on(model: MLP, images: Tensor, labels: Tensor) -> Evaluation:
    """What `evaluate` would say if it forgot `model.eval()`: dropout goes on, batch normalisation uses each batch.

    For showing the mistake. The masks are the same at each call, and `model` itself is left as it was.
    """
    forgetful = copy.deepcopy(model).train()  # batch normalisation would also change its running statistics
    forgetful.masks.manual_seed(0)  # the copied layers share this one generator
    with torch.no_grad():
        return evaluate_log_probabilities(torch.cat([forgetful(chunk) for chunk in images.split(CHUNK)]), labels)
