"""What the log says of runs: one line for each start, end, retry and refusal, in one form."""

import json
import logging
import re
import subprocess
import sys

import pytest

from fmnist_core.config import RunConfig
from fmnist_core.settings import Limits
from fmnist_core.store import leases
from fmnist_core.store.leases import ATTEMPT_LIMIT
from fmnist_core.store.queue import LimitReachedError
from fmnist_core.store.run_log import log_run
from fmnist_core.store.runs import Store
from fmnist_core.store.visitor import NotYoursError, Visitor
from tests.conftest import epoch_result

CONFIG = RunConfig(hidden=(16,), epochs=3)
VALUE = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)')


@pytest.fixture
def events(caplog):
    """The events logged so far, each as a dictionary of what its line says."""
    caplog.set_level(logging.INFO, logger="fmnist_core")

    def read():
        lines = [record.getMessage() for record in caplog.records if record.name == "fmnist_core.store.run_log"]
        found = [VALUE.findall(line) for line in lines]
        assert [" ".join(f"{name}={value}" for name, value in values) for values in found] == lines
        return [
            {name: json.loads(value) if value.startswith('"') else value for name, value in values} for values in found
        ]

    return read


def ask(store, **who):
    return store.request(CONFIG, "Tiny", "f" * 16, **who)


def test_a_run_that_starts_breaks_off_goes_on_and_ends_is_told_line_by_line(store, events):
    key = ask(store)
    store.leases.claim(key, "first")
    store.leases.record_epoch(key, "first", epoch_result(), b"state", b"weights")
    store.leases.release("first", "its worker process died")
    store.leases.claim(key, "second")
    store.leases.end(key, "second", "failed", error="training broke off: KeyError: 'a \"name\"'\nwith a trace")
    assert events() == [
        {"event": "start", "run": key, "attempt": "1", "epochs": "0/3", "owner": "first"},
        {"event": "retry", "run": key, "reason": "its worker process died", "counts": "True"},
        {"event": "start", "run": key, "attempt": "1", "epochs": "1/3", "owner": "second"},
        {
            "event": "end",
            "run": key,
            "status": "failed",
            "epochs": "1",
            "reason": "training broke off: KeyError: 'a \"name\"'",
        },
    ]


def test_a_lease_that_ran_out_is_a_retry(store, events, monkeypatch):
    key = ask(store)
    monkeypatch.setattr(leases, "LEASE_SECONDS", -1.0)
    store.leases.claim(key, "first")
    store.leases.claim(key, "second")
    assert [event["event"] for event in events()] == ["start", "retry", "start"]
    assert events()[1]["reason"] == "its lease ran out"


def test_the_end_of_a_run_that_nobody_owns_is_told_once(store, events):
    key = ask(store)
    for attempt in range(ATTEMPT_LIMIT):
        store.leases.claim(key, f"worker {attempt}")
        store.leases.release(f"worker {attempt}", "its worker process died")
    store.leases.claimable()
    store.leases.claimable()
    (end,) = [event for event in events() if event["event"] == "end"]
    assert (end["run"], end["status"]) == (key, "failed")
    assert "3 times in a row" in end["reason"]


def test_stopping_a_waiting_run_and_deleting_one_are_ends(store, events):
    key = ask(store)
    store.cancel(key)
    store.cancel(key)
    store.delete(key, by=Visitor("me", may_change_all=True))
    assert [(event["status"], event.get("visitor")) for event in events()] == [("stopped", None), ("deleted", "me")]


def test_a_write_that_is_lost_tells_nothing(store, events):
    key = ask(store)
    with pytest.raises(leases.RunLostError):
        store.leases.end(key, "nobody", "finished")
    assert not store.leases.release("nobody", "a reason")
    assert store.leases.claim("0" * 16, "me") is None
    assert events() == []


def test_refusals_say_who_wanted_what_and_why_not(settings, events):
    store = Store(settings.database_url, Limits(epochs=2))
    with pytest.raises(LimitReachedError):
        ask(store, by=Visitor("learner"))
    key = Store(settings.database_url).request(CONFIG, "Tiny", "f" * 16, Visitor("owner"))
    for refused in (store.cancel, store.delete):
        with pytest.raises(NotYoursError):
            refused(key, by=Visitor("stranger"))
    store.close()
    train, stop, delete = events()
    assert (train["event"], train["wish"], train["visitor"]) == ("refusal", "train", "learner")
    assert train["reason"] == "a run may have at most 2 epochs on this server, got 3"
    assert (stop["wish"], stop["runs"], stop["visitor"]) == ("stop", key, "stranger")
    assert (delete["wish"], "only they may delete it" in delete["reason"]) == ("delete", True)


def test_nobody_writes_a_line_of_their_own(caplog):
    caplog.set_level(logging.INFO, logger="fmnist_core")
    log_run("refusal", wish="/media/\nevent=end run=0 status=finished", reason="not signed in")
    assert caplog.messages == [
        'event=refusal wish="/media/\\nevent=end run=0 status=finished" reason="not signed in"',
    ]


SHOWN = """
import logging
from fmnist_core.store.run_log import log_run, show_log_lines
show_log_lines()
show_log_lines()
log_run("start", run="abc")
"""


@pytest.mark.parametrize(("before", "lines"), [("", 1), ("import logging; logging.basicConfig()\n", 0)])
def test_lines_are_shown_once_unless_somebody_has_set_up_logging(before, lines):
    shown = subprocess.run([sys.executable, "-c", before + SHOWN], capture_output=True, text=True, check=True).stderr
    assert shown.count("event=start run=abc") == lines
