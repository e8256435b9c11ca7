"""The training loop: an iterator of epochs that can be stopped, saved and resumed without a trace."""

import math
import time
from collections.abc import Callable, Iterator
from functools import partial

import torch
import torch.nn.functional as F
from safetensors.torch import save as save_tensors
from torch import Generator, Tensor

from fmnist_core.config import INPUTS, OUTPUTS, RunConfig
from fmnist_core.data.split import Split, training_examples
from fmnist_core.network.augmentation import flip_half, shift_each
from fmnist_core.network.batches import Batches, scale_into
from fmnist_core.network.denormals import flushed_denormals
from fmnist_core.network.draws import batch_bounds, derived_seed
from fmnist_core.network.evaluation import evaluate, evaluate_log_probabilities, log_probabilities
from fmnist_core.network.fast_step import FastStep
from fmnist_core.network.figures import TRAINING_CHECK_IMAGES, EpochResult, Evaluation
from fmnist_core.network.model import MLP, load_state, read_tensors
from fmnist_core.network.optimizers import FlatOptimizer
from fmnist_core.network.running_loss import RunningLoss
from fmnist_core.network.schedule import one_cycle

Pulse = Callable[[float], None]

# Images that are fetched from the data set at once, batches of them: batch by batch costs nearly twice as much. So many
# (0.8 MB) still lie in a cache when their batch's turn comes.
GATHERED_IMAGES = 1024


class TrainingDivergedError(ArithmeticError):
    """The loss is no longer a finite number, so the run cannot go on."""


def derived_generator(seed: int, purpose: str, epoch: int = 0) -> Generator:
    """A generator of its own for each purpose and epoch.

    Since nothing is carried over from one epoch to the next, a resumed run needs no generator state.
    """
    return Generator().manual_seed(derived_seed(seed, purpose, epoch))


