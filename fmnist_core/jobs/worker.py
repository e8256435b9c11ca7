"""What a worker process does with one run: claim it, train it, store every epoch, evaluate it, end it."""

import logging
import time
from functools import lru_cache, partial

import torch

from fmnist_core.data.dataset import DataError
from fmnist_core.data.evaluation_images import Part
from fmnist_core.data.sources import load_matching
from fmnist_core.data.split import Examples, split
from fmnist_core.network.evaluation import evaluate, log_probabilities
from fmnist_core.network.figures import Evaluation
from fmnist_core.network.model import model_from_bytes, model_to_bytes
from fmnist_core.network.training import Training, TrainingDivergedError
from fmnist_core.settings import Settings
from fmnist_core.store.leases import Claim, RunLostError
from fmnist_core.store.predictions import pack
from fmnist_core.store.run import Weights
from fmnist_core.store.runs import Store

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0


class _StopRequested(Exception):  # noqa: N818 - it ends a loop and is no error
    """Somebody asked the run to stop."""


class _Heart:
    """Renews the lease from within the training loop, about once a second.

    Not from a thread: a thread would keep the lease of a run that hangs.
    """

    def __init__(self, store: Store, key: str, owner: str) -> None:
        self._store, self._key, self._owner = store, key, owner
        self._beaten_at = time.monotonic()

    def beat(self, epoch_share: float) -> None:
        """Raise _StopRequested when the run was asked to stop, RunLostError when somebody else has it."""
        if time.monotonic() - self._beaten_at < BEAT_SECONDS:
            return
        self._beaten_at = time.monotonic()
        if self._store.leases.beat(self._key, self._owner, epoch_share):
            raise _StopRequested


@lru_cache(maxsize=4)
def _open_store(url: str) -> Store:
    return Store(url)


def train_stored_run(settings: Settings, key: str, owner: str) -> None:
    """Train the run `key` to its end, if it can be claimed.

    Whatever goes wrong with the run itself ends it as failed, with a sentence for people. StoreError is raised: the
    run then stays as it is, and is taken up again when its lease has run out.
    """
    # One thread a run: more would wait for one another on a busy machine, and results could differ.
    torch.set_num_threads(1)
    store = _open_store(settings.database_url)
    claim = store.leases.claim(key, owner)
    if claim is None:
        return
    try:
        _train(store, settings, claim, key, owner)
    except RunLostError as lost:
        logger.info("%s", lost)
    except (TrainingDivergedError, DataError) as error:
        store.leases.end(key, owner, "failed", error=str(error))
    except (RuntimeError, ValueError, MemoryError) as error:
        # torch reports a lack of memory as RuntimeError. The trace is for the log, the sentence for the page.
        logger.exception("run %s failed", key)
        reason = str(error).partition("\n")[0] or type(error).__name__
        store.leases.end(key, owner, "failed", error=f"training broke off: {reason}")


def _train(store: Store, settings: Settings, claim: Claim, key: str, owner: str) -> None:
    data = load_matching(settings, claim.data_fingerprint)
    heart = _Heart(store, key, owner)
    parts = split(data, claim.config.protocol, claim.config.seed)
    training = Training(claim.config, parts, pulse=heart.beat)
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
            if store.leases.record_epoch(key, owner, result, training.checkpoint(), best, predictions()):
                stopped = training.epochs_done < claim.config.epochs
                break
    except _StopRequested:
        stopped = True
    tests = {} if last is None else _test(store, claim, test, key, last)
    store.leases.end(key, owner, "stopped" if stopped else "finished", last=last, tests=tests)


def _test(store: Store, claim: Claim, examples: Examples, key: str, last: bytes) -> dict[Weights, Evaluation]:
    """Test figures of the best and the last epoch; the pages show them when asked to."""
    best = store.weights(key, "best")
    assert best is not None, "every stored epoch leaves a best epoch behind"
    kinds: dict[Weights, bytes] = {"best": best.content, "last": last}
    return {kind: evaluate(model_from_bytes(claim.config, content), examples) for kind, content in kinds.items()}
