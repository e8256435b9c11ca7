"""The multilayer perceptron: flattened images in, log-probabilities out."""

import math
from collections.abc import Mapping
from itertools import pairwise

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Generator, Tensor, nn

from fmnist_core.config import INPUTS, OUTPUTS, RunConfig


class Dropout(nn.Module):
    """Inverted dropout (Srivastava et al., 2014) that draws its masks from a generator of its own.

    `torch.nn.Dropout` draws from the global generator, so that switching it on would also change the batch order
    and whatever else draws there. With its own generator only dropout differs between two runs.
    """

    def __init__(self, probability: float, generator: Generator) -> None:
        super().__init__()
        self.probability = probability
        self.generator = generator

    def forward(self, hidden: Tensor) -> Tensor:
        if not self.training:
            return hidden
        return hidden * self._factors(hidden)

    def _factors(self, values: Tensor) -> Tensor:
        """What each value is multiplied with: 0 where it is dropped, else what makes up for those that are."""
        keep = 1 - self.probability
        # Drawing uniforms and comparing is about twice as fast on a CPU as `bernoulli_`.
        kept = torch.rand(values.shape, generator=self.generator) < keep
        return kept.to(values.dtype).mul_(1 / keep)

    def extra_repr(self) -> str:
        return f"probability={self.probability}"


class InputDropout(Dropout):
    """Dropout of pixels, (n, 784): a dropped one becomes black, the background, and brightness is what is scaled up.

    Black is -1. The 0 that plain dropout would put there is a grey that no background has, and scaling about it would
    darken the background itself.
    """

    def forward(self, images: Tensor) -> Tensor:
        if not self.training:
            return images
        return self._factors(images).mul_(images + 1).sub_(1)


def _linear(inputs: int, outputs: int, generator: Generator) -> nn.Linear:
    """A linear layer with PyTorch's default initial distribution, drawn from `generator`."""
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, inputs, outputs)
    bound = 1 / math.sqrt(inputs)
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        layer.bias.uniform_(-bound, bound, generator=generator)
    return layer


class MLP(nn.Module):
    """Linear, optional batch normalisation, ReLU and dropout for each hidden layer; then a linear output layer.

    Dropout never touches the output layer. Weights come from `weights`, masks of hidden units from `masks`, those of
    pixels from `input_masks`; with the same `weights` seed two networks that differ only in dropout start identical.
    """

    def __init__(self, config: RunConfig, *, weights: Generator | None = None, masks: Generator | None = None) -> None:
        super().__init__()
        weights = weights or Generator().manual_seed(config.seed)
        self.masks = masks or Generator().manual_seed(config.seed)
        self.input_masks = Generator().manual_seed(config.seed)
        self.input_dropout = InputDropout(config.input_dropout, self.input_masks) if config.input_dropout else None
        widths = (INPUTS, *config.hidden)
        self.hidden = nn.ModuleList()
        for inputs, outputs in pairwise(widths):
            block: list[nn.Module] = [_linear(inputs, outputs, weights)]
            if config.batch_norm:
                block.append(nn.BatchNorm1d(outputs))
            block.append(nn.ReLU())
            if config.dropout > 0:
                block.append(Dropout(config.dropout, self.masks))
            self.hidden.append(nn.Sequential(*block))
        self.output = _linear(widths[-1], OUTPUTS, weights)

    def forward(self, images: Tensor) -> Tensor:
        """Log-probabilities (n, 10) for float images of shape (n, 784) or (n, 28, 28), scaled to [-1, 1]."""
        return F.log_softmax(self.logits(images), dim=1)

    def count_batches(self, count: int) -> None:
        """Tell the batch normalisations of `count` more batches that they were trained on."""
        for module in self.modules():
            if isinstance(module, nn.BatchNorm1d) and module.num_batches_tracked is not None:
                module.num_batches_tracked += count

    def logits(self, images: Tensor) -> Tensor:
        """The output layer's values (n, 10), from which the softmax makes probabilities, for images as in `forward`."""
        logits: Tensor = self.output(self.last_hidden(images))
        return logits

    def last_hidden(self, images: Tensor) -> Tensor:
        """What enters the output layer: the last hidden layer's units (n, width) for images as in `forward`."""
        hidden = images.flatten(1)
        if self.input_dropout is not None:
            hidden = self.input_dropout(hidden)
        for block in self.hidden:
            hidden = block(hidden)
        return hidden


def model_to_bytes(model: MLP) -> bytes:
    """The network's weights and buffers as a safetensors file."""
    return save_tensors({name: value.contiguous() for name, value in model.state_dict().items()})


def model_from_bytes(config: RunConfig, content: bytes) -> MLP:
    """Rebuild a network in evaluation mode from `model_to_bytes`.

    Raises ValueError when the content is no safetensors file or does not fit `config`.
    """
    model = MLP(config)
    load_state(model, read_tensors(content))
    return model.eval()


def read_tensors(content: bytes) -> dict[str, Tensor]:
    """Parse a safetensors file. Raises ValueError when it is none."""
    try:
        return load_tensors(content)
    except SafetensorError as error:
        raise ValueError(f"weights must be a safetensors file; this content is not: {error}") from error


def load_state(model: MLP, tensors: Mapping[str, Tensor]) -> None:
    """Copy tensors into `model` after checking names, shapes, types and values.

    Raises ValueError that names the first tensor that does not fit.
    """
    expected = model.state_dict()
    if missing := sorted(expected.keys() ^ tensors.keys()):
        raise ValueError(f"weights must have exactly the network's tensors; {missing[0]!r} is missing or unknown")
    for name, value in expected.items():
        given = tensors[name]
        if given.shape != value.shape or given.dtype != value.dtype:
            raise ValueError(
                f"weight {name!r} must be {tuple(value.shape)} {_type(value)}, got {tuple(given.shape)} {_type(given)}"
            )
        if not torch.isfinite(given).all():
            raise ValueError(f"weight {name!r} holds a value that is not finite")
    model.load_state_dict(dict(tensors))


def _type(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
