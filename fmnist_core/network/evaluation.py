"""How good a network is on a set of images, always with dropout off."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from fmnist_core.data.split import Examples
from fmnist_core.network.batches import Batches
from fmnist_core.network.figures import CHUNK, CONFIDENCE_BINS, Evaluation
from fmnist_core.network.model import MLP


def log_probabilities(model: MLP, examples: Examples, pulse: Callable[[], None] | None = None) -> Tensor:
    """Log-probabilities (n, 10) of n images, computed in evaluation mode.

    The mode that the model was in is restored. `pulse`, where given, is called after each chunk of images.
    """
    was_training = model.training
    model.eval()  # without it dropout and batch normalisation would behave as in training
    batches = Batches(examples)
    chunks = []
    try:
        with torch.inference_mode():
            for start in range(0, len(batches), CHUNK):
                images, _labels = batches.take(slice(start, start + CHUNK))
                chunks.append(model(images))
                if pulse is not None:
                    pulse()
    finally:
        model.train(was_training)
    return torch.cat(chunks)


def evaluate(model: MLP, examples: Examples, pulse: Callable[[], None] | None = None) -> Evaluation:
    """Loss, accuracy and calibration error of `model` on images with their labels, with dropout off.

    Raises ValueError where there is nothing to average over.
    """
    if len(examples) == 0:
        raise ValueError("evaluate needs at least one image, got none")
    return evaluate_log_probabilities(log_probabilities(model, examples, pulse), Batches(examples).labels)


def evaluate_log_probabilities(log_probabilities: Tensor, labels: Tensor) -> Evaluation:
    """Loss, accuracy and calibration error of log-probabilities (n, 10) for labels (n,)."""
    return Evaluation(
        loss=float(F.nll_loss(log_probabilities.double(), labels)),
        accuracy=float((log_probabilities.argmax(dim=1) == labels).double().mean()),
        calibration_error=expected_calibration_error(log_probabilities, labels),
    )


def expected_calibration_error(log_probabilities: Tensor, labels: Tensor) -> float:
    """How far confidence and accuracy lie apart, from 0 to 1, for log-probabilities (n, 10) and labels (n,).

    Guo et al., 2017: the images are sorted into 15 bins of equal width by the probability of the predicted class; the
    distance between mean confidence and accuracy in each bin is averaged, weighted by the bin's number of images.
    """
    confidence, predicted = log_probabilities.double().exp().max(dim=1)
    surplus = confidence - (predicted == labels).double()
    # Bins are open on the left, so that a confidence of exactly 1 belongs to the last.
    bins = (confidence * CONFIDENCE_BINS).ceil().long().sub_(1).clamp_(0, CONFIDENCE_BINS - 1)
    sums = torch.zeros(CONFIDENCE_BINS, dtype=torch.float64, device=surplus.device).index_add_(0, bins, surplus)
    return float(sums.abs().sum() / len(confidence))
