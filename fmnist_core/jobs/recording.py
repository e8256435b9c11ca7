"""What the store is told of one run while it trains, from its start in a worker to its end."""

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from torch import Tensor

from fmnist_core.data.dataset import DataError, Dataset
from fmnist_core.data.evaluation_images import Part
from fmnist_core.data.split import Examples, TooFewImagesError, split
from fmnist_core.jobs.heart import EarlyLosses, Heart, Losses, StopRequested, patiently
from fmnist_core.jobs.reasons import first_line, kind_and_words
from fmnist_core.network.batches import Batches
from fmnist_core.network.evaluation import evaluate, evaluate_log_probabilities
from fmnist_core.network.figures import EpochResult, Evaluation
from fmnist_core.network.model import model_from_bytes, model_to_bytes
from fmnist_core.network.training import Training, TrainingDivergedError
from fmnist_core.store.leases import Claim, RunLostError
from fmnist_core.store.predictions import pack
from fmnist_core.store.run import Status, Weights
from fmnist_core.store.runs import Store

logger = logging.getLogger(__name__)


class Recording:
    """A run that `owner` has claimed. Its methods raise RunLostError where somebody else has it by now."""

    def __init__(self, store: Store, data: Dataset, claim: Claim, key: str, owner: str) -> None:
        self.key = key
        self.test = Examples.all(data.test_images, data.test_labels)
        self.validates_on_tests = claim.config.protocol == "article"
        self._store, self._data, self._claim, self._owner = store, data, claim, owner
        self._early = EarlyLosses()
        self._lowest = claim.lowest_validation_loss
        self._last: bytes | None = None  # the network of the epoch recorded last
        self._answers: dict[Weights, Tensor] = {}  # log-probabilities of the test images, by networks trained here

    def begin(self, pulse: Callable[[float], None] | None = None) -> Training:
        """The run's training, as far as it was recorded."""
        config = self._claim.config
        training = Training(config, split(self._data, config.protocol, config.seed), pulse=pulse)
        if self._claim.checkpoint is not None:
            training.restore(self._claim.checkpoint)
            self._last = model_to_bytes(training.model)
        return training

    def early_losses(self, training: Training) -> Losses | None:
        """What to show of the run before its epochs have a curve of their own; None from then on."""
        return self._early.of(training)

    def record(self, training: Training, result: EpochResult, tests: Tensor | None = None) -> bool:
        """Store an epoch and all that it left behind; return whether the run was asked to stop.

        `tests`: log-probabilities (n, 10) of the test images, where they are not those of the validation.
        """
        validation = training.validation_log_probabilities
        assert validation is not None, "an epoch has been trained"
        tests = validation if tests is None else tests
        predictions: dict[Part, bytes] = {"test": pack(tests.exp().numpy())}  # for replays
        if not self.validates_on_tests:
            predictions["validation"] = pack(validation.exp().numpy())
        network = model_to_bytes(training.model)
        is_best = self._lowest is None or result.validation_loss < self._lowest
        best = network if is_best else None
        shown = (training.checkpoint(), best, predictions, self._early.end_epoch(training))
        must_stop = patiently(partial(self._store.leases.record_epoch, self.key, self._owner, result, *shown))
        self._last, self._answers["last"] = network, tests
        if is_best:
            self._lowest, self._answers["best"] = result.validation_loss, tests
        return must_stop

    def end(self, *, is_stopped: bool, heart: Heart | None = None) -> None:
        """End the run as it was recorded last; `heart` shows that it lives while networks are tested."""
        figures = {} if self._last is None else self._test(self._last, heart)
        status: Status = "stopped" if is_stopped else "finished"
        patiently(lambda: self._store.leases.end(self.key, self._owner, status, last=self._last, tests=figures))

    def fail(self, error: Exception) -> None:
        """End the run with the reason."""
        end_as_failed(self._store, self.key, self._owner, error)

    def _test(self, last: bytes, heart: Heart | None) -> dict[Weights, Evaluation]:
        """Test figures of the best and the last epoch, which the pages show when asked to.

        Who stops a run waits for its end, so that a network is asked only where its answers are not known yet.
        """
        labels = Batches(self.test).labels
        figures = {kind: evaluate_log_probabilities(answers, labels) for kind, answers in self._answers.items()}
        if "best" in figures:
            return figures
        best = patiently(lambda: self._store.weights(self.key, "best"))
        if best is None:  # every stored epoch leaves one behind
            raise RunLostError(f"run {self.key} was deleted")

        def beat() -> None:
            # The largest network is tested for longer than a lease. Who asks to stop gets the figures all the same.
            with suppress(StopRequested):
                if heart is not None:
                    heart.beat(0.0)

        config = self._claim.config
        figures["best"] = evaluate(model_from_bytes(config, best.content), self.test, beat)
        if "last" not in figures and best.content == last:
            figures["last"] = figures["best"]
        elif "last" not in figures:
            figures["last"] = evaluate(model_from_bytes(config, last), self.test, beat)
        return figures


def end_as_failed(store: Store, key: str, owner: str, error: Exception) -> None:
    """End a run with what ended it: the trace is for the log, the sentence for the page."""
    logger.error("run %s failed", key, exc_info=error)
    sentence = _why(error)
    patiently(lambda: store.leases.end(key, owner, "failed", error=sentence))


def _why(error: Exception) -> str:
    if isinstance(error, TrainingDivergedError | DataError | TooFewImagesError):
        return str(error)
    words = first_line(error)
    # torch reports a lack of memory as RuntimeError.
    if isinstance(error, MemoryError) or any(sign in words for sign in _NO_MEMORY):
        return f"training ran out of memory ({words or type(error).__name__}); choose a smaller network or batch size"
    return f"training broke off: {kind_and_words(error)}"


_NO_MEMORY = ("can't allocate memory", "not enough memory", "CUDA out of memory")
