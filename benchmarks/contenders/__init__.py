"""Who takes part in the table of `python -m benchmarks`, and with which recipes.

Each has a module here with `epochs(config, data)`: every step of this iterator trains one epoch of `config`, evaluates
the network on the test images, and gives its accuracy there. A module imports its library at the top, so it is
imported in the process that measures it alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

from fmnist_core.config import PRESETS, RunConfig

if TYPE_CHECKING:
    from fmnist_core.data.dataset import Dataset

ARTICLE = PRESETS[0].config
# What the article's recipe ends at as others published it, and what gets there: see `benchmarks.quickest_recipe`.
TARGET = 0.8795
RECIPE = RunConfig(
    batch_norm=True, learning_rate=0.004, schedule="one-cycle", batch_size=128, epochs=2, protocol="article"
)


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One row of the table. Its `recipe` is what it reaches an accuracy with; None: it learns nothing."""

    name: str
    module: str
    packages: tuple[str, ...] = ()  # that it needs besides the project's
    has_dropout: bool = True
    recipe: RunConfig | None

    @property
    def missing(self) -> list[str]:
        """The packages that it needs and that are not installed."""
        return [package for package in self.packages if find_spec(package) is None]


CONTENDERS = (
    Contender(name="the article's loop", module="article_loop", recipe=ARTICLE),
    Contender(name="Dropout Lab", module="lab", recipe=RECIPE),
    Contender(name="scikit-learn's MLPClassifier", module="sklearn_classifier", has_dropout=False, recipe=ARTICLE),
    Contender(name="JAX, an epoch as one `lax.scan`", module="jax_scan", packages=("jax",), recipe=RECIPE),
    Contender(name="Keras on JAX", module="keras_fit", packages=("keras", "jax"), recipe=RECIPE),
    Contender(name="Lightning", module="lightning_trainer", packages=("lightning",), recipe=RECIPE),
    Contender(name="matrix products alone", module="products", has_dropout=False, recipe=None),
)


def epochs(module: str, config: RunConfig, cache: Path, fingerprint: str) -> Iterator[float]:
    """A contender's epochs on mapped data."""
    data = _opened(cache, fingerprint)
    yield from import_module(f"{__name__}.{module}").epochs(config, data)


def runs_to(target: float, module: str, config: RunConfig, cache: Path, fingerprint: str) -> Iterator[int | None]:
    """First None, once library and data are there; then each step trains a run, with seed 0, 1 and so on.

    It gives the first epoch after which the test accuracy was at least `target`, or None where it never was.
    """
    contender, data = import_module(f"{__name__}.{module}"), _opened(cache, fingerprint)
    yield None
    for seed in count():
        accuracies = islice(contender.epochs(replace(config, seed=seed), data), config.epochs)
        yield next((epoch for epoch, accuracy in enumerate(accuracies, 1) if accuracy >= target), None)


def _opened(cache: Path, fingerprint: str) -> "Dataset":
    from fmnist_core.data.mapped import open_mapped  # here: numpy counts the cores where it is imported

    data = open_mapped(cache, fingerprint)
    assert data is not None, (cache, fingerprint)
    return data
