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
from fmnist_core.network.augmentation import flip, flips_of, shift, shifts_of
from fmnist_core.network.batches import scaled
from fmnist_core.network.draws import keep_threshold
from fmnist_core.network.stacked_draws import keeps
from fmnist_core.network.stacked_networks import Group, StackedNetworks, slopes_of_labels


@dataclass(frozen=True, kw_only=True)
class StepInputs:
    """What is drawn for one step with b images, by the rows of s seeds, and told to g groups of networks."""

    places: Tensor  # which of its training images a network takes, int64 (s, b)
    rates: Tensor  # learning rates, float32 (g,)
    masks: Tensor | None  # these four as in `Stretch`, of one step
    pixels: Tensor | None
    flips: Tensor | None
    shifts: Tensor | None


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
        seeds = sorted({config.seed for config in configs})
        self._seed_rows = torch.tensor([seeds.index(config.seed) for config in configs], device=device)
        self._hidden_dropout = _Dropout([config.dropout for config in configs], device)
        self._pixel_dropout = _Dropout([config.input_dropout for config in configs], device)
        self._is_flipped = torch.tensor([[config.flips] for config in configs], device=device)
        self._furthest = max(config.shift_pixels for config in configs)
        self._shift_pixels = torch.tensor([config.shift_pixels for config in configs], device=device)[:, None, None]
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
        places = inputs.places[self._seed_rows]
        pixels = self._images.pixels.index_select(0, self._images.indices.gather(1, places).view(-1))
        if inputs.flips is not None:
            pixels = flip(pixels, (flips_of(inputs.flips)[self._seed_rows] & self._is_flipped).view(-1))
        if inputs.shifts is not None:
            # In the window of who is moved furthest.
            drawn = shifts_of(inputs.shifts[self._seed_rows], self._shift_pixels)
            pixels = shift(pixels, self._furthest, (drawn + self._furthest - self._shift_pixels).flatten(0, 1))
        images = scaled(pixels).view(*places.shape, INPUTS)
        if inputs.pixels is not None:
            # As `model.InputDropout`: a dropped pixel becomes black.
            factors = self._pixel_dropout.factors(inputs.pixels[self._seed_rows]).view(images.shape)
            images.add_(1).mul_(factors).sub_(1)
        return images, self._images.labels.gather(1, places)

    def _masks(self, inputs: StepInputs) -> list[Tensor]:
        """The factors of each hidden layer's units; none where nobody drops any."""
        if inputs.masks is None:
            return []
        rows = inputs.places.shape[1]
        factors = self._hidden_dropout.factors(inputs.masks[self._seed_rows])
        parts = factors.split([rows * width for width in self._widths], dim=1)
        return [part.unflatten(1, (rows, -1)) for part in parts]


class _Dropout:
    """What becomes of words at each network's dropout."""

    def __init__(self, rates: Sequence[float], device: torch.device) -> None:
        self._thresholds = torch.tensor([[keep_threshold(rate)] for rate in rates], dtype=torch.int32, device=device)
        self._scales = torch.tensor([[1 / (1 - rate)] for rate in rates], device=device)

    def factors(self, words: Tensor) -> Tensor:
        """0 where a value is dropped, else what makes up for those that are, float32, of words (n, values)."""
        return keeps(words, self._thresholds) * self._scales


def _fields(inputs: StepInputs) -> dict[str, Tensor | None]:
    return {field.name: getattr(inputs, field.name) for field in fields(inputs)}
