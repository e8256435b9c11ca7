"""What a list of many runs shows of each one's epochs."""

from collections.abc import Collection
from typing import Any, NamedTuple

import sqlalchemy as sa

from fmnist_core.store.database import Database
from fmnist_core.store.tables import EPOCHS

_KEYS_A_QUERY = 1000  # databases take so many parameters, and not any number


class Summary(NamedTuple):
    """A run's epochs in short: the curve of its validation loss, how it ended, and how long all of it took."""

    validation_losses: tuple[float, ...]
    last_validation_loss: float
    last_validation_accuracy: float
    last_gap: float  # validation minus evaluated training loss
    seconds: float


def read_summaries(database: Database, keys: Collection[str]) -> dict[str, Summary]:
    """The summaries of runs that have an epoch."""
    columns = ("run_key", "validation_loss", "validation_accuracy", "evaluated_training_loss", "seconds")
    wanted = list(keys)
    found: list[Any] = []
    with database.reading() as connection:
        for start in range(0, len(wanted), _KEYS_A_QUERY):
            rows = EPOCHS.c.run_key.in_(wanted[start : start + _KEYS_A_QUERY])
            query = sa.select(*(EPOCHS.c[name] for name in columns)).where(rows)
            found += connection.execute(query.order_by(EPOCHS.c.run_key, EPOCHS.c.epoch)).all()
    by_run: dict[str, list[Any]] = {}
    for row in found:
        by_run.setdefault(row[0], []).append(row)
    return {key: _summary(rows) for key, rows in by_run.items()}


def _summary(rows: list[Any]) -> Summary:
    _, loss, accuracy, training_loss, _ = rows[-1]
    return Summary(tuple(row[1] for row in rows), loss, accuracy, loss - training_loss, sum(row[4] for row in rows))
