"""Everybody's first run before anybody's tenth."""

from dataclasses import replace

from fmnist_core.config import RunConfig
from fmnist_core.store.queue import fair_order
from fmnist_core.store.visitor import Visitor

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
