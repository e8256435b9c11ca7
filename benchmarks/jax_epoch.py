"""The same network, recipe and step in JAX: an epoch is one compiled `lax.scan`. Needs `pip install jax`.

It is spared what ours does besides: images lie in memory as scaled floats, and the order is drawn beforehand.
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np

from fmnist_core.config import INPUTS, OUTPUTS, RunConfig


def jax_epochs(config: RunConfig, images: np.ndarray, labels: np.ndarray) -> tuple[Callable[[], object], int]:
    """What trains one epoch, compiled, and its number of steps; a last batch that is not full is left out."""
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

    def step(images, labels, state, places):
        parameters, means, squares, count, statistics, key = state
        key, drawn = jax.random.split(key)
        slopes = jax.value_and_grad(objective, has_aux=True)
        (loss, (statistics, correct)), gradients = slopes(parameters, statistics, images[places], labels[places], drawn)
        count = count + 1
        first, second = decay_rates
        means = jax.tree.map(lambda mean, slope: first * mean + (1 - first) * slope, means, gradients)
        squares = jax.tree.map(lambda square, slope: second * square + (1 - second) * slope**2, squares, gradients)

        def moved(value, mean, square):
            root = jnp.sqrt(square / (1 - second**count))
            return value - config.learning_rate * (mean / (1 - first**count)) / (root + 1e-8)

        parameters = jax.tree.map(moved, parameters, means, squares)
        return (parameters, means, squares, count, statistics, key), (loss, correct)

    @partial(jax.jit, donate_argnums=0)
    def epoch(state, order, images, labels):
        return jax.lax.scan(partial(step, images, labels), state, order)

    zeros = [jax.tree.map(jnp.zeros_like, parameters) for _ in range(2)]
    state = (parameters, *zeros, jnp.zeros(()), statistics, jax.random.key(1))
    images, labels = jax.device_put(images), jax.device_put(labels)
    draw = np.random.default_rng(config.seed)

    def train() -> object:
        nonlocal state
        order = draw.permutation(len(images))[: steps * rows].reshape(steps, rows).astype(np.int32)
        state, figures = epoch(state, order, images, labels)
        return jax.block_until_ready((state, figures))

    return train, steps
