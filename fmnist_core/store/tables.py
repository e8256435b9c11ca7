"""The store's tables, and a run as pages see it."""

import sqlalchemy as sa

# 2: predictions and projections. 3: the store's identity; where a run trained, who asked for it, which process has it.
# 4: what people write about runs; deleted runs that can come back. 5: losses within a run's first epochs.
SCHEMA_VERSION = 5

METADATA = sa.MetaData()

# A column that a table gains later must be nullable: existing stores get it empty.
SCHEMA = sa.Table(
    "schema",
    METADATA,
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("identity", sa.String(32)),  # random; tells this store from any other
)

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
    sa.Column("owner", sa.String(64)),  # the attempt that has the run
    sa.Column("worker", sa.String(64)),  # the process of that attempt
    sa.Column("lease_until", sa.Float),  # seconds since 1970 by the database's clock
    sa.Column("attempts", sa.Integer, nullable=False, default=0),  # claims since the last stored epoch
    sa.Column("epochs_done", sa.Integer, nullable=False, default=0),
    sa.Column("epoch_share", sa.Float, nullable=False, default=0.0),  # how much of the current epoch is done
    # Training losses within a run's first epochs, while these are under way, as `run.losses_to_text` writes them.
    sa.Column("early_losses", sa.Text),
    sa.Column("best_epoch", sa.Integer),
    sa.Column("error", sa.Text),
    sa.Column("created_at", sa.Float, nullable=False),  # when it was asked for, or last asked to go on
    sa.Column("ended_at", sa.Float),
    # Where the run trained last.
    sa.Column("torch_version", sa.String(64)),
    sa.Column("processor", sa.Text),
    sa.Column("threads", sa.Integer),
    sa.Column("asked_by", sa.String(64)),  # an opaque name of who asked for the run
    # What whose run it is writes about it.
    sa.Column("name", sa.Text),
    sa.Column("hypothesis", sa.Text),
    sa.Column("conclusion", sa.Text),
    sa.Column("status_before", sa.String(16)),  # of a deleted run: what it comes back as, as long as it can
    sa.Column("changed_at", sa.Float),  # when something was last changed that neither training nor its end does
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

# What each epoch's network says of every image that it is evaluated on. A run whose validation images are the test
# images has "test" alone.
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

_ALL_EPOCHS = EPOCHS.alias()

SHOWN_RUNS = sa.select(
    *(column for column in RUNS.columns if column.name not in {"owner", "worker", "lease_until", "attempts"}),
    EPOCHS.c.validation_loss.label("best_validation_loss"),
    EPOCHS.c.validation_accuracy.label("best_validation_accuracy"),
    sa.select(sa.func.avg(_ALL_EPOCHS.c.seconds))
    .where(_ALL_EPOCHS.c.run_key == RUNS.c.key)
    .scalar_subquery()
    .label("seconds_per_epoch"),
).select_from(RUNS.outerjoin(EPOCHS, sa.and_(EPOCHS.c.run_key == RUNS.c.key, EPOCHS.c.epoch == RUNS.c.best_epoch)))
