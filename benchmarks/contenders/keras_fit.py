"""Keras with JAX underneath: a `Sequential`, compiled and fitted as its documentation does it."""

import os
from collections.abc import Iterator

os.environ["KERAS_BACKEND"] = "jax"  # which Keras reads when it is imported

import keras
import numpy as np

from benchmarks.contenders.pixels import rows
from fmnist_core.config import INPUTS, OUTPUTS, RunConfig
from fmnist_core.data.dataset import Dataset
from fmnist_core.network.figures import CHUNK
from fmnist_core.network.schedule import one_cycle


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """The rate of each step of a run."""

    def __init__(self, config: RunConfig, steps: int) -> None:
        self.rates = np.array([one_cycle(step, steps, config.learning_rate) for step in range(steps)], np.float32)

    def __call__(self, step: object) -> object:
        return keras.ops.take(self.rates, keras.ops.cast(step, "int32"))


def epochs(config: RunConfig, data: Dataset) -> Iterator[float]:
    """Test accuracy after each epoch."""
    keras.utils.set_random_seed(config.seed)
    model = keras.Sequential([keras.Input((INPUTS,))])
    for width in config.hidden:
        model.add(keras.layers.Dense(width))
        if config.batch_norm:
            model.add(keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5))
        model.add(keras.layers.ReLU())
        if config.dropout:
            model.add(keras.layers.Dropout(config.dropout))
    model.add(keras.layers.Dense(OUTPUTS))
    steps = -(-len(data.train_images) // config.batch_size)
    rate = OneCycle(config, config.epochs * steps) if config.schedule == "one-cycle" else config.learning_rate
    model.compile(
        optimizer=keras.optimizers.Adam(rate, epsilon=1e-8),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    images, test_images = rows(data.train_images), rows(data.test_images)
    while True:
        history = model.fit(
            images,
            data.train_labels,
            config.batch_size,
            validation_data=(test_images, data.test_labels),
            validation_batch_size=CHUNK,
            verbose=0,
        ).history
        yield float(history["val_accuracy"][0])
