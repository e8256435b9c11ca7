"""The training loop alone, without evaluation, on one core: `python -m benchmarks.loop_speed [rounds]`.

Ours against the loop as one writes it with autograd, against JAX where it is installed (`pip install jax`), and
against its own matrix products. Each has a process of its own on the same core; they take turns, so that all meet the
same other load, and processor time is what counts. The medians of the ratios within a round are compared.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from itertools import pairwise
from multiprocessing import get_context
from multiprocessing.connection import Connection

import torch

from benchmarks.plain_loop import PlainLoop
from fmnist_core.config import INPUTS, OUTPUTS, PRESETS, RunConfig
from fmnist_core.data.sources import load
from fmnist_core.data.split import split
from fmnist_core.network.batches import Batches
from fmnist_core.network.training import Training
from fmnist_core.settings import Settings

QUICK = next(preset.config for preset in PRESETS if preset.name == "Quick")
RECIPES = {
    "the article's": RunConfig(),
    "with dropout 0.2": RunConfig(dropout=0.2),
    "with dropout 0.2 and batch norm": RunConfig(dropout=0.2, batch_norm=True),
    "the article's in batches of 256": RunConfig(batch_size=256),
    "Quick": QUICK,
}
Epoch = tuple[Callable[[], object], int]  # what trains one, and its number of steps


def ours(config: RunConfig) -> Epoch:
    """The lab's own loop."""
    training = Training(config, split(load(Settings.from_environment()), config.protocol, config.seed))
    return lambda: training._train_epoch(1), len(training._sizes)


def plain(config: RunConfig) -> Epoch:
    """Autograd and PyTorch's optimiser."""
    loop = PlainLoop(config, split(load(Settings.from_environment()), config.protocol, config.seed))
    return lambda: loop.train_epoch(1), len(loop.bounds)


def jax(config: RunConfig) -> Epoch:
    """One compiled `lax.scan`."""
    from benchmarks.jax_epoch import jax_epochs

    parts = split(load(Settings.from_environment()), config.protocol, config.seed)
    images, labels = Batches(parts.training).take(slice(None))
    return jax_epochs(config, images.numpy(), labels.numpy())


def products(config: RunConfig) -> Epoch:
    """The matrix products of ours, and nothing else."""
    steps, rows = 200, config.batch_size
    layers = []
    for inputs, outputs in pairwise((INPUTS, *config.hidden, OUTPUTS)):
        weight, entering, slopes = torch.randn(outputs, inputs), torch.randn(rows, inputs), torch.randn(rows, outputs)
        layers.append((weight, entering, slopes, *map(torch.empty_like, (weight, entering, slopes))))

    def run() -> None:
        for _ in range(steps):
            for weight, entering, _, _, _, sums in layers:
                torch.mm(entering, weight.t(), out=sums)
            for index, (weight, entering, slopes, gradient, below, _) in reversed([*enumerate(layers)]):
                torch.mm(slopes.t(), entering, out=gradient)
                if index:
                    torch.mm(slopes, weight, out=below)

    return run, steps


def serve(connection: Connection, core: int, make: Callable[[RunConfig], Epoch], config: RunConfig) -> None:
    """Train an epoch whenever asked to, and answer with its milliseconds a step."""
    with suppress(AttributeError):  # where a process cannot be held to a core, one thread still is one
        os.sched_setaffinity(0, {core})
    torch.set_num_threads(1)
    train, steps = make(config)
    train()  # compiles, and fills what is laid out once
    connection.send(None)
    while connection.recv():
        began = time.process_time()
        train()
        connection.send(1000 * (time.process_time() - began) / steps)


def turns(config: RunConfig, contestants: list[Callable[[RunConfig], Epoch]], rounds: int) -> list[list[float]]:
    """Milliseconds a step of each contestant, round by round."""
    context, core = get_context("spawn"), max(getattr(os, "sched_getaffinity", lambda _: {0})(0))
    pipes, processes = [], []
    for make in contestants:
        near, far = context.Pipe()
        processes.append(context.Process(target=serve, args=(far, core, make, config)))
        processes[-1].start()
        pipes.append(near)
    for pipe in pipes:
        pipe.recv()

    def turn(pipe: Connection) -> float:
        pipe.send(True)
        return pipe.recv()

    found = [[turn(pipe) for pipe in pipes] for _ in range(rounds)]
    for pipe, process in zip(pipes, processes, strict=True):
        pipe.send(False)
        process.join()
    return found


def main() -> None:
    """Print one Markdown row a recipe."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    assert load(Settings.from_environment()).is_real
    contestants = [ours, plain, products, *([jax] if find_spec("jax") else [])]
    print(
        f"milliseconds a step on one core, medians of {rounds} rounds; in brackets: times ours (products: ours by it)\n"
    )
    print(f"| recipe | {' | '.join(make.__name__ for make in contestants)} |")
    print("|---" * (len(contestants) + 1) + "|")
    for name, config in RECIPES.items():
        found = turns(config, contestants, rounds)
        cells = []
        for make, column in zip(contestants, zip(*found, strict=True), strict=True):
            ratios = [value / row[0] for value, row in zip(column, found, strict=True)]
            ratio = statistics.median(1 / each for each in ratios) if make is products else statistics.median(ratios)
            cells.append(f"{statistics.median(column):.2f}" + (f" ({ratio:.2f})" if make is not ours else ""))
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
