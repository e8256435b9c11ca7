"""The real server for a benchmark: a process, a home, a store and workers of its own."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from fmnist_core.data.dataset import Dataset
from fmnist_core.data.sources import load
from fmnist_core.settings import Settings
from fmnist_core.store.runs import Store

ROOT = Path(__file__).parent.parent
_OTHERS = ("DROPOUT_LAB_STORE", "DROPOUT_LAB_SCHEDULER")  # a benchmark must not use anybody else's


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that answers, and how long it took from its command to its first answer."""

    address: str
    process: psutil.Process
    start_seconds: float

    @property
    def processor_seconds(self) -> float:
        """Processor time that the server has taken so far, without its workers."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What a process holds: all, and all with what it shares divided among those who share it (None: not known)."""

    resident_megabytes: float
    proportional_megabytes: float | None

    def __str__(self) -> str:
        own = "" if self.proportional_megabytes is None else f" (PSS {self.proportional_megabytes:.0f})"
        return f"{self.resident_megabytes:.0f}{own} MB"


def memory_of(process: psutil.Process) -> Memory:
    """A process's memory now."""
    proportional = None
    rollup = Path(f"/proc/{process.pid}/smaps_rollup")
    if rollup.exists():
        kibibytes = next(line.split()[1] for line in rollup.read_text().splitlines() if line.startswith("Pss:"))
        proportional = int(kibibytes) * 1024 / 1e6
    return Memory(resident_megabytes=process.memory_info().rss / 1e6, proportional_megabytes=proportional)


def settings_at(home: Path) -> Settings:
    """The environment's settings, for a server with its home there."""
    return replace(Settings.from_environment(), home=home, store_url=None, scheduler=None)


def wait_until(condition: Callable[[], object], what: str, limit_seconds: float = 120) -> None:
    """Look until `condition` holds. Raises TimeoutError that says `what` was awaited."""
    deadline, pause = time.monotonic() + limit_seconds, threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {limit_seconds:.0f} s")
        pause.wait(0.02)


@dataclass(frozen=True, kw_only=True)
class Laboratory:
    """A home of its own for servers, the real data, and the store that those servers open."""

    home: Path
    data: Dataset
    store: Store


@contextmanager
def laboratory() -> Iterator[Laboratory]:
    """Make one in a temporary folder, and remove it at the end."""
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_at(Path(folder))
        data = load(settings)
        assert data.is_real, data.notes
        store = Store(settings.database_url)
        try:
            yield Laboratory(home=settings.home, data=data, store=store)
        finally:
            store.close()


@contextmanager
def running_server(home: Path, log_file: Path | None = None) -> Iterator[Server]:
    """Start the server, yield it once it answers, and end it. It logs to a file in its home, or to `log_file`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address, log_file = f"http://127.0.0.1:{port}", log_file or home / "server.log"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    environment = {name: value for name, value in os.environ.items() if name not in _OTHERS}
    with log_file.open("ab") as log:
        began = time.perf_counter()
        server = subprocess.Popen(
            [*command, "--server.address=127.0.0.1", f"--server.port={port}"],
            cwd=ROOT,
            env={**environment, "DROPOUT_LAB_HOME": str(home)},
            stdout=log,
            stderr=log,
        )

    def answers() -> bool:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended:\n{log_file.read_text()}")
        try:
            with urlopen(f"{address}/_stcore/health", timeout=5) as answer:
                return bool(answer.read() == b"ok")
        except (URLError, OSError):
            return False

    try:
        wait_until(answers, "the server answers")
        took = time.perf_counter() - began
        yield Server(address=address, process=psutil.Process(server.pid), start_seconds=took)
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
