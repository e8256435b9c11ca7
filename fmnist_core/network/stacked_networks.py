"""Networks of one shape side by side in one memory: their arithmetic in one program, on any device.

What `model.MLP` and `fast_step` do for one network, with one dimension more in every tensor: the first counts the
networks. Sums are taken in another order, so that what comes of it agrees within rounding, and not bit for bit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fmnist_core.config import OUTPUTS, RunConfig
from fmnist_core.network.model import MLP
from fmnist_core.network.optimizers import FlatOptimizer, move


@dataclass(frozen=True, eq=False)
class Norms:
    """Batch normalisation after one layer of each network; all (n, 1, width)."""

    weight: Tensor
    weight_gradient: Tensor
    bias: Tensor
    bias_gradient: Tensor
    running_mean: Tensor
    running_variance: Tensor
    momentum: float
    epsilon: float

    def evaluate(self, sums: Tensor) -> Tensor:
        """Normalise with what was learnt."""
        return (sums - self.running_mean) * torch.rsqrt(self.running_variance + self.epsilon) * self.weight + self.bias

    def train(self, sums: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Normalise with what the batch shows, and learn it: what is handed on, and what `backward` needs."""
        rows = sums.shape[1]
        variance, mean = torch.var_mean(sums, 1, correction=0, keepdim=True)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_variance.lerp_(variance * (rows / (rows - 1)), self.momentum)
        inverse_deviation = torch.rsqrt(variance + self.epsilon)
        normalised = (sums - mean) * inverse_deviation
        return torch.addcmul(self.bias, normalised, self.weight), normalised, inverse_deviation

    def backward(self, slopes: Tensor, normalised: Tensor, inverse_deviation: Tensor) -> Tensor:
        """The slopes of what came in, from those of what was handed on (Ioffe and Szegedy, 2015)."""
        rows = slopes.shape[1]
        torch.sum(slopes, 1, keepdim=True, out=self.bias_gradient)
        torch.sum(slopes * normalised, 1, keepdim=True, out=self.weight_gradient)
        mean = torch.addcmul(self.bias_gradient, normalised, self.weight_gradient) / rows
        return (slopes - mean) * (self.weight * inverse_deviation)


@dataclass(frozen=True, eq=False)
class Layers:
    """One linear layer of each network: weights (n, outputs, inputs), biases (n, 1, outputs)."""

    weight: Tensor
    weight_gradient: Tensor
    bias: Tensor
    bias_gradient: Tensor
    norms: Norms | None

    def sums(self, units: Tensor) -> Tensor:
        """What units (n, b, inputs) lead to, before anything else: (n, b, outputs)."""
        return torch.baddbmm(self.bias, units, self.weight.transpose(1, 2))

    def backward(self, slopes: Tensor, entering: Tensor) -> None:
        """Gradients, from the slopes of the sums and what came in."""
        torch.bmm(slopes.transpose(1, 2), entering, out=self.weight_gradient)
        torch.sum(slopes, 1, keepdim=True, out=self.bias_gradient)


