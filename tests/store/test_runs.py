import threading
from dataclasses import replace

import pytest

from fmnist_core.config import RunConfig
from fmnist_core.network.figures import Evaluation
from fmnist_core.store.database import StoreError
from fmnist_core.store.runs import WAITING_LIMIT, QueueFullError, Store
from tests.conftest import epoch_result as result

CONFIG = RunConfig(hidden=(16,), epochs=3)


def ask(store, **changes):
    return store.request(replace(CONFIG, **changes), "Tiny", "f" * 16)


def test_a_requested_run_waits(store):
    run = store.run(ask(store))
    assert (run.status, run.number, run.epochs_done, run.progress) == ("queued", 1, 0, 0)
    assert run.config == CONFIG
    assert (run.data_name, run.data_fingerprint) == ("Tiny", "f" * 16)


def test_the_key_is_the_content(store):
    assert ask(store) == ask(store)
    assert ask(store, seed=1) != ask(store)
    assert store.request(CONFIG, "Tiny", "0" * 16) != ask(store)
    assert [run.number for run in store.runs()] == [3, 2, 1]


def test_an_unknown_key_gives_nothing(store):
    assert store.run("0" * 16) is None
    assert store.epochs("0" * 16).empty
    assert store.weights("0" * 16, "best") is None
    assert store.leases.claim("0" * 16, "worker") is None


def test_one_run_more_than_may_wait_is_refused(store):
    for seed in range(WAITING_LIMIT):
        ask(store, seed=seed)
    with pytest.raises(QueueFullError, match=f"at most {WAITING_LIMIT}.*{WAITING_LIMIT} do"):
        ask(store, seed=999)
    assert len(store.runs()) == WAITING_LIMIT
    ask(store, seed=0)  # joining one that waits is no new run
    store.leases.claim(store.leases.claimable()[0], "worker")
    ask(store, seed=999)  # one has started, so there is room


def test_a_waiting_run_stops_at_once(store):
    key = ask(store)
    store.cancel(key)
    assert store.run(key).status == "stopped"
    assert store.leases.claimable() == []


def test_cancelling_leaves_an_ended_run_as_it_is(store):
    key = ask(store)
    store.leases.claim(key, "worker")
    store.leases.end(key, "worker", "finished")
    store.cancel(key)
    assert store.run(key).status == "finished"


def test_asking_again_resumes_a_stopped_run(store):
    key = ask(store)
    store.leases.claim(key, "worker")
    store.leases.record_epoch(key, "worker", result(), b"state", b"weights")
    store.leases.end(key, "worker", "stopped", last=b"weights")
    assert ask(store) == key
    assert store.run(key).status == "queued"
    assert store.leases.claim(key, "other").checkpoint == b"state"


def test_asking_again_takes_a_stop_back(store):
    key = ask(store)
    store.leases.claim(key, "worker")
    store.cancel(key)
    ask(store)
    assert store.leases.beat(key, "worker", 0.5) is False


def test_a_finished_run_is_not_trained_again(store):
    key = ask(store)
    store.leases.claim(key, "worker")
    store.leases.record_epoch(key, "worker", result(), b"state", b"weights")
    tests = {"best": Evaluation(0.5, 0.82, 0.05), "last": Evaluation(0.6, 0.81, 0.05)}
    store.leases.end(key, "worker", "finished", last=b"weights", tests=tests)
    assert ask(store) == key
    assert store.run(key).status == "finished"
    assert store.leases.claim(key, "worker") is None
    assert store.tests(key) == tests
    assert store.weights(key, "last").content == b"weights"


def test_everything_is_there_after_opening_again(store):
    key = ask(store)
    again = Store(store.database.url)
    assert again.run(key) == store.run(key)
    again.close()


def test_writers_and_readers_side_by_side(store):
    keys = [ask(store, seed=seed) for seed in range(4)]
    failures = []

    def write(key):
        own = Store(store.database.url)
        try:
            own.leases.claim(key, key)
            for epoch in range(1, 11):
                own.leases.record_epoch(key, key, result(epoch), b"s" * 100_000, b"w" * 100_000)
        except StoreError as error:
            failures.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=write, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        for key in keys:
            epochs = store.epochs(key)
            assert list(epochs["epoch"]) == list(range(1, len(epochs) + 1))
    for thread in threads:
        thread.join()
    assert not failures
    assert all(store.run(key).epochs_done == 10 for key in keys)


def test_a_store_that_is_no_database_is_explained(tmp_path):
    (tmp_path / "runs.sqlite").write_bytes(b"not a database, but long enough to look at" * 50)
    with pytest.raises(StoreError, match=r"runs\.sqlite cannot be opened"):
        Store(f"sqlite:///{tmp_path / 'runs.sqlite'}")


def test_a_store_that_vanished_is_explained(store, tmp_path):
    store.close()
    (tmp_path / "home" / "runs.sqlite").unlink()
    with pytest.raises(StoreError, match="cannot be read"):
        store.runs()


def test_an_experiment_is_taken_whole_or_not_at_all(store):
    many = [replace(CONFIG, seed=seed) for seed in range(WAITING_LIMIT + 8)]
    assert len(set(store.request_all(many, "Tiny", "f" * 16))) == WAITING_LIMIT + 8
    with pytest.raises(QueueFullError):
        store.request_all([replace(CONFIG, seed=seed) for seed in (0, 999)], "Tiny", "f" * 16)
    assert len(store.runs()) == WAITING_LIMIT + 8
    assert store.request_all(many[:2], "Tiny", "f" * 16) == [run.key for run in store.runs()[::-1][:2]]


def test_many_runs_are_read_and_stopped_at_once(store):
    keys = [ask(store, seed=seed) for seed in range(3)]
    store.leases.claim(keys[0], "worker")
    store.leases.record_epoch(keys[0], "worker", result(), b"state", b"weights")
    assert list(store.runs_of(keys[:2])) == keys[:2]
    epochs = store.epochs_of(keys)
    assert [len(epochs[key]) for key in keys] == [1, 0, 0]
    assert list(epochs[keys[1]].columns) == list(epochs[keys[0]].columns)
    store.cancel(*keys)
    assert [store.run(key).status for key in keys] == ["running", "stopped", "stopped"]
    assert store.run(keys[0]).cancel_requested
