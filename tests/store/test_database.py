import os
import sqlite3
import sys
import tempfile
import traceback
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from fmnist_core.config import RunConfig
from fmnist_core.store import database
from fmnist_core.store.database import Database, StoreError, clock, journal_mode, open_engine
from fmnist_core.store.runs import Store
from tests.conftest import epoch_result

PASSWORD = "hunter2/@:%"  # marked, to be searched for


@pytest.mark.parametrize(
    ("version", "mode"),
    [
        ((3, 40, 1), "DELETE"),
        ((3, 44, 5), "DELETE"),
        ((3, 44, 6), "WAL"),
        ((3, 45, 0), "DELETE"),
        ((3, 50, 6), "DELETE"),
        ((3, 50, 7), "WAL"),
        ((3, 51, 2), "DELETE"),
        ((3, 51, 3), "WAL"),
        ((4, 0, 0), "WAL"),
    ],
)
def test_write_ahead_logging_only_where_sqlite_is_repaired(version, mode):
    assert journal_mode(version) == mode


def test_a_connection_has_the_safe_settings(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'new folder' / 'runs.sqlite'}")
    with engine.begin() as connection:
        assert connection.scalar(sa.text("PRAGMA synchronous")) == 2  # FULL
        assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1
        assert connection.scalar(sa.text("PRAGMA busy_timeout")) == 30_000
    engine.dispose()


def test_the_database_clock_is_seconds_since_1970(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'runs.sqlite'}")
    with engine.begin() as connection:
        ours, theirs = connection.execute(sa.select(clock(engine), sa.text("strftime('%s','now')"))).one()
    assert ours == pytest.approx(float(theirs), abs=1.5)
    engine.dispose()


@pytest.mark.parametrize("url", ["nonsense", "sqlite://", "sqlite:///:memory:", "unknowndb://host/x"])
def test_an_unusable_address_is_refused_in_a_sentence(url):
    with pytest.raises(StoreError, match="run store"):
        open_engine(url)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://lab:{PASSWORD}@127.0.0.1:9/lab",  # not escaped, so its parts land anywhere
        "postgresql://lab:hunter2%2F%40%3A%25@127.0.0.1:9/lab",
        "postgresql://lab@127.0.0.1:9/lab?password=hunter2",
        "postgresql://lab:hunter2@127.0.0.1:9/lab?hunter2=1",
        "postgresql://lab:hunter2@127.0.0.1:port/lab",
        "postgresql+nodriver://lab:hunter2@127.0.0.1/lab",
        "mysql://lab:hunter2@127.0.0.1/lab",
        "hunter2",
    ],
)
def test_no_sentence_and_no_trace_tells_a_password(url):
    """Also not what the drivers and SQLAlchemy add, which `logger.exception` would write."""
    with pytest.raises(StoreError, match=r"run store|driver") as refused:
        Database(url)
    told = "".join(traceback.format_exception(refused.value)) + repr(refused.value)
    assert "hunter2" not in told


def test_a_store_that_another_program_keeps_locked_is_told_and_works_again(store, settings, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    impatient = Store(settings.database_url)
    with closing(sqlite3.connect(settings.home / "runs.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"cannot be written \(database is locked\)"):
            impatient.request(RunConfig(), "Tiny", "f" * 16)
        assert impatient.runs() == [], "what is stored is still shown"
        other.execute("ROLLBACK")
    assert impatient.request(RunConfig(), "Tiny", "f" * 16)
    impatient.close()


def test_a_store_that_is_cut_in_half_is_told_and_left_as_it_is(store, settings):
    key = store.request(RunConfig(), "Tiny", "f" * 16)
    store.leases.claim(key, "me")
    store.leases.record_epoch(key, "me", epoch_result(), bytes(100_000), bytes(100_000))
    store.close()
    file = settings.home / "runs.sqlite"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    before = file.read_bytes()
    with pytest.raises(StoreError, match="malformed"):
        Store(settings.database_url)
    assert file.read_bytes() == before


@contextmanager
def as_somebody_else():
    """Not as root, as which containers run tests: root may write anywhere."""
    before = os.geteuid()
    os.seteuid(65534 if before == 0 else before)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_folder_that_cannot_be_written_is_told_with_what_to_do():
    with tempfile.TemporaryDirectory() as name:  # not pytest's, which is closed to other users
        folder = Path(name)
        made = Store(f"sqlite:///{folder / 'made before.sqlite'}")
        made.close()
        folder.chmod(0o555)
        (folder / "made before.sqlite").chmod(0o444)
        with as_somebody_else():
            with pytest.raises(StoreError, match=r"cannot be opened .*writable.*DROPOUT_LAB_HOME"):
                Store(f"sqlite:///{folder / 'runs.sqlite'}")
            assert made.runs() == [], "what is stored is still shown"
            with pytest.raises(StoreError, match=r"cannot be written .*writable.*DROPOUT_LAB_HOME"):
                made.request(RunConfig(), "Tiny", "f" * 16)
            made.close()
        folder.chmod(0o755)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"cannot be made.*DROPOUT_LAB_HOME"):
        open_engine(f"sqlite:///{tmp_path / 'file' / 'runs.sqlite'}")
