"""The store's password stands in no line that anybody logs: not ours, not Dask's, also where work breaks off."""

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import wait_until

# A run whose worker is killed, and a map that fails: Dask logs a failed task with what it was given.
SERVER = """
import logging, os, signal
from fmnist_core.config import RunConfig
from fmnist_core.data.mapped import mapped
from fmnist_core.data.sources import draw
from fmnist_core.jobs.dispatcher import Dispatcher
from fmnist_core.jobs.maps import MapRequest
from fmnist_core.settings import Settings
from fmnist_core.store.runs import Store
from tests.conftest import wait_until

if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG)
    settings = Settings.from_environment()
    store, garments = Store(settings.database_url), mapped(draw(), settings.data_cache)
    config = RunConfig(hidden=(64,), epochs=6, batch_size=64)
    run = store.request(config, garments.name, garments.fingerprint)
    with Dispatcher(store, settings) as dispatcher:
        wait_until(lambda: store.run(run).epochs_done, "an epoch", 120)
        for process in dispatcher.worker_processes():
            os.kill(process, signal.SIGKILL)
        wait_until(lambda: store.run(run).status == "finished", "it goes on and finishes", 120)
        map_request = MapRequest("0" * 16, "best", "test")
        dispatcher.draw_map(map_request)
        wait_until(lambda: dispatcher.map_problem(map_request), "a map fails", 120)
    store.close()
"""
LOUD = {"DASK_LOGGING__DISTRIBUTED": "debug", "DASK_DISTRIBUTED__ADMIN__LOG_FORMAT": "%(name)s %(message)s"}


@pytest.fixture
def existing_cluster(tmp_path, files, start_process):
    """What points a server to a scheduler with one worker; they log to a file."""
    found, log = tmp_path / "scheduler.json", tmp_path / "cluster.log"
    tls = [f"--tls-ca-file={files['ca']}", f"--tls-cert={files['certificate']}", f"--tls-key={files['key']}"]
    common = ["--host=127.0.0.1", "--no-dashboard", f"--scheduler-file={found}", *tls]
    dask = [sys.executable, "-m", "dask"]
    own = {**LOUD, "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True", "DROPOUT_LAB_HOME": str(tmp_path / "home")}
    nowhere = ["--dashboard-address=127.0.0.1:0"]
    start_process([*dask, "scheduler", "--protocol=tls", "--port=0", *nowhere, *common], log, **own)
    wait_until(found.exists, "the scheduler starts")
    start_process([*dask, "worker", "--nthreads=1", f"--local-directory={tmp_path / 'scratch'}", *common], log, **own)
    return {
        "DROPOUT_LAB_SCHEDULER": json.loads(found.read_text())["address"],
        **{f"DROPOUT_LAB_SCHEDULER_{name.upper()}": str(file) for name, file in files.items()},
    }


@pytest.mark.parametrize("cluster", ["embedded", "existing"])
def test_no_log_line_tells_the_stores_password(cluster, database, tmp_path, request):
    where = {} if cluster == "embedded" else request.getfixturevalue("existing_cluster")
    own = {"DROPOUT_LAB_STORE": database, "DROPOUT_LAB_HOME": str(tmp_path / "home"), "DROPOUT_LAB_WORKERS": "1"}
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    # Not with -c: workers import the main script anew, and need a file to find that they are no server.
    (tmp_path / "server.py").write_text(SERVER)
    with (tmp_path / "server.log").open("wb") as log:
        subprocess.run(
            [sys.executable, tmp_path / "server.py"],
            env={**os.environ, **LOUD, **own, **where, **paths},
            stdout=log,
            stderr=log,
            timeout=280,
            check=False,
        )
    told = "".join(file.read_text() for file in tmp_path.glob("*.log"))
    assert "event=retry" in told
    assert "status=finished" in told
    assert "map_stored_run" in told, "Dask has told of the task that failed"
    assert "hunter2" not in told
