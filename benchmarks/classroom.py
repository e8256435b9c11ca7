"""A class at once: `python -m benchmarks.classroom [students] [minute]`.

Each student opens the Train page in a browser of their own, chooses Quick with a seed of their own, presses Train at a
moment of the first `minute` seconds, and watches the run to its end; the first one to come asks for three runs more.
They are played over WebSockets from this process, without a browser, and share the machine with the server.

A place is when a run was taken up, counted over all runs; who asks fairly gets it in the order of first asking, and the
runs that the first student asks for on top come when their turn does.
"""

import asyncio
import sys
import time
from collections import Counter
from dataclasses import dataclass

from benchmarks.many_visitors import spread
from benchmarks.server import Server, laboratory, running_server
from benchmarks.visitor import Visitor, visiting
from fmnist_core.config import PRESETS
from fmnist_core.store.runs import Store

QUICK = PRESETS[2]
GREEDY_RUNS = 3  # that the first student asks for on top
LIMIT_SECONDS = 480.0
LOOK_SECONDS = 0.2  # how exactly it is seen when a run is taken up
RELOAD_SECONDS = 20.0


@dataclass(kw_only=True)
class Asked:
    """One run as its student saw it; times by `time.monotonic`."""

    student: int
    turn: int  # 1: the student's first run
    key: str
    asked_at: float
    taken_at: float = float("nan")
    ended_at: float = float("nan")


async def start(page: Visitor, student: int, turn: int) -> Asked:
    """Ask for Quick with a seed that nobody else has."""
    await page.choose("train.preset", QUICK.name)
    await page.choose("train.seed", str(100 * turn + student))
    asked_at = time.monotonic()
    before = page.run_key
    await page.press("train.start")
    assert page.run_key not in {None, before}, "the page shows the new run"
    return Asked(student=student, turn=turn, key=str(page.run_key), asked_at=asked_at)


async def study(
    student: int, server: Server, joins: float, asked: list[Asked], loads: list[float], done: asyncio.Event
) -> None:
    """One student: comes, asks, watches, and reloads the page now and then."""
    await asyncio.sleep(max(0.0, joins - time.monotonic()))
    began = time.monotonic()
    async with visiting(server.address) as page:
        await page.wait_for(lambda: page.shows("train.start"), "the page has its data")
        loads.append(time.monotonic() - began)
        cookie = page.cookie
        asked.append(await start(page, student, 1))
        for turn in range(2, 2 + GREEDY_RUNS if student == 0 else 2):
            asked.append(await start(page, student, turn))
        query = page.query
        while not done.is_set() and time.monotonic() - began < RELOAD_SECONDS:
            await page.tick(time.monotonic() + 1.0)
    while not done.is_set():
        began = time.monotonic()
        async with visiting(server.address, query=query, cookie=cookie) as page:
            loads.append(time.monotonic() - began)
            while not done.is_set() and time.monotonic() - began < RELOAD_SECONDS:
                await page.tick(time.monotonic() + 1.0)


async def look_on(store: Store, asked: list[Asked], runs: int, done: asyncio.Event) -> None:
    """Note when each run is taken up and when it has ended, until all have."""
    deadline = time.monotonic() + LIMIT_SECONDS
    try:
        while time.monotonic() < deadline:
            known = list(asked)
            now, found = time.monotonic(), await asyncio.to_thread(store.runs_of, [one.key for one in known])
            for one in known:
                run = found[one.key]
                if run.status != "queued" and one.taken_at != one.taken_at:
                    one.taken_at = now
                if not run.is_active and one.ended_at != one.ended_at:
                    one.ended_at = now
            if len(known) == runs and not any(run.is_active for run in found.values()):
                return
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        done.set()


async def lesson(server: Server, store: Store, students: int, minute: float) -> tuple[list[Asked], list[float]]:
    """All students at once."""
    asked: list[Asked] = []
    loads: list[float] = []
    done, now = asyncio.Event(), time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for student in range(students):
            joins = now + minute * student / students
            tasks.create_task(study(student, server, joins, asked, loads, done))
        tasks.create_task(look_on(store, asked, students + GREEDY_RUNS, done))
    return asked, loads


def main(students: int, minute: float) -> None:
    """Print how the lesson went, and when each run was asked for, taken up and done."""
    with laboratory() as lab, running_server(lab.home) as server:
        began = time.monotonic()
        asked, loads = asyncio.run(lesson(server, lab.store, students, minute))
        took = time.monotonic() - began
        ends = Counter(run.status for run in lab.store.runs())
    waits = [one.taken_at - one.asked_at for one in asked if one.turn == 1]
    print("| students | runs | how they ended | all done after | wait of a first run, median (p95) | page load |")
    print("|---|---|---|---|---|---|")
    ended = ", ".join(f"{count} {status}" for status, count in ends.items())
    median_and_p95 = [spread(values).replace(" | ", " (") + ")" for values in (waits, loads)]
    print(f"| {students} | {len(asked)} | {ended} | {took:.0f} s | {' | '.join(median_and_p95)} |\n")
    print("| student | run | asked for at | place in which it was taken up | waited | done at |")
    print("|---|---|---|---|---|---|")
    first = min(one.asked_at for one in asked)
    for place, one in enumerate(sorted(asked, key=lambda one: one.taken_at), 1):
        print(
            f"| {one.student + 1} | {one.turn} | {one.asked_at - first:.0f} s | {place} "
            f"| {one.taken_at - one.asked_at:.0f} s | {one.ended_at - first:.0f} s |"
        )


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 30,
        float(sys.argv[2]) if len(sys.argv) > 2 else 60.0,
    )
