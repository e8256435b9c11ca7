"""What tests of pages share: the real app as a visitor without a browser sees it, tiny data, and no workers."""

import html
import json
import os
import re
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import streamlit as st
from streamlit.testing.v1 import AppTest

from fmnist_core.config import RunConfig
from fmnist_core.data import background
from fmnist_core.data.evaluation_images import evaluation_images
from fmnist_core.jobs import worker
from fmnist_core.network.stored_network import StoredNetwork
from fmnist_core.results import selection
from fmnist_core.store import shared_runs
from fmnist_core.store.database import StoreError
from fmnist_core.store.runs import Store
from fmnist_core.store.tables import EPOCHS, PREDICTIONS, RUNS, TESTS, WEIGHTS
from tests.conftest import epoch_result, make_tiny_dataset
from ui import handles

ROOT = Path(__file__).parent.parent
# What the server runs for each visitor. Not app.py: beside a pages folder, AppTest runs a page without its frame from
# the second run on.
SCRIPT = ROOT / "ui" / "main.py"
CONFIG = RunConfig(hidden=(32, 16), epochs=8, learning_rate=0.001)  # leaves about 20 of 200 test images wrong
REAL = replace(make_tiny_dataset(), name="Fashion-MNIST")
SECONDS = 30  # longest wait for another thread; passing tests need a few milliseconds
# What training has left in the store, by the run's key, which names all that decides it. Pages need trained runs, not
# the training: each is trained by the first test that asks for it.
TRAINED = {}


class IdleDispatcher:
    """Hands nothing to anybody: counts how often it was told to look, and keeps the maps that it was asked for."""

    def __init__(self):
        self.woken = 0
        self.expected = []
        self.maps = []
        self.problems = {}
        self.without_workers = None

    def workers_problem(self):
        return self.without_workers

    def wake(self):
        self.woken += 1

    def draw_map(self, request):
        self.problems.pop(request, None)
        self.maps.append(request)

    def expect_run(self, data_fingerprint):
        self.expected.append(data_fingerprint)

    def is_drawing(self, request):
        return request in self.maps

    def map_problem(self, request):
        return self.problems.get(request)


class Lab:
    """One server and what a test does around it. `load` is what the server's loading of data calls."""

    def __init__(self, monkeypatch):
        self.dataset = REAL
        self._monkeypatch = monkeypatch
        self.dispatcher = IdleDispatcher()
        self.load = lambda report: self.dataset
        monkeypatch.setattr(handles, "dispatcher", lambda: self.dispatcher)
        monkeypatch.setattr(background, "load", lambda settings, report: self.load(report))
        monkeypatch.setattr(worker, "load_matching", lambda settings, fingerprint: self.dataset)
        monkeypatch.setattr(selection, "new_order", lambda: 0)
        monkeypatch.setattr(shared_runs, "LOOK_SECONDS", 0)

    @property
    def store(self):
        return handles.store()

    def open(self, page="train", **address):
        app = AppTest.from_file(SCRIPT, default_timeout=SECONDS)
        if page == "train":
            app.query_params.update(address)
            return app.run()
        app.run()  # an AppTest learns from its first run where the other pages are
        app.query_params.update(address)
        return go_to(app, page)

    def ask(self, config=CONFIG, dataset=None):
        dataset = dataset or self.dataset
        return self.store.request(config, dataset.name, dataset.fingerprint)

    def train(self, config=CONFIG, dataset=None):
        """Ask for a run and be its worker; return its key."""
        key = self.ask(config, dataset)
        self.work_on(key)
        return key

    def work_on(self, key):
        """Be the worker of a run that waits and has no epoch yet."""
        run = self.store.run(key)
        if run.status == "finished":
            return
        assert (run.status, run.epochs_done) == ("queued", 0), run
        if key not in TRAINED:
            worker.train_stored_run(handles.settings(), key, "a worker")
            assert self.store.run(key).status == "finished", self.store.run(key).error
            with self.store.database.reading() as connection:
                ended = connection.execute(RUNS.select().where(RUNS.c.key == key)).mappings().one()
                left = {
                    table: list(map(dict, connection.execute(table.select().where(table.c.run_key == key)).mappings()))
                    for table in (EPOCHS, WEIGHTS, TESTS, PREDICTIONS)
                }
            TRAINED[key] = {name: ended[name] for name in ("status", "epochs_done", "best_epoch", "owner")}, left
            return
        values, left = TRAINED[key]
        with self.store.database.writing() as connection:
            connection.execute(
                RUNS.update().where(RUNS.c.key == key).values(**values, ended_at=self.store.database.now)
            )
            for table, rows in left.items():
                connection.execute(table.insert(), rows)

    def evaluation_images(self, key, part="test"):
        """The images that a run is evaluated on."""
        return evaluation_images(self.dataset, self.store.run(key).config, part)

    def probabilities(self, key, part="test", kind="best"):
        """What a run's stored network says of the images that the run is evaluated on."""
        return self.network(key, kind).probabilities(self.evaluation_images(key, part).pixels(self.dataset))

    def network(self, key, kind="best"):
        return StoredNetwork(self.store.run(key).config, self.store.weights(key, kind).content)

    def forget_predictions(self, *keys, epoch=None):
        """As though these runs were older than stored predictions, or their one epoch was."""
        rows = PREDICTIONS.c.run_key.in_(keys) & (True if epoch is None else PREDICTIONS.c.epoch == epoch)
        with self.store.database.writing() as connection:
            assert connection.execute(PREDICTIONS.delete().where(rows)).rowcount

    def fail(self, method):
        """Have a method of the store fail from now on."""

        def broken(store, *arguments, **keywords):
            raise StoreError("the run store cannot be read (disk I/O error)")

        self._monkeypatch.setattr(Store, method, broken)

    def record(self, key, epoch, validation_loss, best=None):
        """Store one epoch of a run that "a worker" has claimed."""
        result = epoch_result(epoch, validation_loss)
        self.store.leases.record_epoch(key, "a worker", result, b"checkpoint", best)


