"""Runs on real worker processes: what is asked for, what is stored, and what nothing disturbed would give."""

import pytest

from fmnist_core.config import RunConfig
from fmnist_core.data.split import split
from fmnist_core.network.figures import EpochResult
from fmnist_core.network.training import train

CONFIG = RunConfig(hidden=(64,), epochs=4, batch_size=64, dropout=0.2)

# Dask's own threads and sockets end a moment after the cluster is closed.
ENDS_LATER = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def stored(store, key):
    return [EpochResult(**row) for row in store.epochs(key).to_dict("records")]


def undisturbed(config, data):
    return list(train(config, split(data, config.protocol, config.seed)))
