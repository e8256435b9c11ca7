"""Runs on real worker processes. They learn the drawn garments, which every process can make for itself."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from distributed import LocalCluster

from fmnist_core.jobs import dispatcher as dispatching
from fmnist_core.jobs import worker
from fmnist_core.jobs.dispatcher import Dispatcher
from fmnist_core.jobs.maps import MapRequest
from fmnist_core.network.model import MLP, model_to_bytes
from fmnist_core.settings import Limits
from fmnist_core.store import deletion
from fmnist_core.store.leases import ATTEMPT_LIMIT
from tests.conftest import epoch_result, wait_until
from tests.jobs.real_runs import CONFIG, ENDS_LATER, stored, undisturbed

pytestmark = ENDS_LATER


@pytest.fixture(scope="module")
def expected(garments):
    return undisturbed(CONFIG, garments)


def status(store, key):
    return store.run(key).status


def test_runs_train_side_by_side_to_their_end(store, settings, ask, expected):
    keys = [ask(), ask(replace(CONFIG, seed=1)), ask(replace(CONFIG, seed=2))]
    with Dispatcher(store, settings):
        wait_until(lambda: {status(store, key) for key in keys} == {"finished"}, "three runs finish")
    assert stored(store, keys[0]) == expected


def test_a_run_asked_for_later_starts_and_stops_within_an_epoch(store, settings, ask):
    with Dispatcher(store, settings) as dispatcher:
        key = ask(replace(CONFIG, epochs=200, hidden=(256, 256)))
        dispatcher.wake()
        wait_until(lambda: store.run(key).epochs_done >= 1, "the first epoch")
        store.cancel(key)
        asked_at = store.run(key).epochs_done
        wait_until(lambda: status(store, key) == "stopped", "the run stops", seconds=10)
        assert store.run(key).epochs_done <= asked_at + 1


def test_a_killed_worker_loses_nothing(store, settings, ask, garments):
    config = replace(CONFIG, epochs=12, hidden=(256, 128))
    with Dispatcher(store, replace(settings, workers=1)) as dispatcher:
        key = ask(config)
        dispatcher.wake()
        wait_until(lambda: store.run(key).epochs_done >= 2, "two epochs")
        (process,) = dispatcher.worker_processes()
        os.kill(process, signal.SIGKILL)
        wait_until(lambda: status(store, key) == "finished", "the run finishes after its worker was killed")
    assert stored(store, key) == undisturbed(config, garments)


def test_an_existing_cluster_is_joined_and_outlives_the_dispatcher(store, settings, ask, expected, scheduler_files):
    files, security = scheduler_files
    with LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",
        worker_dashboard_address=None,
        security=security,
        env={"DROPOUT_LAB_HOME": str(settings.home)},  # its workers keep their data where their own environment says
    ) as cluster:
        key = ask()
        own = replace(settings, scheduler=cluster.scheduler_address, store_url=settings.database_url, **files)
        with Dispatcher(store, own):
            wait_until(lambda: status(store, key) == "finished", "the run finishes on the given cluster")
        assert len(cluster.scheduler.workers) == 1
    assert stored(store, key) == expected


def kill_the_first_seed(settings, key, owner, identity):
    """Stands in for train_stored_run in the workers: seed 666 kills its process, others train."""
    run_store = worker._open_store(settings.database_url)
    if run_store.run(key).config.seed != 666:
        worker.train_stored_run(settings, key, owner, identity)
    elif run_store.leases.claim(key, owner):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_run_that_kills_every_worker_fails_alone(store, settings, ask, monkeypatch):
    monkeypatch.setattr(dispatching, "train_on_worker", kill_the_first_seed)
    poison = ask(replace(CONFIG, seed=666))
    others = [ask(replace(CONFIG, seed=seed)) for seed in range(2)]
    with Dispatcher(store, settings):
        wait_until(lambda: status(store, poison) == "failed", "the poisonous run fails")
        wait_until(lambda: all(status(store, key) == "finished" for key in others), "the others finish")
    assert f"{ATTEMPT_LIMIT} times in a row" in store.run(poison).error
    assert "killed by signal 9 (SIGKILL), often for lack of memory" in store.run(poison).error


SERVER = """
import sys, threading
from pathlib import Path
from fmnist_core.jobs.dispatcher import Dispatcher
from fmnist_core.settings import Settings
from fmnist_core.store.runs import Store
if __name__ == "__main__":
    settings = Settings(home=Path(sys.argv[1]), workers=1)
    Dispatcher(Store(settings.database_url), settings)
    threading.Event().wait()
