"""A training step of stacked networks, from what was drawn for it to the weights that it moves.

A step is a hundred small operations, which a GPU ends faster than Python begins them. There it is recorded once (a
CUDA graph), and begun by one call from then on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from fmnist_core.config import INPUTS, RunConfig
from fmnist_core.network.augmentation import flip, shift
from fmnist_core.network.batches import scaled
from fmnist_core.network.stacked_networks import Group, StackedNetworks, slopes_of_labels


@dataclass(frozen=True, kw_only=True)
class StepInputs:
    """What each of n networks takes for one step with b images; None where none of them draws such a thing."""

    places: Tensor  # which of its training images, int64 (n, b)
    rates: Tensor  # the learning rate of each group of networks, float32
    kept: Tensor | None  # hidden units, layer by layer, bool (n, b x all widths)
    kept_pixels: Tensor | None  # bool (n, b x 784)
    flips: Tensor | None  # bool (n, b)
    shifts: Tensor | None  # int64 (n, b, 2)


@dataclass(frozen=True)
class TrainingImages:
    """All images in bytes (m, 784); which of them each network trains on, and with which labels, int64 (n, images)."""

    pixels: Tensor
    indices: Tensor
    labels: Tensor


class StackedStep:
    """A step with so many images, `rows`, of each network; called with what was drawn for it.

    What it returns is overwritten by the next call: each batch's mean loss (n,), and how many were right (n,).
    """

    def __init__(
        self,
        networks: StackedNetworks,
        groups: Sequence[Group],
        configs: Sequence[RunConfig],
        images: TrainingImages,
        rows: int,
    ) -> None:
        device = images.pixels.device
        self._networks, self._groups, self._images, self._widths = networks, groups, images, configs[0].hidden
        self._slopes_of_labels = slopes_of_labels(configs, rows).to(device)
        self._furthest = max(config.shift_pixels for config in configs)
        self._scales = _scales([config.dropout for config in configs]).to(device)
        self._pixel_scales = _scales([config.input_dropout for config in configs]).to(device)
        self._is_on_gpu = device.type == "cuda"
        self._inputs: StepInputs | None = None
        self._outputs: tuple[Tensor, Tensor] | None = None
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, inputs: StepInputs) -> tuple[Tensor, Tensor]:
        if not self._is_on_gpu:
            return self._run(inputs)
        if self._inputs is None:
            # A step that counts, but beside the others, as recording wants it: libraries get ready in it.
            copies: dict[str, Any] = {
                name: None if value is None else value.clone(memory_format=torch.contiguous_format)
                for name, value in _fields(inputs).items()
            }
            self._inputs = StepInputs(**copies)
            beside, here = torch.cuda.Stream(), torch.cuda.current_stream()
            beside.wait_stream(here)
            with torch.cuda.stream(beside):
                self._outputs = self._run(self._inputs)
            here.wait_stream(beside)
            return self._outputs
        for name, value in _fields(inputs).items():
            if value is not None:
                getattr(self._inputs, name).copy_(value)
        if self._graph is None:
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):  # runs nothing yet
                self._outputs = self._run(self._inputs)
        self._graph.replay()
        assert self._outputs is not None
        return self._outputs

    def _run(self, inputs: StepInputs) -> tuple[Tensor, Tensor]:
        images, labels = self._batch(inputs)
        masks = self._masks(inputs)
        answers = self._networks.gradients(images, labels, masks, self._slopes_of_labels)
        self._networks.step(self._groups, inputs.rates)
        losses = -answers.gather(2, labels[:, :, None]).mean((1, 2))
        return losses, (answers.argmax(2) == labels).sum(1)

    def _batch(self, inputs: StepInputs) -> tuple[Tensor, Tensor]:
        """The images, scaled (n, b, 784), and their labels (n, b)."""
        indices = self._images.indices.gather(1, inputs.places)
        pixels = self._images.pixels.index_select(0, indices.view(-1))
        if inputs.flips is not None:
            pixels = flip(pixels, inputs.flips.flatten())
        if inputs.shifts is not None:
            pixels = shift(pixels, self._furthest, inputs.shifts.flatten(0, 1))
        images = scaled(pixels).view(*inputs.places.shape, INPUTS)
        if inputs.kept_pixels is not None:
            # As `model.InputDropout`: a dropped pixel becomes black.
            images.add_(1).mul_(inputs.kept_pixels.view(images.shape) * self._pixel_scales).sub_(1)
        return images, self._images.labels.gather(1, inputs.places)

    def _masks(self, inputs: StepInputs) -> list[Tensor]:
        """The factors of each hidden layer's units; none where nobody drops any."""
        if inputs.kept is None:
            return []
        rows = inputs.places.shape[1]
        parts = inputs.kept.split([rows * width for width in self._widths], dim=1)
        return [part.unflatten(1, (rows, -1)) * self._scales for part in parts]


def _scales(rates: Sequence[float]) -> Tensor:
    """What makes up for the values that dropout takes from each network, float32 (n, 1, 1)."""
    return torch.tensor([1 / (1 - rate) for rate in rates])[:, None, None]


def _fields(inputs: StepInputs) -> dict[str, Tensor | None]:
    return {field.name: getattr(inputs, field.name) for field in fields(inputs)}
