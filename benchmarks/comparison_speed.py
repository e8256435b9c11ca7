"""The default comparison against the article's loop run twice in a row: `python -m benchmarks.comparison_speed`.

Ours is the real thing: two runs asked of the store, handed to worker processes, every epoch stored. The article's loop
runs once without and once with dropout, one after the other, on all cores. The two alternate; each round trains both
for EPOCHS epochs, and medians over the rounds are compared. Last, the time to gather the finished comparison again.
"""

import os
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch

from benchmarks.article_loop import article_epochs
from fmnist_core.comparison.progress import collect, stored_runs
from fmnist_core.comparison.study import Study
from fmnist_core.config import PRESETS
from fmnist_core.data.sources import load
from fmnist_core.jobs.dispatcher import Dispatcher
from fmnist_core.settings import Settings
from fmnist_core.store.runs import Store
from fmnist_core.store.shared_runs import SharedRuns

BAR = 6.0
EPOCHS = 5


def comparison_seconds(store: Store, dispatcher: Dispatcher, study: Study, data_name: str, fingerprint: str) -> float:
    """Wall-clock seconds from asking for a study until all its runs have finished."""
    began, pause = time.perf_counter(), threading.Event()
    keys = store.request_all(study.configs(), data_name, fingerprint)
    dispatcher.wake()
    while not all(run.status == "finished" for run in store.runs_of(keys).values()):
        pause.wait(0.02)
    return time.perf_counter() - began


def article_seconds(root: Path, epochs: int) -> float:
    """Wall-clock seconds of the article's loop, first without and then with dropout, on all cores."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    began = time.perf_counter()
    for dropout in (0.0, 0.2):
        for _ in islice(article_epochs(root, dropout=dropout), epochs):
            pass
    return time.perf_counter() - began


def main() -> int:
    """Print every pair and the ratio of the medians; the exit status says whether the bar is met."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    settings = Settings.from_environment()
    data = load(settings)
    assert data.is_real, data.notes
    pairs = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "FashionMNIST").mkdir()  # torchvision expects the files in a folder of this name
        (root / "FashionMNIST" / "raw").symlink_to(settings.data_cache.absolute())
        own = replace(settings, store_url=f"sqlite:///{root / 'runs.sqlite'}")
        store = Store(own.database_url)
        with Dispatcher(store, own) as dispatcher:
            study = Study(base=replace(PRESETS[0].config, epochs=1, seed=1000))
            comparison_seconds(store, dispatcher, study, data.name, data.fingerprint)  # warms the workers up
            print(f"{'article twice':>16} {'comparison':>16}   (seconds for {EPOCHS} epochs)")
            for seed in range(rounds):
                study = Study(base=replace(PRESETS[0].config, epochs=EPOCHS, seed=seed))
                theirs = article_seconds(root, EPOCHS)
                ours = comparison_seconds(store, dispatcher, study, data.name, data.fingerprint)
                pairs.append((theirs, ours))
                print(f"{theirs:>16.1f} {ours:>16.1f}", flush=True)
            began = time.perf_counter()
            shared = SharedRuns(store)
            collect(study, stored_runs(study, shared, data.fingerprint), shared)
            again = time.perf_counter() - began
        store.close()
    theirs, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"\nmedians of {rounds}: {theirs:.1f} s against {ours:.1f} s; asked for again: {again * 1000:.0f} ms")
    print(f"ratio {theirs / ours:.2f} (at least {BAR} asked for)")
    return 0 if theirs / ours >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
