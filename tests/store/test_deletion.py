"""Deleted runs: gone for everybody, back when wanted back in time, and then gone with everything."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from fmnist_core.config import RunConfig
from fmnist_core.settings import Limits
from fmnist_core.store.deletion import UNDO_SECONDS
from fmnist_core.store.leases import RunLostError
from fmnist_core.store.notes import NO_NOTES, Notes
from fmnist_core.store.queue import LimitReachedError
from fmnist_core.store.runs import Store
from fmnist_core.store.tables import EPOCHS, PREDICTIONS, PROJECTIONS, RUNS, TESTS, WEIGHTS
from fmnist_core.store.visitor import NotYoursError, Visitor
from tests.conftest import epoch_result as result

CONFIG = RunConfig(hidden=(16,), epochs=3)
ADA, BOB = Visitor("ada"), Visitor("bob")


def ask(store, by=ADA, **changes):
    return store.request(replace(CONFIG, **changes), "Tiny", "f" * 16, by)


def filled(store, seed=0, size=300_000):
    key = ask(store, seed=seed)
    store.leases.claim(key, "worker")
    content = bytes(size)
    store.leases.record_epoch(key, "worker", result(), content, content, {"test": content})
    store.leases.end(key, "worker", "stopped", last=content)
    store.put_projection(key, 1, "test", np.zeros((9, 2), np.float32))
    return key


def rows_of(store, key):
    tables = (EPOCHS, WEIGHTS, TESTS, PREDICTIONS, PROJECTIONS)
    with store.database.reading() as connection:
        return [len(connection.execute(table.select().where(table.c.run_key == key)).all()) for table in tables]


def let_time_pass(store, key, seconds):
    with store.database.writing() as connection:
        connection.execute(RUNS.update().where(RUNS.c.key == key).values(changed_at=RUNS.c.changed_at - seconds))


def delete_for_good(store, *keys):
    store.delete(*keys)
    store.purge(*keys)


def test_a_deleted_run_is_nobodys_and_comes_back_as_it_was(store):
    key, other = filled(store), filled(store, seed=1)
    store.write_notes(key, Notes(name="mine", hypothesis="it falls", conclusion="it fell"))
    before = store.run(key)
    store.delete(key, by=ADA)
    assert store.run(key) is None
    assert [run.key for run in store.runs()] == [other]
    assert rows_of(store, key) == [1, 3, 0, 1, 1]
    assert store.bring_back(key, by=ADA) == [key]
    after = store.run(key)
    assert replace(after, changed_at=before.changed_at) == before
    assert after.changed_at > before.changed_at
    assert store.bring_back(key, by=ADA) == []  # it is back already


@pytest.mark.parametrize(("stopping", "comes_back"), [(False, "queued"), (True, "stopped")])
def test_a_run_that_trained_waits_again_and_goes_on_where_it_was_unless_it_was_to_stop(store, stopping, comes_back):
    key = ask(store)
    store.leases.claim(key, "worker")
    store.leases.record_epoch(key, "worker", result(), b"state", b"weights")
    if stopping:
        store.cancel(key)
    store.delete(key)
    with pytest.raises(RunLostError):
        store.leases.beat(key, "worker", 0.5)
    with pytest.raises(RunLostError):
        store.leases.record_epoch(key, "worker", result(2), b"state", b"weights")
    assert store.leases.claimable() == []
    store.bring_back(key)
    run = store.run(key)
    assert (run.status, run.epochs_done, run.cancel_requested) == (comes_back, 1, False)
    assert (run.ended_at is None) is not stopping
    assert store.leases.claimable() == ([] if stopping else [key])
    if not stopping:
        assert store.leases.claim(key, "other").checkpoint == b"state"


def test_only_whose_run_it_is_brings_it_back_or_gives_it_up(store):
    key = filled(store)
    store.delete(key, by=ADA)
    for change in (store.bring_back, store.purge):
        with pytest.raises(NotYoursError, match="run 1 "):
            change(key, by=BOB)
    assert rows_of(store, key) == [1, 3, 0, 1, 1]
    assert store.bring_back(key, by=Visitor("admin", may_change_all=True)) == [key]


def test_a_purged_run_leaves_nothing_behind_and_others_alone(store):
    key, other = filled(store), filled(store, seed=1)
    store.write_notes(key, Notes(name="mine"))
    delete_for_good(store, key)
    store.purge(other)  # which nobody deleted
    assert store.bring_back(key) == []
    assert [run.key for run in store.runs()] == [other]
    assert rows_of(store, key) == [0] * 5
    assert rows_of(store, other) == [1, 3, 0, 1, 1]
    with store.database.reading() as connection:
        assert connection.execute(RUNS.select().where(RUNS.c.key == key)).mappings().one()["name"] is None
    store.put_projection(key, 1, "test", np.zeros((9, 2), np.float32))  # a map that was being drawn
    assert rows_of(store, key) == [0] * 5


def test_a_deleted_run_can_come_back_for_a_while_and_is_then_due(store):
    key = filled(store)
    store.delete(key)
    let_time_pass(store, key, UNDO_SECONDS - 60)
    assert store.due_for_purge() == []
    let_time_pass(store, key, 61)
    assert store.due_for_purge() == [key]
    store.purge(key)
    assert store.due_for_purge() == []


def test_a_run_that_is_asked_for_again_comes_back_and_goes_on(store):
    key = filled(store)
    store.write_notes(key, Notes(name="mine"))
    store.delete(key, by=ADA)
    assert ask(store) == key
    run = store.run(key)
    assert (run.number, run.status, run.epochs_done, run.notes.name) == (1, "queued", 1, "mine")


def test_to_somebody_else_it_comes_back_as_their_own_and_without_the_owners_words(store):
    key = filled(store)
    store.write_notes(key, Notes(name="mine", hypothesis="secret", conclusion="secret"))
    store.delete(key, by=ADA)
    assert ask(store, by=BOB) == key
    run = store.run(key)
    assert (run.asked_by, run.notes, run.epochs_done) == ("bob", NO_NOTES, 1)
    with pytest.raises(NotYoursError):
        store.bring_back(key, by=ADA)


def test_a_refused_wish_for_a_deleted_run_leaves_it_deleted(settings):
    store = Store(settings.database_url, Limits(waiting_runs=1))
    key = filled(store)
    ask(store, seed=1)
    store.delete(key)
    with pytest.raises(LimitReachedError):
        ask(store)
    assert store.run(key) is None
    assert store.bring_back(key) == [key]
    store.close()


def test_a_purged_run_that_is_asked_for_again_is_a_new_one(store):
    key = filled(store)
    ask(store, seed=1)
    delete_for_good(store, key)
    assert ask(store, by=BOB) == key
    run = store.run(key)
    assert (run.number, run.status, run.epochs_done, run.best_epoch, run.asked_by) == (3, "queued", 0, None, "bob")


def test_a_finished_run_that_is_asked_for_again_comes_back_finished(store):
    key = ask(store)
    store.leases.claim(key, "worker")
    store.leases.end(key, "worker", "finished")
    store.delete(key)
    ask(store)
    assert store.run(key).status == "finished"


def test_purging_gives_space_back(store, settings):
    file = settings.home / "runs.sqlite"
    keys = [filled(store, seed=seed) for seed in range(4)]
    full = file.stat().st_size
    delete_for_good(store, *keys[1:])
    store.database.give_back_space()
    assert file.stat().st_size < 0.4 * full
    assert rows_of(store, keys[0]) == [1, 3, 0, 1, 1]


def test_a_file_of_an_older_layout_gives_space_back_once_no_run_is_under_way(store, settings):
    with closing(sqlite3.connect(settings.home / "runs.sqlite")) as connection:
        connection.execute("PRAGMA auto_vacuum=0")
        connection.execute("VACUUM")
    key, waits = filled(store), ask(store, seed=1)
    full = (settings.home / "runs.sqlite").stat().st_size
    delete_for_good(store, key)
    store.database.give_back_space()
    assert (settings.home / "runs.sqlite").stat().st_size == full
    store.cancel(waits)
    store.database.give_back_space()
    assert (settings.home / "runs.sqlite").stat().st_size < 0.4 * full