"""


def test_a_killed_servers_run_is_taken_up_by_the_next(store, settings, ask, garments, tmp_path):
    config = replace(CONFIG, epochs=12, hidden=(256, 128))
    key = ask(config)
    (tmp_path / "server.py").write_text(SERVER)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    server = subprocess.Popen([sys.executable, tmp_path / "server.py", settings.home], env=environment)
    try:
        wait_until(lambda: store.run(key).epochs_done >= 2, "two epochs")
    finally:
        server.kill()
        server.wait()
    assert status(store, key) == "running"
    with Dispatcher(store, settings):
        wait_until(lambda: status(store, key) == "finished", "the run finishes under the next server", seconds=90)
    assert stored(store, key) == undisturbed(config, garments)


def test_a_map_is_drawn_on_a_worker(store, settings, ask):
    key = ask(replace(CONFIG, epochs=1))
    request = MapRequest(key, "last", "test")
    with Dispatcher(store, settings) as dispatcher:
        wait_until(lambda: status(store, key) == "finished", "the run finishes")
        dispatcher.draw_map(request)
        dispatcher.draw_map(request)
        assert dispatcher.is_drawing(request)
        wait_until(lambda: not dispatcher.is_drawing(request), "the map is drawn")
        assert dispatcher.map_problem(request) is None
    assert store.projection(key, 1, "test").shape == (2000, 2)


def test_a_map_is_drawn_while_a_run_has_the_only_worker(store, settings, ask):
    with Dispatcher(store, replace(settings, workers=1)) as dispatcher:
        ended = ask(replace(CONFIG, epochs=1))
        dispatcher.wake()
        wait_until(lambda: status(store, ended) == "finished", "a run finishes")
        long = ask(replace(CONFIG, epochs=200, hidden=(256, 256)))
        dispatcher.wake()
        wait_until(lambda: store.run(long).epochs_done, "another run trains")
        request = MapRequest(ended, "last", "test")
        dispatcher.draw_map(request)
        wait_until(lambda: len(dispatcher.worker_processes()) == 2, "the map has a worker of its own")
        assert status(store, long) == "running"
        store.cancel(long)
        wait_until(lambda: not dispatcher.is_drawing(request), "the map is drawn", seconds=240)
        assert dispatcher.map_problem(request) is None
    assert store.projection(ended, 1, "test") is not None


def test_so_many_maps_wait_and_no_more(store, settings):
    with Dispatcher(store, replace(settings, limits=Limits(waiting_maps=1))) as dispatcher:
        first, second = MapRequest("0" * 16, "best", "test"), MapRequest("1" * 16, "best", "test")
        dispatcher.draw_map(first)
        dispatcher.draw_map(second)
        assert not dispatcher.is_drawing(second)
        assert "at most 1" in dispatcher.map_problem(second)


def test_a_map_that_fails_says_why_and_can_be_asked_for_again(store, settings):
    foreign = MapRequest(store.request(CONFIG, "Elsewhere", "0" * 16), "best", "test")
    store.leases.claim(foreign.run_key, "me")
    store.leases.record_epoch(foreign.run_key, "me", epoch_result(), b"", model_to_bytes(MLP(CONFIG)))
    store.leases.end(foreign.run_key, "me", "finished")
    with Dispatcher(store, settings) as dispatcher:
        for _ in range(2):
            dispatcher.draw_map(foreign)
            assert dispatcher.map_problem(foreign) is None
            wait_until(lambda: not dispatcher.is_drawing(foreign), "the attempt ends")
            assert "fingerprint 0000000000000000" in dispatcher.map_problem(foreign)


def test_deleted_runs_that_can_come_back_no_longer_are_given_up(store, settings, ask, monkeypatch):
    monkeypatch.setattr(deletion, "UNDO_SECONDS", 0.0)
    monkeypatch.setattr(dispatching, "PURGE_SECONDS", 0.0)
    key, kept = ask(), ask(replace(CONFIG, seed=1))
    store.cancel(key, kept)
    store.delete(key)
    with Dispatcher(store, settings):
        wait_until(lambda: not store.due_for_purge(), "the deleted run is given up")
    assert store.bring_back(key) == []
    assert store.run(kept).status == "stopped"
