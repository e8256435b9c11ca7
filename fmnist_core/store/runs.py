"""Runs, epochs and weights in SQL: the one place where pages and workers meet.

Everything a run has shown survives in here.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from fmnist_core.config import RunConfig
from fmnist_core.data.evaluation_images import Part
from fmnist_core.network.figures import TRAINING_VERSION, Evaluation
from fmnist_core.settings import Limits
from fmnist_core.store import deletion
from fmnist_core.store.database import Database
from fmnist_core.store.leases import Leases
from fmnist_core.store.notes import Notes
from fmnist_core.store.queue import check_limits
from fmnist_core.store.rights import check_owner, refusals_logged
from fmnist_core.store.run import Run, Weights, to_run
from fmnist_core.store.run_log import log_run
from fmnist_core.store.summaries import Summary, read_summaries
from fmnist_core.store.tables import EPOCHS, PREDICTIONS, PROJECTIONS, RUNS, SHOWN_RUNS, TESTS, WEIGHTS
from fmnist_core.store.visitor import OPERATOR, Visitor

if TYPE_CHECKING:
    import pandas as pd

EPOCH_COLUMNS = [column.name for column in EPOCHS.columns if column.name != "run_key"]


class RunGoneError(RuntimeError):
    """Somebody wants to change a run that was deleted meanwhile; the message is for people."""


@dataclass(frozen=True)
class StoredWeights:
    """A network as it is stored: the epoch after which it had these weights, and a safetensors file."""

    epoch: int
    content: bytes


class Store:
    """All runs in the database at `url` as pages see them; `leases` is what dispatcher and workers do with them.

    Every method may be called from any thread, and raises StoreError with a sentence for people when the database
    cannot be read or written.
    """

    def __init__(self, url: str, limits: Limits | None = None) -> None:
        self.database = Database(url)
        self._limits = limits or Limits()
        self.leases = Leases(self.database)

    def close(self) -> None:
        """Give all database connections back."""
        self.database.close()

    def request(self, config: RunConfig, data_name: str, data_fingerprint: str, by: Visitor = OPERATOR) -> str:
        """Ask for a run and return its key; as `request_all` for one run."""
        return self.request_all([config], data_name, data_fingerprint, by)[0]

    def request_all(
        self, configs: Sequence[RunConfig], data_name: str, data_fingerprint: str, by: Visitor = OPERATOR
    ) -> list[str]:
        """Ask for the runs of one experiment, all or none, and return their keys in the same order.

        A run that is there already is joined, and resumed if it had ended early; it stays with who asked for it first.
        One that was deleted comes back, as long as it can.
        Raises LimitReachedError.
        """
        keys = {config.key(data_fingerprint, TRAINING_VERSION): config for config in configs}
        with refusals_logged("train", keys, by), self.database.writing() as connection:
            deletion.make_way(connection, keys, by, self.database.now)
            query = sa.select(RUNS.c.key, RUNS.c.status).where(RUNS.c.key.in_(keys))
            stored = {row.key: row.status for row in connection.execute(query)}
            joined = {key for key, status in stored.items() if status in {"queued", "running", "finished"}}
            if new := [config for key, config in keys.items() if key not in joined]:
                check_limits(connection, self._limits, by, new, self.database.stored_bytes(connection))
            # Whoever asks again wants a run to go on, also when somebody has just asked it to stop.
            connection.execute(RUNS.update().where(RUNS.c.key.in_(joined)).values(cancel_requested=False))
            fresh = {"status": "queued", "cancel_requested": False, "attempts": 0, "error": None, "ended_at": None}
            fresh |= {"created_at": self.database.now}  # whoever asks for a run again is in line from now on
            owned = {"asked_by": sa.func.coalesce(RUNS.c.asked_by, by.name)}
            connection.execute(RUNS.update().where(RUNS.c.key.in_(stored.keys() - joined)).values(**fresh, **owned))
            for key, config in keys.items():
                if key not in stored:
                    connection.execute(
                        RUNS.insert().values(
                            key=key,
                            config=json.dumps(config.to_dict()),
                            data_name=data_name,
                            data_fingerprint=data_fingerprint,
                            asked_by=by.name,
                            **fresh,
                        )
                    )
        return [config.key(data_fingerprint, TRAINING_VERSION) for config in configs]

    def cancel(self, *keys: str, by: Visitor = OPERATOR) -> None:
        """Ask runs to stop: at once while they wait, within an epoch while they train. Ended ones stay as they are.

        Raises NotYoursError where one of them is not `by`'s to stop; then none is.
        """
        with refusals_logged("stop", keys, by), self.database.writing() as connection:
            check_owner(connection, keys, by, "stop")
            waiting = (RUNS.c.key.in_(keys), RUNS.c.status == "queued")
            ended = connection.scalars(sa.select(RUNS.c.key).where(*waiting)).all()
            connection.execute(RUNS.update().where(*waiting).values(status="stopped", ended_at=self.database.now))
            training = (RUNS.c.key.in_(keys), RUNS.c.status == "running")
            connection.execute(RUNS.update().where(*training).values(cancel_requested=True))
        for key in ended:
            log_run("end", run=key, status="stopped", reason="it was stopped while it waited")

    def delete(self, *keys: str, by: Visitor = OPERATOR) -> None:
        """Delete runs; for a while they can come back. As `deletion.delete`."""
        deletion.delete(self.database, keys, by)

    def bring_back(self, *keys: str, by: Visitor = OPERATOR) -> list[str]:
        """Undo the deletion of runs, and return the keys of those that could still come back."""
        return deletion.bring_back(self.database, keys, by)

    def purge(self, *keys: str, by: Visitor = OPERATOR) -> None:
        """Give up all that is stored of deleted runs, for good. As `deletion.purge`."""
        deletion.purge(self.database, keys, by)

    def due_for_purge(self) -> list[str]:
        """Keys of deleted runs that can come back no longer, though they are still stored."""
        return deletion.due_for_purge(self.database)

    def write_notes(self, key: str, notes: Notes, by: Visitor = OPERATOR) -> None:
        """Keep what is written about a run, in place of what was.

        Raises NotYoursError, and RunGoneError where the run was deleted meanwhile.
        """
        texts = {name: text or None for name, text in asdict(notes).items()}
        with refusals_logged("note", [key], by), self.database.writing() as connection:
            check_owner(connection, [key], by, "write about")
            row = (RUNS.c.key == key, RUNS.c.status != "deleted")
            changes = {**texts, "changed_at": self.database.now}
            if connection.execute(RUNS.update().where(*row).values(**changes)).rowcount == 0:
                raise RunGoneError("the run was deleted meanwhile, so that nothing can be written about it")

    def run(self, key: str) -> Run | None:
        """The run with this key, or None."""
        return self.runs_of([key]).get(key)

    def runs_of(self, keys: Collection[str]) -> dict[str, Run]:
        """The runs with these keys, as far as there are any."""
        with self.database.reading() as connection:
            found = SHOWN_RUNS.where(RUNS.c.key.in_(keys), RUNS.c.status != "deleted")
            rows = connection.execute(found).mappings().all()
        return {row["key"]: to_run(row) for row in rows}

    def runs(self) -> list[Run]:
        """All runs, newest first."""
        with self.database.reading() as connection:
            found = SHOWN_RUNS.where(RUNS.c.status != "deleted").order_by(RUNS.c.number.desc())
            rows = connection.execute(found).mappings().all()
        return [to_run(row) for row in rows]

    def changed_runs(self, known: Collection[Run]) -> list[Run]:
        """The runs that may differ from `known`, what an earlier look at the whole store found; oldest first.

        Deleted ones among them.
        """
        newest = max((run.number for run in known), default=0)
        last_end = max((run.ended_at for run in known if run.ended_at is not None), default=0.0)
        last_change = max((run.changed_at for run in known if run.changed_at is not None), default=0.0)
        active = [run.key for run in known if run.is_active]
        news = sa.or_(
            RUNS.c.number > newest,
            RUNS.c.ended_at > last_end,
            RUNS.c.changed_at >= last_change,  # a clock's tick may hold two changes
            RUNS.c.key.in_(active),
            RUNS.c.status.in_(("queued", "running")),
        )
        with self.database.reading() as connection:
            rows = connection.execute(SHOWN_RUNS.where(news).order_by(RUNS.c.number)).mappings().all()
        return [to_run(row) for row in rows]

    def epochs(self, key: str) -> "pd.DataFrame":
        """The run's epochs so far, one a row, with the columns of EpochResult."""
        return self.epochs_of([key])[key]

    def epochs_of(self, keys: Collection[str]) -> "dict[str, pd.DataFrame]":
        """The epochs of each run, as `epochs` gives them, in one query."""
        import pandas as pd  # workers, which never read epochs, do without its 60 MB

        columns = [EPOCHS.c[name] for name in EPOCH_COLUMNS]
        query = sa.select(EPOCHS.c.run_key, *columns).where(EPOCHS.c.run_key.in_(keys)).order_by(EPOCHS.c.epoch)
        rows: dict[str, list[tuple[Any, ...]]] = {key: [] for key in keys}
        # Fetched whole: with SQLite's rollback journal workers cannot write while a reader works through its rows.
        with self.database.reading() as connection:
            found = connection.execute(query).all()
        for key, *figures in found:
            rows[key].append(tuple(figures))
        return {key: pd.DataFrame(figures, columns=EPOCH_COLUMNS) for key, figures in rows.items()}

    def summaries_of(self, keys: Collection[str]) -> dict[str, Summary]:
        """Each run's epochs in short, of runs that have one; for lists of very many runs."""
        return read_summaries(self.database, keys)

    def weights(self, key: str, kind: Weights) -> StoredWeights | None:
        """The network of a run's best or last epoch, together with that epoch; None before there is one."""
        epoch = RUNS.c.best_epoch if kind == "best" else RUNS.c.epochs_done
        query = (
            sa.select(epoch, WEIGHTS.c.content)
            .join(WEIGHTS, WEIGHTS.c.run_key == RUNS.c.key)
            .where(RUNS.c.key == key, WEIGHTS.c.kind == kind)
        )
        with self.database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else StoredWeights(*row)

    def has_weights(self, key: str, kind: Weights) -> bool:
        """Whether `weights` would find a network, without reading it."""
        query = sa.select(WEIGHTS.c.kind).where(WEIGHTS.c.run_key == key, WEIGHTS.c.kind == kind)
        with self.database.reading() as connection:
            return connection.scalar(query) is not None

    def tests(self, key: str) -> dict[Weights, Evaluation]:
        """Figures on the test set, of a run that has ended: at its best and at its last epoch."""
        return self.tests_of([key])[key]

    def tests_of(self, keys: Collection[str]) -> dict[str, dict[Weights, Evaluation]]:
        """The test figures of each run, as `tests` gives them, in one query."""
        figures: dict[str, dict[Weights, Evaluation]] = {key: {} for key in keys}
        with self.database.reading() as connection:
            found = connection.execute(sa.select(TESTS).where(TESTS.c.run_key.in_(keys))).all()
        for row in found:
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
        with self.database.reading() as connection:
            return {row.epoch: row.content for row in connection.execute(query)}

    def best_predictions(self, keys: Collection[str], part: Part) -> dict[str, bytes]:
        """The packed predictions of each run's best epoch for the images of `part`, of runs that stored them."""
        query = (
            sa.select(PREDICTIONS.c.run_key, PREDICTIONS.c.content)
            .join(RUNS, sa.and_(RUNS.c.key == PREDICTIONS.c.run_key, RUNS.c.best_epoch == PREDICTIONS.c.epoch))
            .where(PREDICTIONS.c.run_key.in_(keys), PREDICTIONS.c.part == part)
        )
        with self.database.reading() as connection:
            return {row.run_key: row.content for row in connection.execute(query)}

    def projection(self, key: str, epoch: int, part: Part) -> npt.NDArray[np.float32] | None:
        """The map (n, 2) of the images of `part` as the run's network of `epoch` sees them, or None."""
        row = (PROJECTIONS.c.run_key == key, PROJECTIONS.c.epoch == epoch, PROJECTIONS.c.part == part)
        with self.database.reading() as connection:
            content = connection.scalar(sa.select(PROJECTIONS.c.content).where(*row))
        return None if content is None else np.frombuffer(content, dtype="<f4").reshape(-1, 2)

    def put_projection(self, key: str, epoch: int, part: Part, points: npt.NDArray[np.float32]) -> None:
        """Keep a map (n, 2); one that is there already is replaced. Of a run that was deleted none is kept."""
        row = {"run_key": key, "epoch": epoch, "part": part}
        with self.database.writing() as connection:
            if connection.scalar(sa.select(RUNS.c.status).where(RUNS.c.key == key)) in {None, "deleted"}:
                return
            connection.execute(
                PROJECTIONS.delete().where(*(PROJECTIONS.c[name] == value for name, value in row.items()))
            )
            connection.execute(PROJECTIONS.insert().values(**row, content=points.astype("<f4").tobytes()))
