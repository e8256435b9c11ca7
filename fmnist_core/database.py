"""Opening the database: SQLite with safe settings, or any other that SQLAlchemy knows."""

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

BUSY_SECONDS = 30


class StoreError(RuntimeError):
    """The run store cannot be read or written; the message is for people."""


def journal_mode(version: tuple[int, int, int]) -> str:
    """WAL where SQLite is free of the WAL-reset bug, else the rollback journal.

    The bug can corrupt a database that several processes write. Versions up to 3.51.2 have it, but for the repaired
    3.50.7 and 3.44.6 and what follows them in their lines.
    """
    repaired = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    return "WAL" if repaired else "DELETE"


def open_engine(url: str) -> sa.Engine:
    """An engine for `url`; makes the folder of an SQLite file.

    Raises StoreError when the address cannot be understood or the folder cannot be made.
    """
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() != "sqlite":
            return sa.create_engine(parsed, pool_pre_ping=True)
        if not parsed.database or parsed.database == ":memory:":
            raise StoreError(f"the run store must be a file that several processes can open, got {url!r}")
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(parsed, connect_args={"timeout": BUSY_SECONDS})
    except (ArgumentError, ImportError, SQLAlchemyError) as error:
        raise StoreError(f"the run store's address must be one that SQLAlchemy knows, got {url!r}: {error}") from error
    except OSError as error:
        raise StoreError(
            f"the run store's folder cannot be made: {error}; choose another with DROPOUT_LAB_HOME"
        ) from error

    @sa.event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not in the driver
        connection.execute(f"PRAGMA journal_mode={journal_mode(sqlite3.sqlite_version_info)}")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        immediate = connection.get_execution_options().get("begin_immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def clock(engine: sa.Engine) -> sa.ColumnElement[float]:
    """An expression for seconds since 1970 by the database's own clock, which all machines share."""
    if engine.dialect.name == "sqlite":
        return sa.literal_column("((julianday('now') - 2440587.5) * 86400.0)", sa.Float())
    return sa.cast(sa.func.extract("epoch", sa.func.clock_timestamp()), sa.Float)
