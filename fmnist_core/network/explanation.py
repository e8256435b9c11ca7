"""Looking inside one answer: how shaky it is, which pixels speak for a class, what the first layer looks for."""

import numpy as np
import numpy.typing as npt
import torch

from fmnist_core.data.dataset import CLASSES
from fmnist_core.data.split import normalise
from fmnist_core.network.inference import probabilities
from fmnist_core.network.model import MLP, Dropout, evaluation_copy

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


def dropout_passes(model: MLP, image: Image, passes: int = 50, seed: int = 0) -> Floats:
    """Probabilities (passes, 10) of one image (28, 28), each row under dropout masks of its own.

    Monte Carlo dropout (Gal and Ghahramani, 2016): dropout stays on, all else is as in use. The masks depend on
    `seed` alone. A network without dropout gives the same answer each time.
    """
    _check(image)
    if passes < 1:
        raise ValueError(f"passes must be at least 1, got {passes}")
    pixels = torch.tensor(image).unsqueeze(0)
    network = evaluation_copy(model)
    layers = [module for module in network.modules() if isinstance(module, Dropout)]
    if not layers:
        # A batch of copies would not do: the last bits of a product can depend on the place in the batch.
        return np.repeat(probabilities(network, pixels), passes, axis=0)
    for layer in layers:
        layer.train()
    network.masks.manual_seed(seed)  # the copied layers share this one generator
    with torch.inference_mode():
        answers: Floats = network(normalise(pixels).expand(passes, -1)).exp().numpy()
    return answers


def relevance(model: MLP, image: Image, label: int) -> Floats:
    """How much each pixel of one image (28, 28) speaks for class `label`, (28, 28); negative is against it.

    Gradient times input: the slope of the class's logit along the pixel's brightness (Simonyan et al., 2014), times
    that brightness (Shrikumar et al., 2016), from 0 for black to 1 for white: a black pixel always counts 0. The logit
    and not the probability, because the softmax saturates: of a sure answer every slope is close to 0. Dropout is off.
    """
    _check(image)
    if not 0 <= label < len(CLASSES):
        raise ValueError(f"label must be from 0 to {len(CLASSES) - 1}, got {label}")
    pixels = torch.tensor(image).unsqueeze(0)
    inputs = normalise(pixels).requires_grad_()
    with torch.enable_grad():
        logit = evaluation_copy(model).logits(inputs)[0, label]
        (slopes,) = torch.autograd.grad(logit, inputs)  # of the inputs alone: the weights are shared
    # From black to white the input goes from -1 to 1, so its slope is half that along the brightness.
    shares: Floats = (2 * slopes.view(28, 28) * pixels[0] / 255).numpy()
    return shares


def first_layer_weights(model: MLP) -> Floats:
    """The first hidden layer's weights as pictures, (units, 28, 28): what makes a unit grow, and what makes it shrink.

    They are the plain weights; per brightness from black to white each would be twice as large.
    """
    weights: Floats = model.state_dict()["hidden.0.0.weight"].view(-1, 28, 28).numpy().copy()
    return weights


def strongest_first(weights: Floats) -> npt.NDArray[np.int64]:
    """The order of units, (units,), that puts the largest weights (units, 28, 28) first, by root mean square."""
    return np.argsort(-np.square(weights).mean(axis=(1, 2)), kind="stable")


def _check(image: Image) -> None:
    if image.dtype != np.uint8 or image.shape != (28, 28):
        raise ValueError(f"the image must be uint8 of shape (28, 28), got {image.dtype} {image.shape}")
