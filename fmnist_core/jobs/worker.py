"""What a worker process does with one run: claim it, train it, store every epoch, evaluate it, end it."""

import logging
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

import torch

from fmnist_core.config import TRAINING_IMAGE_LIMITS, RunConfig
from fmnist_core.data.dataset import DataError, Dataset
from fmnist_core.data.evaluation_images import Part
from fmnist_core.data.sources import load_matching
from fmnist_core.data.split import Examples, TooFewImagesError, split
from fmnist_core.jobs.processes import this_process
from fmnist_core.jobs.reasons import first_line, kind_and_words
from fmnist_core.network.evaluation import evaluate, log_probabilities
from fmnist_core.network.figures import Evaluation
from fmnist_core.network.model import model_from_bytes, model_to_bytes
from fmnist_core.network.training import Training, TrainingDivergedError
from fmnist_core.settings import Settings
from fmnist_core.store.database import StoreError
from fmnist_core.store.leases import Claim, RunLostError, Workplace
from fmnist_core.store.predictions import pack
from fmnist_core.store.run import Status, Weights
from fmnist_core.store.runs import Store

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
# In the first epochs people wait for a curve to move, and beats come sooner; each brings several points.
EARLY_EPOCHS = 2
EARLY_BEAT_SECONDS = 0.4
FIRST_BEAT_SECONDS = 0.1
LOOK_SECONDS = 0.3  # between two looks whether the run is to stop
STORE_SHARE = 0.03  # of its time that a run gives to either: on a busy disk both come more seldom, a beat once a second
# How long a worker tries to write to a store that is busy, full or away. Longer than a lease: while nobody can write,
# nobody can take the run either, and each write says whose it is.
PATIENCE_SECONDS = 300.0
RETRY_SECONDS = 1.0

Result = TypeVar("Result")
Losses = list[tuple[float, float]]  # as `Run.early_losses`


class OtherStoreError(RuntimeError):
    """The address of the store leads this worker to another store than the dispatcher's."""


class _StopRequested(Exception):  # noqa: N818 - it ends a loop and is no error
    """Somebody asked the run to stop."""


class _Heart:
    """Renews the lease from within the training loop, about once a second, and looks whether to stop more often.

    Not from a thread: a thread would keep the lease of a run that hangs.
    """

    def __init__(self, store: Store, key: str, owner: str) -> None:
        self._store, self._key, self._owner = store, key, owner
        now = time.monotonic()
        self._next_beat = now + min(FIRST_BEAT_SECONDS, BEAT_SECONDS)
        self._next_look = now + LOOK_SECONDS

    def beat(self, epoch_share: float, early_losses: Callable[[], Losses | None] = lambda: None) -> None:
        """Raise _StopRequested when the run was asked to stop, RunLostError when somebody else has it.

        `early_losses` is asked only where a beat is due; None where there is nothing to show before the epoch has
        figures of its own.
        """
        now = time.monotonic()
        if now >= self._next_beat:
            losses = early_losses()
            must_stop = patiently(lambda: self._store.leases.beat(self._key, self._owner, epoch_share, losses))
            ended = time.monotonic()
            pause = BEAT_SECONDS if losses is None else max(EARLY_BEAT_SECONDS, (ended - now) / STORE_SHARE)
            self._next_beat, self._next_look = ended + min(pause, BEAT_SECONDS), ended + LOOK_SECONDS
        elif now >= self._next_look:
            must_stop = patiently(lambda: self._store.leases.is_asked_to_stop(self._key))
            ended = time.monotonic()
            self._next_look = ended + max(LOOK_SECONDS, (ended - now) / STORE_SHARE)
        else:
            return
        if must_stop:
            raise _StopRequested


class _EarlyLosses:
    """The losses within a run's first epochs, of those that are done and of the one under way."""

    def __init__(self) -> None:
        self._done: Losses = []

    def of(self, training: Training) -> Losses | None:
        """Those to show while an epoch is under way; None where the run's epochs have a curve of their own by now."""
        if training.epochs_done >= EARLY_EPOCHS:
            return None
        return [*self._done, *((training.epochs_done + share, loss) for share, loss in training.running_loss.points())]

    def end_epoch(self, training: Training) -> Losses | None:
        """Those to go on showing once an epoch is done, from its `training`; None as in `of`."""
        if training.epochs_done >= EARLY_EPOCHS:
            return None
        before = training.epochs_done - 1
        self._done += [(before + share, loss) for share, loss in training.running_loss.points()]
        return self._done


@lru_cache(maxsize=4)
def _open_store(url: str) -> Store:
    return Store(url)


def patiently(write: Callable[[], Result]) -> Result:
    """Write to the store; where it cannot be written, try again for PATIENCE_SECONDS, then raise its StoreError."""
    began = time.monotonic()
    while True:
        try:
            return write()
        except StoreError as error:
            if time.monotonic() - began >= PATIENCE_SECONDS:
                raise
            logger.warning("waiting for the run store: %s", error)
            time.sleep(RETRY_SECONDS)  # nobody tells when the store can be written again


