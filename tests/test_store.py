import threading
from dataclasses import asdict, replace

import numpy as np
import pytest
import sqlalchemy as sa

from fmnist_core import schema
from fmnist_core import store as store_module
from fmnist_core.config import RunConfig
from fmnist_core.database import StoreError
from fmnist_core.evaluation import Evaluation
from fmnist_core.store import ATTEMPT_LIMIT, WAITING_LIMIT, QueueFullError, RunLostError, Store
from tests.conftest import epoch_result as result

CONFIG = RunConfig(hidden=(16,), epochs=3)


def ask(store, **changes):
    return store.request(replace(CONFIG, **changes), "Tiny", "f" * 16)


@pytest.fixture
def expired_leases(monkeypatch):
    """Leases that have run out the moment they are given."""
    monkeypatch.setattr(store_module, "LEASE_SECONDS", -1.0)


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
    assert store.claim("0" * 16, "worker") is None


def test_one_run_more_than_may_wait_is_refused(store):
    for seed in range(WAITING_LIMIT):
        ask(store, seed=seed)
    with pytest.raises(QueueFullError, match=f"at most {WAITING_LIMIT}.*{WAITING_LIMIT} do"):
        ask(store, seed=999)
    assert len(store.runs()) == WAITING_LIMIT
    ask(store, seed=0)  # joining one that waits is no new run
    store.claim(store.claimable()[0], "worker")
    ask(store, seed=999)  # one has started, so there is room


