"""Everybody's first run before anybody's tenth."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from fmnist_core.config import RunConfig
from fmnist_core.store.queue import fair_order
from fmnist_core.store.visitor import Visitor
from tests.conftest import epoch_result

CONFIG = RunConfig(hidden=(16,), epochs=3)


def ask(store, name, *seeds):
    return store.request_all([replace(CONFIG, seed=seed) for seed in seeds], "Tiny", "f" * 16, Visitor(name))


def test_visitors_take_turns_in_the_order_of_asking(store):
    many, one, two = ask(store, "ada", 0, 1, 2), ask(store, "bob", 3), ask(store, "eve", 4, 5)
    order = [many[0], one[0], two[0], many[1], two[1], many[2]]
    assert store.leases.claimable() == order
    assert [run.key for run in fair_order(store.runs())] == order


def test_a_run_that_trains_was_its_visitors_turn(store):
    first, second, third = ask(store, "ada", 0, 1, 2)
    store.leases.claim(first, "worker")
    (other,) = ask(store, "bob", 3)
    assert store.leases.claimable() == [other, second, third]


def test_who_cannot_be_told_apart_shares_a_turn(store):
    unknown, known = ask(store, None, 0, 1), ask(store, "ada", 2)
    assert store.leases.claimable() == [unknown[0], known[0], unknown[1]]


def test_what_was_begun_and_lost_comes_first(store, monkeypatch):
    monkeypatch.setattr("fmnist_core.store.leases.LEASE_SECONDS", -1.0)
    (waits,), begun = ask(store, "ada", 0), ask(store, "bob", 1, 2)
    store.leases.claim(begun[0], "dead")
    assert store.leases.claimable() == [begun[0], waits, begun[1]]


@pytest.fixture
def clock(store, monkeypatch):
    """Sets the database's clock, in seconds."""
    return lambda seconds: monkeypatch.setattr(store.database, "now", sa.literal(float(seconds)))


def train(store, key):
    """Train a run to its end, in one epoch."""
    store.leases.claim(key, "worker")
    store.leases.record_epoch(key, "worker", epoch_result(), b"state", b"weights")
    store.leases.end(key, "worker", "finished")


def test_runs_that_ended_in_this_rush_were_their_visitors_turns(store, clock):
    clock(0)
    first, second = ask(store, "ada", 0, 1)
    (other,) = ask(store, "bob", 2)
    clock(1)
    train(store, first)
    assert store.leases.claimable() == [other, second]
    assert [run.key for run in fair_order(store.runs())] == [other, second]


def test_runs_that_ended_before_this_rush_count_for_nobody(store, clock):
    clock(0)
    (first,) = ask(store, "ada", 0)
    train(store, first)
    clock(1)
    (second,), (other,) = ask(store, "ada", 1), ask(store, "bob", 2)
    assert store.leases.claimable() == [second, other]


def test_a_run_that_was_stopped_while_it_waited_was_no_turn(store, clock):
    clock(0)
    first, second = ask(store, "ada", 0, 1)
    (other,) = ask(store, "bob", 2)
    clock(1)
    store.cancel(first, by=Visitor("ada"))
    assert store.leases.claimable() == [second, other]


def test_a_run_that_goes_on_is_in_line_from_when_it_was_asked_to(store, clock):
    clock(0)
    (stopped,) = ask(store, "eve", 0)
    store.cancel(stopped, by=Visitor("eve"))
    clock(1)
    (first,) = ask(store, "ada", 1)
    train(store, first)
    clock(2)
    (second,) = ask(store, "ada", 2)
    ask(store, "bob", 3)
    ask(store, "eve", 0)
    # In a rush that began with eve's first request, ada's first run would have been a turn.
    assert store.leases.claimable()[:2] == [stopped, second]
