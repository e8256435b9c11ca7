"""The server answers before it has imported what pages need, and gets that ready by itself."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ui import handles, server
from ui.server import WarmUp

ROOT = Path(__file__).parent.parent.parent
HEAVY = {"torch", "torchvision", "pandas", "sqlalchemy", "sklearn", "scipy", "distributed", "ui.handles"}


def run(program):
    outcome = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr
    return outcome


def test_to_answer_the_server_imports_little_and_warns_of_nothing():
    outcome = run("import sys, app; print(*sys.modules)")
    assert not HEAVY & set(outcome.stdout.split())
    assert "MemoryCacheStorageManager" not in outcome.stderr


def test_the_warm_up_imports_what_pages_import():
    names = list(server._imports_of_pages())
    assert names[0] == "ui.frame"
    assert {"ui.views.run_view", "ui.views.study_view", "fmnist_core.data.summary"} <= set(names)


class Closable:
    def __init__(self):
        self.closed = False

    def close(self):
        self.closed = True


@pytest.mark.parametrize("imports", [[], ["json"] * 1000])
def test_the_dispatcher_is_closed_also_while_the_warm_up_still_runs(lab, monkeypatch, imports):
    dispatcher = Closable()
    monkeypatch.setattr(handles, "dispatcher", lambda: dispatcher)
    monkeypatch.setattr(server, "_imports_of_pages", lambda: imports)
    monkeypatch.setattr(server.gc, "freeze", lambda: None)
    WarmUp().close()
    assert dispatcher.closed


def test_a_store_that_cannot_be_opened_is_logged(lab, monkeypatch, caplog):
    monkeypatch.setenv("DROPOUT_LAB_STORE", "nonsense")
    monkeypatch.setattr(handles, "dispatcher", handles.store)
    monkeypatch.setattr(server, "_imports_of_pages", list)
    monkeypatch.setattr(server.gc, "freeze", lambda: None)
    WarmUp().close()
    assert "run store" in caplog.text


def test_visitors_wait_for_what_the_warm_up_imports_and_for_nothing_else(lab, monkeypatch):
    imported, may_import = [], threading.Event()

    def import_slowly(self, modules):
        assert may_import.wait(30)
        imported.extend(modules)

    server.wait_for_imports()  # nobody warms up: at once
    monkeypatch.setattr(server, "_imports_of_pages", lambda: ["first", "second"])
    monkeypatch.setattr(server, "_SLOW_IMPORTS", ())
    monkeypatch.setattr(handles, "dispatcher", Closable)
    monkeypatch.setattr(WarmUp, "_import", import_slowly)
    monkeypatch.setattr(server.gc, "freeze", lambda: None)
    server._pages_are_imported.clear()
    seen = []
    visitor = threading.Thread(target=lambda: (server.wait_for_imports(), seen.extend(imported)))
    visitor.start()
    warm_up = WarmUp()
    assert not seen
    may_import.set()
    visitor.join(30)
    warm_up.close()
    assert seen == ["first", "second"]
