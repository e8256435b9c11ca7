"""What a report costs everybody else: `python -m benchmarks.take_away [rounds]`.

One visitor has reports made, of a run of thirty epochs each. Another one's page is drawn again and again, in turns
while that happens and while it does not. Prints how long that page and a report take, and the server's memory.
"""

import asyncio
import statistics
import sys
import time
from dataclasses import replace
from functools import partial

from benchmarks.server import Laboratory, laboratory, memory_of, running_server, wait_until
from benchmarks.visitor import Visitor, visiting
from fmnist_core.config import RunConfig

RUN = RunConfig(hidden=(128,), training_images=1000, epochs=30)
ALONE_SECONDS = 5.0


async def drawn_until(page: Visitor, done: asyncio.Event) -> list[float]:
    """Draw a page again and again until then; the seconds that each took."""
    took: list[float] = []
    while not done.is_set():
        began = time.perf_counter()
        await page.rerun()
        took.append(time.perf_counter() - began)
        await asyncio.sleep(0.05)
    return took


async def made(page: Visitor) -> float:
    """Press the button, and wait for the file; the seconds that it took."""
    await page.wait_for(lambda: page.shows("train.take_away.make"), "the menu is there")
    began = time.perf_counter()
    await page.press("train.take_away.make")
    await page.wait_for(lambda: page.shows("train.take_away.download"), "the report is made")
    return time.perf_counter() - began


async def measure(address: str, keys: list[str]) -> tuple[list[float], list[float], list[float]]:
    """The other visitor's page while reports are made and in between, and how long these take."""
    during: list[float] = []
    between: list[float] = []
    reports: list[float] = []
    async with visiting(address, "", f"run={keys[0]}") as other:
        for key in keys[1:]:
            done = asyncio.Event()
            drawing = asyncio.create_task(drawn_until(other, done))
            await asyncio.sleep(ALONE_SECONDS)
            done.set()
            between += await drawing
            async with visiting(address, "", f"run={key}") as page:
                await page.wait_for(partial(page.shows, "train.take_away.make"), "the menu is there")
                done = asyncio.Event()
                drawing = asyncio.create_task(drawn_until(other, done))
                reports.append(await made(page))
                done.set()
                during += await drawing
    return between, during, reports


def trained(lab: Laboratory, count: int) -> list[str]:
    """So many finished runs."""
    configs = [replace(RUN, seed=seed) for seed in range(count)]
    keys = lab.store.request_all(configs, lab.data.name, lab.data.fingerprint)
    with running_server(lab.home):
        wait_until(
            lambda: all(run.status == "finished" for run in lab.store.runs_of(keys).values()), "all runs finish", 600
        )
    return keys


def words(name: str, seconds: list[float]) -> str:
    ordered = sorted(seconds)
    high = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return f"{name}: {1000 * statistics.median(ordered):.0f} ms, 95 % below {1000 * high:.0f} ms ({len(ordered)} times)"


def main(rounds: int) -> None:
    """Print a line for each figure."""
    with laboratory() as lab:
        keys = trained(lab, rounds + 1)
        with running_server(lab.home) as server:
            asyncio.run(drawn_once(server.address, keys[0]))
            before = memory_of(server.process)
            between, during, reports = asyncio.run(measure(server.address, keys))
            after = memory_of(server.process)
    print(words("another visitor's page", between))
    print(words("the same while a report is made", during))
    print(f"a report: {statistics.median(reports):.1f} s ({len(reports)} times)")
    print(f"the server's memory before and after: {before}, {after}")


async def drawn_once(address: str, key: str) -> None:
    """Open a page, so that the server has imported what it needs."""
    async with visiting(address, "", f"run={key}") as page:
        await page.wait_for(lambda: page.shows("train.take_away.make"), "the page is whole")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
