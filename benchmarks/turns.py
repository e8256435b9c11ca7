"""Contestants that take turns, each in a process of its own.

So all meet the same other load, none warms a cache for another, and each one's memory is its own. A process is held
to its core before it imports anything that counts the cores, which is why this module needs the standard library
alone.
"""

import os
import pickle
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

# Gives an iterator: its first step makes everything ready, and compiles; each further step is a turn.
Contestant = Callable[[], Iterator[Any]]
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a turn took and brought, and the most memory that its process has held so far."""

    seconds: float
    processor_seconds: float
    brought: Any
    peak_megabytes: float


def cores() -> set[int]:
    """The cores that this process may use; all where the system does not say."""
    return getattr(os, "sched_getaffinity", lambda _: set(range(os.cpu_count() or 1)))(0)


def take_turns(contestants: Sequence[Contestant], rounds: int, *, one_core: bool) -> list[list[Turn]]:
    """The turns of each contestant, one a round; on one core and one thread, or on all.

    Raises RuntimeError where a contestant's process has broken off; its own words stand in standard error.
    """
    context, core = get_context("spawn"), max(cores()) if one_core else None
    pipes, processes = [], []
    try:
        for contestant in contestants:
            near, far = context.Pipe()
            # Pickled by hand: reading it imports the contestant's module, which must not happen before `_serve` begins.
            processes.append(context.Process(target=_serve, args=(far, core, pickle.dumps(contestant)), daemon=True))
            processes[-1].start()
            far.close()
            pipes.append(near)
        for pipe, contestant in zip(pipes, contestants, strict=True):
            _answer(pipe, contestant)
        found: list[list[Turn]] = [[] for _ in pipes]
        for _ in range(rounds):
            for pipe, contestant, turns in zip(pipes, contestants, found, strict=True):
                pipe.send(True)
                turns.append(_answer(pipe, contestant))
        return found
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _answer(pipe: Connection, contestant: Contestant) -> Any:
    try:
        return pipe.recv()
    except EOFError:
        raise RuntimeError(f"a contestant broke off: {contestant}") from None


def _serve(connection: Connection, core: int | None, contestant: bytes) -> None:
    """Take a turn whenever asked to."""
    if core is not None:
        os.environ |= dict.fromkeys(_THREADS, "1")
        with suppress(AttributeError):  # where a process cannot be held to a core, one thread still is one
            os.sched_setaffinity(0, {core})
    turns = pickle.loads(contestant)()
    next(turns)
    connection.send(None)
    while connection.recv():
        began, processor_began = time.perf_counter(), time.process_time()
        brought = next(turns)
        connection.send(
            Turn(
                seconds=time.perf_counter() - began,
                processor_seconds=time.process_time() - processor_began,
                brought=brought,
                peak_megabytes=_peak_megabytes(),
            )
        )


def _peak_megabytes() -> float:
    """The most memory that this process has held, in 10^6 bytes, counting what it shares."""
    status = Path("/proc/self/status")
    if status.exists():  # here the other figure counts what the parent held before this process had its own program
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset / 1e6
    import resource  # which Windows lacks

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held / 1e6 if sys.platform == "darwin" else held * 1024 / 1e6
