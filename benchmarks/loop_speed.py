"""The training loop alone, without evaluation, on one core: `python -m benchmarks.loop_speed [rounds]`.

Ours against the loop as one writes it with autograd, against JAX where it is installed (`pip install jax`), and
against its own matrix products. They take turns, and processor time is what counts. The medians of the ratios within
a round are compared.
"""

import statistics
import sys
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec

import torch

from benchmarks.contenders.products import products as products_of
from benchmarks.plain_loop import PlainLoop
from benchmarks.turns import take_turns
from fmnist_core.config import PRESETS, RunConfig
from fmnist_core.data.sources import load
from fmnist_core.data.split import Split, split
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
PRODUCT_STEPS = 200


# Each trains an epoch at every step of its iterator, and gives the number of the epoch's steps.


def ours(config: RunConfig) -> Iterator[int]:
    """The lab's own loop."""
    training = Training(config, parts(config))
    while True:
        training._train_epoch(1)
        yield len(training.sizes)


def plain(config: RunConfig) -> Iterator[int]:
    """Autograd and PyTorch's optimiser."""
    loop = PlainLoop(config, parts(config))
    while True:
        loop.train_epoch(1)
        yield len(loop.bounds)


def jax(config: RunConfig) -> Iterator[int]:
    """One compiled `lax.scan`."""
    from benchmarks.contenders.jax_scan import compiled

    images, labels = Batches(parts(config).training).take(slice(None))
    train, _, steps = compiled(config, images.numpy(), labels.numpy())
    while True:
        train()
        yield steps


def products(config: RunConfig) -> Iterator[int]:
    """The matrix products of ours, and nothing else."""
    torch.set_num_threads(1)
    there, back = products_of(config, config.batch_size)
    while True:
        for _ in range(PRODUCT_STEPS):
            there()
            back()
        yield PRODUCT_STEPS


def parts(config: RunConfig) -> Split:
    """What is trained on, for one thread."""
    torch.set_num_threads(1)
    return split(load(Settings.from_environment()), config.protocol, config.seed)


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
        turns = take_turns([partial(make, config) for make in contestants], rounds, one_core=True)
        found = [[1000 * turn.processor_seconds / turn.brought for turn in column] for column in turns]
        cells = []
        for make, column in zip(contestants, found, strict=True):
            ratios = [value / own for value, own in zip(column, found[0], strict=True)]
            ratio = statistics.median(1 / each for each in ratios) if make is products else statistics.median(ratios)
            cells.append(f"{statistics.median(column):.2f}" + (f" ({ratio:.2f})" if make is not ours else ""))
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
