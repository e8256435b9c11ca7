"""The store's database, SQLite with safe settings or PostgreSQL: its layout and transactions."""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from fmnist_core.store.tables import METADATA, SCHEMA, SCHEMA_VERSION

_INCREMENTAL = 2  # SQLite's number for it
_PAGES_A_STEP = 1000  # 4 MB: a tenth of a second, in which nobody else writes
BUSY_SECONDS = 30  # longest wait for other writers
_CONNECT_SECONDS = 10
_WRITERS_LOCK = 0x0D20_9057  # a number that all programs on one PostgreSQL database must agree on


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

    Raises StoreError when the address cannot be understood or the folder cannot be made. It says nothing of the
    address but what kind of database it names: a password may stand anywhere in one that is not well formed.
    """
    try:
        parsed = sa.make_url(url)
        backend = parsed.get_backend_name()
    except (SQLAlchemyError, ImportError, ValueError):
        raise StoreError(
            "the run store's address must read like postgresql://user:password@host:5432/database, with %40 for an @, "
            "%2F for a / and %3A for a : in the password; correct or unset DROPOUT_LAB_STORE"
        ) from None
    if backend == "postgresql":
        return _open_postgresql(parsed)
    if backend != "sqlite":
        raise StoreError(f"the run store must be in SQLite or PostgreSQL, got {backend!r}; correct DROPOUT_LAB_STORE")
    if not parsed.database or parsed.database == ":memory:":
        raise StoreError("the run store must be a file that several processes can open, not memory")
    try:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(parsed, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
    except SQLAlchemyError as error:
        raise StoreError(f"the run store cannot be opened ({error}); correct or unset DROPOUT_LAB_STORE") from None
    except OSError as error:
        raise StoreError(
            f"the run store's folder cannot be made: {error}; choose another with DROPOUT_LAB_HOME"
        ) from error

    @sa.event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not in the driver
        if connection.execute("PRAGMA page_count").fetchone() == (0,):
            # Holds for a new file, before anything is in it; any other would be written to at every connection.
            connection.execute(f"PRAGMA auto_vacuum={_INCREMENTAL}")
        connection.execute(f"PRAGMA journal_mode={journal_mode(sqlite3.sqlite_version_info)}")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        immediate = connection.get_execution_options().get("begin_immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _open_postgresql(url: sa.URL) -> sa.Engine:
    try:
        # A connection that a restart of the database has cut is noticed when it is taken from the pool, and replaced.
        return sa.create_engine(
            url, pool_pre_ping=True, connect_args={"connect_timeout": _CONNECT_SECONDS}, hide_parameters=True
        )
    except (ImportError, SQLAlchemyError) as error:
        raise StoreError(f"PostgreSQL needs a driver ({error}): pip install -r requirements-postgresql.txt") from None


def clock(engine: sa.Engine) -> sa.ColumnElement[float]:
    """An expression for seconds since 1970 by the database's own clock, which all machines share."""
    if engine.dialect.name == "sqlite":
        return sa.literal_column("((julianday('now') - 2440587.5) * 86400.0)", sa.Float())
    return sa.cast(sa.func.extract("epoch", sa.func.clock_timestamp()), sa.Float)


def _stored_version(connection: sa.Connection) -> int | None:
    """The layout of the store as it is; None where there is none yet."""
    if not sa.inspect(connection).has_table(SCHEMA.name):
        return None
    return connection.scalar(sa.select(SCHEMA.c.version))


def _add_missing_columns(connection: sa.Connection) -> None:
    """Give tables that are there already the columns that they lack."""
    quote = connection.dialect.identifier_preparer.quote
    inspector = sa.inspect(connection)
    for table in METADATA.sorted_tables:
        present = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in present:
                definition = sa.schema.CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {quote(table.name)} ADD COLUMN {definition}")


