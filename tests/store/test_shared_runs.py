"""One look at the store serves everybody, and misses nothing."""

import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from fmnist_core.config import RunConfig
from fmnist_core.network.figures import Evaluation
from fmnist_core.store import shared_runs
from fmnist_core.store.notes import Notes
from fmnist_core.store.runs import Store
from fmnist_core.store.shared_runs import SharedRuns, run_version, version
from fmnist_core.store.summaries import Summary
from tests.conftest import epoch_result

CONFIG = RunConfig(hidden=(16,), epochs=3)


@pytest.fixture
def always(monkeypatch):
    """Every look reads the store."""
    monkeypatch.setattr(shared_runs, "LOOK_SECONDS", 0)


@pytest.fixture
def reads(monkeypatch):
    """The names of the store's methods that were called, in order."""
    names = []
    for name in ("changed_runs", "epochs_of", "summaries_of", "tests_of"):
        original = getattr(Store, name)

        def counted(self, *arguments, _name=name, _original=original):
            names.append(_name)
            return _original(self, *arguments)

        monkeypatch.setattr(Store, name, counted)
    return names


def ask(store, **changes):
    return store.request(replace(CONFIG, **changes), "Tiny", "f" * 16)


def test_many_who_look_at_once_read_the_store_once(store, reads):
    key = ask(store)
    shared = SharedRuns(store)
    threads = [threading.Thread(target=shared.run, args=(key,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shared.run(key) == store.run(key)
    assert shared.runs() == store.runs()
    assert reads == ["changed_runs"]


@pytest.mark.usefixtures("always")
def test_every_change_of_a_run_is_seen(store):
    shared, other = SharedRuns(store), Store(store.database.url)
    assert shared.runs() == []
    key = ask(other)
    second = ask(other, seed=1)
    seen = []

    def look():
        assert shared.runs() == store.runs()
        assert shared.runs_of([key, second, "0" * 16]) == store.runs_of([key, second])
        seen.append(shared.run(key).status)

    look()
    other.leases.claim(key, "worker")
    look()
    other.leases.record_epoch(key, "worker", epoch_result(1, 0.5), b"state", b"weights")
    look()
    other.cancel(key)
    look()
    other.leases.end(key, "worker", "stopped", last=b"weights")
    look()
    assert seen == ["queued", "running", "running", "running", "stopped"]
    other.close()


@pytest.mark.usefixtures("always")
def test_what_all_runs_lead_to_is_worked_out_once_for_each_news(store):
    first = ask(store)
    shared, asked = SharedRuns(store), []

    def numbers(runs):
        asked.append([run.number for run in runs])
        return asked[-1]

    assert shared.of_all(numbers) is shared.of_all(numbers)
    ask(store, seed=1)
    assert shared.of_all(numbers) == [2, 1]
    store.delete(first)
    assert shared.of_all(numbers) == [2]
    assert asked == [[1], [2, 1], [2]]


@pytest.mark.usefixtures("always")
def test_a_stopped_run_that_went_on_and_ended_between_two_looks_is_seen(store):
    key = ask(store)
    store.leases.claim(key, "worker")
    store.leases.end(key, "worker", "stopped")
    shared = SharedRuns(store)
    assert shared.run(key).status == "stopped"
    ask(store)
    store.leases.claim(key, "worker")
    store.leases.record_epoch(key, "worker", epoch_result(1, 0.5), b"state", b"weights")
    store.leases.end(key, "worker", "failed", error="broken")
    assert shared.run(key) == store.run(key)


def test_what_was_just_written_is_seen_at_once(store):
    shared = SharedRuns(store)
    assert shared.runs() == []
    key = ask(store)
    assert shared.run(key) is None  # looked a moment ago
    shared.expect_news()
    assert shared.run(key).status == "queued"


def test_looks_come_sooner_for_a_moment_after_a_write(store, reads, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(shared_runs, "time", SimpleNamespace(monotonic=lambda: now[0]))
    shared = SharedRuns(store)

    def reads_of(looks, seconds):
        reads.clear()
        for _ in range(looks):
            now[0] += seconds
            shared.look()
        return len(reads)

    shared.look()
    assert reads_of(20, 0.06) == 4
    shared.expect_news()
    assert reads_of(20, 0.12) == 20
    now[0] += shared_runs.EXPECTING_SECONDS
    shared.look()
    assert reads_of(20, 0.06) == 4


@pytest.mark.usefixtures("always")
def test_epochs_are_read_when_there_are_more_and_match_the_run(store, reads):
    key = ask(store)
    store.leases.claim(key, "worker")
    shared = SharedRuns(store)
    assert shared.epochs(shared.run(key)).empty
    store.leases.record_epoch(key, "worker", epoch_result(1, 0.5), b"state", b"weights")
    before = shared.run(key)
    store.leases.record_epoch(key, "worker", epoch_result(2, 0.4), b"state", b"weights")
    assert list(shared.epochs(before)["epoch"]) == [1]  # the run's second epoch came after it was looked at
    reads.clear()
    for _ in range(3):
        assert list(shared.epochs(shared.run(key))["epoch"]) == [1, 2]
    assert reads.count("epochs_of") <= 1


@pytest.mark.usefixtures("always")
def test_a_deleted_run_is_seen_to_go_and_to_come_back_with_its_epochs(store):
    key = ask(store)
    store.leases.claim(key, "worker")
    store.leases.record_epoch(key, "worker", epoch_result(1, 0.5), b"state", b"weights")
    store.leases.end(key, "worker", "stopped", last=b"weights")
    shared = SharedRuns(store)
    versions = [run_version(shared.run(key))]
    store.write_notes(key, Notes(name="mine"))
    assert shared.run(key).notes.name == "mine"
    versions.append(run_version(shared.run(key)))
    store.delete(key)
    assert (shared.run(key), shared.runs(), shared.deleted(key).number) == (None, [], 1)
    assert [run.key for run in shared.lately_deleted()] == [key]
    store.bring_back(key)
    assert shared.run(key) == store.run(key)
    assert shared.lately_deleted() == []
    assert list(shared.epochs(shared.run(key))["epoch"]) == [1]
    versions.append(run_version(shared.run(key)))
    assert len(set(versions)) == 3
    store.delete(key)
    store.purge(key)
    assert (shared.runs(), shared.lately_deleted()) == ([], [])


@pytest.mark.usefixtures("always")
def test_the_summaries_of_all_runs_are_read_at_once_and_again_only_of_those_that_went_on(store, reads):
    keys = [ask(store, seed=seed) for seed in range(3)]
    for key in keys[:2]:
        store.leases.claim(key, key)
        for epoch, loss in ((1, 0.5), (2, 0.45)):
            store.leases.record_epoch(key, key, epoch_result(epoch, loss), b"state", b"weights")
    shared = SharedRuns(store)
    summaries = shared.summaries_of(shared.runs())
    assert set(summaries) == set(keys[:2])
    assert summaries[keys[0]] == Summary((0.5, 0.45), 0.45, 0.82, pytest.approx(0.05), 20.0)
    assert shared.summaries_of(shared.runs()) == summaries
    assert reads.count("summaries_of") == 1
    store.leases.record_epoch(keys[1], keys[1], epoch_result(3, 0.6), b"state", b"weights")
    asked = []
    original = Store.summaries_of
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "summaries_of", lambda self, wanted: asked.append(wanted) or original(self, wanted))
        assert shared.summaries_of(shared.runs())[keys[1]].validation_losses == (0.5, 0.45, 0.6)
    assert asked == [[keys[1]]]


@pytest.mark.usefixtures("always")
def test_test_figures_are_read_once_a_run_has_ended(store, reads):
    key = ask(store)
    store.leases.claim(key, "worker")
    shared = SharedRuns(store)
    assert shared.tests(shared.run(key)) == {}
    store.leases.record_epoch(key, "worker", epoch_result(1, 0.5), b"state", b"weights")
    figures = {"best": Evaluation(0.5, 0.82, 0.05), "last": Evaluation(0.6, 0.81, 0.05)}
    store.leases.end(key, "worker", "finished", last=b"weights", tests=figures)
    assert [shared.tests(shared.run(key)) for _ in range(3)] == [figures] * 3
    assert reads.count("tests_of") == 1


@pytest.mark.usefixtures("always")
def test_a_version_changes_with_what_is_drawn_and_not_with_a_heartbeat(store):
    key = ask(store)
    shared = SharedRuns(store)
    versions = [run_version(None), run_version(shared.run(key))]
    store.leases.claim(key, "worker")
    versions.append(run_version(shared.run(key)))
    store.leases.beat(key, "worker", 0.5)
    assert shared.run(key).epoch_share == 0.5
    assert run_version(shared.run(key)) == versions[-1]
    store.leases.record_epoch(key, "worker", epoch_result(1, 0.5), b"state", b"weights")
    versions.append(run_version(shared.run(key)))
    store.cancel(key)
    versions.append(run_version(shared.run(key)))
    store.leases.end(key, "worker", "stopped", last=b"weights")
    versions.append(run_version(shared.run(key)))
    assert len(set(versions)) == len(versions)
    run = shared.run(key)
    assert version([run, None]) != version([None, run])
    assert version([run]) == version([store.run(key)])


def test_who_stops_a_run_waits_for_its_end_and_no_longer(store):
    key = ask(store)
    store.leases.claim(key, "worker")
    shared = SharedRuns(store)
    assert shared.run(key).is_active
    ended = threading.Event()

    def wait():
        shared.wait_until_ended([key], seconds=60)
        ended.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not ended.wait(0.2)
    store.leases.end(key, "worker", "stopped")
    assert ended.wait(10)
    assert not shared.run(key).is_active
    waiting.join()


def test_a_run_that_does_not_end_is_waited_for_so_long_and_not_longer(store):
    key = ask(store)
    store.leases.claim(key, "worker")
    shared, began = SharedRuns(store), time.monotonic()
    shared.wait_until_ended([key], seconds=0.3)
    assert 0.3 <= time.monotonic() - began < 10
    assert shared.run(key).is_active


def test_runs_that_are_not_there_are_not_waited_for(store):
    began = time.monotonic()
    SharedRuns(store).wait_until_ended(["0" * 16], seconds=60)
    assert time.monotonic() - began < 10
