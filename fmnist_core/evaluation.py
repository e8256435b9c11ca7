"""How good a network is on a set of images, always with dropout off."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from fmnist_core.model import MLP

# Small enough that a chunk's activations stay in the processor's cache, large enough to hide the call overhead.
CHUNK = 1000


@dataclass(frozen=True)
class Evaluation:
    """Means over all images: negative log-likelihood in nats, and the share classified correctly."""

    loss: float
    accuracy: float


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
    """Loss and accuracy of `model` on images (n, 784) with labels (n,), with dropout off.

    Raises ValueError where there is nothing to average over.
    """
    if len(images) == 0 or len(images) != len(labels):
        raise ValueError(f"evaluate needs as many labels as images and at least one, got {len(images)}, {len(labels)}")
    scores = log_probabilities(model, images, pulse)
    loss = F.nll_loss(scores.double(), labels)
    accuracy = (scores.argmax(dim=1) == labels).double().mean()
    return Evaluation(loss=float(loss), accuracy=float(accuracy))
