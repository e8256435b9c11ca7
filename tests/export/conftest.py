"""The official files as torchvision keeps them, and a store with a trained comparison in it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fmnist_core.data.dataset import Dataset
from fmnist_core.data.download import fetch
from fmnist_core.data.mapped import mapped
from fmnist_core.jobs.worker import train_stored_run
from fmnist_core.settings import Settings
from fmnist_core.store.runs import Store
from tests.export.trained import STUDY, Trained


@pytest.fixture(scope="session")
def torchvision_folder(real_data_mirror: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for torchvision's FashionMNIST, which need fetch nothing more."""
    folder = tmp_path_factory.mktemp("torchvision")
    raw = folder / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    fetch(real_data_mirror, raw)
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_dataset: Dataset) -> Iterator[Trained]:
    settings = Settings(home=tmp_path_factory.mktemp("exports"))
    data = replace(tiny_dataset, name="Fashion-MNIST")
    mapped(data, settings.data_cache)
    store = Store(settings.database_url)
    keys = tuple(store.request_all(STUDY.configs(), data.name, data.fingerprint))
    for key in keys:
        train_stored_run(settings, key, "a worker")
        run = store.run(key)
        assert run is not None
        assert run.status == "finished", run.error
    yield Trained(settings, store, data, keys)
    store.close()


@pytest.fixture(scope="session")
def run_material(trained: Trained) -> Callable[..., Any]:
    """What exports of the first run are made of; with changes of the request."""
    return lambda **more: trained.material(trained.run_request(**more))
