"""What a worker process does with one run: claim it, train it, store every epoch, evaluate it, end it."""

import logging
import platform
from functools import lru_cache, partial
from pathlib import Path

import torch

from fmnist_core.config import TRAINING_IMAGE_LIMITS, RunConfig
from fmnist_core.data.dataset import Dataset
from fmnist_core.data.sources import load_matching
from fmnist_core.data.split import split
from fmnist_core.jobs.device import device_of
from fmnist_core.jobs.heart import Heart, StopRequested
from fmnist_core.jobs.processes import this_process
from fmnist_core.jobs.recording import Recording, end_as_failed
from fmnist_core.jobs.stack import claim_stack, train_stack
from fmnist_core.network.evaluation import log_probabilities
from fmnist_core.network.training import Training
from fmnist_core.settings import Settings
from fmnist_core.store.database import StoreError
from fmnist_core.store.leases import RunLostError, Workplace
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
    """Train the run `key` to its end, if it can be claimed; on a GPU together with others of its shape that wait.

    Whatever goes wrong with the run itself ends it as failed, with a sentence for people. StoreError is raised where
    the store could not be written for PATIENCE_SECONDS: the run then stays as it is, and is taken up again. Raises
    OtherStoreError where the store is not the one called `identity`, NoGpuError where there is no GPU and must be one.
    """
    # One thread a run: more would wait for one another on a busy machine, and results could differ.
    torch.set_num_threads(1)
    store = open_same_store(settings, identity)
    run = store.run(key)
    if run is None:
        return
    device = device_of(settings)
    # Before the run is claimed: fetching or drawing data takes longer than a lease, and gives no sign meanwhile.
    data = _load(settings, run.data_fingerprint)
    place = Workplace(
        process=this_process(),
        torch_version=str(torch.__version__),
        processor=processor_name() if device == "cpu" else torch.cuda.get_device_name(),
        threads=torch.get_num_threads(),
    )
    try:
        if device == "cuda" and isinstance(data, Dataset):
            if claims := claim_stack(store, run, owner, place, device, settings.home / "gpu.lock"):
                train_stack(store, data, claims, owner, device)
            return
        claim = store.leases.claim(key, owner, place)
        if claim is None:
            return
        if isinstance(data, Dataset):
            _train(store, Recording(store, data, claim, key, owner), owner)
        else:
            end_as_failed(store, key, owner, data)
    except RunLostError as lost:
        logger.info("%s", lost)


def _load(settings: Settings, data_fingerprint: str) -> Dataset | Exception:
    """The data of a run, or why it has none, which is for the run's owner to say."""
    try:
        return load_matching(settings, data_fingerprint)
    except Exception as error:
        return error


def _train(store: Store, recording: Recording, owner: str) -> None:
    """Train one run by itself, and end it in whatever way it ends."""
    try:
        heart = Heart(store, recording.key, owner)
        training = recording.begin(lambda share: heart.beat(share, lambda: recording.early_losses(training)))
        is_stopped = False
        try:
            for result in training:
                tests = None
                if not recording.validates_on_tests:
                    tests = log_probabilities(training.model, recording.test, partial(heart.beat, 1.0))
                if recording.record(training, result, tests):
                    is_stopped = training.epochs_done < training.config.epochs
                    break
        except StopRequested:
            is_stopped = True
        recording.end(is_stopped=is_stopped, heart=heart)
    except (RunLostError, StoreError):
        raise
    except Exception as error:
        recording.fail(error)