class StackedNetworks:
    """The state of n networks and of their optimisers on a device. Hidden layers first, the output layer last."""

    def __init__(self, models: Sequence[MLP], optimizers: Sequence[FlatOptimizer], device: torch.device) -> None:
        self._models, self._optimizers = models, optimizers
        self._vectors = {
            name: torch.stack([optimizer.vectors[name] for optimizer in optimizers]).to(device)
            for name in optimizers[0].vectors
        }
        self._buffers = [
            torch.stack(buffers).to(device)
            for buffers in zip(*(list(_running(model)) for model in models), strict=True)
        ]
        self._weights = self._vectors["weights"]
        self._gradients = torch.zeros_like(self._weights)
        self._steps_done = optimizers[0].steps_done.to(device, copy=True)
        self.layers = list(self._lay_out())

    def _lay_out(self) -> Iterator[Layers]:
        parts = self._optimizers[0].parts
        views = zip(parts(self._weights), parts(self._gradients), strict=True)
        buffers = iter(self._buffers)

        def bias() -> tuple[Tensor, Tensor]:
            weights, gradients = next(views)
            return weights[:, None], gradients[:, None]

        model = self._models[0]
        for block in model.hidden:
            weight, weight_gradient = next(views)
            layer_bias = bias()
            norm = next((module for module in block.children() if isinstance(module, nn.BatchNorm1d)), None)
            norms = None
            if norm is not None:
                assert norm.momentum is not None
                running = (next(buffers)[:, None], next(buffers)[:, None])
                norms = Norms(*bias(), *bias(), *running, norm.momentum, norm.eps)
            yield Layers(weight, weight_gradient, *layer_bias, norms)
        weight, weight_gradient = next(views)
        yield Layers(weight, weight_gradient, *bias(), None)

    def log_probabilities(self, images: Tensor) -> Tensor:
        """What the networks say of images (n, b, 784), in evaluation: (n, b, 10)."""
        units = images
        *hidden, output = self.layers
        for layers in hidden:
            sums = layers.sums(units)
            units = torch.relu_(sums if layers.norms is None else layers.norms.evaluate(sums))
        return torch.log_softmax(output.sums(units), 2)

    def gradients(self, images: Tensor, labels: Tensor, masks: Sequence[Tensor], slopes_of_labels: Tensor) -> Tensor:
        """Put the objectives' gradients where `step` takes them, and return the log-probabilities (n, b, 10).

        `images` (n, b, 784) with `labels` (n, b); `masks` are the factors of each hidden layer's units, where there is
        dropout; `slopes_of_labels` as the function of this name makes them.
        """
        entering, saved = [images], []
        *hidden, output = self.layers
        for place, layers in enumerate(hidden):
            sums = layers.sums(entering[-1])
            normalised = inverse_deviation = sums
            if layers.norms is not None:
                sums, normalised, inverse_deviation = layers.norms.train(sums)
            units = torch.relu_(sums)
            entering.append(units.mul_(masks[place]) if masks else units)
            saved.append((normalised, inverse_deviation))
        answers = torch.log_softmax(output.sums(entering[-1]), 2)
        targets = slopes_of_labels.gather(1, labels[:, :, None].expand(-1, -1, OUTPUTS))
        slopes = torch._log_softmax_backward_data(targets, answers, 2, torch.float32)
        above = output
        for place in reversed(range(len(hidden))):
            layers, units = hidden[place], entering[place + 1]
            above.backward(slopes, units)
            slopes = torch.bmm(slopes, above.weight)
            if masks:
                slopes.mul_(masks[place])
            # Nothing passes where a unit is 0, whether of itself or by dropout.
            slopes = torch.ops.aten.threshold_backward(slopes, units, 0)
            if layers.norms is not None:
                slopes = layers.norms.backward(slopes, *saved[place])
            above = layers
        above.backward(slopes, images)
        return answers

    def step(self, groups: Sequence["Group"], rates: Tensor) -> None:
        """Move the weights along the gradients; `rates`: the learning rate of each group of networks."""
        self._steps_done.add_(1)
        for group, rate in zip(groups, rates, strict=True):
            averages = [[vector[group.rows]] for name, vector in self._vectors.items() if name != "weights"]
            weights, gradients = [self._weights[group.rows]], [self._gradients[group.rows]]
            move(weights, gradients, averages, self._steps_done, rate, group.decay)

    def give_back(self) -> None:
        """Put everything where it was taken from: into each model, and into its optimiser."""
        vectors = {name: vector.cpu() for name, vector in self._vectors.items()}
        buffers = [buffer.cpu() for buffer in self._buffers]
        steps = round(float(self._steps_done) - float(self._optimizers[0].steps_done))
        for row, (model, optimizer) in enumerate(zip(self._models, self._optimizers, strict=True)):
            for name, vector in optimizer.vectors.items():
                vector.copy_(vectors[name][row])
            optimizer.steps_done.add_(steps)
            model.count_batches(steps)
            for ours, stacked in zip(_running(model), buffers, strict=True):
                ours.copy_(stacked[row])


@dataclass(frozen=True)
class Group:
    """Neighbours among the networks whose optimisers differ in nothing."""

    rows: slice
    decay: float


def _running(model: MLP) -> Iterator[Tensor]:
    """What a network's batch normalisations have learnt: means and variances, layer by layer."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            assert module.running_mean is not None
            assert module.running_var is not None
            yield module.running_mean
            yield module.running_var


def slopes_of_labels(configs: Sequence[RunConfig], rows: int) -> Tensor:
    """The objective by each log-probability, for each label of a batch with so many images: float32 (n, 10, 10)."""
    smoothing = torch.tensor([config.label_smoothing for config in configs])[:, None, None]
    return torch.eye(OUTPUTS) * -((1 - smoothing) / rows) - smoothing / (rows * OUTPUTS)
