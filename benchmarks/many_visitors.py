"""How the server bears many visitors while it trains: `python -m benchmarks.many_visitors [visitors] [seconds]`.

A server of its own trains two runs of the article's recipe at a time, one after the other has ended, for as many
seconds with nobody looking, but no longer than a minute, and then with the visitors. Three of four visitors watch a run
that trains, the others look at a finished one; each reloads its page about every 30 seconds. They are played over
WebSockets from this process, without a browser, and share the machine with the server.

A tick is one update of a watched page, from asking to the page being whole; a page load counts from connecting. What
began within the window counts. Epochs are per run and 33 s. Memory is the server's, without its workers.
"""

import asyncio
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from websockets.exceptions import WebSocketException

from benchmarks.server import Memory, Server, laboratory, memory_of, running_server, wait_until
from benchmarks.visitor import PageFailedError, Tick, visiting
from fmnist_core.config import EPOCH_LIMITS, PRESETS, Preset
from fmnist_core.store.runs import Store

ARTICLE, QUICK = PRESETS[0], PRESETS[2]
AT_ONCE = 2  # runs that train
ALONE_SECONDS = 60.0  # of looking on, at most, with nobody there
FASTEST_SECONDS = 0.8  # of an epoch, on any machine so far
JOIN_SECONDS = 10.0
RELOAD_SECONDS = 30.0
RECONNECT_SECONDS = 1.0
MEMORY_SECONDS = 120.0  # between two looks
EPOCHS_PER_SECONDS = 33.0


@dataclass
class Notes:
    """What the visitors saw."""

    opens: float = math.inf  # when what is seen begins to count, by time.monotonic
    ticks: list[Tick] = field(default_factory=list)
    load_seconds: list[float] = field(default_factory=list)
    dropped: set[int] = field(default_factory=set)  # visitors
    reasons: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, kw_only=True)
class Window:
    """What the server did in a number of seconds."""

    epochs_per_run: float
    core_share: float
    memory: list[Memory]  # at the start, every MEMORY_SECONDS and at the end


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of all does not exceed; NaN where there are none."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else math.nan


def spread(values: Sequence[float]) -> str:
    """Median and 95th percentile, as two cells of a table."""
    return f"{percentile(values, 0.5):.2f} s | {percentile(values, 0.95):.2f} s"


async def visit(
    number: int, address: str, choose: Callable[[], str], joins: float, reloads: float, ends: float, notes: Notes
) -> None:
    """One visitor, who comes at `joins`, first reloads at `reloads`, and begins nothing more after `ends`.

    `choose` gives the key of the run to look at, whenever the page is loaded.
    """
    await asyncio.sleep(max(0.0, joins - time.monotonic()))
    while time.monotonic() < ends:
        try:
            key = choose()
            began = time.monotonic()
            async with visiting(address, query=f"run={key}") as page:
                if began >= notes.opens:
                    notes.load_seconds.append(time.monotonic() - began)
                while (tick := await page.tick(min(reloads, ends))) is not None:
                    if tick.began >= notes.opens:
                        notes.ticks.append(tick)
        except (PageFailedError, WebSocketException, OSError, EOFError, TimeoutError) as error:
            notes.dropped.add(number)
            notes.reasons[f"{type(error).__name__}: {error}"] += 1
            await asyncio.sleep(RECONNECT_SECONDS)  # as long as a browser waits
        while reloads <= time.monotonic():
            reloads += RELOAD_SECONDS


async def window(server: Server, store: Store, keys: Sequence[str], seconds: float) -> Window:
    """Let time pass and see what the server does in it. Raises RuntimeError where the runs do not last throughout."""

    def epochs() -> float:
        runs = store.runs_of(keys).values()
        if sum(run.is_active for run in runs) < AT_ONCE or any(run.status in {"failed", "stopped"} for run in runs):
            raise RuntimeError(f"not enough runs train: {', '.join(run.status for run in runs)}")
        return sum(run.epochs_done + run.epoch_share for run in runs) / AT_ONCE

    memory, processor, done, began = [memory_of(server.process)], server.processor_seconds, epochs(), time.monotonic()
    while (left := began + seconds - time.monotonic()) > 0:
        await asyncio.sleep(min(left, MEMORY_SECONDS))
        memory.append(memory_of(server.process))
    took = time.monotonic() - began
    return Window(
        epochs_per_run=(epochs() - done) / took * EPOCHS_PER_SECONDS,
        core_share=(server.processor_seconds - processor) / took,
        memory=memory,
    )


