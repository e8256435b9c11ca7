"""A worker that is ready before a run comes: whether one is wanted, and what it does beforehand."""

import time
from typing import TYPE_CHECKING

from fmnist_core.jobs.cluster import LocalWorkers
from fmnist_core.settings import Settings
from fmnist_core.store.database import Database

if TYPE_CHECKING:
    from distributed import Client, Future

WANTED_SECONDS = 180.0  # how long after the last sign that somebody may ask for a run


def get_worker_ready(settings: Settings, data_fingerprint: str, identity: str) -> None:
    """What a worker is handed that waits: `worker.get_ready`, imported there, since this process needs no torch."""
    from fmnist_core.jobs.worker import get_ready

    get_ready(settings.on_this_machine(), data_fingerprint, identity)


class Readiness:
    """Has one worker of this machine wait where none is at work, while somebody may soon ask for a run.

    It costs a laptop the memory of one worker that does nothing, and saves whoever presses Train a second. `expect_run`
    may be called from any thread, the rest belongs to the dispatcher's.
    """

    def __init__(self) -> None:
        self._wanted_until = -float("inf")
        self._data_fingerprint = ""
        # By the worker's address; None once it is done: Dask would do it again for who keeps what came of it.
        self._prepared: dict[str, Future[None] | None] = {}

    def expect_run(self, data_fingerprint: str) -> bool:
        """Note that somebody may ask for a run on these data; return whether nobody was expected before."""
        is_news = not self.is_wanted
        self._data_fingerprint = data_fingerprint
        self._wanted_until = time.monotonic() + WANTED_SECONDS
        return is_news

    @property
    def is_wanted(self) -> bool:
        """Whether a worker is to wait for a run."""
        return time.monotonic() < self._wanted_until

    def prepare(self, client: "Client", workers: LocalWorkers, settings: Settings, database: Database) -> None:
        """Let each worker that waits do what its first run would have to wait for, once."""
        addresses = workers.addresses()
        self._prepared = {
            address: None if future is None or future.done() else future
            for address, future in self._prepared.items()
            if address in addresses
        }
        for address, is_idle in addresses.items():
            if self.is_wanted and is_idle and address not in self._prepared:
                given = (settings, self._data_fingerprint, database.identity)
                self._prepared[address] = client.submit(get_worker_ready, *given, workers=[address], pure=False)
