"""The server's shared objects, made once a process: settings, store, dispatcher, data, and what stored networks say."""

from collections.abc import Collection, Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from fmnist_core.config import Protocol, RunConfig
from fmnist_core.data.background import BackgroundData
from fmnist_core.data.dataset import Dataset, Pixels
from fmnist_core.data.evaluation_images import EvaluationImages, Part, evaluation_images
from fmnist_core.data.image_name import ImageName, Source
from fmnist_core.data.novelty import NoveltyDetector
from fmnist_core.data.split import trains_on
from fmnist_core.data.summary import Summary, summarise
from fmnist_core.export.workshop import Workshop
from fmnist_core.jobs import cluster
from fmnist_core.jobs.dispatcher import Dispatcher
from fmnist_core.lessons.learner import Learner
from fmnist_core.network.dropout_steps import DropoutStep, dropout_step
from fmnist_core.network.figures import Evaluation
from fmnist_core.network.projection import plane
from fmnist_core.network.stored_network import StoredNetwork
from fmnist_core.results.doubtful_labels import HeldOutAnswers, doubtful_labels
from fmnist_core.results.outlook import Outlook, look_ahead
from fmnist_core.settings import Settings
from fmnist_core.store.predictions import Replay, replay, unpack
from fmnist_core.store.run import Run, Weights
from fmnist_core.store.runs import Store
from fmnist_core.store.shared_runs import SharedRuns
from fmnist_core.store.visitor import Visitor


class RunWentOnError(RuntimeError):
    """Since the page looked, a run has stored another network, or was deleted; draw the page once more."""


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """The deployment's settings. Raises ValueError when the environment holds an unusable one."""
    return Settings.from_environment()


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The run store. Raises StoreError when it cannot be opened."""
    return Store(settings().database_url, settings().limits)


@st.cache_resource(show_spinner=False)
def shared_runs() -> SharedRuns:
    """The store's runs in memory, read once for all visitors."""
    return SharedRuns(store())


@st.cache_resource(show_spinner=False)
def dispatcher() -> Dispatcher:
    """What hands runs to workers."""
    return Dispatcher(store(), settings())


@st.cache_resource(show_spinner=False)
def workshop() -> Workshop:
    """Where exports are made, beside this process."""
    return Workshop(settings())


@st.cache_resource(show_spinner=False, max_entries=1000)
def learner(name: str) -> Learner:
    """What a visitor of this name has guessed and finished since the server began, or since a thousand others came."""
    return Learner()


def dataset() -> Dataset:
    """The data set in use; for pages, which the frame draws only when there is one."""
    in_use = data().dataset
    assert in_use is not None, "the frame waits for data"
    return in_use


def outlook() -> Outlook:
    """When the runs that wait and train will be done."""
    return shared_runs().of_all(_look_ahead)


def _look_ahead(runs: list[Run]) -> Outlook:
    return look_ahead(runs, worker_limit())


def worker_limit() -> int:
    """How many runs train at once at most."""
    return cluster.worker_limit(settings())


@st.cache_resource(show_spinner=False)
def data() -> BackgroundData:
    """The data set, or its loading."""
    return BackgroundData(settings())


def has_matching_data(run: Run) -> bool:
    """Whether the data in use are those that the run was trained on."""
    in_use = data().dataset
    return in_use is not None and in_use.fingerprint == run.data_fingerprint


@st.cache_data(show_spinner=False, max_entries=2)
def data_summary(data_fingerprint: str) -> Summary:
    """Counts, mean images and brightness of the data in use, whose fingerprint is the cache's key."""
    return summarise(dataset())


@st.cache_resource(show_spinner=False, max_entries=2)
def novelty_detector(data_fingerprint: str) -> NoveltyDetector:
    """Tells what is unlike the training images in use, whose fingerprint is the cache's key."""
    return NoveltyDetector(dataset().train_images)


# What follows belongs to one stored network each. `epoch`, that of its weights, is part of the cache's key: a run that
# goes on moves it. What is kept as a resource is shared by all sessions as it is, and must not be changed.


@st.cache_resource(show_spinner=False, max_entries=4)
def network(run_key: str, kind: Weights, epoch: int) -> StoredNetwork:
    """A stored network. Raises RunWentOnError where that of `epoch` is no longer stored."""
    run, weights = store().run(run_key), store().weights(run_key, kind)
    if run is None or weights is None or weights.epoch != epoch:
        raise RunWentOnError(run_key, kind, epoch)
    return StoredNetwork(run.config, weights.content)


@st.cache_data(show_spinner=False, max_entries=256)
def has_last_weights(run_key: str, ended_at: float | None) -> bool:
    """Whether a run that ended has stored its last network: one that failed, or whose worker died, has not.

    `ended_at` belongs to the cache's key: a run that goes on ends again.
    """
    return store().has_weights(run_key, "last")


@st.cache_resource(show_spinner=False, max_entries=32)
def _evaluation_images(data_fingerprint: str, protocol: Protocol, seed: int, part: Part) -> EvaluationImages:
    """The images that runs of this protocol and seed are evaluated on."""
    return evaluation_images(dataset(), RunConfig(protocol=protocol, seed=seed), part)


