"""What the dispatcher and workers do with stored runs: take one up, show that it lives, record epochs, end it.

Every write of a worker carries its owner token and renews its lease, so that of two workers that both believe they own
a run only one can write.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, get_args

import sqlalchemy as sa

from fmnist_core.config import RunConfig
from fmnist_core.data.evaluation_images import Part
from fmnist_core.network.figures import EpochResult, Evaluation
from fmnist_core.store.database import Database
from fmnist_core.store.queue import fair_order
from fmnist_core.store.run import Status, Weights, losses_to_text
from fmnist_core.store.run_log import log_run
from fmnist_core.store.tables import EPOCHS, PREDICTIONS, RUNS, TESTS, WEIGHTS

ATTEMPT_LIMIT = 3
# Longer than anything a worker does between two beats (the largest batch of the largest network is 540 GFLOP), short
# enough that a run whose worker died is soon taken up again.
LEASE_SECONDS = 20.0
ERROR_LIMIT = 300  # characters of a sentence that a page shows

_NO_EPOCH_UNDER_WAY = {"epoch_share": 0.0, "early_losses": None}


class RunLostError(RuntimeError):
    """Another worker owns the run by now, or it has ended; this one must not write any more."""


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """Where a run trains: recorded with the run, since figures may depend on it in their last digits."""

    process: str | None  # as `jobs.processes.this_process` names it
    torch_version: str
    processor: str
    threads: int


@dataclass(frozen=True)
class Holding:
    """A run that somebody owns: which attempt, in which process, and whether its lease has run out."""

    key: str
    owner: str
    process: str | None
    is_overdue: bool


@dataclass(frozen=True)
class Claim:
    """What a worker needs to go on with a run that it now owns."""

    config: RunConfig
    data_fingerprint: str
    checkpoint: bytes | None
    lowest_validation_loss: float | None


class Leases:
    """The runs of a database as dispatcher and workers see them: free to be taken, owned, or lost to another owner.

    Every method may be called from any thread, and raises StoreError with a sentence for people when the database
    cannot be read or written.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # What the dispatcher does

    def claimable(self) -> list[str]:
        """Keys of runs that a worker could take now: first those whose lease ran out, then in their `fair_order`.

        Ends those that were asked to stop, or that have used up their attempts, while nobody owned them.
        """
        abandoned = sa.and_(RUNS.c.status == "running", self._has_run_out)
        columns = [RUNS.c[field] for field in ("key", "number", "status", "asked_by", "epochs_done", "created_at")]
        more = (RUNS.c.ended_at, RUNS.c.attempts, RUNS.c.cancel_requested, RUNS.c.error)
        active = RUNS.c.status.in_(("queued", "running"))
        oldest = sa.select(sa.func.min(RUNS.c.created_at)).where(RUNS.c.status == "queued").scalar_subquery()
        query = sa.select(*columns, *more, abandoned.label("is_abandoned"))
        with self._database.reading() as connection:
            relevant = sa.or_(active, RUNS.c.ended_at > oldest)
            rows = connection.execute(query.where(relevant).order_by(RUNS.c.number)).all()
        keys = []
        for row in [*(row for row in rows if row.is_abandoned), *fair_order(rows)]:
            key, attempts, cancel_requested, error = row.key, row.attempts, row.cancel_requested, row.error
            if cancel_requested:
                self._end_unowned(key, "stopped", None)
            elif attempts >= ATTEMPT_LIMIT:
                reason = error or "its worker process ended without a word"
                self._end_unowned(
                    key,
                    "failed",
                    f"it broke off {attempts} times in a row, the last time because {reason}; "
                    "train again to go on from the last epoch, or choose a smaller network",
                )
            else:
                keys.append(key)
        return keys

    def _end_unowned(self, key: str, status: Status, error: str | None) -> None:
        unowned = sa.or_(RUNS.c.status == "queued", self._has_run_out)
        active = RUNS.c.status.in_(("queued", "running"))
        with self._database.writing() as connection:
            ended = connection.execute(
                RUNS.update()
                .where(RUNS.c.key == key, active, unowned)
                .values(status=status, error=error, owner=None, ended_at=self._database.now, **_NO_EPOCH_UNDER_WAY)
            )
        if ended.rowcount:
            log_run("end", run=key, status=status, reason=error)

    @property
    def _has_run_out(self) -> sa.ColumnElement[bool]:
        # Far ahead: the clock was set back since, and nobody would have the run until it has caught up.
        now = self._database.now
        return sa.or_(RUNS.c.lease_until < now, RUNS.c.lease_until > now + 2 * LEASE_SECONDS)

    def held(self) -> list[Holding]:
        """The runs that somebody owns."""
        columns = (RUNS.c.key, RUNS.c.owner, RUNS.c.worker, self._has_run_out)
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(*columns).where(RUNS.c.status == "running")).all()
        return [Holding(key, owner, process, bool(is_overdue)) for key, owner, process, is_overdue in rows]

    def release(self, owner: str, reason: str | None = None, *, counts: bool = True) -> bool:
        """Put what a worker that is known to be gone still owned back into the queue; return whether that was anything.

        `reason` continues "the last time because", should a run fail. `counts`: whether this was one of the attempts
        that a run has; it was not where the run can do nothing about it.
        """
        values: dict[str, Any] = {"status": "queued", "owner": None, "worker": None, **_NO_EPOCH_UNDER_WAY}
        if not counts:
            values["attempts"] = sa.case((RUNS.c.attempts > 0, RUNS.c.attempts - 1), else_=0)
        owned = sa.and_(RUNS.c.owner == owner, RUNS.c.status == "running")
        with self._database.writing() as connection:
            keys = connection.scalars(sa.select(RUNS.c.key).where(owned)).all()
            connection.execute(RUNS.update().where(owned).values(error=shortened(reason) if reason else None, **values))
        for key in keys:
            log_run("retry", run=key, reason=reason or "its server ends", counts=counts)
        return bool(keys)

    # What workers do

    def claim(self, key: str, owner: str, at: Workplace | None = None) -> Claim | None:
        """Take a run that waits or whose lease ran out, to train it `at`; None when there is nothing to take."""
        free = sa.or_(RUNS.c.status == "queued", sa.and_(RUNS.c.status == "running", self._has_run_out))
        place: dict[str, Any] = {} if at is None else asdict(at)
        process = place.pop("process", None)
        may_run = sa.and_(RUNS.c.attempts < ATTEMPT_LIMIT, sa.not_(RUNS.c.cancel_requested))
        with self._database.writing() as connection:
            before = connection.scalar(sa.select(RUNS.c.status).where(RUNS.c.key == key))
            taken = connection.execute(
                RUNS.update()
                .where(RUNS.c.key == key, free, may_run)
                .values(
                    status="running",
                    owner=owner,
                    worker=process,
                    lease_until=self._database.now + LEASE_SECONDS,
                    attempts=RUNS.c.attempts + 1,
                    **_NO_EPOCH_UNDER_WAY,
                    **place,
                )
            )
            if taken.rowcount == 0:
                return None
            columns = (RUNS.c.config, RUNS.c.data_fingerprint, RUNS.c.epochs_done, RUNS.c.attempts)
            row = connection.execute(sa.select(*columns).where(RUNS.c.key == key)).one()
            lowest = connection.scalar(sa.select(sa.func.min(EPOCHS.c.validation_loss)).where(EPOCHS.c.run_key == key))
            checkpoint = connection.scalar(
                sa.select(WEIGHTS.c.content).where(WEIGHTS.c.run_key == key, WEIGHTS.c.kind == "checkpoint")
            )
        if before == "running":
            log_run("retry", run=key, reason="its lease ran out", counts=True)
        config = RunConfig.from_dict(json.loads(row.config))
        epochs = f"{row.epochs_done}/{config.epochs}"
        log_run("start", run=key, attempt=row.attempts, epochs=epochs, owner=owner, process=process)
        return Claim(config, row.data_fingerprint, checkpoint, lowest)

    def beat(
        self, key: str, owner: str, epoch_share: float, early_losses: Sequence[tuple[float, float]] | None = None
    ) -> bool:
        """Renew the lease and say how far the epoch is, and its losses where these are given, as `Run.early_losses`.

        Returns whether the run was asked to stop. Raises RunLostError.
        """
        signs = self.beat_all(owner, epoch_share, {key: early_losses})
        if key not in signs:
            raise _lost(key, owner)
        return signs[key]

    def beat_all(
        self, owner: str, epoch_share: float, early_losses: Mapping[str, Sequence[tuple[float, float]] | None]
    ) -> dict[str, bool]:
        """`beat` for several runs of one owner: whether each was asked to stop, without those that it has lost."""
        signs = {}
        with self._database.writing() as connection:
            for key, points in early_losses.items():
                losses = {} if points is None else {"early_losses": losses_to_text(points)}
                with suppress(RunLostError):
                    signs[key] = self._update_owned(connection, key, owner, epoch_share=epoch_share, **losses)
        return signs

    def is_asked_to_stop(self, key: str) -> bool:
        """Whether a run was asked to stop; costs less than a beat, and renews nothing."""
        return bool(self.asked_to_stop([key]))

    def asked_to_stop(self, keys: Sequence[str]) -> set[str]:
        """Those of the runs that were asked to stop."""
        asked = sa.select(RUNS.c.key).where(RUNS.c.key.in_(keys), RUNS.c.cancel_requested)
        with self._database.reading() as connection:
            return set(connection.scalars(asked))

    def record_epoch(
        self,
        key: str,
        owner: str,
        result: EpochResult,
        checkpoint: bytes,
        best: bytes | None,
        predictions: Mapping[Part, bytes] | None = None,
        early_losses: Sequence[tuple[float, float]] | None = None,
    ) -> bool:
        """Store an epoch, the state to resume from, packed predictions and, where it is the best so far, its weights.

        `early_losses` are those to go on showing while the next epoch is under way; None where its own figures are
        enough. All in one transaction; returns whether the run was asked to stop. Raises RunLostError.
        """
        with self._database.writing() as connection:
            values: dict[str, Any] = {"epochs_done": result.epoch, "epoch_share": 0.0, "attempts": 0, "error": None}
            values["early_losses"] = None if early_losses is None else losses_to_text(early_losses)
            if best is not None:
                values["best_epoch"] = result.epoch
                self._put(connection, key, "best", best)
            stop = self._update_owned(connection, key, owner, **values)
            # A run that was stopped and goes on: what its end left behind is no longer its last epoch's.
            connection.execute(WEIGHTS.delete().where(WEIGHTS.c.run_key == key, WEIGHTS.c.kind == "last"))
            connection.execute(TESTS.delete().where(TESTS.c.run_key == key))
            connection.execute(EPOCHS.insert().values(run_key=key, **asdict(result)))
            self._put(connection, key, "checkpoint", checkpoint)
            for part, content in (predictions or {}).items():
                connection.execute(
                    PREDICTIONS.insert().values(run_key=key, epoch=result.epoch, part=part, content=content)
                )
        return stop

    def end(
        self,
        key: str,
        owner: str,
        status: Status,
        *,
        last: bytes | None = None,
        tests: Mapping[Weights, Evaluation] | None = None,
        error: str | None = None,
    ) -> None:
        """End a run. What a stopped or failed one needs to go on later is kept. Raises RunLostError."""
        assert status in get_args(Status), status
        sentence = None if error is None else shortened(error)
        with self._database.writing() as connection:
            self._update_owned(
                connection,
                key,
                owner,
                status=status,
                error=sentence,
                ended_at=self._database.now,
                **_NO_EPOCH_UNDER_WAY,
            )
            if last is not None:
                self._put(connection, key, "last", last)
            for kind, evaluation in (tests or {}).items():
                connection.execute(TESTS.delete().where(TESTS.c.run_key == key, TESTS.c.kind == kind))
                connection.execute(TESTS.insert().values(run_key=key, kind=kind, **asdict(evaluation)))
            if status == "finished":
                connection.execute(WEIGHTS.delete().where(WEIGHTS.c.run_key == key, WEIGHTS.c.kind == "checkpoint"))
            done = connection.scalar(sa.select(RUNS.c.epochs_done).where(RUNS.c.key == key))
        log_run("end", run=key, status=status, epochs=done, reason=sentence)

    def _update_owned(self, connection: sa.Connection, key: str, owner: str, **values: Any) -> bool:
        row = (RUNS.c.key == key, RUNS.c.owner == owner, RUNS.c.status == "running")
        values = {"lease_until": self._database.now + LEASE_SECONDS, **values}
        if connection.execute(RUNS.update().where(*row).values(**values)).rowcount == 0:
            raise _lost(key, owner)
        return bool(connection.scalar(sa.select(RUNS.c.cancel_requested).where(RUNS.c.key == key)))

    @staticmethod
    def _put(connection: sa.Connection, key: str, kind: str, content: bytes) -> None:
        row = (WEIGHTS.c.run_key == key, WEIGHTS.c.kind == kind)
        if connection.execute(WEIGHTS.update().where(*row).values(content=content)).rowcount == 0:
            connection.execute(WEIGHTS.insert().values(run_key=key, kind=kind, content=content))


def _lost(key: str, owner: str) -> RunLostError:
    return RunLostError(f"run {key} is not owned by {owner} any more; another worker goes on with it")


def shortened(sentence: str) -> str:
    """The first line of a reason, at most ERROR_LIMIT characters of it."""
    line = sentence.strip().partition("\n")[0]
    return line if len(line) <= ERROR_LIMIT else f"{line[: ERROR_LIMIT - 1]}…"
