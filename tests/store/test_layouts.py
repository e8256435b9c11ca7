"""Stores that an earlier program made: opened, grown to today's layout, and none of their runs lost."""

import json
import sqlite3
from contextlib import closing
from multiprocessing.pool import ThreadPool
from threading import Barrier

import pytest
import sqlalchemy as sa

from fmnist_core.config import RunConfig
from fmnist_core.store.database import Database, StoreError
from fmnist_core.store.notes import NO_NOTES, Notes
from fmnist_core.store.runs import Store
from fmnist_core.store.tables import METADATA, SCHEMA_VERSION
from tests.conftest import epoch_result

CONFIG = RunConfig(hidden=(16,), epochs=3)

# As the programs of these layouts made them.
FIRST = """
CREATE TABLE schema (version INTEGER NOT NULL, PRIMARY KEY (version));
CREATE TABLE runs (
    number INTEGER NOT NULL, "key" VARCHAR(16) NOT NULL, config TEXT NOT NULL, data_name TEXT NOT NULL,
    data_fingerprint VARCHAR(64) NOT NULL, status VARCHAR(16) NOT NULL, cancel_requested BOOLEAN NOT NULL,
    owner VARCHAR(64), lease_until FLOAT, attempts INTEGER NOT NULL, epochs_done INTEGER NOT NULL,
    epoch_share FLOAT NOT NULL, best_epoch INTEGER, error TEXT, created_at FLOAT NOT NULL, ended_at FLOAT,
    PRIMARY KEY (number), UNIQUE ("key")
);
CREATE INDEX ix_runs_status ON runs (status);
CREATE TABLE epochs (
    run_key VARCHAR(16) NOT NULL, epoch INTEGER NOT NULL, training_loss FLOAT NOT NULL,
    training_accuracy FLOAT NOT NULL, evaluated_training_loss FLOAT NOT NULL,
    evaluated_training_accuracy FLOAT NOT NULL, validation_loss FLOAT NOT NULL, validation_accuracy FLOAT NOT NULL,
    validation_calibration_error FLOAT NOT NULL, learning_rate FLOAT NOT NULL, seconds FLOAT NOT NULL,
    PRIMARY KEY (run_key, epoch), FOREIGN KEY(run_key) REFERENCES runs ("key")
);
CREATE TABLE weights (
    run_key VARCHAR(16) NOT NULL, kind VARCHAR(16) NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (run_key, kind), FOREIGN KEY(run_key) REFERENCES runs ("key")
);
CREATE TABLE tests (
    run_key VARCHAR(16) NOT NULL, kind VARCHAR(16) NOT NULL, loss FLOAT NOT NULL, accuracy FLOAT NOT NULL,
    calibration_error FLOAT NOT NULL, PRIMARY KEY (run_key, kind), FOREIGN KEY(run_key) REFERENCES runs ("key")
);
"""
SECOND = f"""{FIRST}
CREATE TABLE predictions (
    run_key VARCHAR(16) NOT NULL, epoch INTEGER NOT NULL, part VARCHAR(16) NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (run_key, epoch, part), FOREIGN KEY(run_key) REFERENCES runs ("key")
);
CREATE TABLE projections (
    run_key VARCHAR(16) NOT NULL, epoch INTEGER NOT NULL, part VARCHAR(16) NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (run_key, epoch, part), FOREIGN KEY(run_key) REFERENCES runs ("key")
);
"""
THIRD = f"""{SECOND}
ALTER TABLE schema ADD COLUMN identity VARCHAR(32);
ALTER TABLE runs ADD COLUMN worker VARCHAR(64);
ALTER TABLE runs ADD COLUMN torch_version VARCHAR(64);
ALTER TABLE runs ADD COLUMN processor TEXT;
ALTER TABLE runs ADD COLUMN threads INTEGER;
ALTER TABLE runs ADD COLUMN asked_by VARCHAR(64);
"""
LAYOUTS = {1: FIRST, 2: SECOND, 3: THIRD}


@pytest.fixture(params=LAYOUTS)
def old_store(request, tmp_path):
    """The address of a store of an older layout, with one run in it."""
    path = tmp_path / "runs.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(LAYOUTS[request.param])
        connection.execute("INSERT INTO schema (version) VALUES (?)", [request.param])
        connection.execute(
            "INSERT INTO runs (number, key, config, data_name, data_fingerprint, status, cancel_requested, attempts, "
            "epochs_done, epoch_share, created_at) VALUES (1, ?, ?, 'Tiny', 'ffff', 'queued', 0, 0, 0, 0, 1)",
            ["a" * 16, json.dumps(CONFIG.to_dict())],
        )
    return f"sqlite:///{path}"


def columns(store):
    inspector = sa.inspect(store.database._engine)
    return {table: [column["name"] for column in inspector.get_columns(table)] for table in inspector.get_table_names()}


def test_an_older_store_shows_its_runs_and_goes_on(old_store):
    store = Store(old_store)
    (run,) = store.runs()
    assert (run.number, run.config, run.status) == (1, CONFIG, "queued")
    assert (run.notes, run.status_before, run.changed_at) == (NO_NOTES, None, None)
    assert (run.torch_version, run.processor, run.threads, run.asked_by) == (None, None, None, None)
    assert run.early_losses == ()
    assert store.leases.claim(run.key, "me") is not None
    store.leases.record_epoch(run.key, "me", epoch_result(), b"state", b"weights", {"test": b"answers"})
    store.close()
    again = Store(old_store)
    again.write_notes(run.key, Notes(name="from long ago"))
    assert (again.run(run.key).epochs_done, again.run(run.key).notes.name) == (1, "from long ago")
    assert again.replay(run.key, "test") == {1: b"answers"}
    again.close()


def test_an_older_store_has_todays_tables_once_it_is_opened(old_store, store):
    grown = Store(old_store)
    # A column that came later stands at the end.
    assert {name: set(names) for name, names in columns(grown).items()} == {
        name: set(names) for name, names in columns(store).items()
    }
    assert set(columns(store)) == set(METADATA.tables)
    grown.close()


def test_of_several_processes_that_open_an_older_store_one_makes_it_grow(old_store):
    barrier = Barrier(4)

    def open_store(_):
        barrier.wait()
        database = Database(old_store)
        database.close()
        with database.reading() as connection:
            return connection.execute(sa.text("SELECT version, identity FROM schema")).one()

    with ThreadPool(4) as pool:
        (row,) = set(pool.map(open_store, range(4)))
    assert row.version == SCHEMA_VERSION
    assert len(row.identity) == 32


def test_a_store_of_a_newer_layout_is_left_alone(store, settings):
    with store.database.writing() as connection:
        connection.execute(sa.text("UPDATE schema SET version = :version"), {"version": SCHEMA_VERSION + 1})
    store.close()
    before = (settings.home / "runs.sqlite").read_bytes()
    with pytest.raises(StoreError, match=f"layout {SCHEMA_VERSION + 1}"):
        Store(store.database.url)
    assert (settings.home / "runs.sqlite").read_bytes() == before
