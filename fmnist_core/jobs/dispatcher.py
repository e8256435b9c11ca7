"""Work on Dask: a dispatcher that hands every claimable run of the store to a worker, and again if that worker dies.

The store is the truth. Nothing here has to survive: a dispatcher that starts anew finds in the store what waits and
what was abandoned, and several dispatchers may serve one store, since a run can be claimed only once.
"""

import logging
import os
import socket
import threading
import time
import uuid
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from fmnist_core.data.dataset import DataError
from fmnist_core.jobs.cluster import LocalWorkers, scheduler_security, worker_limit
from fmnist_core.jobs.device import NoGpuError
from fmnist_core.jobs.maps import MapError, MapRequest, map_stored_run
from fmnist_core.jobs.processes import is_known_dead, this_process
from fmnist_core.jobs.readiness import Readiness
from fmnist_core.jobs.reasons import kind_and_words
from fmnist_core.jobs.worker_ends import words_for
from fmnist_core.settings import Settings
from fmnist_core.store.database import StoreError
from fmnist_core.store.run_log import log_run, show_log_lines
from fmnist_core.store.runs import Store

if TYPE_CHECKING:
    # The dispatcher's thread imports it, so that nobody waits for it who starts one.
    from distributed import Client, Future

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
# How long a worker may still write after its lease has run out, before it counts as hung: a store that nobody could
# write may be free again just now.
GRACE_SECONDS = 5.0
WORKERLESS_SECONDS = 30.0  # how long runs wait without any worker before the pages say so
BACK_OFF_SECONDS = 30.0  # until runs are handed out again to workers that could not even take one up
PURGE_SECONDS = 30.0  # between two looks for deleted runs that can come back no longer


def train_on_worker(settings: Settings, key: str, owner: str, identity: str) -> None:
    """What a worker is handed: `train_stored_run`, imported there, since this process needs no torch for it."""
    from fmnist_core.jobs.worker import train_stored_run

    show_log_lines()
    train_stored_run(settings.on_this_machine(), key, owner, identity)


