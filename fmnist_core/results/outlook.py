"""When the runs that wait and train will be done, from how long epochs have taken so far."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from fmnist_core.config import RunConfig
from fmnist_core.store.queue import fair_order
from fmnist_core.store.run import Run


@dataclass(frozen=True)
class Outlook:
    """By a run's key, for those that wait or train: what happens if nobody asks for more."""

    places: dict[str, int]  # in line, from 1, of those that wait
    seconds_left: dict[str, float]  # until it has ended; nothing before this store has seen an epoch


def look_ahead(runs: Sequence[Run], workers: int) -> Outlook:
    """Let the store's runs go through `workers` in their order.

    An epoch of a run that has none yet takes as long as those of runs with its network, batch size and number of
    images, or else as those of all others.
    """
    waiting = fair_order(runs)
    places = {run.key: place for place, run in enumerate(waiting, 1)}
    measured: dict[object, list[float]] = {}
    for run in runs:
        if run.seconds_per_epoch is not None:
            measured.setdefault(_cost(run.config), []).append(run.seconds_per_epoch)
    if not measured:
        return Outlook(places, {})
    typical = fmean([seconds for group in measured.values() for seconds in group])

    def remaining(run: Run) -> float:
        seconds = run.seconds_per_epoch
        if seconds is None:
            known = measured.get(_cost(run.config))
            seconds = fmean(known) if known else typical
        return seconds * run.config.epochs * (1 - run.progress)

    left = {run.key: remaining(run) for run in runs if run.status == "running"}
    free_at = [*left.values(), *[0.0] * (workers - len(left))]
    heapq.heapify(free_at)
    for run in waiting:
        left[run.key] = heapq.heappop(free_at) + remaining(run)
        heapq.heappush(free_at, left[run.key])
    return Outlook(places, left)


def _cost(config: RunConfig) -> object:
    return config.hidden, config.batch_size, config.training_images
