"""The stored runs of a comparison, and how far it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from fmnist_core.comparison.arms import ArmRun
from fmnist_core.comparison.factors import Level
from fmnist_core.comparison.grid import Grid
from fmnist_core.comparison.study import Study
from fmnist_core.network.figures import TRAINING_VERSION
from fmnist_core.results.outlook import Outlook
from fmnist_core.store.run import Run
from fmnist_core.store.runs import EPOCH_COLUMNS
from fmnist_core.store.shared_runs import KEPT_RUNS, SharedRuns, state, version


@lru_cache(maxsize=256)
def run_keys(study: Study | Grid, data_fingerprint: str) -> tuple[str, ...]:
    """The keys of an experiment's runs, in the order of its `configs`."""
    return tuple(config.key(data_fingerprint, TRAINING_VERSION) for config in study.configs())


@dataclass(frozen=True)
class Collected:
    """All runs of a study with what is stored of them, in the order of `Study.configs`, as they were at one moment.

    `version` is another as soon as anything of them that is drawn is another, `state` where one begins, has its first
    epoch, or ends.
    """

    runs: tuple[ArmRun, ...]
    version: str
    state: str


def stored_runs(study: Study | Grid, shared: SharedRuns, data_fingerprint: str) -> list[Run | None]:
    """What is stored of each run, in the order of `configs`; None for what was never asked for."""
    keys = run_keys(study, data_fingerprint)
    found = shared.runs_of(keys)
    return [found.get(key) for key in keys]


def collect(study: Study, stored: Sequence[Run | None], shared: SharedRuns) -> Collected:
    """A study's runs with their epochs and test figures; `stored` as from `stored_runs`."""
    there = [run for run in stored if run is not None]
    epochs, tests = shared.epochs_of(there), shared.tests_of(there)
    runs = []
    for config, run in zip(study.configs(), stored, strict=True):
        level = getattr(config, study.setting)
        if run is None:
            runs.append(ArmRun(level, config.seed, None, pd.DataFrame(columns=EPOCH_COLUMNS), {}))
        elif run.is_active:
            runs.append(ArmRun(level, config.seed, run, epochs[run.key], tests[run.key]))
        else:
            runs.append(_ended(level, run, shared))
    return Collected(tuple(runs), version(stored), state(stored))


@lru_cache(maxsize=KEPT_RUNS)
def _ended(level: Level, run: Run, shared: SharedRuns) -> ArmRun:
    """The same object as long as nothing of the run has changed, so that its rows are looked up once, not each tick."""
    return ArmRun(level, run.config.seed, run, shared.epochs(run), shared.tests(run))


@dataclass(frozen=True)
class Progress:
    """How far a comparison is."""

    asked_for: int  # runs that are stored in whatever state; the rest was never asked for
    active: int  # runs that wait or train
    finished: int
    total: int
    share: float  # of all epochs of all runs, from 0 to 1
    seconds_left: float | None  # until the last one has ended; None before any run has an epoch
    place: int | None  # in line, of the first one; None where one trains already


def progress_of(runs: Sequence[ArmRun], outlook: Outlook) -> Progress:
    """Count runs and epochs; `outlook` is that of all runs of the server, which share its workers."""
    stored = [arm.run for arm in runs if arm.run is not None]
    active = [run for run in stored if run.is_active]
    left = [outlook.seconds_left[run.key] for run in active if run.key in outlook.seconds_left]
    places = [outlook.places[run.key] for run in active if run.key in outlook.places]
    return Progress(
        asked_for=len(stored),
        active=len(active),
        finished=sum(arm.finished for arm in runs),
        total=len(runs),
        share=sum(run.progress for run in stored) / len(runs),
        seconds_left=max(left, default=0.0) if len(left) == len(active) else None,
        place=min(places) if places and len(places) == len(active) else None,
    )
