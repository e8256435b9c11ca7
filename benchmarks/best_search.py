"""How the preset Best was chosen: `python -m benchmarks.best_search FOLDER [search|test]`.

`search` looks at validation figures alone. Every candidate first trains for ten epochs with one seed; those with the
highest validation accuracies, and neighbours of the best, then train for thirty. `test` trains what was chosen once on
all 60,000 images with ten seeds that the search has not used, and looks at the test set after the last epoch. Both add
a row for each run to a CSV file in FOLDER, and train nothing again whose row is there, so either may be broken off.

Beside each network stands what an average of its weights would have reached: of every step, in which older steps count
less and less. It is kept beside training, and changes nothing there.
"""

import argparse
import csv
import json
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from fmnist_core.config import RunConfig, count_parameters
from fmnist_core.data.dataset import Dataset
from fmnist_core.data.sources import load
from fmnist_core.data.split import Examples, split
from fmnist_core.network.evaluation import evaluate
from fmnist_core.network.model import MLP
from fmnist_core.network.training import Training
from fmnist_core.settings import Settings

MOST_PARAMETERS = 500_000
SEARCH_SEED = 101
TEST_SEEDS = tuple(range(10))
HALF_LIVES = (0.1, 0.5, 1.5)  # epochs after which a step counts half in an average of the weights
KEPT = {"wide": 2, "article": 1}  # candidates of each group that train for thirty epochs

_WIDE = RunConfig(
    hidden=(512, 128),
    batch_norm=True,
    dropout=0.35,
    learning_rate=0.004,
    schedule="one-cycle",
    batch_size=256,
    epochs=30,
)
_VARIED = replace(_WIDE, flips=True, dropout=0.2)
_ARTICLE_SIZES = replace(_VARIED, hidden=(256, 128, 64), dropout=0.1)

# Two groups: at most 500,000 parameters, and the article's own layers.
CANDIDATES: dict[str, dict[str, RunConfig]] = {
    "wide": {
        "dropout 0.35": _WIDE,
        "dropout 0.35, flips": replace(_WIDE, flips=True),
        "dropout 0.2, flips": _VARIED,
        "dropout 0.2, flips, pixels 0.1": replace(_VARIED, input_dropout=0.1),
        "dropout 0.2": replace(_WIDE, dropout=0.2),
        "dropout 0.2, flips, decay 0.1": replace(_VARIED, weight_decay=0.1),
        "dropout 0.2, flips, smoothing 0.1": replace(_VARIED, label_smoothing=0.1),
        "dropout 0.2, pixels 0.1": replace(_WIDE, dropout=0.2, input_dropout=0.1),
        "dropout 0.2, smoothing 0.1": replace(_WIDE, dropout=0.2, label_smoothing=0.1),
        "dropout 0.35, rate 0.008": replace(_WIDE, learning_rate=0.008),
    },
    "article": {
        "dropout 0.2": replace(_ARTICLE_SIZES, flips=False, dropout=0.2),
        "dropout 0.1, flips": _ARTICLE_SIZES,
        "dropout 0.1, smoothing 0.1": replace(_ARTICLE_SIZES, flips=False, label_smoothing=0.1),
        "dropout 0.1, decay 0.1": replace(_ARTICLE_SIZES, flips=False, weight_decay=0.1),
    },
}
# What stands beside the best of these after ten epochs: more dropout, which more epochs bear, and both that helped.
_BOTH = {"dropout": 0.2, "label_smoothing": 0.1, "weight_decay": 0.1}
NEIGHBOURS = {
    "wide": {
        "dropout 0.3, smoothing 0.1": replace(_WIDE, dropout=0.3, label_smoothing=0.1),
        "dropout 0.2, decay 0.1, smoothing 0.1": replace(_WIDE, **_BOTH),
    },
    "article": {"dropout 0.2, decay 0.1, smoothing 0.1": replace(_ARTICLE_SIZES, flips=False, **_BOTH)},
}
# What `search` found in November 2026. Both at once did no better among the wide ones (0.9121 against 0.9122).
CHOSEN = {"wide": "dropout 0.2, smoothing 0.1", "article": "dropout 0.2, decay 0.1, smoothing 0.1"}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One run at its last epoch. `averages`: accuracies of averaged weights, by HALF_LIVES."""

    stage: str  # "10 epochs", "30 epochs" or "test"
    group: str
    name: str
    config: str  # as JSON
    accuracy: float  # on validation images, which in the stage "test" are the test images
    loss: float
    averages: str
    seconds: float

    @property
    def average_accuracies(self) -> list[float]:
        return [float(accuracy) for accuracy in self.averages.split()]


class Averages:
    """Averages of a network's weights over its steps, one for each half-life."""

    def __init__(self, model: MLP, steps_an_epoch: int) -> None:
        self._model = model
        self._shares = [1 - 0.5 ** (1 / (half_life * steps_an_epoch)) for half_life in HALF_LIVES]
        self._weights = [[parameter.detach().clone() for parameter in model.parameters()] for _ in HALF_LIVES]

    @torch.no_grad()
    def take(self) -> None:
        """Let the weights of now count."""
        for share, weights in zip(self._shares, self._weights, strict=True):
            torch._foreach_lerp_(weights, list(self._model.parameters()), share)

    def evaluate(self, config: RunConfig, examples: Examples) -> list[float]:
        """The accuracy of each average, with the batch normalisation's means of the network as it is."""
        return [self._accuracy(config, weights, examples) for weights in self._weights]

    def _accuracy(self, config: RunConfig, weights: Sequence[Tensor], examples: Examples) -> float:
        model = MLP(config)
        model.load_state_dict(self._model.state_dict())
        with torch.no_grad():
            for parameter, average in zip(model.parameters(), weights, strict=True):
                parameter.copy_(average)
        return evaluate(model.eval(), examples).accuracy