class Database:
    """The database at `url`, with the tables of this program's layout.

    Raises StoreError with a sentence for people when it cannot be opened, read or written.
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
                f"the run store {self.place} has layout {version}, and this program knows layout "
                f"{SCHEMA_VERSION}; move the store away or use the program that made it"
            )
        self.now = clock(self._engine)

    def _version(self) -> int | None:
        with self._engine.begin() as connection:
            return _stored_version(connection)

    def _build(self) -> int:
        """Make the tables of a new store, or what an older layout lacks: so far layouts have only grown."""
        with self.writing() as connection:
            version = _stored_version(connection)
            if version is not None and version >= SCHEMA_VERSION:
                return version  # another process was faster
            METADATA.create_all(connection)
            _add_missing_columns(connection)
            values = {"version": SCHEMA_VERSION, "identity": uuid.uuid4().hex}
            connection.execute(SCHEMA.insert() if version is None else SCHEMA.update(), values)
            return SCHEMA_VERSION

    @property
    def identity(self) -> str:
        """A random name that tells this store from any other, however it is addressed."""
        with self.reading() as connection:
            return str(connection.scalar(sa.select(SCHEMA.c.identity)))

    def close(self) -> None:
        """Give all database connections back."""
        self._engine.dispose()

    def stored_bytes(self, connection: sa.Connection) -> int:
        """How much is stored; in an SQLite file without what is free to be used again."""
        if self._is_sqlite:
            pages, free, size = (
                int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
                for name in ("page_count", "freelist_count", "page_size")
            )
            return (pages - free) * size
        return int(connection.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0)

    def give_back_space(self) -> None:
        """Make an SQLite file as small as what it holds; PostgreSQL uses deleted rows' space again by itself.

        In short steps, between which others write. A file of an older layout must be written anew once for that, which
        waits until no run waits or trains.
        """
        if not self._is_sqlite:
            return
        with self._translated("made smaller"), closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()

            def ask(question: str) -> int:
                return int(cursor.execute(question).fetchone()[0])

            if ask("PRAGMA auto_vacuum") == _INCREMENTAL:
                while (free := ask("PRAGMA freelist_count")) > 0:
                    # As a script: Python runs it to its end, where execute() stops after the first page.
                    cursor.executescript(f"PRAGMA incremental_vacuum({_PAGES_A_STEP})")
                    if ask("PRAGMA freelist_count") >= free:
                        break  # others use it meanwhile
            elif ask("SELECT count(*) FROM runs WHERE status IN ('queued', 'running')") == 0:
                cursor.execute(f"PRAGMA auto_vacuum={_INCREMENTAL}")
                cursor.execute("VACUUM")

    @property
    def place(self) -> str:
        """Where the store is, for people: without user and password, which may also stand among the options."""
        url = self._engine.url
        if self._is_sqlite:
            return str(Path(url.database or ""))
        return f"{url.database} at {url.host or 'this machine'}{f':{url.port}' if url.port else ''}"

    @property
    def _is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    def _without_password(self, text: str) -> str:
        url = self._engine.url
        secrets = [url.password, *(value for name, value in url.query.items() if "password" in name)]
        for secret in filter(None, map(str, secrets)):
            for form in (secret, quote(secret, safe=""), quote_plus(secret)):
                text = text.replace(form, "***")
        return text

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            cause = self._without_password(str(getattr(error, "orig", None) or error)).strip()
            remedy = (
                "check that the folder exists, is writable and has free space, or choose another place with "
                "DROPOUT_LAB_HOME"
                if self._is_sqlite
                else "check that the database runs and can be reached from here, and that DROPOUT_LAB_STORE is right"
            )
            # Not `from error`: what SQLAlchemy and drivers say in a trace is theirs to choose.
            raise StoreError(f"the run store {self.place} cannot be {doing} ({cause}); {remedy}") from None

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection for queries that see one state of the database."""
        with self._translated("read"), self._engine.connect() as connection:
            if not self._is_sqlite:  # whose transactions always do
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection whose changes are made together when the block ends, or not at all; one writer at a time.

        What a block reads stays true until it ends: nobody else can insert a run that it did not find.
        """
        # SQLite must take the write lock when the transaction begins: one that reads first and then writes fails
        # under other writers, and no busy timeout helps.
        with (
            self._translated("written"),
            self._engine.connect().execution_options(begin_immediate=True) as connection,
            connection.begin(),
        ):
            if not self._is_sqlite:  # the same with PostgreSQL; the lock goes with the transaction
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'")
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")
            yield connection
