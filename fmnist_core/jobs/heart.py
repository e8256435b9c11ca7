"""What a run in a worker says of itself while it trains: that it lives, how far it is, its first losses."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from fmnist_core.network.training import Training
from fmnist_core.store.database import StoreError
from fmnist_core.store.runs import Store

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
# In the first epochs people wait for a curve to move, and beats come sooner; each brings several points.
EARLY_EPOCHS = 2
EARLY_BEAT_SECONDS = 0.4
FIRST_BEAT_SECONDS = 0.1
LOOK_SECONDS = 0.1  # between two looks whether the run is to stop
STORE_SHARE = 0.03  # of its time that a run gives to either: on a busy disk both come more seldom, a beat once a second
# How long a worker tries to write to a store that is busy, full or away. Longer than a lease: while nobody can write,
# nobody can take the run either, and each write says whose it is.
PATIENCE_SECONDS = 300.0
RETRY_SECONDS = 1.0

Result = TypeVar("Result")
Losses = list[tuple[float, float]]  # as `Run.early_losses`


class StopRequested(Exception):  # noqa: N818 - it ends a loop and is no error
    """Somebody asked the run to stop."""


class _Rhythm:
    """When a run is to give a sign of life, and when to look whether it is to stop."""

    def __init__(self) -> None:
        now = time.monotonic()
        self._next_beat = now + min(FIRST_BEAT_SECONDS, BEAT_SECONDS)
        self._next_look = now + LOOK_SECONDS

    def due(self) -> Literal["beat", "look"] | None:
        """What is to be done now."""
        now = time.monotonic()
        return "beat" if now >= self._next_beat else "look" if now >= self._next_look else None

    def beat(self, seconds: float, *, is_early: bool) -> None:
        """A beat has taken so long; `is_early`: people wait for the next one."""
        now = time.monotonic()
        pause = max(EARLY_BEAT_SECONDS, seconds / STORE_SHARE) if is_early else BEAT_SECONDS
        self._next_beat, self._next_look = now + min(pause, BEAT_SECONDS), now + LOOK_SECONDS

    def looked(self, seconds: float) -> None:
        """A look has taken so long."""
        self._next_look = time.monotonic() + max(LOOK_SECONDS, seconds / STORE_SHARE)


class Heart:
    """Renews a run's lease from within its training loop, about once a second, and looks whether to stop more often.

    Not from a thread: a thread would keep the lease of a run that hangs.
    """

    def __init__(self, store: Store, key: str, owner: str) -> None:
        self._store, self._key, self._owner = store, key, owner
        self._rhythm = _Rhythm()

    def beat(self, epoch_share: float, early_losses: Callable[[], Losses | None] = lambda: None) -> None:
        """Raise StopRequested when the run was asked to stop, RunLostError when somebody else has it.

        `early_losses` is asked only where a beat is due; None where there is nothing to show before the epoch has
        figures of its own.
        """
        due, began = self._rhythm.due(), time.monotonic()
        if due == "beat":
            losses = early_losses()
            must_stop = patiently(lambda: self._store.leases.beat(self._key, self._owner, epoch_share, losses))
            self._rhythm.beat(time.monotonic() - began, is_early=losses is not None)
        elif due == "look":
            must_stop = patiently(lambda: self._store.leases.is_asked_to_stop(self._key))
            self._rhythm.looked(time.monotonic() - began)
        else:
            return
        if must_stop:
            raise StopRequested


@dataclass(frozen=True)
class Signs:
    """Of several runs: which were asked to stop, and which somebody else has by now."""

    stop: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()


class StackHeart:
    """What `Heart` is for one run, for the runs of one owner that are trained together."""

    def __init__(self, store: Store, owner: str) -> None:
        self._store, self._owner = store, owner
        self._rhythm = _Rhythm()

    def beat(
        self, keys: Sequence[str], epoch_share: float, early_losses: Callable[[], Mapping[str, Losses | None]]
    ) -> Signs:
        """What has become of the runs `keys`, where it is time to look; `early_losses` as in `Heart.beat`, by key."""
        due, began = self._rhythm.due(), time.monotonic()
        if due == "beat":
            losses = early_losses()
            signs = patiently(lambda: self._store.leases.beat_all(self._owner, epoch_share, losses))
            is_early = any(points is not None for points in losses.values())
            self._rhythm.beat(time.monotonic() - began, is_early=is_early)
            stop = frozenset(key for key, must_stop in signs.items() if must_stop)
            return Signs(stop, frozenset(keys) - signs.keys())
        if due == "look":
            asked = patiently(lambda: self._store.leases.asked_to_stop(keys))
            self._rhythm.looked(time.monotonic() - began)
            return Signs(frozenset(asked))
        return Signs()


class EarlyLosses:
    """The losses within a run's first epochs, of those that are done and of the one under way."""

    def __init__(self) -> None:
        self._done: Losses = []

    def of(self, training: Training) -> Losses | None:
        """Those to show while an epoch is under way; None where the run's epochs have a curve of their own by now."""
        if training.epochs_done >= EARLY_EPOCHS:
            return None
        return [*self._done, *((training.epochs_done + share, loss) for share, loss in training.running_loss.points())]

    def end_epoch(self, training: Training) -> Losses | None:
        """Those to go on showing once an epoch is done, from its `training`; None as in `of`."""
        if training.epochs_done >= EARLY_EPOCHS:
            return None
        before = training.epochs_done - 1
        self._done += [(before + share, loss) for share, loss in training.running_loss.points()]
        return self._done


def patiently(write: Callable[[], Result]) -> Result:
    """Write to the store; where it cannot be written, try again for PATIENCE_SECONDS, then raise its StoreError."""
    began = time.monotonic()
    while True:
        try:
            return write()
        except StoreError as error:
            if time.monotonic() - began >= PATIENCE_SECONDS:
                raise
            logger.warning("waiting for the run store: %s", error)
            time.sleep(RETRY_SECONDS)  # nobody tells when the store can be written again
