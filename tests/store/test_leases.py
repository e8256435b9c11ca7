import threading
from dataclasses import asdict, replace

import numpy as np
import pytest
import sqlalchemy as sa

from fmnist_core.config import RunConfig
from fmnist_core.network.figures import Evaluation
from fmnist_core.store import leases, tables
from fmnist_core.store.leases import ATTEMPT_LIMIT, RunLostError
from tests.conftest import epoch_result as result

CONFIG = RunConfig(hidden=(16,), epochs=3)


def ask(store, **changes):
    return store.request(replace(CONFIG, **changes), "Tiny", "f" * 16)


@pytest.fixture
def expired_leases(monkeypatch):
    """Leases that have run out the moment they are given."""
    monkeypatch.setattr(leases, "LEASE_SECONDS", -1.0)


def test_only_one_of_many_workers_can_claim(store):
    key = ask(store)
    claims, barrier = [], threading.Barrier(8)

    def claim(name):
        barrier.wait()
        claims.append(store.leases.claim(key, name))

    threads = [threading.Thread(target=claim, args=(f"worker {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(claim is not None for claim in claims) == 1


def test_an_epoch_is_stored_with_all_its_figures(store):
    key = ask(store)
    store.leases.claim(key, "worker")
    assert store.leases.record_epoch(key, "worker", result(), b"state", b"weights") is False
    (row,) = store.epochs(key).to_dict("records")
    assert row == asdict(result())
    run = store.run(key)
    assert (run.epochs_done, run.best_epoch, run.best_validation_loss) == (1, 1, 0.5)
    assert run.progress == pytest.approx(1 / 3)
    assert store.weights(key, "best").content == b"weights"


def test_the_best_weights_stay_when_an_epoch_is_worse(store):
    key = ask(store)
    store.leases.claim(key, "worker")
    store.leases.record_epoch(key, "worker", result(1), b"state 1", b"weights 1")
    store.leases.record_epoch(key, "worker", result(2, validation_loss=0.7), b"state 2", None)
    assert store.weights(key, "best").content == b"weights 1"
    assert store.run(key).best_epoch == 1


def test_a_claim_hands_over_what_is_needed_to_go_on(store, expired_leases):
    key = ask(store)
    first = store.leases.claim(key, "first")
    assert (first.checkpoint, first.lowest_validation_loss, first.config) == (None, None, CONFIG)
    store.leases.record_epoch(key, "first", result(), b"state", b"weights")
    second = store.leases.claim(key, "second")
    assert (second.checkpoint, second.lowest_validation_loss) == (b"state", 0.5)


def test_a_run_with_a_lease_cannot_be_taken(store):
    key = ask(store)
    store.leases.claim(key, "first")
    assert store.leases.claimable() == []
    assert store.leases.claim(key, "second") is None


def test_a_worker_that_lost_its_run_writes_nothing(store, expired_leases):
    key = ask(store)
    store.leases.claim(key, "sleeper")
    store.leases.claim(key, "successor")
    with pytest.raises(RunLostError):
        store.leases.record_epoch(key, "sleeper", result(), b"state", b"weights")
    with pytest.raises(RunLostError):
        store.leases.beat(key, "sleeper", 0.5)
    with pytest.raises(RunLostError):
        store.leases.end(key, "sleeper", "finished", last=b"weights")
    assert store.epochs(key).empty
    assert store.weights(key, "best") is None
    assert store.run(key).status == "running"


def test_a_beat_tells_how_far_the_epoch_is_and_whether_to_stop(store):
    key = ask(store)
    store.leases.claim(key, "worker")
    assert store.leases.beat(key, "worker", 0.5) is False
    assert store.run(key).progress == pytest.approx(0.5 / 3)
    store.cancel(key)
    assert store.run(key).cancel_requested
    assert store.leases.beat(key, "worker", 0.6) is True
    assert store.leases.record_epoch(key, "worker", result(), b"state", b"weights") is True


EARLY = [(0.25, 1.5), (0.75, 0.875)]


def test_losses_within_the_first_epochs_are_shown_while_they_are_under_way(store):
    key = ask(store)
    assert store.run(key).early_losses == ()
    store.leases.claim(key, "worker")
    store.leases.beat(key, "worker", 0.3, EARLY[:1])
    assert store.run(key).early_losses == ((0.25, 1.5),)
    store.leases.beat(key, "worker", 0.4)  # nothing new to show
    assert store.run(key).early_losses == ((0.25, 1.5),)
    store.leases.record_epoch(key, "worker", result(1), b"state", b"weights", {}, EARLY)
    assert store.run(key).early_losses == tuple(EARLY)
    store.leases.record_epoch(key, "worker", result(2, 0.6), b"state", None, {}, None)
    assert store.run(key).early_losses == ()


@pytest.mark.parametrize("end", ["stopped", "failed", "released", "deleted", "taken up again", "given up"])
def test_losses_within_an_epoch_that_does_not_count_are_gone(store, expired_leases, end):
    key = ask(store)
    store.leases.claim(key, "worker")
    store.leases.beat(key, "worker", 0.5, EARLY)
    if end == "released":
        store.leases.release("worker")
    elif end == "taken up again":
        store.leases.claim(key, "successor")
    elif end == "given up":
        store.cancel(key)
        store.leases.claimable()
    elif end == "deleted":
        store.delete(key)
    else:
        store.leases.end(key, "worker", end)
    with store.database.reading() as connection:
        assert connection.scalar(sa.select(tables.RUNS.c.early_losses)) is None


def test_a_look_tells_whether_to_stop_and_renews_nothing(store, expired_leases):
    key = ask(store)
    store.leases.claim(key, "worker")
    assert store.leases.is_asked_to_stop(key) is False
    store.cancel(key)
    assert store.leases.is_asked_to_stop(key) is True
    assert [held.is_overdue for held in store.leases.held()] == [True]
    assert store.leases.is_asked_to_stop("0" * 16) is False


def test_a_checkpoint_is_kept_until_the_run_has_finished(store):
    key = ask(store)
    store.leases.claim(key, "worker")
    store.leases.record_epoch(key, "worker", result(), b"state", b"weights")

    def kinds():
        with store.database.reading() as connection:
            return set(connection.scalars(sa.select(tables.WEIGHTS.c.kind)))

    store.leases.end(key, "worker", "stopped", last=b"weights")
    assert kinds() == {"best", "last", "checkpoint"}
    ask(store)
    store.leases.claim(key, "worker")
    store.leases.end(key, "worker", "finished", last=b"weights")
    assert kinds() == {"best", "last"}


def test_a_released_run_can_be_claimed_at_once(store):
    key = ask(store)
    store.leases.claim(key, "dead")
    store.leases.release("somebody else")
    assert store.leases.claimable() == []
    store.leases.release("dead")
    assert store.leases.claimable() == [key]


def test_a_run_that_keeps_killing_its_worker_fails(store):
    key, other = ask(store), ask(store, seed=1)
    for attempt in range(ATTEMPT_LIMIT):
        assert key in store.leases.claimable()
        assert store.leases.claim(key, f"worker {attempt}") is not None
        store.leases.release(f"worker {attempt}")
    assert store.leases.claimable() == [other]
    run = store.run(key)
    assert run.status == "failed"
    assert f"{ATTEMPT_LIMIT} times in a row" in run.error
    assert store.run(other).status == "queued"
    ask(store)
    assert store.run(key).status == "queued"  # asked for again, it has new attempts
    assert store.run(key).error is None


def test_attempts_count_only_since_the_last_epoch(store):
    key = ask(store)
    for epoch in range(1, 2 * ATTEMPT_LIMIT):
        store.leases.claim(key, "worker")
        store.leases.record_epoch(key, "worker", result(epoch), b"state", b"weights")
        store.leases.release("worker")
        assert store.leases.claimable() == [key]


def test_a_run_that_was_to_stop_when_its_worker_died_stops(store, expired_leases):
    key = ask(store)
    store.leases.claim(key, "worker")
    store.cancel(key)
    assert store.leases.claimable() == []
    assert store.run(key).status == "stopped"


def test_predictions_are_kept_epoch_by_epoch(store):
    key = ask(store)
    store.leases.claim(key, "me")
    store.leases.record_epoch(key, "me", result(1), b"", b"weights", {"test": b"one", "validation": b"a"})
    store.leases.record_epoch(key, "me", result(2, 0.6), b"", None, {"test": b"two", "validation": b"b"})
    assert store.replay(key, "test") == {1: b"one", 2: b"two"}
    assert store.best_predictions([key, "0" * 16], "validation") == {key: b"a"}
    assert store.replay("0" * 16, "test") == {}


def test_a_lost_run_leaves_no_predictions(store, expired_leases):
    key = ask(store)
    store.leases.claim(key, "me")
    store.leases.claim(key, "another")
    with pytest.raises(RunLostError):
        store.leases.record_epoch(key, "me", result(1), b"", b"weights", {"test": b"one"})
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
    store.leases.claim(key, "me")
    store.leases.record_epoch(key, "me", result(1), b"", b"first")
    store.leases.end(key, "me", "stopped", last=b"first", tests={"last": Evaluation(0.4, 0.8, 0.1)})
    ask(store)
    store.leases.claim(key, "me")
    assert store.weights(key, "last").content == b"first"  # until there is another epoch
    store.leases.record_epoch(key, "me", result(2, 0.6), b"", None)
    store.leases.end(key, "me", "failed", error="it broke")
    assert store.weights(key, "last") is None
    assert store.tests(key) == {}
    assert store.weights(key, "best").content == b"first"


def test_a_clock_that_was_set_back_holds_up_no_run(store):
    key = ask(store)
    store.leases.claim(key, "before")
    with store.database.writing() as connection:
        connection.execute(sa.update(tables.RUNS).values(lease_until=store.database.now + 7200))
    assert store.leases.claimable() == [key]
    assert store.leases.claim(key, "after") is not None
    assert store.leases.claimable() == []


def test_a_run_that_fails_says_what_broke_its_last_attempt_off(store):
    key = ask(store)
    for attempt in range(ATTEMPT_LIMIT):
        store.leases.claim(key, f"worker {attempt}")
        store.leases.release(f"worker {attempt}", f"reason {attempt}\nwith a trace")
    store.leases.claimable()
    assert f"because reason {ATTEMPT_LIMIT - 1};" in store.run(key).error


def test_an_attempt_that_could_not_help_it_does_not_count(store):
    key = ask(store)
    for _ in range(2 * ATTEMPT_LIMIT):
        assert store.leases.claim(key, "worker") is not None
        assert store.leases.release("worker", counts=False)
    assert store.leases.claimable() == [key]
