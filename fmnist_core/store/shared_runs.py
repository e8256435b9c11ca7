"""What the store holds of runs, read once for all who look on.

Fifty visitors of a live page must not ask the database fifty times: with SQLite's rollback journal each reader holds up
the workers' writes (see `journal_mode`). Here one of them reads, and all look at what it found.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Literal, TypeVar

import pandas as pd

from fmnist_core.network.figures import Evaluation
from fmnist_core.store.run import Run, Weights
from fmnist_core.store.runs import Store
from fmnist_core.store.summaries import Summary

LOOK_SECONDS = 0.25  # how old what is seen may be
SOON_SECONDS = 0.1  # and how old while somebody waits for what they have just asked for,
EXPECTING_SECONDS = 3.0  # which is so long
END_SECONDS = 0.4  # how long who stops a run waits for its end before seeing a page; a worker takes half of it
END_LOOK_SECONDS = 0.02
KEPT_RUNS = 1024  # runs whose epochs are kept; thirty epochs take about 10 KB

Result = TypeVar("Result")


class SharedRuns:
    """The runs of a store in memory, brought up to date when somebody looks, and never more often than needed.

    What was read is kept until the store has something newer: of a run that ended nothing is read again. Every method
    may be called from any thread, and raises StoreError as the store's own do. Frames are shared and must not be
    changed.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._looked_at = -float("inf")
        self._expecting_until = -float("inf")
        self._runs: dict[str, Run] = {}  # oldest first
        self._epochs: dict[str, pd.DataFrame] = {}
        self._summaries: dict[str, tuple[int, Summary]] = {}  # with the epochs that they are of
        self._tests: dict[str, tuple[str, dict[Weights, Evaluation]]] = {}  # with the version that they belong to
        self._worked_out: dict[Callable[[list[Run]], Any], tuple[dict[str, Run], Any]] = {}  # with the runs of then

    def expect_news(self) -> None:
        """Let the next look read the store, however short ago the last one was, and the looks after it sooner.

        Something was just written, and will have an answer in a moment.
        """
        self._looked_at = -float("inf")
        self._expecting_until = time.monotonic() + EXPECTING_SECONDS

    def wait_until_ended(self, keys: Collection[str], seconds: float = END_SECONDS) -> None:
        """Wait until none of these runs is active any more, but no longer than so many seconds.

        Who stops a run then sees at once that it has stopped, and not first a page on which it still runs.
        """
        until, pause = time.monotonic() + seconds, threading.Event()
        self.expect_news()
        while any(run.is_active for run in self.runs_of(keys).values()) and time.monotonic() < until:
            pause.wait(END_LOOK_SECONDS)
            self.expect_news()

    def look(self) -> None:
        """Bring the runs up to date, if what is known is older than it may be; who comes meanwhile need not wait."""
        if self._is_fresh():
            return
        # The first look, and one after a write, must be waited for; else the runs of a moment ago will do.
        if not self._lock.acquire(blocking=self._looked_at < 0 or not self._runs):
            return
        try:
            if self._is_fresh():
                return
            began = time.monotonic()
            found = self._store.changed_runs(self._runs.values())
            fresh = {run.key: run for run in found if self._runs.get(run.key) != run}
            if fresh:
                for run in fresh.values():
                    if run.status == "deleted" or run.number != getattr(self._runs.get(run.key), "number", run.number):
                        self._epochs.pop(run.key, None)
                        self._tests.pop(run.key, None)
                        self._summaries.pop(run.key, None)
                self._runs = {**self._runs, **fresh}
            self._looked_at = began
        finally:
            self._lock.release()

    def _is_fresh(self) -> bool:
        now = time.monotonic()
        oldest = min(SOON_SECONDS, LOOK_SECONDS) if now < self._expecting_until else LOOK_SECONDS
        return now - self._looked_at < oldest

    def runs(self) -> list[Run]:
        """All runs, newest first."""
        self.look()
        return _listed(self._runs)

    def of_all(self, work: Callable[[list[Run]], Result]) -> Result:
        """What `work` makes of all runs, newest first: worked out once for everybody, until a look finds news."""
        self.look()
        runs = self._runs
        if work not in self._worked_out or self._worked_out[work][0] is not runs:
            self._worked_out[work] = (runs, work(_listed(runs)))
        result: Result = self._worked_out[work][1]
        return result

    def run(self, key: str) -> Run | None:
        """The run with this key, or None."""
        return self.runs_of([key]).get(key)

    def deleted(self, key: str) -> Run | None:
        """The run with this key where it was deleted: its number and its settings are always left."""
        self.look()
        run = self._runs.get(key)
        return run if run is not None and run.status == "deleted" else None

    def lately_deleted(self) -> list[Run]:
        """Deleted runs that can still come back, newest deletion first."""
        self.look()
        runs = [run for run in self._runs.values() if run.status == "deleted" and run.status_before is not None]
        return sorted(runs, key=lambda run: (-(run.changed_at or 0.0), -run.number))

    def runs_of(self, keys: Collection[str]) -> dict[str, Run]:
        """The runs with these keys, as far as there are any."""
        self.look()
        runs = self._runs
        return {run.key: run for run in _there(runs[key] for key in keys if key in runs)}

    def epochs_of(self, runs: Collection[Run]) -> dict[str, pd.DataFrame]:
        """The epochs of each run up to `epochs_done`, as `Store.epochs` gives them, under its key."""
        missing = [run.key for run in runs if len(self._epochs.get(run.key, ())) < run.epochs_done]
        if missing:
            read = self._store.epochs_of(missing)
            with self._lock:
                self._epochs |= read
                for key in list(self._epochs)[: max(0, len(self._epochs) - max(KEPT_RUNS, len(runs)))]:
                    del self._epochs[key]
        found = {}
        for run in runs:
            epochs = self._epochs.get(run.key)
            if epochs is None or len(epochs) < run.epochs_done:
                epochs = self._store.epochs(run.key)  # none yet, or dropped by somebody who looks at very many
            found[run.key] = epochs if len(epochs) == run.epochs_done else epochs.head(run.epochs_done)
        return found

    def epochs(self, run: Run) -> pd.DataFrame:
        """The epochs of one run, as `epochs_of`."""
        return self.epochs_of([run])[run.key]

    def summaries_of(self, runs: Collection[Run]) -> dict[str, Summary]:
        """Each run's epochs in short, as `Store.summaries_of`: read for all at once, and again where there are more."""
        kept = self._summaries
        missing = [run.key for run in runs if run.epochs_done and kept.get(run.key, (0,))[0] < run.epochs_done]
        if missing:
            read = self._store.summaries_of(missing)
            kept |= {key: (len(summary.validation_losses), summary) for key, summary in read.items()}
        return {run.key: kept[run.key][1] for run in runs if run.epochs_done and run.key in kept}

    def tests_of(self, runs: Collection[Run]) -> dict[str, dict[Weights, Evaluation]]:
        """The test figures of each run, as `Store.tests` gives them, under its key."""
        ended = [run for run in runs if not run.is_active]
        missing = [run.key for run in ended if self._tests.get(run.key, ("",))[0] != run_version(run)]
        if missing:
            read = self._store.tests_of(missing)
            self._tests |= {run.key: (run_version(run), read[run.key]) for run in ended if run.key in read}
        return {run.key: self._tests[run.key][1] if not run.is_active else {} for run in runs}

    def tests(self, run: Run) -> dict[Weights, Evaluation]:
        """The test figures of one run, as `tests_of`."""
        return self.tests_of([run])[run.key]


