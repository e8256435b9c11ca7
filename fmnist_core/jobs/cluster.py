"""Worker processes on this machine: how many may run, and a Dask cluster that starts them as work comes.

Dask is imported by whoever calls, not with this module: it takes a second that a server which starts need not wait for.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from fmnist_core.jobs.worker_ends import WorkerEnds
from fmnist_core.settings import Settings

logger = logging.getLogger(__name__)

START_SECONDS = 120.0  # a worker that is not there after so long is given up, and replaced
END_SECONDS = 0.2  # how long workers may end by themselves when the server does; then they are killed
IDLE_SECONDS = 60.0  # a worker that had nothing to do for so long is ended; another takes half a second to start

# Bytes. A worker that trains the largest network holds about half of it, one that draws a map about all.
WORKER_MEMORY = 800 * 2**20
WORKERS_SHARE = 0.6  # of the memory; the rest is for the server, for the browser and for the system

# Variables of a worker's environment that are read as its process starts.
_BEFORE_SPAWNING = {
    # Dask has its workers give memory back at every chance. A training loop takes the same memory again at every step;
    # without this, and without the sampling below, an epoch is about a quarter faster.
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    # Whether there is a GPU can then be asked without waking its driver, which a process does not survive that is
    # forked from one that has.
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
}

_DASK_SETTINGS: dict[str, Any] = {
    "distributed.worker.multiprocessing-method": "forkserver" if sys.platform == "linux" else "spawn",
    # A task that kills its worker is not tried again by Dask: the store counts the attempts.
    "distributed.scheduler.allowed-failures": 0,
    "distributed.nanny.pre-spawn-environ": _BEFORE_SPAWNING,
    # Dask samples what workers do a hundred times a second.
    "distributed.worker.profile.enabled": False,
    # Its pages tell every user of this machine what runs here; the port that Dask insists on answers nothing.
    "distributed.scheduler.http.routes": [],
}

_PROJECT = Path(__file__).parent.parent.parent
# What a fork server imports before the first worker is forked from it.
_PRELOADED = ["distributed", "fmnist_core.jobs.preload"]


def worker_limit(settings: Settings) -> int:
    """How many workers may run at once on this machine: as `settings` say, else as processor and memory allow.

    Counts what this process may use, not what the machine has: a container's limits hold. At least 1.
    """
    if settings.workers is not None:
        return settings.workers
    from dask.system import CPU_COUNT
    from distributed.system import MEMORY_LIMIT

    return max(1, min(CPU_COUNT, int(MEMORY_LIMIT * WORKERS_SHARE) // WORKER_MEMORY))


def scheduler_security(settings: Settings) -> Any:
    """The `distributed.Security` with which the scheduler at `settings.scheduler` is reached; never in the clear."""
    from distributed import Security

    return Security(
        require_encryption=True,
        tls_ca_file=str(settings.scheduler_ca),
        tls_client_cert=str(settings.scheduler_certificate),
        tls_client_key=str(settings.scheduler_key),
    )


class LocalWorkers:
    """A Dask cluster on this machine that begins without a worker. For one thread, which also submits all its tasks.

    Where the system can fork (Linux), workers are forked from a process that has imported everything already: they
    start in half a second instead of three, and share its memory. `limit`: how many may run at once.
    """

    def __init__(self, limit: int) -> None:
        import dask
        from distributed import LocalCluster, Security
        from distributed.utils import get_mp_context

        dask.config.set(_DASK_SETTINGS)
        self._limit = limit
        self._ends = WorkerEnds()
        self._idle_since: dict[object, float] = {}
        self._missing_since: dict[object, float] = {}
        get_mp_context()  # sets a list of its own, once, which must not come after ours
        start_fork_server()
        self.cluster: Any = LocalCluster(
            n_workers=0,
            threads_per_worker=1,
            worker_class=_nanny_that_notes(self._ends),
            # Every user of this machine reaches the ports, and whoever connects runs code: only who holds the
            # certificate that is made here may.
            security=Security.temporary(),
            scheduler_kwargs={"dashboard": False},
            memory_limit=0,  # Dask would pause or kill a large run; the system decides better
            dashboard_address="127.0.0.1:0",  # any free port: two servers may share a machine
            worker_dashboard_address=None,
        )

    def make_room(self, tasks: int, *, beside: bool = False, ready: bool = False) -> int:
        """Have workers for so many tasks, as far as the limit allows; return how many of these can be under way.

        `beside`: have one worker more, also past the limit, for a task that must not hold up the others. `ready`: have
        one more within the limit, for a task that may come.
        """
        room = min(self._limit, tasks)
        planned = max(len(self.cluster.worker_spec), min(self._limit, tasks + ready) + beside)
        if tasks or beside or ready:
            # Also where enough are planned: Dask then replaces those that it has lost.
            self.cluster.scale(planned)
        return room

    def replace_lost(self) -> None:
        """Give up the workers that Dask no longer starts again, or that have not come for START_SECONDS.

        Dask counts one that was killed while it started as there. `make_room` starts another in its place.
        """
        now = time.monotonic()
        connected = {state.name for state in list(self.cluster.scheduler.workers.values())}
        missing = [name for name in self.cluster.worker_spec if name not in connected]
        self._missing_since = {name: self._missing_since.get(name, now) for name in missing}
        if lost := [
            name for name in missing if now - self._missing_since[name] >= START_SECONDS or self._is_gone(name)
        ]:
            logger.warning("replacing %d workers that did not come back", len(lost))
            self.cluster.sync(self.cluster.scale_down, lost)

    def _is_gone(self, name: object) -> bool:
        nanny = self.cluster.workers.get(name)
        return nanny is not None and nanny.status.name in {"failed", "closed"}

    def kill_worker_of(self, task: str) -> None:
        """Kill the worker that has a task, also where it does not react; Dask starts another in its place."""
        state = self.cluster.scheduler.tasks.get(task)
        if state is not None and state.processing_on is not None:
            with suppress(ProcessLookupError):
                os.kill(state.processing_on.pid, signal.SIGKILL)

    def exit_code(self, address: str) -> int | None:
        """How the worker process that had this address ended, negative for a signal; None where it is not known."""
        return self._ends.exit_code(address)

    def addresses(self) -> dict[str, bool]:
        """The workers that are connected, by their addresses: whether they have nothing to do."""
        return {state.address: not state.processing for state in list(self.cluster.scheduler.workers.values())}

    def end_idle(self, tasks: int = 0, *, ready: bool = False) -> None:
        """End the workers that have had nothing to do for IDLE_SECONDS, but one that is to be `ready` for a task.

        None ends while one of the `tasks` that were handed out has not come to a worker yet: it may come to any.
        """
        now = time.monotonic()
        workers = list(self.cluster.scheduler.workers.values())
        idle = [state.name for state in workers if not state.processing]
        self._idle_since = {name: self._idle_since.get(name, now) for name in idle}
        is_one_on_its_way = tasks > len(workers) - len(idle)
        spare = 0 if is_one_on_its_way else max(0, len(idle) - ready)
        # By name: scale() would end any, also those that train.
        if names := [name for name, since in self._idle_since.items() if now - since >= IDLE_SECONDS][:spare]:
            logger.info("ending %d workers that have nothing to do", len(names))
            self.cluster.sync(self.cluster.scale_down, names)

    def close(self) -> None:
        """End all workers, whatever they do: the store has all that counts."""
        with suppress(Exception):  # what does not end here ends below, or with this process
            self.cluster.sync(self._end_workers)
        try:
            self.cluster.close(timeout=20)
        except TimeoutError:
            logger.warning("some workers did not end in time; they end with this process")

    async def _end_workers(self) -> None:
        nannies = list(self.cluster.workers.values())
        await asyncio.gather(*(nanny.close(timeout=END_SECONDS) for nanny in nannies), return_exceptions=True)


def _nanny_that_notes(ends: WorkerEnds) -> type:
    """What watches one worker process for Dask, and notes its exit code, which Dask only logs."""
    from distributed import Nanny

    class NotingNanny(Nanny):
        # Not public: should Dask rename it, this is not called, and an exit code is not known.
        def _on_worker_exit_sync(self, exitcode: int) -> None:
            ends.note(self.worker_address, exitcode)
            super()._on_worker_exit_sync(exitcode)

    return NotingNanny


def start_fork_server() -> None:
    """Start the process that workers are forked from, where the system can fork; at once where it is there already.

    It imports while this returns, and ends with this process. A server that starts calls this first of all: a core is
    free just then, and the first run waits for those imports.
    """
    if sys.platform != "linux":
        return
    multiprocessing.set_forkserver_preload(_PRELOADED)
    from multiprocessing import forkserver

    # What Dask would set for a new process comes too late for a forked one: glibc and OpenMP read it once, at the
    # start of the fork server. Its path is not ours either: up to Python 3.12 it does not take it over.
    paths = [str(_PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    with _environment({**_BEFORE_SPAWNING, "PYTHONPATH": os.pathsep.join(paths)}):
        forkserver.ensure_running()


@contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    """Change environment variables for as long as the block runs."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
