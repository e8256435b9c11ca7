"""The health address: each part by itself, quick also where one hangs, and without a secret."""

import threading

import pytest

from fmnist_core.store.database import StoreError
from tests.http import fetch
from ui import handles, health


@pytest.fixture(autouse=True)
def well(lab, monkeypatch):
    assert handles.data().wait(60)
    monkeypatch.setattr(health, "_workers", lambda: "ok")  # the lab of these tests has none


def ask():
    answer = fetch(health.health_route(), "/health")
    return answer.status, answer.json()


def test_all_is_well():
    assert ask() == (200, {"status": "ok", "store": "ok", "workers": "ok", "data": "ok"})


def test_a_store_that_fails_is_told_without_its_reason(monkeypatch):
    def fail():
        raise StoreError("the run store at host hunter2 cannot be read")

    monkeypatch.setattr(handles, "store", fail)
    status, parts = ask()
    assert (status, parts["store"], parts["data"]) == (503, "fails", "ok")
    assert "hunter2" not in str(parts)


def test_a_store_that_hangs_is_waited_for_once_and_not_long(monkeypatch):
    may_end, asked = threading.Event(), []

    def hang():
        asked.append(1)
        assert may_end.wait(30)
        return "ok"

    monkeypatch.setattr(health, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(health, "_store", hang)
    assert [ask()[1]["store"] for _ in range(3)] == ["does not answer"] * 3
    may_end.set()
    assert len(asked) == 1


def test_lost_workers_are_told(monkeypatch):
    monkeypatch.setattr(health, "_workers", lambda: "not there")
    assert ask()[0] == 503
