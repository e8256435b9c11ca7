"""The training loop as one writes it with autograd and PyTorch's optimisers: what `Training` does, and how fast."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from fmnist_core.config import INPUTS, RunConfig
from fmnist_core.data.split import Split, training_examples
from fmnist_core.network.augmentation import flip_half, shift_each
from fmnist_core.network.batches import Batches, scaled
from fmnist_core.network.model import MLP
from fmnist_core.network.optimizers import MOMENTUM
from fmnist_core.network.schedule import one_cycle
from fmnist_core.network.training import batch_bounds, derived_generator


class SGDW(torch.optim.SGD):
    """SGD with Nesterov momentum, and the decay decoupled."""

    def __init__(self, model: MLP, config: RunConfig) -> None:
        super().__init__(model.parameters(), lr=config.learning_rate, momentum=MOMENTUM, nesterov=True, fused=True)
        self.decay = config.weight_decay

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for weights in group["params"] if self.decay else ():
                weights.mul_(1 - group["lr"] * self.decay)
        super().step()


class PlainLoop:
    """A run whose epochs are trained one by one. `gradients` holds those of the last step."""

    def __init__(self, config: RunConfig, split: Split) -> None:
        self.config = config
        self.model = MLP(config, weights=derived_generator(config.seed, "weights"))
        if config.optimizer == "sgd":
            self.optimizer = SGDW(self.model, config)
        else:
            rates = {"lr": config.learning_rate, "weight_decay": config.weight_decay}
            self.optimizer = torch.optim.AdamW(self.model.parameters(), **rates, fused=True)
        self.batches = Batches(training_examples(config, split.training))
        self.bounds = batch_bounds(len(self.batches), config.batch_size)

    def epochs(self) -> Iterator[tuple[float, float]]:
        """Loss and accuracy as trained, epoch by epoch."""
        for epoch in range(1, self.config.epochs + 1):
            yield self.train_epoch(epoch)

    def train_epoch(self, epoch: int) -> tuple[float, float]:
        """Train the epoch of this number; its loss and accuracy as trained."""
        config, model, optimizer = self.config, self.model, self.optimizer
        samples, steps = len(self.batches), len(self.bounds)
        order = torch.randperm(samples, generator=derived_generator(config.seed, "order", epoch))
        flips = derived_generator(config.seed, "flips", epoch)
        shifts = derived_generator(config.seed, "shifts", epoch)
        model.masks.set_state(derived_generator(config.seed, "masks", epoch).get_state())
        model.input_masks.set_state(derived_generator(config.seed, "input masks", epoch).get_state())
        model.train()
        loss_sum, correct = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.int64)
        for step, (start, stop) in enumerate(self.bounds):
            places = order[start:stop]
            images, labels = (
                self.batches.take_bytes(places, torch.empty(len(places), INPUTS, dtype=torch.uint8)),
                self.batches.labels[places],
            )
            if config.flips:
                images = flip_half(images, flips)
            if config.shift_pixels:
                images = shift_each(images, config.shift_pixels, shifts)
            if config.schedule == "one-cycle":
                rate = one_cycle((epoch - 1) * steps + step, config.epochs * steps, config.learning_rate)
                optimizer.param_groups[0]["lr"] = rate
            answers = model(scaled(images))
            loss = F.nll_loss(answers, labels)
            optimizer.zero_grad()
            objective(config, answers, labels).backward()
            optimizer.step()
            loss_sum += loss.detach() * len(labels)
            correct += (answers.detach().argmax(dim=1) == labels).sum()
        return float(loss_sum) / samples, float(correct) / samples


def objective(config: RunConfig, answers: Tensor, labels: Tensor) -> Tensor:
    """What is minimised, for log-probabilities (n, 10)."""
    loss = F.nll_loss(answers, labels)
    # Szegedy et al., 2016: the target is a mixture of the label and a uniform distribution.
    return torch.lerp(loss, -answers.mean(), config.label_smoothing) if config.label_smoothing else loss
