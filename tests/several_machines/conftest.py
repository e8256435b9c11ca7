"""A PostgreSQL server of the tests' own, in a temporary folder on a free port."""

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from distributed import Security

from tests.conftest import wait_until

PASSWORD = "hunter2/@"  # marked, to be searched for


@dataclass(frozen=True)
class PostgreSQL:
    """A server: where its programs and its data are, and its port."""

    programs: Path
    folder: Path
    port: int

    def run(self, program: str, *arguments: str) -> None:
        """Run one of its programs, as a user that it accepts."""
        user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        command = [str(self.programs / program), *arguments]
        subprocess.run(
            command, check=True, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **user
        )

    def control(self, *arguments: str) -> None:
        """Start or stop the server, and wait until it has."""
        options = f"-p {self.port} -h 127.0.0.1 -k {self.folder} -c fsync=off"
        log = str(self.folder / "log")
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-o", options, "-l", log, "-w", *arguments)

    def url(self, database: str) -> str:
        """The SQLAlchemy address of a database."""
        url = sa.URL.create("postgresql", "postgres", PASSWORD, "127.0.0.1", self.port, database)
        return url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb"), *filter(None, [shutil.which("initdb")])]
    if not found:
        message = "needs PostgreSQL; on Debian: apt-get install postgresql"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="postgresql-") as name:  # not pytest's, which is closed to other users
        server = PostgreSQL(Path(found[0]).resolve().parent, Path(name), port)
        (server.folder / "password").write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (server.folder, server.folder / "password"):
                shutil.chown(path, "postgres", "postgres")
        arguments = ("-U", "postgres", "-A", "scram-sha-256", "--no-sync", "-E", "UTF8")
        server.run("initdb", "-D", str(server.folder / "data"), *arguments, "--pwfile", str(server.folder / "password"))
        server.control("start")
        yield server
        server.control("stop", "-m", "immediate")


@pytest.fixture
def database(postgresql: PostgreSQL) -> str:
    """The address of an empty database."""
    name = f"lab_{uuid.uuid4().hex}"
    engine = sa.create_engine(postgresql.url("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return postgresql.url(name)


@pytest.fixture
def start_process() -> Iterator[Callable[..., None]]:
    """Start a process for one test, which may log to a file; it is ended after it."""
    processes = []

    def start(command: list[str], log: Path | None = None, **environment: str) -> None:
        with log.open("ab") if log else nullcontext() as output:
            processes.append(subprocess.Popen(command, env={**os.environ, **environment}, stdout=output, stderr=output))

    yield start
    for process in processes:
        process.terminate()
    wait_until(lambda: all(process.poll() is not None for process in processes), "the processes end")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A certificate that is its own authority, and its key."""
    security = Security.temporary()
    contents = {"ca": security.tls_ca_file, "certificate": security.tls_client_cert, "key": security.tls_client_key}
    for name, content in contents.items():
        (tmp_path / f"{name}.pem").write_text(content)
    return {name: tmp_path / f"{name}.pem" for name in contents}
