import threading
from dataclasses import replace

import pytest

from fmnist_core.config import RunConfig
from fmnist_core.network.figures import Evaluation
from fmnist_core.settings import Limits
from fmnist_core.store.database import StoreError
from fmnist_core.store.queue import LimitReachedError
from fmnist_core.store.runs import Store
from fmnist_core.store.visitor import NotYoursError, Visitor
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


@pytest.fixture
def small(settings):
    """A store that takes little."""
    opened = Store(settings.database_url, Limits(waiting_runs=3, visitor_runs=2, epochs=4))
    yield opened
    opened.close()


def test_one_run_more_than_may_wait_is_refused(small):
    for seed in range(3):
        ask(small, seed=seed)
    with pytest.raises(LimitReachedError, match=r"at most 3 .*3 do"):
        ask(small, seed=999)
    assert len(small.runs()) == 3
    ask(small, seed=0)  # joining one that waits is no new run
    small.leases.claim(small.leases.claimable()[0], "worker")
    ask(small, seed=999)  # one has started, so there is room


def test_an_experiment_is_taken_whole_or_not_at_all(small):
    many = [replace(CONFIG, seed=seed) for seed in range(5)]
    assert len(set(small.request_all(many, "Tiny", "f" * 16))) == 5
    with pytest.raises(LimitReachedError):
        small.request_all([replace(CONFIG, seed=seed) for seed in (0, 999)], "Tiny", "f" * 16)
    assert len(small.runs()) == 5
    assert small.request_all(many[:2], "Tiny", "f" * 16) == [run.key for run in small.runs()[::-1][:2]]


def test_a_visitor_has_so_many_runs_under_way_and_no_more(small):
    ada, bob = Visitor("ada"), Visitor("bob")
    keys = small.request_all([replace(CONFIG, seed=seed) for seed in range(2)], "Tiny", "f" * 16, ada)
    with pytest.raises(LimitReachedError, match=r"at most 2 .*2 of yours do.*1 more"):
        small.request(replace(CONFIG, seed=2), "Tiny", "f" * 16, ada)
    small.request(replace(CONFIG, seed=2), "Tiny", "f" * 16, bob)
    small.cancel(keys[0], by=ada)
    small.request(replace(CONFIG, seed=3), "Tiny", "f" * 16, ada)


def test_more_epochs_than_the_server_allows_are_refused(small):
    with pytest.raises(LimitReachedError, match=r"at most 4 epochs.*got 5"):
        ask(small, epochs=5)


def test_a_full_store_takes_nothing_new_and_still_joins(small, monkeypatch):
    key = ask(small)
    monkeypatch.setattr(small.database, "stored_bytes", lambda connection: 20.04e9)
    with pytest.raises(LimitReachedError, match=r"at most 20 GB, and holds 20.0 GB"):
        ask(small, seed=1)
    assert ask(small) == key


# Whose a run is


def test_a_run_belongs_to_who_asked_first(store):
    key = store.request(CONFIG, "Tiny", "f" * 16, Visitor("ada"))
    assert store.request(CONFIG, "Tiny", "f" * 16, Visitor("bob")) == key
    assert store.run(key).asked_by == "ada"
    for change in (store.cancel, store.delete):
        for stranger in (Visitor("bob"), Visitor(None)):
            with pytest.raises(NotYoursError, match="run 1 "):
                change(key, by=stranger)
    assert store.run(key).status == "queued"
    store.cancel(key, by=Visitor("ada"))
    assert store.run(key).status == "stopped"
    store.request(CONFIG, "Tiny", "f" * 16, Visitor("bob"))
    assert store.run(key).asked_by == "ada"


def test_a_run_of_nobody_goes_to_who_trains_it_on(store):
    key = ask(store)
    with pytest.raises(NotYoursError):
        store.cancel(key, by=Visitor(None))
    store.cancel(key, by=Visitor("admin", may_change_all=True))
    store.request(CONFIG, "Tiny", "f" * 16, Visitor("bob"))
    assert store.run(key).asked_by == "bob"


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
