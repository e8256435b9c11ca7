"""Many runs as one program against runs one by one: `python -m benchmarks.stacked_speed [cpu|cuda]`.

Eight dropout rates with five seeds each, by the article's recipe and by Quick's; seconds an epoch, evaluation and all,
medians. Beside them one run alone on the same device, and the loop that trains a run on a processor, on one core.
"""

import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter

import torch

from fmnist_core.config import PRESETS, RunConfig
from fmnist_core.data.dataset import Dataset
from fmnist_core.data.sources import load
from fmnist_core.data.split import split
from fmnist_core.network.stacked_training import StackedTraining
from fmnist_core.network.training import Training
from fmnist_core.settings import Settings

EPOCHS = 5  # after one that gets everything ready
RATES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
SEEDS = range(5)
RECIPES = {
    "the article's": RunConfig(protocol="article"),
    "Quick's": replace(next(preset.config for preset in PRESETS if preset.name == "Quick"), epochs=30),
}


def seconds_an_epoch(run_epoch: Callable[[], object]) -> float:
    """The median of a few epochs."""
    run_epoch()
    seconds = []
    for _ in range(EPOCHS):
        began = perf_counter()
        run_epoch()
        seconds.append(perf_counter() - began)
    return statistics.median(seconds)


def stack(data: Dataset, configs: Sequence[RunConfig], device: str) -> StackedTraining:
    """These runs as one program."""
    trainings = [Training(config, split(data, config.protocol, config.seed)) for config in configs]
    return StackedTraining(trainings, device)


def main() -> None:
    """Print one Markdown row a recipe."""
    device = sys.argv[1] if len(sys.argv) > 1 else "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(1)  # what draws has threads of its own
    data = load(Settings.from_environment())
    assert data.is_real, data.notes
    name = torch.cuda.get_device_name() if device == "cuda" else "a processor"
    print(f"seconds an epoch, medians of {EPOCHS}; torch {torch.__version__}, {name}\n")
    print("| recipe | 40 runs as one program | one of them alone there | one on a processor's core | times as fast |")
    print("|---|---|---|---|---|")
    for recipe, config in RECIPES.items():
        runs = [replace(config, dropout=rate, seed=seed) for rate in RATES for seed in SEEDS]
        together = seconds_an_epoch(stack(data, runs, device).run_epoch)
        alone = seconds_an_epoch(stack(data, [replace(config, dropout=0.2)], device).run_epoch)
        with_dropout = replace(config, dropout=0.2)
        core = seconds_an_epoch(Training(with_dropout, split(data, config.protocol, 0)).run_epoch)
        times = len(runs) * core / together
        print(f"| {recipe} | {together:.3f} | {alone:.3f} | {core:.2f} | {times:.0f} |", flush=True)


if __name__ == "__main__":
    main()