def train(data: Dataset, config: RunConfig) -> tuple[float, float, list[float], float]:
    """Accuracy and loss on the validation images after the last epoch, those of the averages, and seconds."""
    began = time.perf_counter()
    parts = split(data, config.protocol, config.seed)
    steps = -(-len(parts.training) // config.batch_size)
    training = Training(config, parts, pulse=lambda share: averages.take() if share <= 0.9 else None)
    averages = Averages(training.model, steps)
    *_, last = training
    return (
        last.validation_accuracy,
        last.validation_loss,
        averages.evaluate(config, parts.validation),
        time.perf_counter() - began,
    )


class Table:
    """The rows of a CSV file, and a way to add one."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.rows: list[Row] = []
        if file.exists():
            with file.open(encoding="utf-8", newline="") as lines:
                for values in csv.DictReader(lines):
                    numbers = {name: float(values[name]) for name in ("accuracy", "loss", "seconds")}
                    self.rows.append(Row(**{**values, **numbers}))  # type: ignore[arg-type]  # csv gives text

    def run(self, data: Dataset, stage: str, group: str, name: str, config: RunConfig) -> Row:
        """The row of a run, trained now where it is not there yet."""
        text = json.dumps(config.to_dict())
        for row in self.rows:
            if (row.stage, row.config) == (stage, text):
                return row
        accuracy, loss, averages, seconds = train(data, config)
        row = Row(
            stage=stage,
            group=group,
            name=name,
            config=text,
            accuracy=accuracy,
            loss=loss,
            averages=" ".join(f"{average:.4f}" for average in averages),
            seconds=seconds,
        )
        is_new = not self._file.exists()
        with self._file.open("a", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, list(asdict(row)))
            if is_new:
                writer.writeheader()
            writer.writerow(asdict(row))
        self.rows.append(row)
        print(f"{stage} · {group} · {name} · seed {config.seed}: {accuracy:.4f}, averages {row.averages}", flush=True)
        return row


def best_first(rows: Iterable[Row]) -> list[tuple[str, float]]:
    """Names with their mean accuracies over seeds, the highest first."""
    accuracies: dict[str, list[float]] = {}
    for row in rows:
        accuracies.setdefault(row.name, []).append(row.accuracy)
    return sorted(((name, statistics.mean(found)) for name, found in accuracies.items()), key=lambda one: -one[1])


def search(data: Dataset, table: Table) -> dict[str, str]:
    """Name the best candidate of each group, by validation accuracy alone."""
    chosen = {}
    for group, candidates in CANDIDATES.items():
        for config in candidates.values():
            assert count_parameters(config) <= MOST_PARAMETERS, config
        short = [
            table.run(data, "10 epochs", group, name, replace(config, epochs=10, seed=SEARCH_SEED))
            for name, config in candidates.items()
        ]
        kept = {name: candidates[name] for name, _ in best_first(short)[: KEPT[group]]}
        long = [
            table.run(data, "30 epochs", group, name, replace(config, seed=SEARCH_SEED))
            for name, config in (kept | NEIGHBOURS[group]).items()
        ]
        ranking = best_first(long)
        chosen[group] = ranking[0][0]
        print(f"\n{group}: " + ", ".join(f"{name} {accuracy:.4f}" for name, accuracy in ranking) + "\n", flush=True)
    return chosen


def test(data: Dataset, table: Table) -> None:
    """Train what was chosen on all images, and look at the test set after the last epoch."""
    for group, name in CHOSEN.items():
        config = (CANDIDATES[group] | NEIGHBOURS[group])[name]
        rows = [
            table.run(data, "test", group, name, replace(config, protocol="article", seed=seed)) for seed in TEST_SEEDS
        ]
        accuracies = [row.accuracy for row in rows]
        print(f"{group}: {statistics.mean(accuracies):.4f} ± {statistics.stdev(accuracies):.4f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Search for the preset Best on validation images, or test the presets."
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("what", choices=("search", "test"), nargs="?", default="search")
    given = parser.parse_args()
    torch.set_num_threads(1)
    data = load(Settings.from_environment())
    assert data.is_real, data.notes
    table = Table(given.folder / "best_search.csv")
    (search if given.what == "search" else test)(data, table)


if __name__ == "__main__":
    main()
