"""One epoch of ours on one thread against one of the article's loop on all cores: `python -m benchmarks.epoch_speed`.

Both train on all 60,000 images with the article's recipe and evaluate on the test set; ours evaluates on 10,000
training images as well. They alternate in one process, so that both meet the same other load; medians are compared.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from dask.system import CPU_COUNT

from benchmarks.article_loop import article_epochs
from fmnist_core.config import RunConfig
from fmnist_core.data.sources import load
from fmnist_core.data.split import split
from fmnist_core.network.training import train
from fmnist_core.settings import Settings

BAR = 3.5


def seconds(work: Callable[[], object], threads: int) -> float:
    """Wall-clock seconds of `work` with this many threads."""
    torch.set_num_threads(threads)
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> int:
    """Print every pair and the ratio of the medians; the exit status says whether the bar is met."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    settings = Settings.from_environment()
    data = load(settings)
    assert data.is_real, data.notes
    parts = split(data, "article", seed=0)
    cores = CPU_COUNT
    with tempfile.TemporaryDirectory() as root:
        # torchvision expects the files in a folder of this name.
        (Path(root) / "FashionMNIST").mkdir()
        (Path(root) / "FashionMNIST" / "raw").symlink_to(settings.data_cache.absolute())
        article = article_epochs(Path(root))
        plain = train(RunConfig(protocol="article", epochs=200), parts)
        dropping = train(RunConfig(protocol="article", epochs=200, dropout=0.2), parts)
        pairs = []
        print(f"{'article, all cores':>20} {'ours, one thread':>20} {'with dropout 0.2':>20}   (seconds an epoch)")
        for _ in range(rounds):
            pairs.append(
                (
                    seconds(lambda: next(article), cores),
                    seconds(lambda: next(plain), 1),
                    seconds(lambda: next(dropping), 1),
                )
            )
            print(" ".join(f"{value:>20.2f}" for value in pairs[-1]), flush=True)
    theirs, ours, with_dropout = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"\n{cores} cores, medians of {rounds}: {theirs:.2f} s against {ours:.2f} s and {with_dropout:.2f} s")
    print(f"ratio {theirs / ours:.2f} (at least {BAR} asked for), with dropout {theirs / with_dropout:.2f}")
    return 0 if theirs / ours >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