@lru_cache(maxsize=1)
def processor_name() -> str:
    """What this machine's processor calls itself: it decides in which order sums are taken."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def open_same_store(settings: Settings, identity: str | None) -> Store:
    """The store of `settings`, which must be the one that is called `identity`. Raises OtherStoreError."""
    store = _open_store(settings.database_url)
    if identity is not None and store.database.identity != identity:
        raise OtherStoreError(
            "the workers' run store is not this server's: its address leads each machine to a file of its own; give "
            "DROPOUT_LAB_STORE the address of a database that server and workers share"
        )
    return store


def get_ready(settings: Settings, data_fingerprint: str, identity: str) -> None:
    """Do beforehand what the first run of a process has to wait for: open the store, map the data, train a little."""
    torch.set_num_threads(1)
    open_same_store(settings, identity)
    data = _load(settings, data_fingerprint)
    if isinstance(data, Dataset):
        # The first products of a process, and the first random numbers, take a fifth of a second.
        config = RunConfig(training_images=TRAINING_IMAGE_LIMITS[0], epochs=1, batch_norm=True, dropout=0.5)
        Training(config, split(data, config.protocol, config.seed)).run_epoch()


def train_stored_run(settings: Settings, key: str, owner: str, identity: str | None = None) -> None:
    """Train the run `key` to its end, if it can be claimed.

    Whatever goes wrong with the run itself ends it as failed, with a sentence for people. StoreError is raised where
    the store could not be written for PATIENCE_SECONDS: the run then stays as it is, and is taken up again. Raises
    OtherStoreError where the store is not the one called `identity`.
    """
    # One thread a run: more would wait for one another on a busy machine, and results could differ.
    torch.set_num_threads(1)
    store = open_same_store(settings, identity)
    workplace = Workplace(
        process=this_process(),
        torch_version=str(torch.__version__),
        processor=processor_name(),
        threads=torch.get_num_threads(),
    )
    run = store.run(key)
    if run is None:
        return
    # Before the run is claimed: fetching or drawing data takes longer than a lease, and gives no sign meanwhile.
    data = _load(settings, run.data_fingerprint)
    claim = store.leases.claim(key, owner, workplace)
    if claim is None:
        return
    try:
        try:
            if isinstance(data, Exception):
                raise data
            _train(store, data, claim, key, owner)
        except (RunLostError, StoreError):
            raise
        except Exception as error:
            # The trace is for the log, the sentence for the page.
            logger.exception("run %s failed", key)
            sentence = _why(error)
            patiently(lambda: store.leases.end(key, owner, "failed", error=sentence))
    except RunLostError as lost:
        logger.info("%s", lost)


def _load(settings: Settings, data_fingerprint: str) -> Dataset | Exception:
    """The data of a run, or why it has none, which is for the run's owner to say."""
    try:
        return load_matching(settings, data_fingerprint)
    except Exception as error:
        return error


def _why(error: Exception) -> str:
    """What ended a run, for people."""
    if isinstance(error, TrainingDivergedError | DataError | TooFewImagesError):
        return str(error)
    words = first_line(error)
    # torch reports a lack of memory as RuntimeError.
    if isinstance(error, MemoryError) or "can't allocate memory" in words or "not enough memory" in words:
        return f"training ran out of memory ({words or type(error).__name__}); choose a smaller network or batch size"
    return f"training broke off: {kind_and_words(error)}"


def _train(store: Store, data: Dataset, claim: Claim, key: str, owner: str) -> None:
    heart = _Heart(store, key, owner)
    parts = split(data, claim.config.protocol, claim.config.seed)
    early = _EarlyLosses()
    training = Training(claim.config, parts, pulse=lambda share: heart.beat(share, lambda: early.of(training)))
    if claim.checkpoint is not None:
        training.restore(claim.checkpoint)
    validates_on_tests = claim.config.protocol == "article"
    test = Examples.all(data.test_images, data.test_labels)

    def predictions() -> dict[Part, bytes]:
        """What the network of the epoch just trained says, for replays."""
        validation = training.validation_log_probabilities
        assert validation is not None, "an epoch has been trained"
        if validates_on_tests:
            return {"test": pack(validation.exp().numpy())}
        tests = log_probabilities(training.model, test, partial(heart.beat, 1.0))
        return {"validation": pack(validation.exp().numpy()), "test": pack(tests.exp().numpy())}

    last = model_to_bytes(training.model) if training.epochs_done else None
    lowest = claim.lowest_validation_loss
    stopped = False
    try:
        for result in training:
            last = model_to_bytes(training.model)
            is_best = lowest is None or result.validation_loss < lowest
            lowest = result.validation_loss if is_best else lowest
            best = last if is_best else None
            shown = (training.checkpoint(), best, predictions(), early.end_epoch(training))
            if patiently(partial(store.leases.record_epoch, key, owner, result, *shown)):
                stopped = training.epochs_done < claim.config.epochs
                break
    except _StopRequested:
        stopped = True
    tests = {} if last is None else _test(store, claim, test, key, last, heart)
    status: Status = "stopped" if stopped else "finished"
    patiently(lambda: store.leases.end(key, owner, status, last=last, tests=tests))


def _test(
    store: Store, claim: Claim, examples: Examples, key: str, last: bytes, heart: _Heart
) -> dict[Weights, Evaluation]:
    """Test figures of the best and the last epoch; the pages show them when asked to."""
    best = patiently(lambda: store.weights(key, "best"))
    if best is None:  # every stored epoch leaves one behind
        raise RunLostError(f"run {key} was deleted")

    def beat() -> None:
        # The largest network is tested for longer than a lease. Who asks to stop gets the figures all the same.
        with suppress(_StopRequested):
            heart.beat(0.0)

    of_last = evaluate(model_from_bytes(claim.config, last), examples, beat)
    if best.content == last:
        return {"best": of_last, "last": of_last}
    return {"best": evaluate(model_from_bytes(claim.config, best.content), examples, beat), "last": of_last}
