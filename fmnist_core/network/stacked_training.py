"""Runs of one shape trained as one program: a GPU that trains one such small network at a time is idle nearly always.

Each run draws what it draws when trained alone, and its `Training` stays what holds it: this takes the state of
several from there, trains them all for an epoch, and gives it back.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import groupby

import torch
from torch import Tensor

from fmnist_core.config import INPUTS
from fmnist_core.data.split import Examples
from fmnist_core.network.batches import Batches, scaled
from fmnist_core.network.evaluation import evaluate_log_probabilities
from fmnist_core.network.figures import CHUNK, TRAINING_CHECK_IMAGES, EpochResult
from fmnist_core.network.running_loss import RunningLoss
from fmnist_core.network.shape import shape_of
from fmnist_core.network.stacked_draws import EpochDraws, Stretch
from fmnist_core.network.stacked_networks import Group, StackedNetworks
from fmnist_core.network.stacked_step import StackedStep, StepInputs, TrainingImages
from fmnist_core.network.training import Pulse, Training, TrainingDivergedError


class StackedTraining:
    """Several runs in progress whose `shape_of` is the same, as are their data and how many epochs they have done.

    The networks stay on the device until `give_back` is called: do so before a training is asked for its model or for
    a checkpoint. `pulse` is called with the share of the epoch that is done after every batch. Where it raises, the
    trainings stay as they are, and the stack is of no use any more. Raises ValueError where they do not fit together.
    """

    def __init__(
        self, trainings: Sequence[Training], device: str | torch.device, *, pulse: Pulse | None = None
    ) -> None:
        kinds = {(shape_of(each.config), each.epochs_done, each.examples.images.ctypes.data) for each in trainings}
        if len(kinds) != 1:
            raise ValueError("runs trained as one must have one shape, the same data, and as many epochs done")
        # Neighbours then have one learning rate and one decay, and are moved by one call.
        self.trainings = tuple(sorted(trainings, key=_pace))
        self.pulse = pulse or (lambda share: None)
        self._device = torch.device(device)
        self._configs = [training.config for training in self.trainings]
        self._sizes = self.trainings[0].sizes
        self._pixels: dict[int, Tensor] = {}  # by where their bytes lie
        examples = [training.examples for training in self.trainings]
        images = TrainingImages(self._pixels_of(examples[0]), self._indices_of(examples), self._labels_of(examples))
        self._networks = StackedNetworks(
            [training.model for training in self.trainings],
            [training.optimizer for training in self.trainings],
            self._device,
        )
        groups = _groups(self.trainings)
        self._leaders = [self.trainings[group.rows.start] for group in groups]
        self._steps = {
            rows: StackedStep(self._networks, groups, self._configs, images, rows) for rows in set(self._sizes)
        }
        self._losses = torch.empty(len(self._sizes), len(self.trainings), device=self._device)
        self._losses_here = torch.empty(self._losses.shape)  # those that are shared, on the processor
        self._steps_done = 0  # of the epoch under way
        self._draws = self._begin_draws(self.trainings[0].epochs_done + 1)

    @torch.inference_mode()
    def run_epoch(self) -> list[EpochResult | TrainingDivergedError]:
        """Train the next epoch of each and evaluate: what each run's epoch showed, in the order of `trainings`."""
        began = time.perf_counter()
        right = self._train_epoch().tolist()
        if self.trainings[0].epochs_done + 1 < self._configs[0].epochs:
            self._draws = self._begin_draws(self.trainings[0].epochs_done + 2)
        sizes = torch.tensor(self._sizes, dtype=torch.float64)
        losses = (sizes @ self._losses.cpu().double() / sizes.sum()).tolist()
        checked = [training.examples.first(TRAINING_CHECK_IMAGES) for training in self.trainings]
        validation = [training.split.validation for training in self.trainings]
        checked_answers, answers = self._log_probabilities(checked), self._log_probabilities(validation)
        checked_labels, labels = self._labels_of(checked), self._labels_of(validation)
        answers_here = answers.cpu()
        results: list[EpochResult | TrainingDivergedError] = []
        for row, training in enumerate(self.trainings):
            training.optimizer.rate = training.rate_of(len(self._sizes) - 1)
            evaluated = evaluate_log_probabilities(checked_answers[row], checked_labels[row])
            validated = evaluate_log_probabilities(answers[row], labels[row])
            accuracy, seconds = right[row] / sum(self._sizes), time.perf_counter() - began
            try:
                results.append(
                    training.end_epoch(losses[row], accuracy, evaluated, validated, answers_here[row], seconds)
                )
            except TrainingDivergedError as error:
                results.append(error)
        return results

    def give_back(self) -> None:
        """Put weights and all else that was trained into the trainings, which are behind until then."""
        self._networks.give_back()

    def log_probabilities(self, examples: Examples) -> Tensor:
        """What each network says of the same n images, in evaluation: float32 (runs, n, 10), on the processor."""
        with torch.inference_mode():
            return self._log_probabilities([examples] * len(self.trainings)).cpu()

    def share_losses(self) -> None:
        """Let each training's `running_loss` have what the epoch has shown so far; waits for the device."""
        self._losses_here[: self._steps_done] = self._losses[: self._steps_done].cpu()
        for training in self.trainings:
            training.running_loss.batches_done = self._steps_done

    def _begin_draws(self, epoch: int) -> EpochDraws:
        return EpochDraws(self._configs, epoch, self._sizes, pinned=self._device.type == "cuda")

    def _train_epoch(self) -> Tensor:
        """Train on every batch; how many images each run was right about, (runs,)."""
        self._steps_done = 0
        for row, training in enumerate(self.trainings):
            training.running_loss = RunningLoss(self._sizes, self._losses_here[:, row].__getitem__)
        draws = self._draws
        steps = len(self._sizes)
        rates = torch.tensor([[leader.rate_of(step) for leader in self._leaders] for step in range(steps)])
        rates, orders = rates.to(self._device), draws.orders().to(self._device)
        right = torch.zeros(len(self.trainings), dtype=torch.int64, device=self._device)
        start = 0
        for rows, count, stretch in draws.stretches():
            for drawn in self._each_step(stretch, count):
                places = orders[:, start : start + rows]
                losses, right_now = self._steps[rows](StepInputs(places=places, rates=rates[self._steps_done], **drawn))
                self._losses[self._steps_done].copy_(losses)
                right += right_now
                start += rows
                self._steps_done += 1
                self.pulse(0.9 * self._steps_done / steps)
        return right

    def _each_step(self, stretch: Stretch, count: int) -> Iterator[dict[str, Tensor | None]]:
        """What was drawn for each of `count` steps, on the device."""
        there = stretch.by_step(self._device)
        for step in range(count):
            yield {name: None if tensor is None else tensor[:, step] for name, tensor in there.items()}

    def _log_probabilities(self, examples: Sequence[Examples]) -> Tensor:
        """What each network says of its own images, (runs, n, 10), on the device."""
        pixels, indices = self._pixels_of(examples[0]), self._indices_of(examples)
        chunks = [
            self._networks.log_probabilities(scaled(pixels[rows.flatten()]).view(*rows.shape, INPUTS))
            for rows in indices.split(CHUNK, dim=1)
        ]
        return torch.cat(chunks, dim=1)

    def _pixels_of(self, examples: Examples) -> Tensor:
        """All bytes from which these are chosen, (m, 784), on the device."""
        there = examples.images.ctypes.data
        if there not in self._pixels:
            self._pixels[there] = torch.from_numpy(examples.images).flatten(1).to(self._device)
        return self._pixels[there]

    def _indices_of(self, examples: Sequence[Examples]) -> Tensor:
        return torch.stack([torch.from_numpy(each.indices) for each in examples]).to(self._device)

    def _labels_of(self, examples: Sequence[Examples]) -> Tensor:
        return torch.stack([Batches(each).labels for each in examples]).to(self._device)


def _pace(training: Training) -> tuple[str, float, float]:
    """What its optimiser is told at each step."""
    config = training.config
    return config.schedule, config.learning_rate, config.weight_decay


def _groups(trainings: Sequence[Training]) -> list[Group]:
    groups, start = [], 0
    for (_, _, decay), members in groupby(trainings, key=_pace):
        stop = start + len(list(members))
        groups.append(Group(slice(start, stop), decay))
        start = stop
    return groups
