"""A copy of the run store while runs train, and the way back.

`python -m fmnist_core.store.backup FILE` copies the store that the environment names, and
`python -m fmnist_core.store.backup --restore FILE` puts a copy in its place.
"""

import argparse
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from fmnist_core.settings import Settings
from fmnist_core.store.database import Database, StoreError


class BackupError(RuntimeError):
    """A store cannot be copied; the message is for people."""


def copy_checked(source: Path, target: Path, *, overwrite: bool = False) -> int:
    """Copy the SQLite store at `source`, also while it is written; return how many runs the copy holds.

    The copy is renamed into place when it is whole and SQLite has found it sound.
    Raises BackupError where `target` is there already and may not be overwritten, or either cannot be used.
    """
    if not source.is_file():
        raise BackupError(f"there is no run store at {source}")
    if target.exists() and not overwrite:
        raise BackupError(f"{target} is there already; choose another name, or add --overwrite to replace it")
    partial = target.with_name(f"{target.name}.part-{os.getpid()}")
    try:
        # SQLite's own online copy: one state of the database, whoever writes meanwhile.
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as here,
            closing(sqlite3.connect(partial)) as there,
        ):
            here.backup(there)
            (verdict,) = there.execute("PRAGMA integrity_check").fetchone()
            if verdict != "ok":
                raise BackupError(f"the copy of {source} is damaged: {verdict}")
            (runs,) = there.execute("SELECT count(*) FROM runs").fetchone()
        checked = Database(f"sqlite:///{partial.absolute()}")  # of a layout that this program knows
        checked.close()
        partial.replace(target)
    except (sqlite3.Error, StoreError, OSError) as error:
        raise BackupError(f"{source} cannot be copied to {target}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return int(runs)


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m fmnist_core.store.backup", description=__doc__)
    parser.add_argument("file", type=Path, help="the copy")
    parser.add_argument("--restore", action="store_true", help="put the copy in the store's place; stop the lab first")
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")
    given = parser.parse_args(arguments)
    try:
        url = sa.make_url(Settings.from_environment().database_url)
        if url.get_backend_name() != "sqlite" or not url.database:
            raise BackupError("this command copies SQLite stores; use the database's own, such as pg_dump")
        store = Path(url.database)
        source, target = (given.file, store) if given.restore else (store, given.file)
        runs = copy_checked(source, target, overwrite=given.overwrite)
    except (BackupError, ValueError) as error:
        print(f"{error}.", file=sys.stderr)
        return 1
    print(f"{target}: {runs} runs, checked.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
