"""Work on Dask: a dispatcher that hands every claimable run of the store to a worker, and again if that worker dies.

The store is the truth. Nothing here has to survive: a dispatcher that starts anew finds in the store what waits and
what was abandoned, and several dispatchers may serve one store, since a run can be claimed only once.
"""

import logging
import os
import socket
import threading
import uuid
from types import TracebackType
from typing import Any, Self

import dask
from distributed import Client, Future, LocalCluster
from distributed.diagnostics.plugin import WorkerPlugin

from fmnist_core.jobs.maps import MapRequest, map_stored_run
from fmnist_core.settings import Settings
from fmnist_core.store.database import StoreError
from fmnist_core.store.runs import Store

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0

_DASK_SETTINGS = {
    # A task that kills its worker is not tried again by Dask: the store counts the attempts.
    "distributed.scheduler.allowed-failures": 0,
    # Dask has its workers give memory back at every chance, and samples what they do a hundred times a second. A
    # training loop takes the same memory again at every step; without the two an epoch is about a quarter faster.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 2**30,
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 2**30,
    "distributed.worker.profile.enabled": False,
}


def train_on_worker(settings: Settings, key: str, owner: str) -> None:
    """What a worker is handed: `train_stored_run`, imported there, since this process needs no torch for it."""
    from fmnist_core.jobs.worker import train_stored_run

    train_stored_run(settings, key, owner)


class Preload(WorkerPlugin):
    """Import torch when a worker starts, so that its first run need not wait for it."""

    name = "dropout-lab-preload"

    def setup(self, worker: Any) -> None:
        import fmnist_core.jobs.worker  # noqa: F401 - the import is the purpose


class Dispatcher:
    """Hands runs to Dask workers until it is closed: an embedded cluster, or the one at `settings.scheduler`.

    Creating one starts its thread, which starts or joins the cluster at once: a first run should not wait for it.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._client: Client | None = None
        self._cluster: LocalCluster | None = None
        self._futures: dict[str, tuple[Future[None], str]] = {}
        self._maps: dict[MapRequest, Future[None] | None] = {}  # None: not handed out yet
        self._map_problems: dict[MapRequest, str] = {}
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

    def draw_map(self, request: MapRequest) -> None:
        """Have a map drawn, before any run that waits; asking again while it is drawn changes nothing.

        The map appears in the store. A server that ends forgets what it was asked for: ask again.
        """
        self._map_problems.pop(request, None)
        self._maps.setdefault(request, None)
        self.wake()

    def is_drawing(self, request: MapRequest) -> bool:
        """Whether a map is under way."""
        return request in self._maps

    def map_problem(self, request: MapRequest) -> str | None:
        """Why the last attempt at a map failed, for people; None where it did not."""
        return self._map_problems.get(request)

    def close(self) -> None:
        """End the workers that belong to this process; their runs are taken up when a dispatcher starts again."""
        self._closing.set()
        self._wake.set()
        self._thread.join()
        self._disconnect()

    def worker_processes(self) -> list[int]:
        """Process ids of the workers that are connected now."""
        return [] if self._client is None else sorted(self._client.run(os.getpid).values())

    def _work(self) -> None:
        while not self._closing.is_set():
            try:
                self._dispatch()
            except StoreError as error:
                logger.warning("runs wait until the store can be used again: %s", error)
            except (OSError, RuntimeError) as error:  # Dask's connection errors among them
                logger.warning("runs wait until the workers can be reached: %s", error)
                self._disconnect()
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()

    def _dispatch(self) -> None:
        if self._client is not None and self._client.status != "running":
            self._disconnect()
        client = self._connect()
        for key, (future, owner) in list(self._futures.items()):
            if not future.done():
                continue
            del self._futures[key]
            if future.status == "error":
                # Its process died, or could not reach the store. Without this the lease would have to run out.
                logger.warning("the worker of run %s failed: %s", key, future.exception())
                self._store.leases.release(key, owner)
        for key in self._store.leases.claimable():
            if key in self._futures:
                continue
            owner = f"{socket.gethostname()[:20]}:{uuid.uuid4().hex}"
            # Each attempt is a task of its own: Dask would not run a task again that it takes for the same.
            future = client.submit(train_on_worker, self._settings, key, owner, pure=False)
            future.add_done_callback(lambda _: self.wake())
            self._futures[key] = (future, owner)

        self._hand_out_maps(client)

    def _hand_out_maps(self, client: Client) -> None:
        for request, future in list(self._maps.items()):
            if future is None:
                # Somebody waits for a map and looks on; runs take longer and need nobody.
                future = client.submit(map_stored_run, self._settings, request, pure=False, priority=1)
                self._maps[request] = future
                future.add_done_callback(lambda _: self.wake())
            elif future.done():
                if future.status == "error":
                    logger.warning("the map %s failed: %s", request, future.exception())
                    self._map_problems[request] = str(future.exception()) or "its worker process died"
                del self._maps[request]

    def _connect(self) -> Client:
        if self._client is None:
            dask.config.set(_DASK_SETTINGS)
            address: LocalCluster | str | None = self._settings.scheduler
            if address is None:
                address = self._cluster = LocalCluster(
                    n_workers=self._settings.workers,
                    threads_per_worker=1,
                    memory_limit=0,  # Dask would pause or kill a large run; the system decides better
                    dashboard_address="127.0.0.1:0",  # any free port: two servers may share a machine
                    worker_dashboard_address=None,
                )
            self._client = Client(address, timeout=10, set_as_default=False)
            self._client.register_plugin(Preload())
        return self._client

    def _disconnect(self) -> None:
        client, cluster = self._client, self._cluster
        self._client, self._cluster, self._futures = None, None, {}
        self._maps = dict.fromkeys(self._maps)
        if client is not None:
            client.close(timeout=5)
        if cluster is not None:
            try:
                cluster.close(timeout=20)  # on a busy machine a worker may have to be killed, which takes it 4 s
            except TimeoutError:
                logger.warning("some workers did not end in time; they end with this process")