def evaluation_images_of(run: Run, part: Part) -> EvaluationImages:
    """The images that a run is evaluated on."""
    return _evaluation_images(run.data_fingerprint, run.config.protocol, run.config.seed, part)


@st.cache_resource(show_spinner=False, max_entries=256)
def _trains_on(data_fingerprint: str, config: RunConfig, index: int) -> bool:
    return trains_on(config, dataset(), index)


def has_trained_on(run: Run, name: ImageName) -> bool:
    """Whether a run was trained on an image of the data in use."""
    return name.source == "train" and _trains_on(run.data_fingerprint, run.config, name.index)


def _evaluation_pixels(run_key: str, part: Part) -> Pixels:
    run = store().run(run_key)
    if run is None:
        raise RunWentOnError(run_key)
    return evaluation_images_of(run, part).pixels(dataset())


@st.cache_resource(show_spinner="Asking the network …", max_entries=64)
def probabilities_of(run_key: str, kind: Weights, epoch: int, part: Part) -> npt.NDArray[np.float32]:
    """Probabilities (n, 10) that a stored network gives the images that its run is evaluated on."""
    answers = network(run_key, kind, epoch).probabilities(_evaluation_pixels(run_key, part))
    answers.flags.writeable = False
    return answers


@st.cache_resource(show_spinner=False, max_entries=6)
def replay_of(run_key: str, epochs_done: int, part: Part) -> Replay | None:
    """What each epoch of a run said of the images that it is evaluated on; None where it was not stored."""
    assert epochs_done, run_key
    return replay(store().replay(run_key, part))


@st.cache_resource(show_spinner="Finding the plane …", max_entries=16)
def plane_of(run_key: str, kind: Weights, epoch: int, part: Part) -> npt.NDArray[np.float32]:
    """The evaluation images on the plane of their two first principal components in the last hidden layer, (n, 2)."""
    return plane(network(run_key, kind, epoch).last_hidden(_evaluation_pixels(run_key, part)))


@st.cache_data(show_spinner="Asking all runs …", max_entries=8)
def doubtful_labels_of(
    best_epochs: tuple[tuple[str, int], ...], source: Source, data_fingerprint: str, limit: int
) -> pd.DataFrame:
    """The images whose labels the given runs doubt most, as `doubtful_labels`; `best_epochs`: key and epoch of each."""
    part: Part = "test" if source == "test" else "validation"
    stored = store().best_predictions([key for key, _ in best_epochs], part)
    runs = store().runs_of([key for key, _ in best_epochs])

    def answers_of_runs() -> Iterator[HeldOutAnswers]:
        for key, epoch in best_epochs:
            images = evaluation_images_of(runs[key], part)
            if images.source == source:
                # Runs that are older than stored predictions are asked.
                answers = unpack(stored[key]) if key in stored else probabilities_of(key, "best", epoch, part)
                yield HeldOutAnswers(images.positions, answers)

    labels = dataset().train_labels if source == "train" else dataset().test_labels
    return doubtful_labels(answers_of_runs(), labels, limit)


@st.cache_data(show_spinner="Evaluating with dropout on …", max_entries=32)
def forgetful_evaluation(run_key: str, best_epoch: int) -> Evaluation:
    """A run's best network on its validation images, with training mode left on by mistake."""
    run = store().run(run_key)
    if run is None:
        raise RunWentOnError(run_key)
    images = evaluation_images_of(run, "validation")
    return network(run_key, "best", best_epoch).evaluate_with_training_mode_left_on(
        images.pixels(dataset()), images.labels(dataset())
    )


@st.cache_resource(show_spinner=False, max_entries=16)
def dropout_step_of(run_key: str, best_epoch: int, step: int) -> DropoutStep:
    """What a run dropped in a training step of its best epoch, with the network of that epoch."""
    return dropout_step(network(run_key, "best", best_epoch), dataset(), best_epoch, step)


def delete_runs(keys: Collection[str], by: Visitor) -> None:
    """Delete runs, which can come back for a while, and forget what is kept of stored networks in this process.

    Raises NotYoursError and StoreError.
    """
    try:
        store().delete(*keys, by=by)
    finally:
        for kept in (
            *(network, has_last_weights, probabilities_of, replay_of, plane_of),
            *(doubtful_labels_of, forgetful_evaluation, dropout_step_of),
        ):
            kept.clear()
        workshop().forget(keys)
        shared_runs().expect_news()


def bring_back_runs(keys: Collection[str], by: Visitor) -> list[str]:
    """Undo the deletion of runs, and return the keys of those that could still come back.

    Raises NotYoursError and StoreError.
    """
    back = store().bring_back(*keys, by=by)
    shared_runs().expect_news()
    dispatcher().wake()  # what waited or trained waits again
    return back


def purge_runs(keys: Collection[str], by: Visitor) -> None:
    """Give up deleted runs now, and give their space back. Raises NotYoursError and StoreError."""
    store().purge(*keys, by=by)
    shared_runs().expect_news()
    store().database.give_back_space()
