"""The stored runs of a comparison, and how far it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from fmnist_core.comparison.arms import ArmRun
from fmnist_core.comparison.study import Study
from fmnist_core.network.figures import TRAINING_VERSION
from fmnist_core.results.diagnosis import seconds_left
from fmnist_core.store.runs import Store


def collect(study: Study, store: Store, data_fingerprint: str) -> list[ArmRun]:
    """All runs of a study with what is stored of them, in the order of `Study.configs`; three queries in all."""
    configs = study.configs()
    keys = [config.key(data_fingerprint, TRAINING_VERSION) for config in configs]
    runs, epochs, tests = store.runs_of(keys), store.epochs_of(keys), store.tests_of(keys)
    return [
        ArmRun(config.dropout, config.seed, runs.get(key), epochs[key], tests[key])
        for config, key in zip(configs, keys, strict=True)
    ]


@dataclass(frozen=True)
class Progress:
    """How far a comparison is."""

    asked_for: int  # runs that are stored in whatever state; the rest was never asked for
    active: int  # runs that wait or train
    finished: int
    total: int
    share: float  # of all epochs of all runs, from 0 to 1
    seconds_left: float | None  # None before any run has an epoch


def progress_of(runs: Sequence[ArmRun], workers: int) -> Progress:
    """Count runs and epochs; the time left assumes that `workers` runs train at once."""
    stored = [arm.run for arm in runs if arm.run is not None]
    left = 0.0
    medians = [float(arm.epochs["seconds"].median()) for arm in runs if not arm.epochs.empty]
    typical = sum(medians) / len(medians) if medians else None
    for arm in runs:
        if arm.run is None or not arm.run.is_active or typical is None:
            continue
        own = seconds_left(arm.epochs, arm.run.config.epochs, arm.run.epoch_share)
        left += typical * arm.run.config.epochs if own is None else own
    return Progress(
        asked_for=len(stored),
        active=sum(run.is_active for run in stored),
        finished=sum(arm.finished for arm in runs),
        total=len(runs),
        share=sum(run.progress for run in stored) / len(runs),
        seconds_left=None if typical is None else left / max(1, min(workers, sum(run.is_active for run in stored))),
    )
