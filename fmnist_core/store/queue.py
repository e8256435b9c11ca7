"""The order in which runs that wait are taken up, and what may be asked for at once."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

import sqlalchemy as sa

from fmnist_core.config import RunConfig
from fmnist_core.settings import Limits
from fmnist_core.store.tables import RUNS
from fmnist_core.store.visitor import Visitor


class LimitReachedError(RuntimeError):
    """More is asked for than this server takes on at once; the message is for people."""


class Queued(Protocol):
    """What the order depends on."""

    @property
    def key(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def status(self) -> str: ...
    @property
    def asked_by(self) -> str | None: ...
    @property
    def epochs_done(self) -> int: ...
    @property
    def created_at(self) -> float: ...
    @property
    def ended_at(self) -> float | None: ...


_Queued = TypeVar("_Queued", bound=Queued)


def fair_order(runs: Iterable[_Queued]) -> list[_Queued]:
    """The runs that wait in the order in which they are taken up: everybody's next one before anybody's one after.

    A visitor's turns are counted over the present rush: runs that train, and those that ended since the oldest of
    the runs that wait was asked for, were turns already. Within a turn the order is that of asking.
    """
    runs = list(runs)
    waiting = sorted((run for run in runs if run.status == "queued"), key=lambda run: run.number)
    rush_began = min((run.created_at for run in waiting), default=math.inf)
    turns = Counter(
        run.asked_by
        for run in runs
        if run.status == "running" or ((run.ended_at or 0.0) > rush_began and run.epochs_done > 0)
    )
    placed = []
    for run in waiting:
        turns[run.asked_by] += 1
        placed.append((turns[run.asked_by], run.number, run))
    return [run for _, _, run in sorted(placed, key=lambda place: place[:2])]


def check_limits(
    connection: sa.Connection, limits: Limits, by: Visitor, new: Sequence[RunConfig], stored_bytes: int
) -> None:
    """Raise LimitReachedError where `new` runs are more than may be asked for now.

    Many runs of one request may take the number of those that wait past its limit, but not once it is reached. The
    limit of runs a visitor does not hold for who may change everybody's.
    """
    too_long = max(config.epochs for config in new)
    if too_long > limits.epochs:
        raise LimitReachedError(f"a run may have at most {limits.epochs} epochs on this server, got {too_long}")
    if stored_bytes >= limits.stored_gigabytes * 10**9:
        raise LimitReachedError(
            f"the run store may hold at most {limits.stored_gigabytes} GB, and holds {stored_bytes / 1e9:.1f} GB; "
            "delete runs that nobody needs, for good"
        )
    waiting = connection.scalar(sa.select(sa.func.count()).where(RUNS.c.status == "queued")) or 0
    if waiting >= limits.waiting_runs:
        raise LimitReachedError(
            f"at most {limits.waiting_runs} runs may wait at once, and {waiting} do; "
            "wait for one to start, or stop some"
        )
    active = RUNS.c.status.in_(("queued", "running"))
    own = connection.scalar(sa.select(sa.func.count()).where(active, RUNS.c.asked_by == by.name)) or 0
    if own + len(new) > limits.visitor_runs and not by.may_change_all:
        raise LimitReachedError(
            f"a visitor may have at most {limits.visitor_runs} runs that wait or train; {own} of yours do, and this "
            f"needs {len(new)} more"
        )
