"""Neighbourhood maps: what a worker process does to draw one."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from fmnist_core.data.evaluation_images import Part, evaluation_images
from fmnist_core.data.sources import load_matching
from fmnist_core.network.stored_network import StoredNetwork
from fmnist_core.settings import Settings
from fmnist_core.store.run import Weights

NICENESS = 10  # a tenth of a core while all of them train; at 19 it would be a hundredth, and take hours


@dataclass(frozen=True)
class MapRequest:
    """Which map is asked for: how a run's best or last network arranges the images that it is evaluated on."""

    run_key: str
    kind: Weights
    part: Part


class MapError(RuntimeError):
    """A map cannot be drawn; the message is for people."""


def map_stored_run(settings: Settings, request: MapRequest, identity: str | None = None) -> None:
    """Draw a neighbourhood map of a run that has ended, and store it.

    Raises DataError, StoreError, MapError and, where the store is not the one called `identity`, OtherStoreError.
    """
    # Here and not above: whoever asks for a map needs none of this. The limit of threads holds for what is loaded.
    import sklearn.manifold  # noqa: F401

    from fmnist_core.jobs.heart import patiently
    from fmnist_core.jobs.worker import open_same_store
    from fmnist_core.network.projection import neighbourhood

    settings = settings.on_this_machine()
    store = open_same_store(settings, identity)
    run, weights = store.run(request.run_key), store.weights(request.run_key, request.kind)
    if run is None or weights is None:
        raise MapError("the run's network is not stored any more; reload the page")
    data = load_matching(settings, run.data_fingerprint)
    images = evaluation_images(data, run.config, request.part).pixels(data)
    inputs = StoredNetwork(run.config, weights.content).last_hidden(images)
    # In a thread of its own, since no thread can raise its priority again: the next run of this worker needs it.
    with threadpool_limits(1), ThreadPoolExecutor(1, initializer=_yield_to_training) as thread:
        points = thread.submit(neighbourhood, inputs).result()
    patiently(lambda: store.put_projection(run.key, weights.epoch, request.part, points))


def _yield_to_training() -> None:
    """Give this thread a low priority, where that can be given to a thread alone (Linux)."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