def test_only_one_of_many_workers_can_claim(store):
    key = ask(store)
    claims, barrier = [], threading.Barrier(8)

    def claim(name):
        barrier.wait()
        claims.append(store.claim(key, name))

    threads = [threading.Thread(target=claim, args=(f"worker {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(claim is not None for claim in claims) == 1


def test_an_epoch_is_stored_with_all_its_figures(store):
    key = ask(store)
    store.claim(key, "worker")
    assert store.record_epoch(key, "worker", result(), b"state", b"weights") is False
    (row,) = store.epochs(key).to_dict("records")
    assert row == asdict(result())
    run = store.run(key)
    assert (run.epochs_done, run.best_epoch, run.best_validation_loss) == (1, 1, 0.5)
    assert run.progress == pytest.approx(1 / 3)
    assert store.weights(key, "best") == b"weights"


def test_the_best_weights_stay_when_an_epoch_is_worse(store):
    key = ask(store)
    store.claim(key, "worker")
    store.record_epoch(key, "worker", result(1), b"state 1", b"weights 1")
    store.record_epoch(key, "worker", result(2, validation_loss=0.7), b"state 2", None)
    assert store.weights(key, "best") == b"weights 1"
    assert store.run(key).best_epoch == 1


def test_a_claim_hands_over_what_is_needed_to_go_on(store, expired_leases):
    key = ask(store)
    first = store.claim(key, "first")
    assert (first.checkpoint, first.lowest_validation_loss, first.config) == (None, None, CONFIG)
    store.record_epoch(key, "first", result(), b"state", b"weights")
    second = store.claim(key, "second")
    assert (second.checkpoint, second.lowest_validation_loss) == (b"state", 0.5)


def test_a_run_with_a_lease_cannot_be_taken(store):
    key = ask(store)
    store.claim(key, "first")
    assert store.claimable() == []
    assert store.claim(key, "second") is None


def test_a_worker_that_lost_its_run_writes_nothing(store, expired_leases):
    key = ask(store)
    store.claim(key, "sleeper")
    store.claim(key, "successor")
    with pytest.raises(RunLostError):
        store.record_epoch(key, "sleeper", result(), b"state", b"weights")
    with pytest.raises(RunLostError):
        store.beat(key, "sleeper", 0.5)
    with pytest.raises(RunLostError):
        store.end(key, "sleeper", "finished", last=b"weights")
    assert store.epochs(key).empty
    assert store.weights(key, "best") is None
    assert store.run(key).status == "running"


def test_a_beat_tells_how_far_the_epoch_is_and_whether_to_stop(store):
    key = ask(store)
    store.claim(key, "worker")
    assert store.beat(key, "worker", 0.5) is False
    assert store.run(key).progress == pytest.approx(0.5 / 3)
    store.cancel(key)
    assert store.run(key).cancel_requested
    assert store.beat(key, "worker", 0.6) is True
    assert store.record_epoch(key, "worker", result(), b"state", b"weights") is True


def test_a_waiting_run_stops_at_once(store):
    key = ask(store)
    store.cancel(key)
    assert store.run(key).status == "stopped"
    assert store.claimable() == []


def test_cancelling_leaves_an_ended_run_as_it_is(store):
    key = ask(store)
    store.claim(key, "worker")
    store.end(key, "worker", "finished")
    store.cancel(key)
    assert store.run(key).status == "finished"


def test_asking_again_resumes_a_stopped_run(store):
    key = ask(store)
    store.claim(key, "worker")
    store.record_epoch(key, "worker", result(), b"state", b"weights")
    store.end(key, "worker", "stopped", last=b"weights")
    assert ask(store) == key
    assert store.run(key).status == "queued"
    assert store.claim(key, "other").checkpoint == b"state"


def test_asking_again_takes_a_stop_back(store):
    key = ask(store)
    store.claim(key, "worker")
    store.cancel(key)
    ask(store)
    assert store.beat(key, "worker", 0.5) is False


def test_a_finished_run_is_not_trained_again(store):
    key = ask(store)
    store.claim(key, "worker")
    store.record_epoch(key, "worker", result(), b"state", b"weights")
    tests = {"best": Evaluation(0.5, 0.82, 0.05), "last": Evaluation(0.6, 0.81, 0.05)}
    store.end(key, "worker", "finished", last=b"weights", tests=tests)
    assert ask(store) == key
    assert store.run(key).status == "finished"
    assert store.claim(key, "worker") is None
    assert store.tests(key) == tests
    assert store.weights(key, "last") == b"weights"


def test_a_checkpoint_is_kept_until_the_run_has_finished(store):
    key = ask(store)
    store.claim(key, "worker")
    store.record_epoch(key, "worker", result(), b"state", b"weights")

    def kinds():
        with store._reading() as connection:
            return set(connection.scalars(sa.select(schema.WEIGHTS.c.kind)))

    store.end(key, "worker", "stopped", last=b"weights")
    assert kinds() == {"best", "last", "checkpoint"}
    ask(store)
    store.claim(key, "worker")
    store.end(key, "worker", "finished", last=b"weights")
    assert kinds() == {"best", "last"}


def test_a_released_run_can_be_claimed_at_once(store):
    key = ask(store)
    store.claim(key, "dead")
    store.release(key, "somebody else")
    assert store.claimable() == []
    store.release(key, "dead")
    assert store.claimable() == [key]


def test_a_run_that_keeps_killing_its_worker_fails(store):
    key, other = ask(store), ask(store, seed=1)
    for attempt in range(ATTEMPT_LIMIT):
        assert key in store.claimable()
        assert store.claim(key, f"worker {attempt}") is not None
        store.release(key, f"worker {attempt}")
    assert store.claimable() == [other]
    run = store.run(key)
    assert run.status == "failed"
    assert f"died {ATTEMPT_LIMIT} times" in run.error
    assert store.run(other).status == "queued"
    ask(store)
    assert store.run(key).status == "queued"  # asked for again, it has new attempts
    assert store.run(key).error is None


def test_attempts_count_only_since_the_last_epoch(store):
    key = ask(store)
    for epoch in range(1, 2 * ATTEMPT_LIMIT):
        store.claim(key, "worker")
        store.record_epoch(key, "worker", result(epoch), b"state", b"weights")
        store.release(key, "worker")
        assert store.claimable() == [key]


def test_a_run_that_was_to_stop_when_its_worker_died_stops(store, expired_leases):
    key = ask(store)
    store.claim(key, "worker")
    store.cancel(key)
    assert store.claimable() == []
    assert store.run(key).status == "stopped"


def test_everything_is_there_after_opening_again(store):
    key = ask(store)
    again = Store(store.url)
    assert again.run(key) == store.run(key)
    again.close()


def test_writers_and_readers_side_by_side(store):
    keys = [ask(store, seed=seed) for seed in range(4)]
    failures = []

    def write(key):
        own = Store(store.url)
        try:
            own.claim(key, key)
            for epoch in range(1, 11):
                own.record_epoch(key, key, result(epoch), b"s" * 100_000, b"w" * 100_000)
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


def test_a_store_with_another_layout_is_left_alone(store):
    with store._writing() as connection:
        connection.execute(sa.text("UPDATE schema SET version = 99"))
    with pytest.raises(StoreError, match="layout 99"):
        Store(store.url)


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
    store.claim(keys[0], "worker")
    store.record_epoch(keys[0], "worker", result(), b"state", b"weights")
    assert list(store.runs_of(keys[:2])) == keys[:2]
    epochs = store.epochs_of(keys)
    assert [len(epochs[key]) for key in keys] == [1, 0, 0]
    assert list(epochs[keys[1]].columns) == list(epochs[keys[0]].columns)
    store.cancel(*keys)
    assert [store.run(key).status for key in keys] == ["running", "stopped", "stopped"]
    assert store.run(keys[0]).cancel_requested


def test_a_store_of_the_first_layout_grows_and_keeps_its_runs(store, settings):
    key = ask(store)
    store.close()
    engine = sa.create_engine(settings.database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE predictions"))
        connection.execute(sa.text("DROP TABLE projections"))
        connection.execute(sa.text("UPDATE schema SET version = 1"))
    engine.dispose()
    grown = Store(settings.database_url)
    assert grown.run(key).config == CONFIG
    assert grown.replay(key, "test") == {}
    again = Store(settings.database_url)
    assert again.run(key).number == 1
    again.close()
    grown.close()


def test_predictions_are_kept_epoch_by_epoch(store):
    key = ask(store)
    store.claim(key, "me")
    store.record_epoch(key, "me", result(1), b"", b"weights", {"test": b"one", "validation": b"a"})
    store.record_epoch(key, "me", result(2, 0.6), b"", None, {"test": b"two", "validation": b"b"})
    assert store.replay(key, "test") == {1: b"one", 2: b"two"}
    assert store.best_predictions([key, "0" * 16], "validation") == {key: b"a"}
    assert store.replay("0" * 16, "test") == {}


def test_a_lost_run_leaves_no_predictions(store, expired_leases):
    key = ask(store)
    store.claim(key, "me")
    store.claim(key, "another")
    with pytest.raises(RunLostError):
        store.record_epoch(key, "me", result(1), b"", b"weights", {"test": b"one"})
    assert store.replay(key, "test") == {}


def test_a_map_is_kept_and_replaced(store):
    key = ask(store)
    assert store.projection(key, 3, "test") is None
    first, second = np.zeros((5, 2), np.float32), np.arange(10, dtype=np.float32).reshape(5, 2)
    store.put_projection(key, 3, "test", first)
    store.put_projection(key, 3, "test", second)
    assert (store.projection(key, 3, "test") == second).all()
    assert store.projection(key, 2, "test") is None
    assert store.projection(key, 3, "validation") is None


def test_a_run_that_goes_on_leaves_its_earlier_end_behind(store):
    key = ask(store)
    store.claim(key, "me")
    store.record_epoch(key, "me", result(1), b"", b"first")
    store.end(key, "me", "stopped", last=b"first", tests={"last": Evaluation(0.4, 0.8, 0.1)})
    ask(store)
    store.claim(key, "me")
    assert store.weights(key, "last") == b"first"  # until there is another epoch
    store.record_epoch(key, "me", result(2, 0.6), b"", None)
    store.end(key, "me", "failed", error="it broke")
    assert store.weights(key, "last") is None
    assert store.tests(key) == {}
    assert store.weights(key, "best") == b"first"
