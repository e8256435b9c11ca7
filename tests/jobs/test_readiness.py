"""A worker that is there before the run, and goes when nobody asks for one."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from fmnist_core.jobs import cluster, readiness
from fmnist_core.jobs import dispatcher as dispatching
from fmnist_core.jobs.dispatcher import Dispatcher
from tests.conftest import wait_until
from tests.jobs.real_runs import CONFIG, ENDS_LATER, stored, undisturbed

pytestmark = ENDS_LATER


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(dispatching, "POLL_SECONDS", 0.1)


def is_prepared(dispatcher):
    return set(dispatcher._readiness._prepared.values()) == {None}


def test_a_worker_is_ready_before_the_run_and_the_run_is_the_same(store, settings, ask, garments):
    with Dispatcher(store, settings) as dispatcher:
        wait_until(lambda: dispatcher.is_connected, "the cluster is there")
        assert dispatcher.worker_processes() == []
        dispatcher.expect_run(garments.fingerprint)
        wait_until(lambda: is_prepared(dispatcher), "a worker has made itself ready")
        (process,) = dispatcher.worker_processes()
        key = ask()
        dispatcher.wake()
        wait_until(lambda: store.run(key).status == "finished", "the run finishes")
        assert process in dispatcher.worker_processes()
    assert stored(store, key) == undisturbed(CONFIG, garments)


def test_a_worker_that_has_waited_long_trains_the_run_that_it_waited_for(store, settings, ask, garments, monkeypatch):
    monkeypatch.setattr(cluster, "IDLE_SECONDS", 0.0)
    with Dispatcher(store, settings) as dispatcher:
        dispatcher.expect_run(garments.fingerprint)
        for seed in range(3):
            wait_until(lambda: is_prepared(dispatcher), "a worker has made itself ready")
            process = dispatcher.worker_processes()[-1]
            key = ask(replace(CONFIG, seed=seed))
            dispatcher.wake()
            wait_until(lambda key=key: store.run(key).status == "finished", "the run finishes")
            assert process in dispatcher.worker_processes()


def test_a_worker_that_nobody_asks_for_goes(store, settings, garments, monkeypatch):
    monkeypatch.setattr(cluster, "IDLE_SECONDS", 0.2)
    with Dispatcher(store, settings) as dispatcher:
        dispatcher.expect_run(garments.fingerprint)
        wait_until(lambda: is_prepared(dispatcher), "a worker has made itself ready")
        dispatcher._readiness._wanted_until = 0.0
        wait_until(lambda: not dispatcher.worker_processes(), "the worker has gone")


def test_whoever_comes_again_keeps_the_worker_without_waking_anybody(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(readiness, "time", SimpleNamespace(monotonic=lambda: now[0]))
    waiting = readiness.Readiness()
    assert not waiting.is_wanted
    assert waiting.expect_run("data") is True
    now[0] = readiness.WANTED_SECONDS - 1
    assert waiting.expect_run("data") is False
    now[0] = 2 * readiness.WANTED_SECONDS - 2
    assert waiting.is_wanted
    now[0] = 2 * readiness.WANTED_SECONDS
    assert not waiting.is_wanted