def _listed(runs: dict[str, Run]) -> list[Run]:
    return sorted(_there(runs.values()), key=lambda run: -run.number)


def _there(runs: Iterable[Run]) -> list[Run]:
    return [run for run in runs if run.status != "deleted"]


def run_version(run: Run | None) -> str:
    """Changes with everything of a run that a page draws, but not with the share of its epoch that is done."""
    if run is None:
        return "-"
    return f"{run.number},{run.status},{run.cancel_requested:d},{run.epochs_done},{run.ended_at},{run.changed_at}"


def curves_version(run: Run, of: Literal["loss", "accuracy"] = "loss") -> str:
    """Changes with all that curves of a run show: those of losses also move within its first epochs."""
    return f"{run_version(run)},{len(run.early_losses) if of == 'loss' else 0}"


def run_state(run: Run | None) -> str:
    """Changes where a run begins, has its first epoch, is asked to stop, ends or is renamed; not with each epoch."""
    if run is None:
        return "-"
    return f"{run.status},{run.cancel_requested:d},{run.epochs_done > 0:d},{run.ended_at},{run.changed_at}"


def version(runs: Sequence[Run | None]) -> str:
    """One short name for all of several runs, in their order; equal where nothing that is drawn has changed."""
    return _short_name(map(run_version, runs))


def state(runs: Sequence[Run | None]) -> str:
    """One short name for the states of several runs, in their order, as `run_state` tells them."""
    return _short_name(map(run_state, runs))


def _short_name(parts: Iterable[str]) -> str:
    return hashlib.sha256(";".join(parts).encode()).hexdigest()[:16]
