"""One training step written out: the plain model's arithmetic without autograd, in memory that is laid out once.

Nothing here decides what is computed: the model does, and what comes of this is the model's own, bit for bit. So
written, a step of the article's recipe takes 0.55 of the processor time that it takes with autograd, 1.3 times that of
its matrix products. `python -m benchmarks.loop_speed` measures it.

Between two large products the caches hold nothing of what follows, code included, so that each further call costs 3 to
8 microseconds, however little it does. Few calls are what counts, and those of numpy and those that torch binds by name
cost less than those of `torch.ops`.
"""

from collections.abc import Sequence
from itertools import repeat

import numpy as np
import numpy.typing as npt
import torch
from torch import Generator, Tensor, nn

from fmnist_core.config import INPUTS, OUTPUTS, RunConfig
from fmnist_core.network.draws import FRACTION_BITS, keep_threshold
from fmnist_core.network.model import MLP

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
_ZERO = np.float32(0)
_batch_norm_backward = torch.ops.aten.native_batch_norm_backward.default


class Mask:
    """What dropout multiplies a batch of one layer with."""

    def __init__(self, kept: Bools, factors: Tensor, scale: np.float32) -> None:
        self.kept = kept  # (rows, width), as drawn
        self.factors = factors  # (rows, width): 0 where a value is dropped, else what makes up for those that are
        self._values, self._open, self._scale = factors.numpy(), np.empty_like(kept), scale

    def weigh(self, sums: Floats | None = None) -> None:
        """Make `factors` of what was drawn; 0 also where `sums` (rows, width) are not above 0, as a ReLU has it."""
        kept = self.kept
        if sums is not None:
            np.greater(sums, _ZERO, out=self._open)
            kept = np.logical_and(kept, self._open, out=self._open)
        # numpy compares and converts in a third of the time that torch takes.
        np.multiply(kept, self._scale, out=self._values)


