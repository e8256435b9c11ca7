"""The server's shared objects, made once a process: settings, store, dispatcher, data. The only home of st.cache_*."""

import numpy as np
import numpy.typing as npt
import streamlit as st

from fmnist_core.data import split
from fmnist_core.evaluation import Evaluation, evaluate, evaluate_with_training_mode_left_on
from fmnist_core.inference import probabilities
from fmnist_core.jobs import Dispatcher
from fmnist_core.loading import BackgroundData
from fmnist_core.model import model_from_bytes
from fmnist_core.schema import Run, Weights
from fmnist_core.settings import Settings
from fmnist_core.store import Store
from fmnist_core.summary import Summary, summarise


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """The deployment's settings. Raises ValueError when the environment holds an unusable one."""
    return Settings.from_environment()


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The run store. Raises StoreError when it cannot be opened."""
    return Store(settings().database_url)


@st.cache_resource(show_spinner=False)
def dispatcher() -> Dispatcher:
    """What hands runs to workers."""
    return Dispatcher(store(), settings())


@st.cache_resource(show_spinner=False)
def data() -> BackgroundData:
    """The data set, or its loading."""
    return BackgroundData(settings())


@st.cache_data(show_spinner="Asking the network …", max_entries=16)
def test_probabilities(run_key: str, kind: Weights, epoch: int, data_fingerprint: str) -> npt.NDArray[np.float32]:
    """Probabilities (n, 10) of a stored run for all test images.

    `epoch`, that of the weights, and `data_fingerprint` belong to the cache's key: a run that goes on moves them.
    """
    run, dataset = store().run(run_key), data().dataset
    content = store().weights(run_key, kind)
    assert run is not None, run_key
    assert content is not None, run_key
    assert dataset is not None, data_fingerprint
    return probabilities(model_from_bytes(run.config, content), dataset.test_images)


def has_matching_data(run: Run) -> bool:
    """Whether the data in use are those that the run was trained on."""
    dataset = data().dataset
    return dataset is not None and dataset.fingerprint == run.data_fingerprint


@st.cache_data(show_spinner=False, max_entries=2)
def data_summary(data_fingerprint: str) -> Summary:
    """Counts, mean images and brightness of the data in use, whose fingerprint is the cache's key."""
    dataset = data().dataset
    assert dataset is not None, data_fingerprint
    return summarise(dataset)


@st.cache_data(show_spinner="Evaluating twice …", max_entries=32)
def forgetful_evaluation(run_key: str, best_epoch: int) -> tuple[Evaluation, Evaluation]:
    """A run's best network on its validation images: evaluated rightly, and with training mode left on.

    `best_epoch` belongs to the cache's key: that of a running run moves on.
    """
    run, dataset = store().run(run_key), data().dataset
    content = store().weights(run_key, "best")
    assert run is not None, run_key
    assert content is not None, best_epoch
    assert dataset is not None, run_key
    parts = split(dataset, run.config.protocol, run.config.seed)
    model = model_from_bytes(run.config, content)
    images, labels = parts.validation_images, parts.validation_labels
    return evaluate(model, images, labels), evaluate_with_training_mode_left_on(model, images, labels)
