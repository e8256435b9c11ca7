"""The real server, told to end while runs train: it and its workers are gone soon, and nothing is lost."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from fmnist_core.config import RunConfig
from tests.conftest import wait_until

ROOT = Path(__file__).parent.parent.parent
END_SECONDS = 10.0  # a second on a machine that has nothing else to do; CI's is busy


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_the_server_and_its_workers_end_soon(store, settings, ask, tmp_path, sent):
    keys = [ask(RunConfig(hidden=(64,), epochs=200, seed=seed)) for seed in range(2)]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    nowhere = {"DROPOUT_LAB_MIRROR": tmp_path.as_uri(), "DROPOUT_LAB_STORE": "", "DROPOUT_LAB_WORKERS": "2"}
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **nowhere, "DROPOUT_LAB_HOME": str(settings.home)},
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: all(store.run(key).epochs_done for key in keys), "both runs train", seconds=200)
        family = psutil.Process(server.pid).children(recursive=True)
        assert len(family) >= 2
        began = time.monotonic()
        server.send_signal(sent)
        server.wait(60)
        wait_until(lambda: not any(map(lives, family)), "its workers end")
        assert time.monotonic() - began < END_SECONDS
    finally:
        server.kill()
        server.wait()
    assert {store.run(key).status for key in keys} == {"queued"}, "the next server goes on with them at once"
    told = (tmp_path / "log").read_text()
    assert told.count("event=retry") == 2
    assert "Traceback" not in told


def lives(process):
    """Whether a process runs; one that has ended and that nobody has asked for its exit code yet does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
