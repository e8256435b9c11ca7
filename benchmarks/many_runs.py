"""How long the server takes for the Runs page: `python -m benchmarks.many_runs [runs] [rounds]`.

Fills a store of its own with made-up runs of 30 epochs, then plays a visitor's clicks without a browser. Medians of
processor seconds; "first" is on a server that has read no epoch yet.
"""

import math
import os
import random
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from time import process_time

from benchmarks.look_inside import opened
from fmnist_core.config import PRESETS, RunConfig
from fmnist_core.data.sources import load
from fmnist_core.network.figures import EpochResult
from fmnist_core.settings import Limits, Settings
from fmnist_core.store.runs import Store
from fmnist_core.store.tables import EPOCHS, RUNS
from ui import handles

EPOCH_COUNT = 30
SELECTED = 6


def made_up(epoch: int, noise: random.Random) -> EpochResult:
    """Figures such as an epoch may have: validation loss falls and rises again."""
    training, validation = 0.1 + 0.6 * math.exp(-epoch / 12), 0.32 + 0.2 * math.exp(-epoch / 4) + 0.003 * epoch
    validation += noise.gauss(0, 0.005)
    return EpochResult(
        epoch=epoch,
        training_loss=training + 0.05,
        training_accuracy=1 - training / 3,
        evaluated_training_loss=training,
        evaluated_training_accuracy=1 - training / 3,
        validation_loss=validation,
        validation_accuracy=1 - validation / 3,
        validation_calibration_error=0.03,
        learning_rate=0.003,
        seconds=noise.uniform(0.8, 1.4),
    )


def fill(store: Store, count: int, fingerprint: str) -> list[str]:
    """Store so many finished runs; their keys."""
    noise = random.Random(0)
    configs = [
        replace(noise.choice(PRESETS).config, epochs=EPOCH_COUNT, dropout=noise.choice((0.0, 0.2, 0.5)), seed=seed)
        for seed in range(count)
    ]
    keys = store.request_all(configs, "Fashion-MNIST", fingerprint)
    with store.database.writing() as connection:
        for key in keys:
            epochs = [made_up(epoch, noise) for epoch in range(1, EPOCH_COUNT + 1)]
            connection.execute(EPOCHS.insert(), [{"run_key": key, **asdict(epoch)} for epoch in epochs])
            best = min(epochs, key=lambda epoch: epoch.validation_loss).epoch
            ended = {"status": "finished", "epochs_done": EPOCH_COUNT, "best_epoch": best}
            connection.execute(RUNS.update().where(RUNS.c.key == key).values(**ended, ended_at=store.database.now))
    return keys


def forget() -> None:
    """Forget all that the server knows of runs."""
    handles.shared_runs.clear()


def timed(work: Callable[[], object]) -> float:
    """Processor seconds of some work."""
    began = process_time()
    work()
    return process_time() - began


def main(count: int, rounds: int) -> None:
    """Print a line for each figure."""
    data = load(Settings.from_environment())
    with tempfile.TemporaryDirectory() as home:
        os.environ["DROPOUT_LAB_STORE"] = f"sqlite:///{home}/runs.sqlite"
        limits = Limits(waiting_runs=count + 1, visitor_runs=count + 1)
        store = Store(Settings.from_environment().database_url, limits)
        keys = fill(store, count, data.fingerprint)
        opened("runs")  # imports
        firsts, agains, selections, epochs = [], [], [], []
        training = store.request(RunConfig(epochs=200, seed=count), data.name, data.fingerprint)
        store.leases.claim(training, "benchmark")
        noise = random.Random(1)
        for number in range(1, rounds + 1):
            page = opened("data")
            forget()
            firsts.append(timed(page.switch_page("../pages/runs.py").run))
            agains.append(timed(page.run))
            store.leases.record_epoch(training, "benchmark", made_up(number, noise), b"", b"")
            handles.shared_runs().expect_news()
            epochs.append(timed(page.run))
            page.session_state["runs.chosen"] = keys[number * SELECTED : (number + 1) * SELECTED]
            selections.append(timed(page.run))
        looks = [timed(lambda: store.summaries_of(keys)) for _ in range(rounds)]
        figures = (
            ("first", firsts),
            ("of which to read all epochs", looks),
            ("again", agains),
            ("with a new epoch", epochs),
            (f"with {SELECTED} other runs selected", selections),
        )
        print(f"{count} runs of {EPOCH_COUNT} epochs")
        for name, times in figures:
            print(f"{name}: {statistics.median(times):.2f} s")
        handles.dispatcher().close()
        store.close()


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(*given, *(500, 5)[len(given) :]))