async def visited(
    server: Server, store: Store, keys: Sequence[str], finished: str, visitors: int, seconds: float
) -> tuple[Window, Notes]:
    """A window with visitors in it."""
    notes, now = Notes(), time.monotonic()

    def looked_at(number: int) -> str:
        if number % 4 == 3:
            return finished
        runs = store.runs_of(keys)
        live = [key for key in keys if runs[key].status == "running"] or [keys[-1]]  # none in between two runs
        return live[(number - number // 4) % len(live)]  # as many at each

    opens = now + JOIN_SECONDS
    ends = opens + seconds
    async with asyncio.TaskGroup() as tasks:
        for number in range(visitors):
            joins = now + JOIN_SECONDS * number / visitors
            reloads = opens + RELOAD_SECONDS * (number + 0.5) / visitors
            tasks.create_task(visit(number, server.address, partial(looked_at, number), joins, reloads, ends, notes))
        await asyncio.sleep(max(0.0, opens - time.monotonic()))
        notes.opens = time.monotonic()
        seen = await window(server, store, keys, seconds)
    return seen, notes


def main(visitors: int, seconds: float) -> None:
    """Print one row of a Markdown table, and a few lines on how it came about."""
    with laboratory() as lab:
        home, data, store = lab.home, lab.data, lab.store
        with running_server(home) as server:

            def ask(preset: Preset, epochs: int, *seeds: int) -> list[str]:
                configs = [replace(preset.config, epochs=epochs, seed=seed) for seed in seeds]
                return store.request_all(configs, data.name, data.fingerprint)

            (finished,) = ask(QUICK, 1, 0)
            wait_until(lambda: store.runs_of([finished])[finished].status == "finished", "a run has finished")
            _, longest = EPOCH_LIMITS
            rounds = math.ceil(2 * (seconds + JOIN_SECONDS) / (longest * FASTEST_SECONDS))
            keys = ask(ARTICLE, longest, *range(1, 1 + AT_ONCE * rounds))
            first = keys[:AT_ONCE]
            wait_until(lambda: all(run.epochs_done for run in store.runs_of(first).values()), "runs train")
            alone = asyncio.run(window(server, store, keys, min(seconds, ALONE_SECONDS)))
            own = time.process_time()
            began = time.monotonic()
            beside, notes = asyncio.run(visited(server, store, keys, finished, visitors, seconds))
            own_share = (time.process_time() - own) / (time.monotonic() - began)
            store.cancel(*keys)

    print(
        "| visitors | tick median | tick p95 | page load median | page load p95 | server, of a core "
        f"| epochs a run (per {EPOCHS_PER_SECONDS:.0f} s), nobody looking | with visitors | dropped "
        "| memory at start | at end |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    print(
        f"| {visitors} | {spread([tick.seconds for tick in notes.ticks])} | {spread(notes.load_seconds)} "
        f"| {beside.core_share:.2f} | {alone.epochs_per_run:.1f} | {beside.epochs_per_run:.1f} | {len(notes.dropped)} "
        f"| {beside.memory[0]} | {beside.memory[-1]} |\n"
    )
    for what, ticks in {
        "brought news": [tick.seconds for tick in notes.ticks if tick.brought],
        "ran the script": [tick.seconds for tick in notes.ticks if tick.ran_script],
    }.items():
        print(f"{len(ticks)} of {len(notes.ticks)} ticks {what}: {spread(ticks).replace(' |', ',')} (p95)")
    print(f"{len(notes.load_seconds)} page loads; with nobody looking the server took {alone.core_share:.2f} of a core")
    print(f"the visitors themselves took {own_share:.2f} of a core")
    print(f"memory every {MEMORY_SECONDS:.0f} s: {', '.join(map(str, beside.memory))}")
    for reason, count in notes.reasons.most_common():
        print(f"{count} x {reason}")


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 50,
        float(sys.argv[2]) if len(sys.argv) > 2 else 60.0,
    )
