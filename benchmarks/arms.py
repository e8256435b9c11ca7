"""How long whole comparisons take: the lab's, measured with its own store and workers; others', reckoned."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmarks.contenders import ARTICLE
from benchmarks.server import Laboratory, settings_at, wait_until
from benchmarks.turns import cores
from fmnist_core.comparison.study import Study
from fmnist_core.jobs.dispatcher import Dispatcher

DROPOUT = 0.2
TWO_ARMS = Study(base=replace(ARTICLE, epochs=5), levels=(0.0, DROPOUT))
EIGHT_ARMS = Study(base=replace(ARTICLE, epochs=1), levels=tuple(round(0.1 * level, 1) for level in range(8)), seeds=5)


def reckoned_seconds(study: Study, epochs: Mapping[tuple[bool, float], float]) -> float:
    """The least that a study's runs could take, one after another on all cores or side by side on a core each.

    `epochs` holds the seconds of an epoch by whether it is on one core, and by dropout: 0 or DROPOUT, for any.
    """
    plain = sum(config.epochs for config in study.configs() if not config.dropout)
    dropping = sum(config.epochs for config in study.configs() if config.dropout)
    side_by_side, one_by_one = (
        plain * epochs[one_core, 0.0] + dropping * epochs[one_core, DROPOUT] for one_core in (True, False)
    )
    return min(one_by_one, side_by_side / len(cores()))


def measured_seconds(lab: Laboratory, studies: Sequence[Study]) -> list[float]:
    """Seconds from asking for each study until its runs have finished, one study after another, on ready workers."""
    settings = settings_at(lab.home)
    with Dispatcher(lab.store, settings) as dispatcher:

        def seconds(study: Study) -> float:
            began = time.perf_counter()
            keys = lab.store.request_all(study.configs(), lab.data.name, lab.data.fingerprint)
            dispatcher.wake()
            wait_until(
                lambda: all(run.status == "finished" for run in lab.store.runs_of(keys).values()),
                f"{len(keys)} runs have finished",
                limit_seconds=1800,
            )
            return time.perf_counter() - began

        seconds(Study(base=replace(ARTICLE, epochs=1, seed=1000), seeds=max(1, len(cores()) // 2)))  # starts workers
        return [seconds(study) for study in studies]
