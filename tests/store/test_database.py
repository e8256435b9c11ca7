import traceback

import pytest
import sqlalchemy as sa

from fmnist_core.store.database import Database, StoreError, clock, journal_mode, open_engine

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


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"cannot be made.*DROPOUT_LAB_HOME"):
        open_engine(f"sqlite:///{tmp_path / 'file' / 'runs.sqlite'}")
