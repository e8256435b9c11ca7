"""How the preset Best was chosen: `python -m benchmarks.best_search FOLDER [search|test]`, on a GPU where there is one.

`search` looks at validation figures alone, of the last of 30 epochs. Recipes are drawn at random from SPACES; round by
round fewer of them go on, with further seeds. `test` trains what was chosen on all 60,000 images with ten seeds that
the search has not used, and looks at the test set once, after the last epoch. Both add a row for each run to
`best_search.csv` in FOLDER, and train nothing again whose row is there, so either may be broken off.

`benchmarks/best_search.csv` is what they found in November 2026 on an NVIDIA H100, in six minutes. Rows of the stage
"wider search" are those of the search before, from which the spaces were made narrower.
"""

import argparse
import csv
import json
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from fmnist_core.config import RunConfig, count_parameters
from fmnist_core.data.dataset import Dataset
from fmnist_core.data.sources import load
from fmnist_core.data.split import split
from fmnist_core.network.figures import EpochResult
from fmnist_core.network.shape import shape_of
from fmnist_core.network.stacked_training import StackedTraining
from fmnist_core.network.training import Training
from fmnist_core.settings import Settings

MOST_PARAMETERS = 500_000
MOST_RUNS = 64  # in one program


@dataclass(frozen=True)
class Round:
    """How many recipes of each group take part, and the seeds that each is trained with."""

    recipes: int
    seeds: range


ROUNDS = (Round(120, range(101, 103)), Round(20, range(103, 107)), Round(6, range(107, 117)))
TEST_SEEDS = range(10)

