"""From a click to what it brings: `python -m benchmarks.first_point [rounds]`.

One visitor opens the Train page of a fresh server, reads it for some seconds, and presses Train again and again, each
time for a run of the article's with another seed. Seconds, as medians and the longest: from the click on Train to the
first point of a curve and to the first epoch, and from a click on Stop, in the second epoch, to the page of a run that
has stopped. The first click, for which a worker was made ready while the visitor read, stands by itself.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.server import Laboratory, laboratory, memory_of, running_server
from benchmarks.visitor import Visitor, visiting
from benchmarks.weight import epochs_drawn

READING_SECONDS = 8.0


@dataclass(frozen=True, kw_only=True)
class Round:
    """Seconds from a click to what it brought."""

    first_point: float
    first_epoch: float
    stopped: float


def has_a_point(page: Visitor) -> bool:
    """Whether a curve of the losses has one."""
    return any(x is not None for trace in page.figure("train.loss")["data"] for x in trace["x"])


async def seconds_until(page: Visitor, began: float, condition: Callable[[], bool], what: str) -> float:
    await page.wait_for(condition, what)
    return time.perf_counter() - began


async def play(page: Visitor) -> Round:
    """Train, wait for the first point and the first epoch, and stop."""
    await page.press("train.new_seed")
    began = time.perf_counter()
    await page.press("train.start")
    first_point = await seconds_until(page, began, lambda: has_a_point(page), "a first point")
    first_epoch = await seconds_until(page, began, lambda: epochs_drawn(page) > 0, "a first epoch")
    began = time.perf_counter()
    await page.press("train.stop")
    stopped = await seconds_until(page, began, lambda: not page.shows("train.stop"), "the run has stopped")
    return Round(first_point=first_point, first_epoch=first_epoch, stopped=stopped)


async def rounds_of(address: str, count: int) -> list[Round]:
    async with visiting(address) as page:
        await page.wait_for(lambda: page.shows("train.start"), "the page has its data")
        until = time.monotonic() + READING_SECONDS
        while await page.tick(until) is not None:
            pass
        return [await play(page) for _ in range(count)]


def first_point_seconds(lab: Laboratory, count: int) -> list[float]:
    """From `count` clicks on Train to the first point of a curve, after a first click that made everything ready."""
    with running_server(lab.home) as server:
        return [one.first_point for one in asyncio.run(rounds_of(server.address, count + 1))[1:]]


def main(count: int) -> None:
    """Print a Markdown table, and what the processes of the server hold meanwhile."""
    with laboratory() as lab, running_server(lab.home) as server:
        first, *others = asyncio.run(rounds_of(server.address, count))
        for child in server.process.children(recursive=True):
            print(f"{' '.join(child.cmdline())[:60]}: {memory_of(child)}")
    print("| from | to | first click | median | longest |")
    print("|---|---|---|---|---|")
    for begins, ends, name in (
        ("Train", "the first point", "first_point"),
        ("Train", "the first epoch", "first_epoch"),
        ("Stop", "a run that has stopped", "stopped"),
    ):
        later = [getattr(one, name) for one in others]
        figures = (getattr(first, name), statistics.median(later), max(later))
        print(f"| {begins} | {ends} | {' | '.join(f'{seconds:.2f} s' for seconds in figures)} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 6)
