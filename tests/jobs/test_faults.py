"""What goes wrong around running workers: a worker that hangs, dies as it starts, or has another store."""

import os
import signal
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace

import psutil
from distributed import LocalCluster

from fmnist_core.jobs import dispatcher as dispatching
from fmnist_core.jobs.dispatcher import Dispatcher
from fmnist_core.jobs.processes import this_process
from fmnist_core.store import leases
from fmnist_core.store.leases import Workplace
from fmnist_core.store.tables import RUNS
from tests.conftest import wait_until
from tests.jobs.real_runs import CONFIG, ENDS_LATER, stored, undisturbed

pytestmark = ENDS_LATER


def test_a_worker_that_hangs_past_its_lease_loses_its_run(store, settings, ask, garments, monkeypatch):
    monkeypatch.setattr(dispatching, "GRACE_SECONDS", 0.5)
    config = replace(CONFIG, epochs=8, hidden=(256, 128))
    with Dispatcher(store, replace(settings, workers=1)) as dispatcher:
        key = ask(config)
        dispatcher.wake()
        wait_until(lambda: store.run(key).epochs_done >= 1, "an epoch", seconds=120)
        (hung,) = dispatcher.worker_processes()

        def hangs_between_two_writes() -> bool:
            os.kill(hung, signal.SIGSTOP)
            try:
                with closing(sqlite3.connect(settings.home / "runs.sqlite", timeout=1)) as database:
                    database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:  # nobody could write any more
                os.kill(hung, signal.SIGCONT)
                return False
            return True

        wait_until(hangs_between_two_writes, "it hangs between two writes")
        with store.database.writing() as connection:  # as though it had hung for that long
            connection.execute(RUNS.update().values(lease_until=store.database.now - 1))
        wait_until(lambda: store.run(key).status == "finished", "another worker finishes the run")
        assert not psutil.pid_exists(hung)
    assert stored(store, key) == undisturbed(config, garments)


def test_workers_killed_as_they_start_are_replaced(store, settings, ask):
    with Dispatcher(store, replace(settings, workers=1)) as dispatcher:
        key = ask(replace(CONFIG, epochs=200, hidden=(256, 128)))
        dispatcher.wake()
        wait_until(lambda: store.run(key).epochs_done >= 1, "an epoch", seconds=120)
        nannies = dispatcher._workers.cluster.workers
        for _ in range(3):  # one that trains, then what is started in its place, before it is there
            before = {nanny.pid for nanny in nannies.values()}
            for process in filter(None, before):
                os.kill(process, signal.SIGKILL)
            wait_until(lambda seen=before: {nanny.pid for nanny in nannies.values()} - seen - {None}, "another starts")
        done = store.run(key).epochs_done
        wait_until(lambda: store.run(key).epochs_done > done + 1, "the run goes on")
        store.cancel(key)
        wait_until(lambda: store.run(key).status == "stopped", "it stops")


def test_servers_that_are_killed_cost_a_run_none_of_its_attempts(store, settings, ask):
    key = ask()
    dead = "/".join([*this_process().split("/")[:2], "1"])
    place = Workplace(process=dead, torch_version="", processor="", threads=1)
    with Dispatcher(store, settings) as dispatcher:
        pass
    for number in range(2 * leases.ATTEMPT_LIMIT):
        assert store.leases.claim(key, f"{dead}:{number}", place)
        dispatcher._take_from_the_dead()
    assert store.leases.claimable() == [key]


def test_a_process_that_died_under_a_living_server_is_left_to_that_server(store, settings, ask):
    key = ask()
    here = this_process()
    dead = "/".join([*here.split("/")[:2], "1"])
    store.leases.claim(key, f"{here}:1", Workplace(process=dead, torch_version="", processor="", threads=1))
    with Dispatcher(store, settings) as dispatcher:
        dispatcher._take_from_the_dead()
        assert store.run(key).status == "running"


def test_what_a_dead_process_held_is_taken_up_at_once(store, settings, ask, monkeypatch):
    key = ask()
    dead = "/".join([*this_process().split("/")[:2], "1"])
    of_a_killed_server = f"{dead}:attempt"
    place = Workplace(process=dead, torch_version="", processor="", threads=1)
    store.leases.claim(key, of_a_killed_server, place)
    released = []
    release = leases.Leases.release

    def remember(self, owner, *rest, **named):
        released.append(owner)
        return release(self, owner, *rest, **named)

    monkeypatch.setattr(leases.Leases, "release", remember)
    with Dispatcher(store, replace(settings, workers=1)):
        wait_until(lambda: store.run(key).status == "finished", "the run finishes", seconds=120)
    assert released[0] == of_a_killed_server


def test_an_address_where_nobody_answers_is_told_and_ends_nothing(store, settings, ask, monkeypatch):
    ask()
    for address in ("foo://x", "localhost:notaport"):  # which settings refuse
        with Dispatcher(store, replace(settings, scheduler=address)) as dispatcher:
            wait_until(dispatcher.workers_problem, "the problem is told")
            assert address in dispatcher.workers_problem()
            assert dispatcher._thread.is_alive()


def test_workers_with_a_store_of_their_own_are_told_once(store, settings, ask, scheduler_files, tmp_path, monkeypatch):
    files, security = scheduler_files
    handed_out = []

    def count(dispatcher, owner, error):
        handed_out.append(owner)
        take_back(dispatcher, owner, error)

    take_back = Dispatcher._take_back_broken
    monkeypatch.setattr(Dispatcher, "_take_back_broken", count)
    monkeypatch.setattr(dispatching, "POLL_SECONDS", 0.05)
    key = ask()
    with (
        LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address=None,
            security=security,
            env={"DROPOUT_LAB_HOME": str(tmp_path / "elsewhere")},
        ) as existing,
        Dispatcher(store, replace(settings, scheduler=existing.scheduler_address, **files)) as dispatcher,
    ):
        wait_until(dispatcher.workers_problem, "the problem is told")
        for _ in range(20):
            dispatcher.wake()
            threading.Event().wait(0.02)
        assert "DROPOUT_LAB_STORE" in dispatcher.workers_problem()
    assert len(handed_out) == 1
    assert store.run(key).status == "queued"