_FIXED: dict[str, Any] = {"batch_norm": True, "schedule": "one-cycle", "epochs": 30}
# A first search went wider: of 104 recipes with two seeds each, those that move images lost 0.8 points of validation
# accuracy within 30 epochs, those that mirror them 0.3, a decay of 0.2 or more 0.7, a rate of 0.016 0.8.
_VARIED: dict[str, Sequence[Any]] = {
    "dropout": (0.05, 0.1, 0.15, 0.2, 0.25, 0.3),
    "input_dropout": (0.0, 0.05, 0.1),
    "label_smoothing": (0.0, 0.05, 0.1, 0.15, 0.2),
    "weight_decay": (0.0, 0.02, 0.05, 0.1),
    "learning_rate": (0.001, 0.002, 0.004, 0.008),
    "batch_size": (128, 256, 512),
}
# Two groups: at most 500,000 parameters, and the article's own layers.
SPACES: dict[str, dict[str, Sequence[Any]]] = {
    "wide": {**_VARIED, "hidden": ((512, 128), (416, 256, 128))},
    "article": {**_VARIED, "hidden": ((256, 128, 64),)},
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One run at its last epoch."""

    stage: str  # "search", "test", or "wider search", which came first
    group: str
    config: str  # what was varied, as JSON
    seed: int
    accuracy: float  # on validation images, which in the stage "test" are the test images
    loss: float


class Table:
    """The rows of a CSV file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.rows: list[Row] = []
        if file.exists():
            with file.open(encoding="utf-8", newline="") as lines:
                for values in csv.DictReader(lines):
                    numbers = {name: float(values[name]) for name in ("accuracy", "loss")}
                    self.rows.append(Row(**{**values, **numbers, "seed": int(values["seed"])}))  # type: ignore[arg-type]  # csv gives text

    def add(self, rows: Iterable[Row]) -> None:
        """Keep rows, here and in the file."""
        rows, is_new = list(rows), not self._file.exists()
        with self._file.open("a", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, list(Row.__dataclass_fields__), lineterminator="\n")
            if is_new:
                writer.writeheader()
            writer.writerows(map(asdict, rows))
        self.rows += rows

    def has(self, stage: str, config: RunConfig) -> bool:
        """Whether the run has a row."""
        return any((row.stage, row.config, row.seed) == (stage, _text(config), config.seed) for row in self.rows)

    def ranking(self, group: str, recipes: Iterable[RunConfig]) -> list[tuple[RunConfig, list[float]]]:
        """The recipes with the validation accuracies of their seeds, the highest mean first."""
        by_recipe = {_text(recipe): recipe for recipe in recipes}
        found = defaultdict(list)
        for row in self.rows:
            if (row.stage, row.group) == ("search", group) and row.config in by_recipe:
                found[row.config].append(row.accuracy)
        ranked = sorted(found.items(), key=lambda one: -statistics.mean(one[1]))
        return [(by_recipe[text], accuracies) for text, accuracies in ranked]


def _text(config: RunConfig) -> str:
    values = config.to_dict()
    return json.dumps({name: values[name] for name in SPACES["wide"]})


def drawn(group: str, count: int) -> list[RunConfig]:
    """So many different recipes of a group, always the same."""
    chance, recipes = random.Random(group), {}
    while len(recipes) < count:
        recipe = RunConfig(**_FIXED, **{name: chance.choice(values) for name, values in SPACES[group].items()})
        assert count_parameters(recipe) <= MOST_PARAMETERS, recipe
        recipes[_text(recipe)] = recipe
    return list(recipes.values())


def train(data: Dataset, device: str, table: Table, stage: str, group: str, configs: Sequence[RunConfig]) -> None:
    """Give each of the runs its row; those of one shape are trained together."""
    shapes = defaultdict(list)
    for config in configs:
        if not table.has(stage, config):
            shapes[shape_of(config)].append(config)
    for alike in shapes.values():
        for start in range(0, len(alike), MOST_RUNS):
            began = time.perf_counter()
            members = alike[start : start + MOST_RUNS]
            stack = StackedTraining([Training(each, split(data, each.protocol, each.seed)) for each in members], device)
            for _ in range(members[0].epochs):
                results = stack.run_epoch()
            table.add(
                Row(
                    stage=stage,
                    group=group,
                    config=_text(training.config),
                    seed=training.config.seed,
                    accuracy=round(result.validation_accuracy, 4),
                    loss=round(result.validation_loss, 4),
                )
                for training, result in zip(stack.trainings, results, strict=True)
                if isinstance(result, EpochResult)
            )
            print(f"{group}: {len(members)} runs in {time.perf_counter() - began:.0f} s", flush=True)


def search(data: Dataset, device: str, table: Table) -> dict[str, RunConfig]:
    """The best recipe of each group, by validation accuracy alone."""
    chosen = {}
    for group in SPACES:
        recipes = drawn(group, ROUNDS[0].recipes)
        for turn in ROUNDS:
            recipes = recipes[: turn.recipes]
            runs = [replace(recipe, seed=seed) for recipe in recipes for seed in turn.seeds]
            train(data, device, table, "search", group, runs)
            ranked = table.ranking(group, recipes)
            recipes = [recipe for recipe, _ in ranked]
            print(f"\n{group}: best of {len(recipes)}")
            for recipe, accuracies in ranked[:5]:
                print(f"  {statistics.mean(accuracies):.4f} over {len(accuracies)} seeds: {_text(recipe)}", flush=True)
        chosen[group] = recipes[0]
    return chosen


def test(data: Dataset, device: str, table: Table, chosen: dict[str, RunConfig]) -> None:
    """Train what was chosen on all images, and look at the test set after the last epoch."""
    for group, recipe in chosen.items():
        runs = [replace(recipe, protocol="article", seed=seed) for seed in TEST_SEEDS]
        train(data, device, table, "test", group, runs)
        accuracies = [row.accuracy for row in table.rows if (row.stage, row.group) == ("test", group)]
        print(f"{group}: {statistics.mean(accuracies):.4f} ± {statistics.stdev(accuracies):.4f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Search for the preset Best on validation images, or test it.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("what", choices=("search", "test"), nargs="?", default="search")
    given = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(1)  # what draws has threads of its own
    data = load(Settings.from_environment())
    assert data.is_real, data.notes
    table = Table(given.folder / "best_search.csv")
    chosen = search(data, device, table)
    if given.what == "test":
        test(data, device, table, chosen)


if __name__ == "__main__":
    main()
