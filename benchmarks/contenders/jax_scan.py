"""The same network, recipe and step in JAX: an epoch is one compiled `lax.scan`.

It is spared what ours does besides: images lie in memory as scaled floats, the order is drawn beforehand, and a last
batch that is not full is left out.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from benchmarks.contenders.pixels import rows as rows_of
from fmnist_core.config import INPUTS, OUTPUTS, RunConfig
from fmnist_core.data.dataset import Dataset
from fmnist_core.network.schedule import one_cycle

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


def epochs(config: RunConfig, data: Dataset) -> Iterator[float]:
    """Test accuracy after each epoch."""
    train, accuracy, _ = compiled(config, rows_of(data.train_images), data.train_labels)
    test_images, test_labels = jax.device_put(rows_of(data.test_images)), jax.device_put(data.test_labels)
    while True:
        train()
        yield accuracy(test_images, test_labels)


def compiled(
    config: RunConfig, images: Floats, labels: Labels
) -> tuple[Callable[[], object], Callable[[jax.Array, jax.Array], float], int]:
    """What trains one epoch more, what gives the accuracy on other images then, and the steps of an epoch."""
    rows, decay_rates = config.batch_size, (0.9, 0.999)
    steps = len(images) // rows
    key = jax.random.key(config.seed)
    parameters, statistics = [], []
    for inputs, outputs in pairwise((INPUTS, *config.hidden, OUTPUTS)):
        key, *keys = jax.random.split(key, 3)
        bound = inputs**-0.5
        shapes = ((inputs, outputs), (outputs,))
        layer = [jax.random.uniform(k, s, minval=-bound, maxval=bound) for k, s in zip(keys, shapes, strict=True)]
        if config.batch_norm and len(statistics) < len(config.hidden):
            layer += [jnp.ones(outputs), jnp.zeros(outputs)]
            statistics.append((jnp.zeros(outputs), jnp.ones(outputs)))
        parameters.append(layer)

    def ahead(parameters, statistics, units):
        """Logits without dropout, by the moving statistics."""
        for (weight, bias, *norm), (mean, variance) in zip(
            parameters[:-1], statistics or [(0, 1)] * len(config.hidden), strict=True
        ):
            units = units @ weight + bias
            if norm:
                units = (units - mean) * (norm[0] * jax.lax.rsqrt(variance + 1e-5)) + norm[1]
            units = jax.nn.relu(units)
        return units @ parameters[-1][0] + parameters[-1][1]

    def objective(parameters, statistics, pixels, targets, key):
        units, moved = pixels, []
        for index, (weight, bias, *norm) in enumerate(parameters[:-1]):
            units = units @ weight + bias
            if norm:
                mean, variance = units.mean(0), units.var(0)
                before = statistics[index]
                unbiased = variance * rows / (rows - 1)
                moved.append((0.9 * before[0] + 0.1 * mean, 0.9 * before[1] + 0.1 * unbiased))
                units = (units - mean) * (norm[0] * jax.lax.rsqrt(variance + 1e-5)) + norm[1]
            units = jax.nn.relu(units)
            if config.dropout:
                key, drawn = jax.random.split(key)
                kept = jax.random.bernoulli(drawn, 1 - config.dropout, units.shape)
                units = jnp.where(kept, units / (1 - config.dropout), 0)
        answers = jax.nn.log_softmax(units @ parameters[-1][0] + parameters[-1][1])
        loss = -jnp.take_along_axis(answers, targets[:, None], 1).mean()
        return loss, (moved, (answers.argmax(1) == targets).sum())

    def step(images, labels, state, batch):
        parameters, means, squares, count, statistics, key = state
        places, rate = batch
        key, drawn = jax.random.split(key)
        slopes = jax.value_and_grad(objective, has_aux=True)
        (loss, (statistics, correct)), gradients = slopes(parameters, statistics, images[places], labels[places], drawn)
        count = count + 1
        first, second = decay_rates
        means = jax.tree.map(lambda mean, slope: first * mean + (1 - first) * slope, means, gradients)
        squares = jax.tree.map(lambda square, slope: second * square + (1 - second) * slope**2, squares, gradients)

        def moved(value, mean, square):
            root = jnp.sqrt(square / (1 - second**count))
            return value - rate * (mean / (1 - first**count)) / (root + 1e-8)

        parameters = jax.tree.map(moved, parameters, means, squares)
        return (parameters, means, squares, count, statistics, key), (loss, correct)

    @partial(jax.jit, donate_argnums=0)
    def epoch(state, order, rates, images, labels):
        return jax.lax.scan(partial(step, images, labels), state, (order, rates))

    @jax.jit
    def right(parameters, statistics, images, labels):
        return (ahead(parameters, statistics, images).argmax(1) == labels).mean()

    zeros = [jax.tree.map(jnp.zeros_like, parameters) for _ in range(2)]
    state = (parameters, *zeros, jnp.zeros(()), statistics, jax.random.key(1))
    images, labels = jax.device_put(images), jax.device_put(labels)
    draw, total, done = np.random.default_rng(config.seed), config.epochs * steps, 0

    def train() -> object:
        nonlocal state, done
        order = draw.permutation(len(images))[: steps * rows].reshape(steps, rows).astype(np.int32)
        rates = np.full(steps, config.learning_rate, np.float32)
        if config.schedule == "one-cycle":
            rates[:] = [one_cycle(step, total, config.learning_rate) for step in range(done, done + steps)]
        state, figures = epoch(state, order, rates, images, labels)
        done += steps
        return jax.block_until_ready((state, figures))

    def accuracy(images: jax.Array, labels: jax.Array) -> float:
        return float(right(state[0], state[4], images, labels))

    return train, accuracy, steps