@contextmanager
def running_lab(home, monkeypatch):
    """A fresh server for one test, with its files in `home`."""
    for name in [name for name in os.environ if name.startswith("DROPOUT_LAB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DROPOUT_LAB_HOME", str(home))
    opened, init = [], Store.__init__

    def remember(self, *arguments):
        init(self, *arguments)
        opened.append(self)

    monkeypatch.setattr(Store, "__init__", remember)
    # Every AppTest looks through all installed packages for components, which takes longer than the test.
    monkeypatch.setattr("streamlit.components.v2.manifest_scanner.scan_component_manifests", list)
    # The visitor is this machine's user. An AppTest's own context is made of mocks.
    context = SimpleNamespace(ip_address=None, headers={}, cookies={}, url="http://localhost:8501/", is_embedded=False)
    monkeypatch.setattr(st, "context", context)
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


def choose(app, key, value):
    """Set the select box, the segmented control or the toggle with this key."""
    (widget,) = (widget for widget in [*app.selectbox, *app.segmented_control, *app.toggle] if widget.key == key)
    return widget.set_value(value).run()


def texts(elements):
    return [element.value for element in elements]


def unescaped(text):
    """A message as it is read, without what keeps Markdown away from it."""
    return text.replace("\\", "").replace("\N{WORD JOINER}", "")


def all_words(app):
    kinds = ("title", "subheader", "markdown", "caption", "info", "warning", "error", "success")
    words = [text for kind in kinds for text in texts(getattr(app, kind))]
    sent = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    words += [html.unescape(re.sub("<[^>]*>", "", data["html"])) for data in sent if "html" in data]
    return "\n".join(words)


def keys(elements):
    return [element.key for element in elements]


def live_charts(app):
    """Key -> figure of the charts that grow in place."""
    sent = {element.key: json.loads(element.proto.json) for element in app.get("bidi_component")}
    return {key: json.loads(data["figure"]) for key, data in sent.items() if "figure" in data}


def curve(figure, name):
    (trace,) = (trace for trace in figure["data"] if trace["name"] == name)
    return trace["y"]


def progress_bars(app):
    """Share and text of what is under way."""
    ours = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    bars = [(element.proto.value, element.proto.text) for element in app.get("progress")]
    return bars + [(bar["share"], bar["text"]) for bar in ours if "share" in bar and not bar["is_quiet"]]