class Training:
    """A run in progress. Iterating trains one epoch at a time; breaking off between epochs loses nothing.

    `pulse` is called with the share of the epoch that is done after every batch and evaluated chunk; it may raise
    to break off within an epoch, which then counts as not done.
    """

    def __init__(self, config: RunConfig, split: Split, *, pulse: Pulse | None = None) -> None:
        self.config = config
        self.split = split
        self.pulse = pulse or (lambda share: None)
        self.model = MLP(config, weights=derived_generator(config.seed, "weights"))
        self.optimizer = FlatOptimizer(config, self.model)
        self.epochs_done = 0
        self.validation_log_probabilities: Tensor | None = None  # (n, 10), after the epoch trained last
        self.examples = training_examples(config, split.training)
        self.batches = Batches(self.examples)
        bounds = batch_bounds(len(self.examples), config.batch_size)
        self.sizes = [stop - start for start, stop in bounds]  # of an epoch's batches; the last may have one of its own
        self._fast_steps: dict[int, FastStep] = {}  # by the number of images in a batch
        # Of the epoch under way, or else of the one trained last; of none as yet.
        self.running_loss = RunningLoss(self.sizes, torch.empty(0).__getitem__)

    def __iter__(self) -> Iterator[EpochResult]:
        while self.epochs_done < self.config.epochs:
            yield self.run_epoch()

    def run_epoch(self) -> EpochResult:
        """Train the next epoch and evaluate. Raises TrainingDivergedError when a loss is not finite."""
        began = time.perf_counter()
        epoch = self.epochs_done + 1
        training_loss, training_accuracy = self._train_epoch(epoch)
        if not math.isfinite(training_loss):
            raise self._diverged()
        pulse = partial(self.pulse, 0.95)
        evaluated = evaluate(self.model, self.examples.first(TRAINING_CHECK_IMAGES), pulse)
        answers = log_probabilities(self.model, self.split.validation, pulse)
        validation = evaluate_log_probabilities(answers, Batches(self.split.validation).labels)
        seconds = time.perf_counter() - began
        return self.end_epoch(training_loss, training_accuracy, evaluated, validation, answers, seconds)

    def end_epoch(
        self,
        training_loss: float,
        training_accuracy: float,
        evaluated: Evaluation,
        validation: Evaluation,
        validation_log_probabilities: Tensor,
        seconds: float,
    ) -> EpochResult:
        """Count the epoch that the network has just been trained for, by whomever, as done.

        `evaluated` is of its training images. Raises TrainingDivergedError, and then counts nothing.
        """
        if not all(map(math.isfinite, (training_loss, evaluated.loss, validation.loss))):
            raise self._diverged()
        self.epochs_done += 1
        self.validation_log_probabilities = validation_log_probabilities
        return EpochResult(
            epoch=self.epochs_done,
            training_loss=training_loss,
            training_accuracy=training_accuracy,
            evaluated_training_loss=evaluated.loss,
            evaluated_training_accuracy=evaluated.accuracy,
            validation_loss=validation.loss,
            validation_accuracy=validation.accuracy,
            validation_calibration_error=validation.calibration_error,
            learning_rate=self.optimizer.rate,
            seconds=seconds,
        )

    def _diverged(self) -> TrainingDivergedError:
        return TrainingDivergedError(
            f"training diverged in epoch {self.epochs_done + 1}: the loss is no longer a finite number at a learning "
            f"rate of {self.config.learning_rate:g}; choose a lower learning rate"
        )

    @torch.inference_mode()
    @flushed_denormals()
    def _train_epoch(self, epoch: int) -> tuple[float, float]:
        config, optimizer = self.config, self.optimizer
        samples, steps = len(self.batches), len(self.sizes)
        order = torch.randperm(samples, generator=derived_generator(config.seed, "order", epoch))
        flips = derived_generator(config.seed, "flips", epoch)
        shifts = derived_generator(config.seed, "shifts", epoch)
        self.model.masks.set_state(derived_generator(config.seed, "masks", epoch).get_state())
        self.model.input_masks.set_state(derived_generator(config.seed, "input masks", epoch).get_state())
        labels, answers = self.batches.labels[order], torch.empty(samples, OUTPUTS)
        answers_of, labels_of = answers.split(self.sizes), labels.split(self.sizes)
        self.running_loss = RunningLoss(self.sizes, lambda batch: F.nll_loss(answers_of[batch], labels_of[batch]))
        fast_steps = [self._fast_step(rows) for rows in self.sizes]
        parts = zip(fast_steps, self._pixels(order), labels_of, answers_of, strict=True)
        for step, (fast_step, images, batch_labels, batch_answers) in enumerate(parts):
            if config.flips:
                images = flip_half(images, flips)
            if config.shift_pixels:
                images = shift_each(images, config.shift_pixels, shifts)
            scale_into(fast_step.images, images)
            optimizer.rate = self.rate_of(step)
            fast_step.gradients(batch_labels, batch_answers)
            optimizer.step()
            self.running_loss.batches_done += 1
            self.pulse(0.9 * (step + 1) / steps)
        self.model.count_batches(steps)
        return self.running_loss.mean(), float((answers.argmax(dim=1) == labels).sum()) / samples

    def _pixels(self, order: Tensor) -> Iterator[Tensor]:
        """The images of each batch of the epoch, as bytes (rows, 784), valid until the next is asked for."""
        count = max(GATHERED_IMAGES // self.config.batch_size, 1)
        groups = [self.sizes[first : first + count] for first in range(0, len(self.sizes), count)]
        totals = [sum(sizes) for sizes in groups]
        room = torch.empty(max(totals), INPUTS, dtype=torch.uint8)
        for places, sizes in zip(order.split(totals), groups, strict=True):
            yield from self.batches.take_bytes(places, room[: len(places)]).split(sizes)

    def _fast_step(self, rows: int) -> FastStep:
        if rows not in self._fast_steps:
            self._fast_steps[rows] = FastStep(self.config, self.model, rows)
        return self._fast_steps[rows]

    def rate_of(self, step: int) -> float:
        """The learning rate of a step, from 0, of the next epoch."""
        config, steps = self.config, len(self.sizes)
        if config.schedule == "constant":
            return config.learning_rate
        return one_cycle(self.epochs_done * steps + step, config.epochs * steps, config.learning_rate)

    def checkpoint(self) -> bytes:
        """Everything that the remaining epochs depend on, as a safetensors file."""
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        tensors |= {f"optimizer.{name}": value for name, value in self.optimizer.state().items()}
        tensors["epochs_done"] = torch.tensor(self.epochs_done)
        return save_tensors(tensors)

    def restore(self, checkpoint: bytes) -> None:
        """Go on from a `checkpoint` of the same config; what follows is bit-identical to never having stopped.

        Raises ValueError when the checkpoint does not fit.
        """
        tensors = read_tensors(checkpoint)
        epochs_done = tensors.pop("epochs_done", None)
        if epochs_done is None:
            raise ValueError("the checkpoint must say how many epochs are done; 'epochs_done' is missing")
        parts: dict[str, dict[str, Tensor]] = {"model": {}, "optimizer": {}}
        for name, value in tensors.items():
            kind, _, rest = name.partition(".")
            parts[kind][rest] = value
        load_state(self.model, parts["model"])
        self.optimizer.load_state(parts["optimizer"])
        self.epochs_done = int(epochs_done)


def train(config: RunConfig, split: Split, *, pulse: Pulse | None = None) -> Iterator[EpochResult]:
    """Train an MLP, yielding once an epoch.

    The caller owns the pace: store the result, draw it, or stop iterating to cancel. Use `Training` to get at the
    network or to resume.
    """
    return iter(Training(config, split, pulse=pulse))
