"""Neighbourhood maps: what a worker process does to draw one."""

from dataclasses import dataclass

from fmnist_core.data.evaluation_images import Part, evaluation_images
from fmnist_core.data.sources import load_matching
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
    # Here and not above: who asks for a map needs no torch. And scikit-learn takes a second and 80 MB that a worker
    # which only trains need not spend.
    import torch

    from fmnist_core.jobs.worker import _open_store
    from fmnist_core.network.model import model_from_bytes
    from fmnist_core.network.projection import last_hidden, neighbourhood

    torch.set_num_threads(1)
    store = _open_store(settings.database_url)
    run, weights = store.run(request.run_key), store.weights(request.run_key, request.kind)
    assert run is not None, request
    assert weights is not None, request
    data = load_matching(settings, run.data_fingerprint)
    images = torch.from_numpy(evaluation_images(data, run.config, request.part).pixels(data))
    points = neighbourhood(last_hidden(model_from_bytes(run.config, weights.content), images))
    store.put_projection(run.key, weights.epoch, request.part, points)
