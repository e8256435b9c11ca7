"""How long the server takes for Predict and Inspect, on real images: `python -m benchmarks.look_inside [rounds]`.

Trains the article's network with and without dropout for two epochs in a store of its own, then plays a visitor's
clicks without a browser. Medians; "first" is on a server that has asked no network yet.
"""

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from streamlit.testing.v1 import AppTest
from threadpoolctl import threadpool_limits

from fmnist_core.config import RunConfig
from fmnist_core.data.sources import load
from fmnist_core.jobs.worker import train_stored_run
from fmnist_core.network.model import MLP, model_to_bytes
from fmnist_core.network.stored_network import StoredNetwork
from fmnist_core.settings import Settings
from fmnist_core.store.runs import Store
from ui import handles

SCRIPT = Path(__file__).parent.parent / "ui" / "main.py"
VIEWS = ("Mistakes", "Confidence", "Doubtful labels", "First layer", "Map")


def seconds(work: Callable[[], AppTest]) -> float:
    """Wall-clock seconds until a page is there whole."""
    began = time.perf_counter()
    page = work()
    took = time.perf_counter() - began
    assert not page.exception, page.exception
    return took


def forget() -> None:
    """Forget all that the networks have been asked."""
    kept = (
        handles.network,
        handles._evaluation_images,
        handles.probabilities_of,
        handles.replay_of,
        handles.plane_of,
        handles.doubtful_labels_of,
    )
    for cache in kept:
        cache.clear()


def opened(page: str, **address: str) -> AppTest:
    """A visitor's first look at a page."""
    app = AppTest.from_file(SCRIPT, default_timeout=60)
    app.query_params.update(address)
    app.run()
    app.switch_page(f"../pages/{page}.py").run()
    assert not app.exception, app.exception
    return app


def main(rounds: int) -> None:
    """Print a line for each figure."""
    threadpool_limits(1, user_api="blas")  # as the server does
    settings = Settings.from_environment()
    data = load(settings)
    with tempfile.TemporaryDirectory() as home:
        os.environ["DROPOUT_LAB_STORE"] = f"sqlite:///{home}/runs.sqlite"
        settings = Settings.from_environment()
        store = Store(settings.database_url)
        config = RunConfig(epochs=2)
        keys = store.request_all([config, replace(config, dropout=0.2)], data.name, data.fingerprint)
        for key in keys:
            train_stored_run(settings, key, "benchmark")
        run = {"run": keys[1], "beside": keys[0]}
        opened("predict", **run)  # imports

        firsts, agains, picks = [], [], []
        for place in range(rounds):
            forget()
            app = opened("data")
            app.query_params.update(run)
            firsts.append(seconds(app.switch_page("../pages/predict.py").run))
            agains.append(seconds(app.run))
            app.query_params["image"] = f"test-{place}"
            picks.append(seconds(app.run))
        print(f"predict: first {statistics.median(firsts):.2f} s, again {statistics.median(agains):.3f} s")
        print(f"a pick to bars, two runs, with replay: {1000 * statistics.median(picks):.0f} ms")
        for view in VIEWS:
            firsts, agains = [], []
            for _ in range(rounds):
                forget()
                app = opened("data")
                app.query_params.update({**run, "view": view})
                firsts.append(seconds(app.switch_page("../pages/inspect.py").run))
                agains.append(seconds(app.run))
            print(f"inspect, {view}: first {statistics.median(firsts):.2f} s, again {statistics.median(agains):.3f} s")
        other_sessions(data.test_images, run, rounds)
        handles.dispatcher().close()
        store.close()


def other_sessions(images: np.ndarray, run: dict[str, str], rounds: int) -> None:
    """How long another visitor's page takes while a test-set pass of the largest network is under way."""
    app = opened("predict", **run)
    alone = statistics.median(seconds(app.run) for _ in range(5 * rounds))
    config = RunConfig(hidden=(2048,) * 6)
    largest = StoredNetwork(config, model_to_bytes(MLP(config)))
    done = threading.Event()

    def ask() -> None:
        largest.probabilities(images)
        done.set()

    times: list[float] = []
    began = time.perf_counter()
    threading.Thread(target=ask).start()
    while not done.is_set():
        times.append(seconds(app.run))
    took = time.perf_counter() - began
    print(
        f"another page during a pass of {took:.1f} s: {1000 * statistics.median(times):.0f} ms, at most "
        f"{1000 * max(times):.0f} ms; alone {1000 * alone:.0f} ms"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
