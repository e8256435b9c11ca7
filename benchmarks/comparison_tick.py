"""What an epoch of a large comparison costs the server: `python -m benchmarks.comparison_tick [rounds]`.

Eight arms with twenty seeds of thirty epochs each, in a store of its own. One run trains: its next epoch, and then its
end, is what each round finds. Prints medians of the processor time, which is spent once, however many look on.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from fmnist_core.comparison.arms import arm_table, better_arms
from fmnist_core.comparison.progress import Collected, collect, stored_runs
from fmnist_core.comparison.study import Study
from fmnist_core.comparison.tables import study_table
from fmnist_core.comparison.verdict import conclude
from fmnist_core.config import RunConfig
from fmnist_core.network.figures import EpochResult, Evaluation
from fmnist_core.store.runs import Store
from fmnist_core.store.shared_runs import SharedRuns
from ui.drawn_once import arm_curves_of

STUDY = Study(base=RunConfig(hidden=(16,), epochs=30), levels=(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7), seeds=20)
_FINGERPRINT = "f" * 16

Result = TypeVar("Result")


def result(epoch: int, chance: np.random.Generator) -> EpochResult:
    """An epoch with figures that nobody has."""
    loss, accuracy = 0.3 + 0.5 / epoch + 0.01 * chance.random(), 0.88 + 0.01 * chance.random()
    return EpochResult(
        epoch=epoch,
        training_loss=loss,
        training_accuracy=accuracy,
        evaluated_training_loss=loss - 0.05,
        evaluated_training_accuracy=accuracy,
        validation_loss=loss + 0.02,
        validation_accuracy=accuracy - 0.02,
        validation_calibration_error=0.05,
        learning_rate=0.003,
        seconds=1.5,
    )


def fill(store: Store) -> str:
    """Store all runs, finished but for the last one, which has all epochs but ten; its key."""
    chance = np.random.default_rng(0)
    keys = store.request_all(STUDY.configs(), "Nothing", _FINGERPRINT)
    for key in keys:
        store.leases.claim(key, "benchmark")
        epochs = 20 if key == keys[-1] else 30
        for epoch in range(1, epochs + 1):
            store.leases.record_epoch(key, "benchmark", result(epoch, chance), b"", None)
        if key != keys[-1]:
            tests = {kind: Evaluation(0.4 + 0.01 * chance.random(), 0.87 + 0.01 * chance.random(), 0.05)
                     for kind in ("best", "last")}  # fmt: skip
            store.leases.end(key, "benchmark", "finished", last=b"", tests=tests)
    return keys[-1]


def timed(work: Callable[..., Result], *given: object) -> tuple[Result, float]:
    """What `work` makes of what is given, and the milliseconds of this process's time that it took."""
    began = time.process_time()
    made = work(*given)
    return made, 1000 * (time.process_time() - began)


def look(shared: SharedRuns) -> Collected:
    """Read what is new, and gather the comparison."""
    return collect(STUDY, stored_runs(STUDY, shared, _FINGERPRINT), shared)


def curves(now: Collected) -> tuple[str, ...]:
    """What is sent for an epoch: the arms' panels."""
    return arm_curves_of(STUDY, now, now.version, "loss", False, False, False)


def answers(now: Collected) -> object:
    """What the end of a run changes besides: the answer, the table, its stars."""
    verdict = conclude(now.runs, STUDY.factor, 0.0, 0.1, True)
    return verdict, study_table(arm_table(now.runs, True), better_arms(now.runs, True), STUDY.factor)


def main(rounds: int) -> None:
    chance = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{Path(folder) / 'runs.sqlite'}")
        key = fill(store)
        shared = SharedRuns(store)
        curves(look(shared))  # the first time imports what it needs
        found: dict[str, list[float]] = {"read and collect": [], "curves": [], "answer and table": []}
        for epoch in range(21, 21 + min(rounds, 10)):
            store.leases.record_epoch(key, "benchmark", result(epoch, chance), b"", None)
            shared.expect_news()
            now, read = timed(look, shared)
            _, drawn = timed(curves, now)
            _, answered = timed(answers, now)
            for values, milliseconds in zip(found.values(), (read, drawn, answered), strict=True):
                values.append(milliseconds)
        store.close()
    print(f"{len(STUDY.levels)} arms, {STUDY.seeds} seeds, medians of {rounds}, in ms of processor time:")
    for name, values in found.items():
        print(f"{name:>20} {statistics.median(values):7.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
