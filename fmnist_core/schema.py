"""The store's tables, and a run as pages see it."""

import json
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from fmnist_core.config import RunConfig

Status = Literal["queued", "running", "finished", "stopped", "failed"]
Weights = Literal["best", "last"]
Part = Literal["validation", "test"]  # what a run is judged by

SCHEMA_VERSION = 2  # 2: predictions and projections

METADATA = sa.MetaData()

SCHEMA = sa.Table("schema", METADATA, sa.Column("version", sa.Integer, primary_key=True))

RUNS = sa.Table(
    "runs",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(16), nullable=False, unique=True),
    sa.Column("config", sa.Text, nullable=False),
    sa.Column("data_name", sa.Text, nullable=False),
    sa.Column("data_fingerprint", sa.String(64), nullable=False),
    sa.Column("status", sa.String(16), nullable=False, index=True),
    sa.Column("cancel_requested", sa.Boolean, nullable=False, default=False),
    sa.Column("owner", sa.String(64)),
    sa.Column("lease_until", sa.Float),  # seconds since 1970 by the database's clock
    sa.Column("attempts", sa.Integer, nullable=False, default=0),  # claims since the last stored epoch
    sa.Column("epochs_done", sa.Integer, nullable=False, default=0),
    sa.Column("epoch_share", sa.Float, nullable=False, default=0.0),  # how much of the current epoch is done
    sa.Column("best_epoch", sa.Integer),
    sa.Column("error", sa.Text),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("ended_at", sa.Float),
)

EPOCHS = sa.Table(
    "epochs",
    METADATA,
    sa.Column("run_key", sa.ForeignKey("runs.key"), primary_key=True),
    sa.Column("epoch", sa.Integer, primary_key=True),
    sa.Column("training_loss", sa.Float, nullable=False),
    sa.Column("training_accuracy", sa.Float, nullable=False),
    sa.Column("evaluated_training_loss", sa.Float, nullable=False),
    sa.Column("evaluated_training_accuracy", sa.Float, nullable=False),
    sa.Column("validation_loss", sa.Float, nullable=False),
    sa.Column("validation_accuracy", sa.Float, nullable=False),
    sa.Column("validation_calibration_error", sa.Float, nullable=False),
    sa.Column("learning_rate", sa.Float, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
)

WEIGHTS = sa.Table(
    "weights",
    METADATA,
    sa.Column("run_key", sa.ForeignKey("runs.key"), primary_key=True),
    sa.Column("kind", sa.String(16), primary_key=True),  # best, last or checkpoint
    sa.Column("content", sa.LargeBinary, nullable=False),
)

TESTS = sa.Table(
    "tests",
    METADATA,
    sa.Column("run_key", sa.ForeignKey("runs.key"), primary_key=True),
    sa.Column("kind", sa.String(16), primary_key=True),  # best or last
    sa.Column("loss", sa.Float, nullable=False),
    sa.Column("accuracy", sa.Float, nullable=False),
    sa.Column("calibration_error", sa.Float, nullable=False),
)

# What each epoch's network says of every image that it is judged by. A run whose validation images are the test images
# has "test" alone.
PREDICTIONS = sa.Table(
    "predictions",
    METADATA,
    sa.Column("run_key", sa.ForeignKey("runs.key"), primary_key=True),
    sa.Column("epoch", sa.Integer, primary_key=True),
    sa.Column("part", sa.String(16), primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),  # as predictions.pack makes it
)

PROJECTIONS = sa.Table(
    "projections",
    METADATA,
    sa.Column("run_key", sa.ForeignKey("runs.key"), primary_key=True),
    sa.Column("epoch", sa.Integer, primary_key=True),
    sa.Column("part", sa.String(16), primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),  # float32 (n, 2), row by row
)

SHOWN_RUNS = sa.select(
    *(column for column in RUNS.columns if column.name not in {"owner", "lease_until", "attempts"}),
    EPOCHS.c.validation_loss.label("best_validation_loss"),
    EPOCHS.c.validation_accuracy.label("best_validation_accuracy"),
).select_from(RUNS.outerjoin(EPOCHS, sa.and_(EPOCHS.c.run_key == RUNS.c.key, EPOCHS.c.epoch == RUNS.c.best_epoch)))


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as pages see it. Times are seconds since 1970."""

    number: int  # counts the store's runs from 1, in the order in which they were asked for
    key: str
    config: RunConfig
    data_name: str
    data_fingerprint: str
    status: Status
    cancel_requested: bool
    epochs_done: int
    epoch_share: float
    best_epoch: int | None  # the one with the lowest validation loss so far
    best_validation_loss: float | None
    best_validation_accuracy: float | None
    error: str | None
    created_at: float
    ended_at: float | None

    @property
    def is_active(self) -> bool:
        """Whether anything about the run can still change by itself."""
        return self.status in {"queued", "running"}

    @property
    def progress(self) -> float:
        """Share of all epochs that is done, from 0 to 1."""
        return min(1.0, (self.epochs_done + self.epoch_share) / self.config.epochs)

    def epoch_of(self, kind: Weights) -> int:
        """The epoch of the stored weights. There must be some."""
        epoch = self.best_epoch if kind == "best" else self.epochs_done
        assert epoch, (self.key, kind)
        return epoch


def to_run(row: sa.RowMapping) -> Run:
    return Run(**{**row, "config": RunConfig.from_dict(json.loads(row["config"]))})
