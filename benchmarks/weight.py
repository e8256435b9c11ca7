"""How heavy the lab is, and how fast it is there: `python -m benchmarks.weight [rounds]`.

Seconds, as medians over fresh servers whose data are cached: from the command to the first answer of
`/_stcore/health`; and, right after it, from a click on Train with the preset Quick to the chart with the first epoch.
Then the memory of one more server: once it answers, after a first visitor, after a walk through all pages with two
stored runs. Last that of a worker that trains its first run, on a server of its own. PSS divides what processes share
among them, RSS counts it in each.
"""

import asyncio
import statistics
import sys
import time
from dataclasses import replace
from urllib.parse import urlencode

import psutil

from benchmarks.server import Memory, Server, laboratory, memory_of, running_server, wait_until
from benchmarks.visitor import Visitor, visiting
from fmnist_core.config import PRESETS, RunConfig
from fmnist_core.data.dataset import Dataset
from fmnist_core.store.runs import Store

ARTICLE, QUICK = PRESETS[0], PRESETS[2]
VIEWS = ("Mistakes", "Confidence", "Doubtful labels", "First layer", "Map")


def stored_pair(store: Store, data: Dataset) -> list[str]:
    """Ask for two runs of the article's network, without and with dropout, and wait until they have finished."""
    config = RunConfig(epochs=1)
    keys = store.request_all([config, replace(config, dropout=0.2)], data.name, data.fingerprint)
    wait_until(lambda: all(run.status == "finished" for run in store.runs_of(keys).values()), "two runs have finished")
    return keys


def epochs_drawn(page: Visitor) -> int:
    """How many epochs the chart of the losses shows now."""
    if not page.shows("train.loss"):
        return 0
    curves = [[epoch for epoch in trace["x"] if epoch is not None] for trace in page.figure("train.loss")["data"]]
    return max(len(epochs) for epochs in curves if all(epoch == int(epoch) for epoch in epochs))


async def first_epoch_seconds(address: str) -> tuple[float, str]:
    """From the click on Train to the first epoch on the page, and the run that this has started."""
    async with visiting(address) as page:
        await page.wait_for(lambda: page.shows("train.start"), "the page has its data")
        await page.choose("train.preset", QUICK.name)
        await page.press("train.new_seed")  # else a later round would be shown an earlier one's run
        began = time.perf_counter()
        await page.press("train.start")
        await page.wait_for(lambda: epochs_drawn(page) > 0, "an epoch is drawn")
        took = time.perf_counter() - began
        assert page.run_key is not None, page.query
        return took, page.run_key


async def first_visitor(address: str) -> None:
    """Open the first page, and see it whole."""
    async with visiting(address) as page:
        await page.wait_for(lambda: page.shows("train.start"), "the page has its data")


async def walk(address: str, keys: list[str]) -> None:
    """Open every page once, with the runs."""
    both = {"run": keys[1], "beside": keys[0]}
    addresses = [("", {"run": keys[1]}), ("compare", {}), ("predict", both)]
    addresses += [("inspect", {**both, "view": view}) for view in VIEWS]
    for page, query in [*addresses, ("data", {})]:
        async with visiting(address, page, urlencode(query)):
            pass


def training_worker(server: Server, store: Store, data: Dataset, config: RunConfig) -> Memory:
    """The memory of the process that trains a run, after its second epoch."""
    (key,) = store.request_all([replace(config, epochs=200)], data.name, data.fingerprint)
    wait_until(lambda: store.runs_of([key])[key].epochs_done >= 1, "a run trains")

    def taken() -> dict[psutil.Process, float]:
        return {child: child.cpu_times().user for child in server.process.children(recursive=True)}

    before = taken()
    wait_until(lambda: store.runs_of([key])[key].epochs_done >= 2, "a run has trained two epochs")
    growth = {child: seconds - before.get(child, 0.0) for child, seconds in taken().items()}
    memory = memory_of(max(growth, key=growth.__getitem__))
    stop(store, key)
    return memory


def stop(store: Store, key: str) -> None:
    """Stop a run: the next server would go on with it."""
    store.cancel(key)
    wait_until(lambda: not store.runs_of([key])[key].is_active, "the run has stopped")


def main(rounds: int) -> None:
    """Print a Markdown table."""
    with laboratory() as lab:
        home, data, store = lab.home, lab.data, lab.store
        with running_server(home):
            keys = stored_pair(store, data)
        start_seconds, epoch_seconds = [], []
        for _ in range(rounds):
            with running_server(home) as server:
                start_seconds.append(server.start_seconds)
                took, key = asyncio.run(first_epoch_seconds(server.address))
                epoch_seconds.append(took)
                stop(store, key)
        with running_server(home) as server:
            answering = memory_of(server.process)
            asyncio.run(first_visitor(server.address))
            visited = memory_of(server.process)
            asyncio.run(walk(server.address, keys))
            walked = memory_of(server.process)
        workers = []
        for preset in (ARTICLE, QUICK):
            with running_server(home) as server:
                workers.append(training_worker(server, store, data, preset.config))

    print("| what | measured |")
    print("|---|---|")
    for what, measured in (
        ("from the command to the first answer", f"{statistics.median(start_seconds):.1f} s"),
        ("from a click on Train to the first epoch", f"{statistics.median(epoch_seconds):.1f} s"),
        ("server's memory once it answers", answering),
        ("server's memory after the first visitor", visited),
        ("server's memory after all pages", walked),
        ("a worker's memory while it trains, preset Article", workers[0]),
        ("a worker's memory while it trains, preset Quick", workers[1]),
    ):
        print(f"| {what} | {measured} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
