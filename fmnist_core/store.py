"""Runs, epochs and weights in SQL: the one place where pages and workers meet.

Everything a run has shown survives in here; every write of a worker carries its owner token and renews its lease, so
that of two workers that both believe they own a run only one can write.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from fmnist_core.config import RunConfig
from fmnist_core.database import StoreError, clock, open_engine
from fmnist_core.evaluation import Evaluation
from fmnist_core.schema import (
    EPOCHS,
    METADATA,
    PREDICTIONS,
    PROJECTIONS,
    RUNS,
    SCHEMA,
    SCHEMA_VERSION,
    SHOWN_RUNS,
    TESTS,
    WEIGHTS,
    Part,
    Run,
    Status,
    Weights,
    to_run,
)
from fmnist_core.training import TRAINING_VERSION, EpochResult

WAITING_LIMIT = 32
ATTEMPT_LIMIT = 3
# Longer than anything a worker does between two beats (the largest batch of the largest network is 540 GFLOP), short
# enough that a run whose worker died is soon taken up again.
LEASE_SECONDS = 20.0


class QueueFullError(RuntimeError):
    """As many runs wait as may wait at once."""


class RunLostError(RuntimeError):
    """Another worker owns the run by now, or it has ended; this one must not write any more."""


@dataclass(frozen=True)
class Claim:
    """What a worker needs to go on with a run that it now owns."""

    config: RunConfig
    data_fingerprint: str
    checkpoint: bytes | None
    lowest_validation_loss: float | None


class Store:
    """All runs in the database at `url`. Every method may be called from any thread.

    Methods raise StoreError with a sentence for people when the database cannot be read or written.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = open_engine(url)
        with self._translated("opened"):
            version = self._version()
            if version is None or version < SCHEMA_VERSION:
                version = self._build()
        if version != SCHEMA_VERSION:
            raise StoreError(
                f"the run store {self._shown_url} has layout {version}, and this program knows layout "
                f"{SCHEMA_VERSION}; move the store away or use the program that made it"
            )
        self._now = clock(self._engine)

    def _version(self) -> int | None:
        """The layout of the store as it is; None where there is none yet."""
        if not sa.inspect(self._engine).has_table("schema"):
            return None
        with self._engine.begin() as connection:
            return connection.scalar(sa.select(SCHEMA.c.version))

    def _build(self) -> int | None:
        """Make the tables of a new store, or those that an older layout lacks: so far layouts have only grown."""
        with self._writing() as connection:
            METADATA.create_all(connection)
            # Another process may have been faster.
            version = connection.scalar(sa.select(SCHEMA.c.version))
            if version is None:
                connection.execute(SCHEMA.insert().values(version=SCHEMA_VERSION))
            elif version < SCHEMA_VERSION:
                connection.execute(SCHEMA.update().values(version=SCHEMA_VERSION))
            return connection.scalar(sa.select(SCHEMA.c.version))

    def close(self) -> None:
        """Give all database connections back."""
        self._engine.dispose()

    @property
    def _shown_url(self) -> str:
        url = self._engine.url
        return str(Path(url.database)) if url.database and url.drivername == "sqlite" else url.render_as_string()

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            raise StoreError(
                f"the run store {self._shown_url} cannot be {doing} ({cause}); check that the folder exists, is "
                "writable and has free space, or choose another place with DROPOUT_LAB_HOME"
            ) from error

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with self._translated("read"), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        # SQLite must take the write lock when the transaction begins: one that reads first and then writes fails
        # under other writers, and no busy timeout helps.
        with (
            self._translated("written"),
            self._engine.connect().execution_options(begin_immediate=True) as connection,
            connection.begin(),
        ):
            yield connection

    # What pages do

    def request(self, config: RunConfig, data_name: str, data_fingerprint: str) -> str:
        """Ask for a run and return its key; as `request_all` for one run."""
        return self.request_all([config], data_name, data_fingerprint)[0]

    def request_all(self, configs: Sequence[RunConfig], data_name: str, data_fingerprint: str) -> list[str]:
        """Ask for the runs of one experiment, all or none, and return their keys in the same order.

        A run that is there already is joined, and resumed if it had ended early. An experiment counts as one request:
        it may bring more than WAITING_LIMIT runs, but nothing new is taken while so many wait.
        Raises QueueFullError.
        """
        keys = {config.key(data_fingerprint, TRAINING_VERSION): config for config in configs}
        with self._writing() as connection:
            waiting = connection.scalar(sa.select(sa.func.count()).where(RUNS.c.status == "queued")) or 0
            query = sa.select(RUNS.c.key, RUNS.c.status).where(RUNS.c.key.in_(keys))
            stored = {row.key: row.status for row in connection.execute(query)}
            joined = {key for key, status in stored.items() if status in {"queued", "running", "finished"}}
            if len(joined) < len(keys) and waiting >= WAITING_LIMIT:
                raise QueueFullError(
                    f"at most {WAITING_LIMIT} runs may wait at once, and {waiting} do; "
                    "wait for one to start, or stop some"
                )
            # Whoever asks again wants a run to go on, also when somebody has just asked it to stop.
            connection.execute(RUNS.update().where(RUNS.c.key.in_(joined)).values(cancel_requested=False))
            fresh = {"status": "queued", "cancel_requested": False, "attempts": 0, "error": None, "ended_at": None}
            connection.execute(RUNS.update().where(RUNS.c.key.in_(stored.keys() - joined)).values(**fresh))
            for key, config in keys.items():
                if key not in stored:
                    connection.execute(
                        RUNS.insert().values(
                            key=key,
                            config=json.dumps(config.to_dict()),
                            data_name=data_name,
                            data_fingerprint=data_fingerprint,
                            created_at=self._now,
                            **fresh,
                        )
                    )
        return [config.key(data_fingerprint, TRAINING_VERSION) for config in configs]

    def cancel(self, *keys: str) -> None:
        """Ask runs to stop: at once while they wait, within an epoch while they train. Ended ones stay as they are."""
        with self._writing() as connection:
            row = RUNS.c.key.in_(keys)
            connection.execute(
                RUNS.update().where(row, RUNS.c.status == "queued").values(status="stopped", ended_at=self._now)
            )
            connection.execute(RUNS.update().where(row, RUNS.c.status == "running").values(cancel_requested=True))

    def run(self, key: str) -> Run | None:
        """The run with this key, or None."""
        return self.runs_of([key]).get(key)

    def runs_of(self, keys: Collection[str]) -> dict[str, Run]:
        """The runs with these keys, as far as there are any."""
        with self._reading() as connection:
            rows = connection.execute(SHOWN_RUNS.where(RUNS.c.key.in_(keys))).mappings().all()
        return {row["key"]: to_run(row) for row in rows}

    def runs(self) -> list[Run]:
        """All runs, newest first."""
        with self._reading() as connection:
            rows = connection.execute(SHOWN_RUNS.order_by(RUNS.c.number.desc())).mappings().all()
        return [to_run(row) for row in rows]

    def epochs(self, key: str) -> pd.DataFrame:
        """The run's epochs so far, one a row, with the columns of EpochResult."""
        return self.epochs_of([key])[key]

    def epochs_of(self, keys: Collection[str]) -> dict[str, pd.DataFrame]:
        """The epochs of each run, as `epochs` gives them, in one query."""
        columns = [column for column in EPOCHS.columns if column.name != "run_key"]
        query = sa.select(EPOCHS.c.run_key, *columns).where(EPOCHS.c.run_key.in_(keys)).order_by(EPOCHS.c.epoch)
        rows: dict[str, list[tuple[Any, ...]]] = {key: [] for key in keys}
        with self._reading() as connection:
            for key, *figures in connection.execute(query):
                rows[key].append(tuple(figures))
        names = [column.name for column in columns]
        return {key: pd.DataFrame(figures, columns=names) for key, figures in rows.items()}

    def weights(self, key: str, kind: Weights) -> bytes | None:
        """The network at its best or last epoch as a safetensors file, or None before there is one."""
        with self._reading() as connection:
            return self._content(connection, key, kind)

    def tests(self, key: str) -> dict[Weights, Evaluation]:
        """Figures on the test set, of a run that has ended: at its best and at its last epoch."""
        return self.tests_of([key])[key]

    def tests_of(self, keys: Collection[str]) -> dict[str, dict[Weights, Evaluation]]:
        """The test figures of each run, as `tests` gives them, in one query."""
        figures: dict[str, dict[Weights, Evaluation]] = {key: {} for key in keys}
        with self._reading() as connection:
            for row in connection.execute(sa.select(TESTS).where(TESTS.c.run_key.in_(keys))):
                figures[row.run_key][row.kind] = Evaluation(row.loss, row.accuracy, row.calibration_error)
        return figures

    def replay(self, key: str, part: Part) -> dict[int, bytes]:
        """Epoch -> packed predictions of the run for the images of `part`, in order of epochs.

        Empty for what a run never stored: it is older than replays, or validates on the test images.
        """
        query = (
            sa.select(PREDICTIONS.c.epoch, PREDICTIONS.c.content)
            .where(PREDICTIONS.c.run_key == key, PREDICTIONS.c.part == part)
            .order_by(PREDICTIONS.c.epoch)
        )
        with self._reading() as connection:
            return {row.epoch: row.content for row in connection.execute(query)}

    def best_predictions(self, keys: Collection[str], part: Part) -> dict[str, bytes]:
        """The packed predictions of each run's best epoch for the images of `part`, of runs that stored them."""
        query = (
            sa.select(PREDICTIONS.c.run_key, PREDICTIONS.c.content)
            .join(RUNS, sa.and_(RUNS.c.key == PREDICTIONS.c.run_key, RUNS.c.best_epoch == PREDICTIONS.c.epoch))
            .where(PREDICTIONS.c.run_key.in_(keys), PREDICTIONS.c.part == part)
        )
        with self._reading() as connection:
            return {row.run_key: row.content for row in connection.execute(query)}

    def projection(self, key: str, epoch: int, part: Part) -> npt.NDArray[np.float32] | None:
        """The map (n, 2) of the images of `part` as the run's network of `epoch` sees them, or None."""
        row = (PROJECTIONS.c.run_key == key, PROJECTIONS.c.epoch == epoch, PROJECTIONS.c.part == part)
        with self._reading() as connection:
            content = connection.scalar(sa.select(PROJECTIONS.c.content).where(*row))
        return None if content is None else np.frombuffer(content, dtype="<f4").reshape(-1, 2)

    # What the dispatcher does

    def claimable(self) -> list[str]:
        """Keys of runs that a worker could take now, oldest first: waiting, or with a lease that ran out.

        Ends those that were asked to stop, or that have used up their attempts, while nobody owned them.
        """
        abandoned = sa.and_(RUNS.c.status == "running", RUNS.c.lease_until < self._now)
        query = (
            sa.select(RUNS.c.key, RUNS.c.attempts, RUNS.c.cancel_requested)
            .where(sa.or_(RUNS.c.status == "queued", abandoned))
            .order_by(RUNS.c.number)
        )
        with self._reading() as connection:
            rows = connection.execute(query).all()
        keys = []
        for key, attempts, cancel_requested in rows:
            if cancel_requested:
                self._end_unowned(key, "stopped", None)
            elif attempts >= ATTEMPT_LIMIT:
                self._end_unowned(
                    key,
                    "failed",
                    f"its worker process died {attempts} times in a row, perhaps for lack of memory; "
                    "train again to go on from the last epoch, or choose a smaller network",
                )
            else:
                keys.append(key)
        return keys

    def _end_unowned(self, key: str, status: Status, error: str | None) -> None:
        unowned = sa.or_(RUNS.c.status == "queued", RUNS.c.lease_until < self._now)
        active = RUNS.c.status.in_(("queued", "running"))
        with self._writing() as connection:
            connection.execute(
                RUNS.update()
                .where(RUNS.c.key == key, active, unowned)
                .values(status=status, error=error, owner=None, ended_at=self._now)
            )

    def release(self, key: str, owner: str) -> None:
        """Put a run whose worker is known to be gone back into the queue, if that worker still owned it."""
        with self._writing() as connection:
            connection.execute(
                RUNS.update()
                .where(RUNS.c.key == key, RUNS.c.owner == owner, RUNS.c.status == "running")
                .values(status="queued", owner=None, epoch_share=0.0)
            )

    # What workers do

    def claim(self, key: str, owner: str) -> Claim | None:
        """Take a run that waits or whose lease ran out; None when there is nothing to take."""
        free = sa.or_(RUNS.c.status == "queued", sa.and_(RUNS.c.status == "running", RUNS.c.lease_until < self._now))
        may_run = sa.and_(RUNS.c.attempts < ATTEMPT_LIMIT, sa.not_(RUNS.c.cancel_requested))
        with self._writing() as connection:
            taken = connection.execute(
                RUNS.update()
                .where(RUNS.c.key == key, free, may_run)
                .values(
                    status="running",
                    owner=owner,
                    lease_until=self._now + LEASE_SECONDS,
                    attempts=RUNS.c.attempts + 1,
                    epoch_share=0.0,
                )
            )
            if taken.rowcount == 0:
                return None
            row = connection.execute(sa.select(RUNS.c.config, RUNS.c.data_fingerprint).where(RUNS.c.key == key)).one()
            lowest = connection.scalar(sa.select(sa.func.min(EPOCHS.c.validation_loss)).where(EPOCHS.c.run_key == key))
            checkpoint = self._content(connection, key, "checkpoint")
        return Claim(RunConfig.from_dict(json.loads(row.config)), row.data_fingerprint, checkpoint, lowest)

    def beat(self, key: str, owner: str, epoch_share: float) -> bool:
        """Renew the lease and say how far the epoch is; return whether the run was asked to stop."""
        with self._writing() as connection:
            return self._update_owned(connection, key, owner, epoch_share=epoch_share)

    def record_epoch(
        self,
        key: str,
        owner: str,
        result: EpochResult,
        checkpoint: bytes,
        best: bytes | None,
        predictions: Mapping[Part, bytes] | None = None,
    ) -> bool:
        """Store an epoch, the state to resume from, packed predictions and, where it is the best so far, its weights.

        All in one transaction; returns whether the run was asked to stop. Raises RunLostError.
        """
        with self._writing() as connection:
            values: dict[str, Any] = {"epochs_done": result.epoch, "epoch_share": 0.0, "attempts": 0}
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

    def put_projection(self, key: str, epoch: int, part: Part, points: npt.NDArray[np.float32]) -> None:
        """Keep a map (n, 2); one that is there already is replaced."""
        row = {"run_key": key, "epoch": epoch, "part": part}
        with self._writing() as connection:
            connection.execute(
                PROJECTIONS.delete().where(*(PROJECTIONS.c[name] == value for name, value in row.items()))
            )
            connection.execute(PROJECTIONS.insert().values(**row, content=points.astype("<f4").tobytes()))

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
        with self._writing() as connection:
            self._update_owned(connection, key, owner, status=status, error=error, ended_at=self._now, epoch_share=0.0)
            if last is not None:
                self._put(connection, key, "last", last)
            for kind, evaluation in (tests or {}).items():
                connection.execute(TESTS.delete().where(TESTS.c.run_key == key, TESTS.c.kind == kind))
                connection.execute(TESTS.insert().values(run_key=key, kind=kind, **asdict(evaluation)))
            if status == "finished":
                connection.execute(WEIGHTS.delete().where(WEIGHTS.c.run_key == key, WEIGHTS.c.kind == "checkpoint"))

    def _update_owned(self, connection: sa.Connection, key: str, owner: str, **values: Any) -> bool:
        row = (RUNS.c.key == key, RUNS.c.owner == owner, RUNS.c.status == "running")
        values = {"lease_until": self._now + LEASE_SECONDS, **values}
        if connection.execute(RUNS.update().where(*row).values(**values)).rowcount == 0:
            raise RunLostError(f"run {key} is not owned by {owner} any more; another worker goes on with it")
        return bool(connection.scalar(sa.select(RUNS.c.cancel_requested).where(RUNS.c.key == key)))

    @staticmethod
    def _content(connection: sa.Connection, key: str, kind: str) -> bytes | None:
        return connection.scalar(sa.select(WEIGHTS.c.content).where(WEIGHTS.c.run_key == key, WEIGHTS.c.kind == kind))

    @staticmethod
    def _put(connection: sa.Connection, key: str, kind: str, content: bytes) -> None:
        row = (WEIGHTS.c.run_key == key, WEIGHTS.c.kind == kind)
        if connection.execute(WEIGHTS.update().where(*row).values(content=content)).rowcount == 0:
            connection.execute(WEIGHTS.insert().values(run_key=key, kind=kind, content=content))