class Masks:
    """The masks of one step's layers, from the stream that `model.Dropout` draws from."""

    def __init__(self, probability: float, generator: Generator, rows: int, widths: Sequence[int]) -> None:
        self._keep, self._threshold = np.float32(1 - probability), np.uint32(keep_threshold(probability))
        self._generator = generator
        sizes = [rows * width for width in widths]
        has_pairs = all(size % 2 == 0 for size in sizes)
        self._pairs = torch.empty(sum(sizes) // 2, dtype=torch.int64) if has_pairs else None
        # The factors come to lie where the bits lay that they are made from: less memory, which stays in the cache.
        flat = torch.empty(sum(sizes)) if self._pairs is None else self._pairs.view(torch.float32)
        self._values, self._bits = flat.numpy(), flat.numpy().view(np.uint32)
        self._kept = np.empty(sum(sizes), bool)
        factors = [part.view(rows, -1) for part in flat.split(sizes)]
        kept = [part.view(rows, -1).numpy() for part in torch.from_numpy(self._kept).split(sizes)]
        scale = np.float32(1 / (1 - probability))
        self.layers = [Mask(*each, scale) for each in zip(kept, factors, strict=True)]

    def draw(self) -> None:
        """Draw what is kept, in all layers."""
        if self._pairs is None:
            for mask in self.layers:
                torch.rand(mask.factors.shape, generator=self._generator, out=mask.factors)
            np.less(self._values, self._keep, out=self._kept)
        else:
            # `torch.rand` takes the lower 24 of each 32 bits that the generator gives. Taken two at a time, as integers
            # of 64 bits, the same stream costs half as much (62 instead of 127 microseconds for a step of the article's
            # layers); the first of the two is the upper half.
            self._pairs.random_(-(2**63), None, generator=self._generator)
            np.bitwise_and(self._bits, 2**FRACTION_BITS - 1, out=self._bits)
            np.less(self._bits, self._threshold, out=self._kept)
            self._kept.view(np.uint16).byteswap(inplace=True)


class _Layer:
    """A linear layer: its weights and gradients, what it hands on, and the objective's gradient by that."""

    def __init__(self, linear: nn.Linear, norm: nn.BatchNorm1d | None, mask: Mask | None, rows: int) -> None:
        self.weight, self.weight_gradient = _with_gradient(linear.weight)
        self.bias, self.bias_gradient = _with_gradient(linear.bias)
        self.weight_transposed = self.weight.t()
        self.sums = torch.empty(rows, linear.out_features)
        self.slopes = torch.empty_like(self.sums)
        self.slopes_transposed = self.slopes.t()
        self.norm = None if norm is None else _Norm(norm, rows)
        self.mask = mask
        self.units = self.sums if self.norm is None else self.norm.units
        self.unit_values = self.units.numpy()
        # What ReLU and dropout multiply with: what enters on the way there, slopes on the way back.
        self.factors = torch.empty_like(self.units) if mask is None else mask.factors


class _Norm:
    """Batch normalisation after a linear layer."""

    def __init__(self, norm: nn.BatchNorm1d, rows: int) -> None:
        self.weight, self.weight_gradient = _with_gradient(norm.weight)
        self.bias, self.bias_gradient = _with_gradient(norm.bias)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        assert norm.momentum is not None
        self.running = (norm.running_mean, norm.running_var)
        self.momentum, self.epsilon = norm.momentum, norm.eps
        self.units = torch.empty(rows, norm.num_features)
        self.mean, self.inverse_deviation = torch.empty(norm.num_features), torch.empty(norm.num_features)

    def forward(self, sums: Tensor) -> None:
        torch.native_batch_norm(
            *(sums, self.weight, self.bias, *self.running, True, self.momentum, self.epsilon),
            out=(self.units, self.mean, self.inverse_deviation),
        )

    def backward(self, sums: Tensor, slopes: Tensor) -> Tensor:
        """The slopes of what came in, by those of what was handed on."""
        batch = (self.mean, self.inverse_deviation)
        entering: Tensor
        entering, weight_gradient, bias_gradient = _batch_norm_backward(
            slopes, sums, self.weight, *self.running, *batch, True, self.epsilon, [True, True, True]
        )
        self.weight_gradient.copy_(weight_gradient)
        self.bias_gradient.copy_(bias_gradient)
        return entering


def _with_gradient(parameter: Tensor) -> tuple[Tensor, Tensor]:
    assert parameter.grad is not None, "the optimiser lays out the gradients"
    return parameter.detach(), parameter.grad


class FastStep:
    """Forward and backward for batches of one size, of a model whose parameters and gradients the optimiser laid out.

    The caller fills `images` (rows, 784), scaled, and calls `gradients`.
    """

    def __init__(self, config: RunConfig, model: MLP, rows: int) -> None:
        self.images = torch.empty(rows, INPUTS)
        self._layers = []
        self._masks = Masks(config.dropout, model.masks, rows, config.hidden) if config.dropout else None
        masks = repeat(None) if self._masks is None else self._masks.layers
        for block, mask in zip(model.hidden, masks, strict=False):
            linear, norm, *_ = block.children()
            assert isinstance(linear, nn.Linear)
            self._layers.append(_Layer(linear, norm if isinstance(norm, nn.BatchNorm1d) else None, mask, rows))
        self._output = _Layer(model.output, None, None, rows)
        rate = config.input_dropout
        self._pixel_masks = Masks(rate, model.input_masks, rows, [INPUTS]) if rate else None
        # The objective by each log-probability, for each label. With label smoothing (Szegedy et al., 2016) the target
        # is a mixture of the label and a uniform distribution. In float32 throughout, as autograd has it.
        smoothing = torch.tensor(config.label_smoothing)
        uniform = -smoothing / (rows * OUTPUTS)
        self._slopes_of_labels = torch.eye(OUTPUTS) * -((1 - smoothing) / rows) + uniform
        self._answer_slopes = torch.empty(rows, OUTPUTS)

    def gradients(self, labels: Tensor, answers: Tensor) -> None:
        """Put the objective's gradients into the parameters' `grad`, log-probabilities (rows, 10) into `answers`."""
        self._forward(answers)
        torch.index_select(self._slopes_of_labels, 0, labels, out=self._answer_slopes)
        self._backward(answers)

    def _forward(self, answers: Tensor) -> None:
        units = self.images
        if self._pixel_masks is not None:
            self._pixel_masks.draw()
            (mask,) = self._pixel_masks.layers
            mask.weigh()
            units.add_(1).mul_(mask.factors).sub_(1)
        if self._masks is not None:
            self._masks.draw()
        for layer in self._layers:
            torch.addmm(layer.bias, units, layer.weight_transposed, out=layer.sums)
            if layer.norm is not None:
                layer.norm.forward(layer.sums)
            units = layer.units
            if layer.mask is None:
                torch.sign(units.relu_(), out=layer.factors)
            else:
                layer.mask.weigh(layer.unit_values)
                units.mul_(layer.factors)
        output = self._output
        torch.addmm(output.bias, units, output.weight_transposed, out=output.sums)
        torch._log_softmax(output.sums, 1, False, out=answers)

    def _backward(self, answers: Tensor) -> None:
        layer = self._output
        torch._log_softmax_backward_data(self._answer_slopes, answers, 1, torch.float32, out=layer.slopes)
        for below in reversed(self._layers):
            _linear_backward(layer, below.units)
            torch.mm(layer.slopes, layer.weight, out=below.slopes)
            below.slopes.mul_(below.factors)
            if below.norm is not None:
                below.slopes = below.norm.backward(below.sums, below.slopes)
                below.slopes_transposed = below.slopes.t()
            layer = below
        _linear_backward(layer, self.images)


def _linear_backward(layer: _Layer, entering: Tensor) -> None:
    torch.mm(layer.slopes_transposed, entering, out=layer.weight_gradient)
    torch.sum(layer.slopes, 0, out=layer.bias_gradient)
