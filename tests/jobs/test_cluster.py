"""How many workers may run, when they start and end, and that none outlives its server."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import dask.system
import distributed.system
import psutil
import pytest
from distributed import Client, Security

from fmnist_core.jobs import cluster
from fmnist_core.jobs.cluster import WORKER_MEMORY, LocalWorkers, worker_limit
from tests.conftest import wait_until

GIB = 2**30

# Dask's own threads and sockets end a moment after the cluster is closed.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.mark.parametrize(
    ("cores", "memory", "limit"),
    [(2, 64 * GIB, 2), (16, 8 * GIB, 6), (8, 2 * GIB, 1), (1, 64 * GIB, 1), (4, GIB // 4, 1)],
)
def test_cores_and_memory_limit_the_workers(settings, monkeypatch, cores, memory, limit):
    monkeypatch.setattr(dask.system, "CPU_COUNT", cores)
    monkeypatch.setattr(distributed.system, "MEMORY_LIMIT", memory)
    assert worker_limit(replace(settings, workers=None)) == limit
    assert limit == 1 or limit * WORKER_MEMORY < memory


def test_a_given_number_of_workers_is_taken(settings):
    assert worker_limit(replace(settings, workers=7)) == 7


def test_workers_start_as_tasks_come_and_end_when_idle(monkeypatch):
    workers = LocalWorkers(limit=2)
    try:
        assert not workers.cluster.workers
        assert workers.make_room(0) == 0
        assert workers.make_room(1) == 1
        assert workers.make_room(5) == 2
        assert workers.make_room(1) == 1
        assert len(workers.cluster.worker_spec) == 2, "a worker that may be at work is never ended"
        connected = workers.cluster.scheduler.workers
        wait_until(lambda: len(connected) == 2, "two workers start")
        workers.end_idle()
        assert len(connected) == 2, "they have only just begun to be idle"
        monkeypatch.setattr(cluster, "IDLE_SECONDS", 0.0)
        workers.end_idle()
        assert not connected
        assert not workers.cluster.worker_spec
        assert workers.make_room(1) == 1
        wait_until(lambda: len(connected) == 1, "another worker starts")
    finally:
        workers.close()


def test_one_worker_may_wait_for_a_run_within_the_limit(monkeypatch):
    workers = LocalWorkers(limit=2)
    try:
        assert workers.make_room(0, ready=True) == 0
        connected = workers.cluster.scheduler.workers
        wait_until(lambda: len(connected) == 1, "a worker waits")
        assert list(workers.addresses().values()) == [True]
        assert workers.make_room(1, ready=True) == 1
        wait_until(lambda: len(connected) == 2, "another one waits")
        assert workers.make_room(2, ready=True) == 2
        assert len(workers.cluster.worker_spec) == 2, "the limit holds"
        monkeypatch.setattr(cluster, "IDLE_SECONDS", 0.0)
        workers.end_idle(tasks=1)
        assert len(connected) == 2, "the task may be on its way to either"
        workers.end_idle(ready=True)
        assert len(connected) == 1
        workers.end_idle(ready=True)
        assert len(connected) == 1
        workers.end_idle()
        assert not connected
    finally:
        workers.close()


SERVER = """
import sys
from pathlib import Path
from fmnist_core.jobs.cluster import LocalWorkers
if __name__ == "__main__":
    workers = LocalWorkers(limit=1)
    workers.make_room(1)
    workers.cluster.wait_for_workers(1)
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_nothing_outlives_a_killed_server(tmp_path):
    (tmp_path / "server.py").write_text(SERVER)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    server = subprocess.Popen(
        [sys.executable, tmp_path / "server.py"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        assert server.stdout.readline() == b"ready\n"
        children = psutil.Process(server.pid).children(recursive=True)
        assert children
    finally:
        server.kill()
        server.wait()
        server.stdin.close()
        server.stdout.close()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")
def test_forked_workers_have_imported_torch_and_keep_the_memory_that_they_take():
    workers = LocalWorkers(limit=1)
    try:
        workers.make_room(1)
        with distributed.Client(workers.cluster, set_as_default=False) as client:
            modules, limits, threads = client.submit(look_around).result(timeout=60)
    finally:
        workers.close()
    assert "fmnist_core.jobs.preload" in modules
    assert "torch" in modules
    assert "streamlit" not in modules
    # As glibc saw it when its process, the fork server, started.
    assert limits == {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**30)}
    assert threads == "1"


def look_around():
    entries = Path("/proc/self/environ").read_text(encoding="utf-8").split("\0")
    at_start = dict(entry.split("=", 1) for entry in entries if "=" in entry)
    malloc = {name: value for name, value in at_start.items() if name.startswith("MALLOC_")}
    return set(sys.modules), malloc, at_start["OMP_NUM_THREADS"]


@pytest.fixture
def workers():
    cluster_of_test = LocalWorkers(limit=1)
    yield cluster_of_test
    cluster_of_test.close()


@pytest.mark.parametrize("certificate", ["none", "another"])
def test_nobody_else_on_this_machine_can_connect(workers, certificate):
    address = workers.cluster.scheduler_address
    assert address.startswith("tls://127.0.0.1:")
    if certificate == "none":
        address, security = address.replace("tls://", "tcp://"), None
    else:
        security = Security.temporary()
    with pytest.raises(OSError, match=r"Timed out|handshake|certificate|refused|reset"):
        Client(address, security=security, timeout=1, set_as_default=False)


def test_the_cluster_serves_no_pages(workers):
    port = workers.cluster.scheduler.http_server.port
    for page in ("status", "info/main/workers.html", "metrics"):
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"http://127.0.0.1:{port}/{page}", timeout=5)
