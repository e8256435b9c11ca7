"""The optimisers: all weights of a network in one vector, moved by one call a step."""

from itertools import accumulate, groupby

import torch
from torch import Tensor, nn

from fmnist_core.config import RunConfig

MOMENTUM = 0.9
# Floats in 64 bytes: where memory of a tensor's own would begin, and a multiple of what any processor moves at once.
_LINE = 16


class FlatOptimizer:
    """AdamW (Loshchilov and Hutter, 2019) or SGD with Nesterov momentum, on one vector that holds all weights.

    The network's parameters become views of the vector, their gradients views of another. What PyTorch's optimisers
    do tensor by tensor is so done at once: the same arithmetic, the same bits. AdamW without decay is Adam. The decay
    of SGD is decoupled as in AdamW, so that it means the same pull under both: `torch.optim.SGD` adds it to the
    gradient, where momentum makes it ten times as strong.
    """

    def __init__(self, config: RunConfig, model: nn.Module) -> None:
        self.rate = config.learning_rate
        self._decay = config.weight_decay
        self._parameters = list(model.parameters())
        sizes = [parameter.numel() for parameter in self._parameters]
        *self._starts, length = accumulate((-(-size // _LINE) * _LINE for size in sizes), initial=0)
        self._weights, self._gradients = torch.zeros(length), torch.zeros(length)
        views = zip(self._parameters, self.parts(self._weights), self.parts(self._gradients), strict=True)
        for parameter, weights, gradients in views:
            weights.copy_(parameter.detach())
            parameter.data, parameter.grad = weights, gradients
        names = ("momentum_buffer",) if config.optimizer == "sgd" else ("exp_avg", "exp_avg_sq")
        self._averages = {name: torch.zeros(length) for name in names}
        self._steps = torch.zeros(())  # float32, as the fused form takes it
        self._steps_here = self._steps.numpy()  # the same memory
        self._weight_runs, self._gradient_runs = self._in_runs(self._weights), self._in_runs(self._gradients)
        self._average_runs = [self._in_runs(vector) for vector in self._averages.values()]

    def step(self) -> None:
        """Move the weights along the gradients that are in the parameters' `grad`."""
        self._steps_here[()] += 1
        move(self._weight_runs, self._gradient_runs, self._average_runs, self._steps, self.rate, self._decay)

    def state(self) -> dict[str, Tensor]:
        """What the next steps depend on besides weights and rate, under PyTorch's names, parameter by parameter."""
        state = {
            f"{index}.{name}": part
            for name, vector in self._averages.items()
            for index, part in enumerate(self.parts(vector))
        }
        if "exp_avg" in self._averages:
            state |= {f"{index}.step": self._steps.clone() for index in range(len(self._parameters))}
        return state

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on from a `state`. Raises ValueError that names the first tensor that does not fit."""
        expected = self.state()
        if missing := sorted(expected.keys() ^ state.keys()):
            raise ValueError(f"the optimiser's state must be of the same run; {missing[0]!r} is missing or unknown")
        for name, value in expected.items():
            if state[name].shape != value.shape:
                raise ValueError(
                    f"the optimiser's {name!r} must be {tuple(value.shape)}, got {tuple(state[name].shape)}"
                )
            value.copy_(state[name])
        if "exp_avg" in self._averages:
            self._steps.copy_(state["0.step"])

    @property
    def vectors(self) -> dict[str, Tensor]:
        """The weights and their averages, each in the vector (length,) that it lies in; see also `steps_done`."""
        return {"weights": self._weights, **self._averages}

    @property
    def steps_done(self) -> Tensor:
        """How many steps the averages are of, float32 ()."""
        return self._steps

    def parts(self, vectors: Tensor) -> list[Tensor]:
        """The views of vectors (..., length) that belong to the parameters, (..., *shape) each."""
        return [
            vectors[..., start : start + parameter.numel()].view(*vectors.shape[:-1], *parameter.shape)
            for start, parameter in zip(self._starts, self._parameters, strict=True)
        ]

    def _in_runs(self, vector: Tensor) -> list[Tensor]:
        """The views of `vector` to hand to a fused form: neighbours as one, wherever that changes no bit.

        What is left over at the end of a tensor is moved value by value, and rounded in another way.
        """
        places = zip(self._starts, self._parameters, strict=True)
        runs = []
        for fills_lines, group in groupby(places, key=lambda place: place[1].numel() % _LINE == 0):
            spans = [(start, start + parameter.numel()) for start, parameter in group]
            runs += [(spans[0][0], spans[-1][1])] if fills_lines else spans
        return [vector[start:stop] for start, stop in runs]


def move(
    weights: list[Tensor],
    gradients: list[Tensor],
    averages: list[list[Tensor]],
    steps: Tensor,
    rate: float | Tensor,
    decay: float,
) -> None:
    """Move weights along their gradients, by AdamW where there are two `averages` of each, else by SGD with momentum.

    `steps`: how many are done with this one, float32 (). All four lists of tensors are in one order.
    """
    if len(averages) == 1:
        if decay:
            for vector in weights:
                vector.mul_(1 - rate * decay)
        torch._fused_sgd_(
            *(weights, gradients, averages[0]),
            lr=rate,
            momentum=MOMENTUM,
            weight_decay=0.0,
            dampening=0.0,
            nesterov=True,
            maximize=False,
            is_first_step=False,
        )
    else:
        torch._fused_adamw_(
            *(weights, gradients, *averages, [], [steps] * len(weights)),
            lr=rate,
            beta1=0.9,
            beta2=0.999,
            weight_decay=decay,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )
