"""What a worker process does with one run: claim it, train it, store every epoch, evaluate it, end it."""

import logging
import platform
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path

import torch
from torch import Tensor

from fmnist_core.config import TRAINING_IMAGE_LIMITS, RunConfig
from fmnist_core.data.dataset import DataError, Dataset
from fmnist_core.data.evaluation_images import Part
from fmnist_core.data.sources import load_matching
from fmnist_core.data.split import Examples, TooFewImagesError, split
from fmnist_core.jobs.heart import EarlyLosses, Heart, StopRequested, patiently
from fmnist_core.jobs.processes import this_process
from fmnist_core.jobs.reasons import first_line, kind_and_words
from fmnist_core.network.batches import Batches
from fmnist_core.network.evaluation import evaluate, evaluate_log_probabilities, log_probabilities
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


class OtherStoreError(RuntimeError):
    """The address of the store leads this worker to another store than the dispatcher's."""


@lru_cache(maxsize=4)
def _open_store(url: str) -> Store:
    return Store(url)


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
    heart = Heart(store, key, owner)
    parts = split(data, claim.config.protocol, claim.config.seed)
    early = EarlyLosses()
    training = Training(claim.config, parts, pulse=lambda share: heart.beat(share, lambda: early.of(training)))
    if claim.checkpoint is not None:
        training.restore(claim.checkpoint)
    validates_on_tests = claim.config.protocol == "article"
    test = Examples.all(data.test_images, data.test_labels)
    answers: dict[Weights, Tensor] = {}  # log-probabilities of the test images, by networks that were trained here
    last = model_to_bytes(training.model) if training.epochs_done else None
    lowest = claim.lowest_validation_loss
    stopped = False
    try:
        for result in training:
            validation = training.validation_log_probabilities
            assert validation is not None, "an epoch has been trained"
            tests = (
                validation if validates_on_tests else log_probabilities(training.model, test, partial(heart.beat, 1.0))
            )
            predictions: dict[Part, bytes] = {"test": pack(tests.exp().numpy())}  # for replays
            if not validates_on_tests:
                predictions["validation"] = pack(validation.exp().numpy())
            network = model_to_bytes(training.model)
            is_best = lowest is None or result.validation_loss < lowest
            best = network if is_best else None
            shown = (training.checkpoint(), best, predictions, early.end_epoch(training))
            must_stop = patiently(partial(store.leases.record_epoch, key, owner, result, *shown))
            last, answers["last"] = network, tests
            if is_best:
                lowest, answers["best"] = result.validation_loss, tests
            if must_stop:
                stopped = training.epochs_done < claim.config.epochs
                break
    except StopRequested:
        stopped = True
    figures = {} if last is None else _test(store, claim, test, key, last, answers, heart)
    status: Status = "stopped" if stopped else "finished"
    patiently(lambda: store.leases.end(key, owner, status, last=last, tests=figures))


def _test(
    store: Store,
    claim: Claim,
    examples: Examples,
    key: str,
    last: bytes,
    answers: Mapping[Weights, Tensor],
    heart: Heart,
) -> dict[Weights, Evaluation]:
    """Test figures of the best and the last epoch, which the pages show when asked to.

    Who stops a run waits for its end, so that a network is asked only where its answers are not known yet.
    """
    labels = Batches(examples).labels
    figures = {kind: evaluate_log_probabilities(answers[kind], labels) for kind in answers}
    if "best" in figures:
        return figures
    best = patiently(lambda: store.weights(key, "best"))
    if best is None:  # every stored epoch leaves one behind
        raise RunLostError(f"run {key} was deleted")

    def beat() -> None:
        # The largest network is tested for longer than a lease. Who asks to stop gets the figures all the same.
        with suppress(StopRequested):
            heart.beat(0.0)

    figures["best"] = evaluate(model_from_bytes(claim.config, best.content), examples, beat)
    if "last" not in figures and best.content == last:
        figures["last"] = figures["best"]
    elif "last" not in figures:
        figures["last"] = evaluate(model_from_bytes(claim.config, last), examples, beat)
    return figures