class Dispatcher:
    """Hands runs to Dask workers until it is closed: an embedded cluster, or the one at `settings.scheduler`.

    Creating one starts its thread, which starts or joins the cluster at once: a first run should not wait for it.
    Workers of an embedded cluster start as runs and maps are handed out, and end when there is nothing for them. One
    is kept ready while somebody may ask for a run: see `expect_run`.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._client: Client | None = None
        self._workers: LocalWorkers | None = None  # those of this process; None at an existing cluster
        self._futures: dict[str, tuple[Future[None], str]] = {}
        self._maps: dict[MapRequest, Future[None] | None] = {}  # None: not handed out yet
        self._map_problems: dict[MapRequest, str] = {}
        self._overdue_since: dict[str, float] = {}
        self._readiness = Readiness()
        self._workerless_since: float | None = None
        self._pause_until = self._purged_at = -float("inf")
        self._problem: str | None = None
        self._wake, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="dispatcher", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def wake(self) -> None:
        """Look at the store now rather than at the next poll."""
        self._wake.set()

    def expect_run(self, data_fingerprint: str) -> None:
        """Somebody may soon ask for a run on these data: have a worker of this machine ready for some minutes."""
        if self._readiness.expect_run(data_fingerprint):
            self.wake()

    def draw_map(self, request: MapRequest) -> None:
        """Have a map drawn, when those asked for before it are; asking again meanwhile changes nothing.

        The map appears in the store. A server that ends forgets what it was asked for: ask again.
        """
        limit = self._settings.limits.waiting_maps
        if request not in self._maps and len(self._maps) >= limit:
            problem = f"at most {limit} maps may wait at once; try again in a minute"
            log_run("refusal", wish="map", runs=request.run_key, reason=problem)
            self._map_problems[request] = problem
            return
        self._map_problems.pop(request, None)
        self._maps.setdefault(request, None)
        self.wake()

    def is_drawing(self, request: MapRequest) -> bool:
        """Whether a map is under way."""
        return request in self._maps

    def map_problem(self, request: MapRequest) -> str | None:
        """Why the last attempt at a map failed, for people; None where it did not."""
        return self._map_problems.get(request)

    def workers_problem(self) -> str | None:
        """Why runs wait though they need not, for people; None where workers are there, or nothing waits."""
        return self._problem

    def close(self) -> None:
        """End the workers that belong to this process; their runs are taken up when a dispatcher starts again."""
        self._closing.set()
        self._wake.set()
        self._thread.join()
        held = [] if self._workers is None else [owner for _, owner in self._futures.values()]
        self._disconnect()
        with suppress(StoreError):  # then the next server finds out by itself that these processes are gone
            for owner in held:
                self._store.leases.release(owner, counts=False)

    @property
    def is_connected(self) -> bool:
        """Whether runs can be handed out now; workers of an embedded cluster start as runs come."""
        client = self._client
        return self._thread.is_alive() and client is not None and client.status == "running"

    def worker_processes(self) -> list[int]:
        """Process ids of the workers that are connected now, without those that are leaving."""
        return [] if self._client is None else sorted(self._client.run(os.getpid, on_error="ignore").values())

    def _work(self) -> None:
        while not self._closing.is_set():
            try:
                self._purge()
                self._dispatch()
            except StoreError as error:
                logger.warning("runs wait until the store can be used again: %s", error)
            except Exception as error:  # Dask's own come from everywhere, and nothing may end this thread
                logger.warning("runs wait until the workers can be reached", exc_info=error)
                where = f" at {self._settings.scheduler}" if self._settings.scheduler else ""
                self._problem = f"the workers{where} cannot be reached ({type(error).__name__}); this is tried again"
                self._disconnect()
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()

    def _purge(self) -> None:
        """Give up deleted runs once they can come back no longer; every server of a store does, whoever is first."""
        if time.monotonic() - self._purged_at < PURGE_SECONDS:
            return
        self._purged_at = time.monotonic()
        if keys := self._store.due_for_purge():
            self._store.purge(*keys)
            self._store.database.give_back_space()

    def _dispatch(self) -> None:
        if self._client is not None and self._client.status != "running":
            self._disconnect()
        client = self._connect()
        self._take_back()
        self._take_from_the_dead()
        if time.monotonic() >= self._pause_until:
            self._hand_out(client)
        if self._workers is not None:
            self._workers.replace_lost()
            self._readiness.prepare(client, self._workers, self._settings, self._store.database)
            tasks = len(self._futures) + sum(drawing is not None for drawing in self._maps.values())
            self._workers.end_idle(tasks, ready=self._readiness.is_wanted and not self._futures)
        self._look_for_workers(client)

    def _look_for_workers(self, client: "Client") -> None:
        if time.monotonic() < self._pause_until:
            return
        if not (self._futures or self._maps) or client.nthreads():
            self._workerless_since = self._problem = None
            return
        now = time.monotonic()
        self._workerless_since = self._workerless_since or now
        if now - self._workerless_since >= WORKERLESS_SECONDS:
            self._problem = "no worker process is there at the moment; the run starts as soon as one is"

    def _take_from_the_dead(self) -> None:
        """Put back what nobody works on any more: the process is gone, or has not given a sign for longer than a lease.

        The store decides: a process that wakes up later finds its run with another owner, and writes nothing.
        """
        ours = {owner: key for key, (_, owner) in self._futures.items()}
        overdue = {}
        for held in self._store.leases.held():
            server, _, _ = held.owner.rpartition(":")
            if held.owner not in ours and is_known_dead(held.process) and is_known_dead(server):
                # The run could not help it. Where its server lives, that knows how the process ended, and says so.
                self._store.leases.release(held.owner, "its server was killed", counts=False)
            elif held.owner in ours and held.is_overdue:
                overdue[held.owner] = self._overdue_since.get(held.owner, time.monotonic())
        self._overdue_since = overdue
        for owner, since in overdue.items():
            key = ours[owner]
            if time.monotonic() - since < GRACE_SECONDS or not self._store.leases.release(
                owner, "its worker process gave no sign for longer than its lease"
            ):
                continue
            future, _ = self._futures.pop(key)
            if self._workers is not None:
                self._workers.kill_worker_of(str(future.key))
            else:
                future.cancel()

    def _take_back(self) -> None:
        """Look at what has ended."""
        for key, (future, owner) in list(self._futures.items()):
            if not future.done():
                continue
            if future.status == "error":
                # Its process died, or could not reach the store. Without this the lease would have to run out.
                self._take_back_broken(owner, future.exception())
            del self._futures[key]
        for request, drawing in list(self._maps.items()):
            if drawing is None or not drawing.done():
                continue
            if drawing.status == "error":
                logger.warning("the map %s failed: %s", request, drawing.exception())
                self._map_problems[request] = self._why(drawing.exception())
            del self._maps[request]

    def _take_back_broken(self, owner: str, error: BaseException) -> None:
        from distributed import KilledWorker

        was_taken = self._store.leases.release(owner, self._why(error), counts=not isinstance(error, StoreError))
        if not was_taken and not isinstance(error, KilledWorker):
            # It could not take the run up; the next one could not either, and would say so at once.
            self._pause_until = time.monotonic() + BACK_OFF_SECONDS
            self._problem = f"the workers cannot take runs up: {self._why(error)}"
            logger.warning("%s", self._problem)

    def _why(self, error: BaseException) -> str:
        """What a task broke off of, for people; continues a sentence."""
        from distributed import KilledWorker

        if isinstance(error, KilledWorker):
            # Of a worker at an existing cluster only its own machine knows how it ended.
            address = str(error.last_worker.address)
            return words_for(None if self._workers is None else self._workers.exit_code(address))
        if isinstance(error, StoreError | DataError | MapError | NoGpuError):
            return str(error)
        return kind_and_words(error)

    def _hand_out(self, client: "Client") -> None:
        keys = [key for key in self._store.leases.claimable() if key not in self._futures]
        room = self._room(client, len(keys))
        identity = self._store.database.identity if self._maps or keys else ""
        # One map at a time, beside the runs and not instead of one: it has a worker of its own, and leaves the
        # processor to who trains.
        maps = list(self._maps.items())  # a page may ask for another meanwhile
        if maps and not any(drawing for _, drawing in maps):
            request = maps[0][0]
            drawing = client.submit(map_stored_run, self._settings, request, identity, pure=False, priority=-1)
            self._maps[request] = drawing
            drawing.add_done_callback(lambda _: self.wake())
        server = this_process() or socket.gethostname()[:20]  # by which others know whether it still lives
        for key in keys[:room]:
            owner = f"{server}:{uuid.uuid4().hex[:12]}"
            # Each attempt is a task of its own: Dask would not run a task again that it takes for the same.
            future = client.submit(train_on_worker, self._settings, key, owner, identity, pure=False)
            future.add_done_callback(lambda _: self.wake())
            self._futures[key] = (future, owner)

    def _room(self, client: "Client", waiting: int) -> int:
        """How many more runs to hand out: no more than there are workers, or who asks later could not be put before.

        Also, what waits at a worker that dies would count as failed with its task.
        """
        if self._workers is None:
            return max(0, sum(map(int, client.nthreads().values())) - len(self._futures))
        tasks = len(self._futures) + waiting
        # Where one trains, another that starts would take from it what the visitor waits for: its first points.
        is_one_wanted = self._readiness.is_wanted and not tasks
        room = self._workers.make_room(tasks, beside=bool(self._maps), ready=is_one_wanted)
        return room - len(self._futures)

    def _connect(self) -> "Client":
        if self._client is None:
            from distributed import Client

            if self._settings.scheduler is None:
                self._workers = LocalWorkers(worker_limit(self._settings))
                self._client = Client(self._workers.cluster, timeout=10, set_as_default=False)
            else:
                security = scheduler_security(self._settings)
                self._client = Client(self._settings.scheduler, timeout=10, set_as_default=False, security=security)
        return self._client

    def _disconnect(self) -> None:
        client, workers = self._client, self._workers
        self._client, self._workers, self._futures = None, None, {}
        self._maps = dict.fromkeys(self._maps)
        try:
            if client is not None:
                client.close(timeout=5)
            if workers is not None:
                workers.close()
        except Exception as error:
            logger.warning("workers did not end in order", exc_info=error)
