"""What each preset reaches on the test set, over several seeds: `python -m benchmarks.presets [seeds]`."""

import statistics
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import torch

from fmnist_core.config import PRESETS, RunConfig
from fmnist_core.data.sources import load
from fmnist_core.data.split import Examples, split
from fmnist_core.network.evaluation import evaluate
from fmnist_core.network.figures import EpochResult
from fmnist_core.network.training import Training
from fmnist_core.settings import Settings


def last_epoch(config: RunConfig) -> tuple[EpochResult, float, float, float]:
    """The last epoch, its test loss and test accuracy, and the seconds that all epochs took."""
    torch.set_num_threads(1)
    data = load(Settings.from_environment())
    assert data.is_real, data.notes
    training = Training(config, split(data, config.protocol, config.seed))
    results = list(training)
    test = evaluate(training.model, Examples.all(data.test_images, data.test_labels))
    return results[-1], test.loss, test.accuracy, sum(result.seconds for result in results)


def spread(values: list[float], digits: int) -> str:
    """Mean and standard deviation, worded."""
    deviation = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.{digits}f}{deviation}"


def main() -> None:
    """Print one Markdown row a preset; the figures are those of the last epoch, not of the luckiest."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print(f"{seeds} seeds a preset, last epoch, one thread a run, two runs at a time\n")
    print("| preset | training loss | validation loss | test loss | test accuracy (%) | seconds a run |")
    print("|---|---|---|---|---|---|")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for preset in PRESETS:
            runs = list(pool.map(last_epoch, [replace(preset.config, seed=seed) for seed in range(seeds)]))
            columns = (
                spread([last.evaluated_training_loss for last, *_ in runs], 3),
                spread([last.validation_loss for last, *_ in runs], 3),
                spread([loss for _, loss, *_ in runs], 3),
                spread([100 * accuracy for _, _, accuracy, _ in runs], 2),
                f"{statistics.median([seconds for *_, seconds in runs]):.0f}",
            )
            print(f"| {preset.name} | {' | '.join(columns)} |", flush=True)


if __name__ == "__main__":
    main()
