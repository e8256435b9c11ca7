"""What tests of pages share: the real app as a visitor without a browser sees it, tiny data, and no workers."""

import json
import os
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import streamlit as st
from streamlit.testing.v1 import AppTest

from fmnist_core import inference, loading, worker
from fmnist_core.config import RunConfig
from fmnist_core.store import Store
from tests.conftest import epoch_result, make_tiny_dataset
from ui import handles

ROOT = Path(__file__).parent.parent
# What the server runs for each visitor. Not app.py: beside a pages folder, AppTest runs a page without its frame from
# the second run on.
SCRIPT = ROOT / "ui" / "main.py"
CONFIG = RunConfig(hidden=(32, 16), epochs=8, learning_rate=0.001)  # leaves about 20 of 200 test images wrong
REAL = replace(make_tiny_dataset(), name="Fashion-MNIST")
SECONDS = 30  # longest wait for another thread; passing tests need a few milliseconds


class IdleDispatcher:
    """Hands no run to anybody, and counts how often it was told to look."""

    def __init__(self):
        self.woken = 0

    def wake(self):
        self.woken += 1


class Lab:
    """One server and what a test does around it. `load` is what the server's loading of data calls."""

    def __init__(self, monkeypatch):
        self.dataset = REAL
        self.dispatcher = IdleDispatcher()
        self.load = lambda report: self.dataset
        monkeypatch.setattr(handles, "dispatcher", lambda: self.dispatcher)
        monkeypatch.setattr(loading, "load", lambda settings, report: self.load(report))
        monkeypatch.setattr(worker, "load_matching", lambda settings, fingerprint: self.dataset)
        monkeypatch.setattr(inference, "new_order", lambda: 0)

    @property
    def store(self):
        return handles.store()

    def open(self, page="train", **address):
        app = AppTest.from_file(SCRIPT, default_timeout=SECONDS)
        app.query_params.update(address)
        app.run()
        if page != "train":
            go_to(app, page)
        return app

    def ask(self, config=CONFIG, dataset=None):
        dataset = dataset or self.dataset
        return self.store.request(config, dataset.name, dataset.fingerprint)

    def train(self, config=CONFIG, dataset=None):
        """Ask for a run and be its worker; return its key."""
        key = self.ask(config, dataset)
        worker.train_stored_run(handles.settings(), key, "a worker")
        return key

    def record(self, key, epoch, validation_loss, best=None):
        """Store one epoch of a run that "a worker" has claimed."""
        result = epoch_result(epoch, validation_loss)
        self.store.record_epoch(key, "a worker", result, b"checkpoint", best)


@contextmanager
def running_lab(home, monkeypatch):
    """A fresh server for one test, with its files in `home`."""
    for name in [name for name in os.environ if name.startswith("DROPOUT_LAB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DROPOUT_LAB_HOME", str(home))
    opened, init = [], Store.__init__

    def remember(self, url):
        init(self, url)
        opened.append(self)

    monkeypatch.setattr(Store, "__init__", remember)
    # Every AppTest looks through all installed packages for components, which takes longer than the test.
    monkeypatch.setattr("streamlit.components.v2.manifest_scanner.scan_component_manifests", list)
    forget_everything()
    yield Lab(monkeypatch)
    forget_everything()
    for store in opened:
        store.close()


def forget_everything():
    for thread in threading.enumerate():
        if thread.name == "data":
            thread.join(SECONDS)
    st.cache_resource.clear()
    st.cache_data.clear()
    worker._open_store.cache_clear()


def go_to(app, page):
    return app.switch_page(f"../pages/{page}.py").run()


def press(app, key):
    return app.button(key=key).click().run()


def texts(elements):
    return [element.value for element in elements]


def unescaped(text):
    """A message as it is read, without the backslashes that keep Markdown away from it."""
    return text.replace("\\", "")


def all_words(app):
    kinds = ("title", "subheader", "markdown", "caption", "info", "warning", "error", "success")
    return "\n".join(text for kind in kinds for text in texts(getattr(app, kind)))


def keys(elements):
    return [element.key for element in elements]


def live_charts(app):
    """Key -> figure of the charts that grow in place."""
    return {element.key: json.loads(json.loads(element.proto.json)["figure"]) for element in app.get("bidi_component")}


def curve(figure, name):
    (trace,) = (trace for trace in figure["data"] if trace["name"] == name)
    return trace["y"]


def progress_bars(app):
    return [(element.proto.value, element.proto.text) for element in app.get("progress")]
