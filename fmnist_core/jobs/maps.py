"""Neighbourhood maps: what a worker process does to draw one."""

from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from fmnist_core.data.evaluation_images import Part, evaluation_images
from fmnist_core.data.sources import load_matching
from fmnist_core.network.stored_network import StoredNetwork
from fmnist_core.settings import Settings
from fmnist_core.store.run import Weights


@dataclass(frozen=True)
class MapRequest:
    """Which map is asked for: how a run's best or last network arranges the images that it is evaluated on."""

    run_key: str
    kind: Weights
    part: Part


def map_stored_run(settings: Settings, request: MapRequest) -> None:
    """Draw a neighbourhood map of a run that has ended, and store it. Raises DataError and StoreError."""
    # Here and not above: whoever asks for a map needs none of this. The limit of threads holds for what is loaded.
    import sklearn.manifold  # noqa: F401

    from fmnist_core.jobs.worker import _open_store
    from fmnist_core.network.projection import neighbourhood

    store = _open_store(settings.database_url)
    run, weights = store.run(request.run_key), store.weights(request.run_key, request.kind)
    assert run is not None, request
    assert weights is not None, request
    data = load_matching(settings, run.data_fingerprint)
    images = evaluation_images(data, run.config, request.part).pixels(data)
    with threadpool_limits(1):  # the other cores are training
        points = neighbourhood(StoredNetwork(run.config, weights.content).last_hidden(images))
    store.put_projection(run.key, weights.epoch, request.part, points)
