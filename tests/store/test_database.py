import pytest
import sqlalchemy as sa

from fmnist_core.store.database import StoreError, clock, journal_mode, open_engine


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


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"cannot be made.*DROPOUT_LAB_HOME"):
        open_engine(f"sqlite:///{tmp_path / 'file' / 'runs.sqlite'}")
