"""What the benchmark of faults shares: the real data, stores of its own, and what undisturbed runs would give."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.server import laboratory, settings_at, wait_until
from fmnist_core.config import RunConfig
from fmnist_core.data.dataset import Dataset
from fmnist_core.data.split import split
from fmnist_core.jobs.dispatcher import Dispatcher
from fmnist_core.network.figures import TRAINING_VERSION, EpochResult
from fmnist_core.network.training import train
from fmnist_core.settings import Settings
from fmnist_core.store.runs import Store

CONFIG = RunConfig(hidden=(16,), epochs=4, batch_size=1024, dropout=0.2)
END_SECONDS = 1200.0  # runs that have not ended by then wait for something that never comes


@dataclass(frozen=True)
class Seen:
    """What became of a fault, in words, and whether that was expected."""

    words: str
    is_expected: bool


@dataclass(frozen=True, kw_only=True)
class FaultyLab:
    """A home with the real data, and short runs to disturb."""

    home: Path
    data: Dataset
    settings: Settings
    config: RunConfig = CONFIG
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def folder(self) -> Path:
        """A new folder."""
        folder = self.home / f"fault {next(self._numbers)}"
        folder.mkdir()
        return folder

    @contextmanager
    def store(self, file: Path | None = None) -> Iterator[Store]:
        """An SQLite store of its own, or the one in `file`."""
        store = Store(f"sqlite:///{file or self.folder() / 'runs.sqlite'}")
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def dispatching(self, store: Store, workers: int = 2) -> Iterator[Dispatcher]:
        """Train what waits in a store, on workers of this process."""
        own = replace(self.settings, store_url=store.database.url, workers=workers)
        with Dispatcher(store, own) as dispatcher:
            yield dispatcher

    def ask(self, store: Store, config: RunConfig) -> str:
        """Ask for a run on the real data; its key."""
        return store.request(config, self.data.name, self.data.fingerprint)

    def epochs_done(self, store: Store, key: str) -> int:
        """How many epochs of a run are stored."""
        run = store.run(key)
        return 0 if run is None else run.epochs_done

    def wait_for_ends(self, store: Store, keys: Sequence[str]) -> None:
        """Wait until none of these runs waits or trains any more."""
        wait_until(lambda: not any(run.is_active for run in store.runs_of(keys).values()), "the runs end", END_SECONDS)

    def same(self, store: Store, configs: Sequence[RunConfig]) -> int:
        """How many of these runs have finished with the figures of undisturbed ones, bit for bit."""
        count = 0
        for config in configs:
            key = config.key(self.data.fingerprint, TRAINING_VERSION)
            run = store.run(key)
            stored = [EpochResult(**row) for row in store.epochs(key).to_dict("records")]
            parts = split(self.data, config.protocol, config.seed)
            count += run is not None and run.status == "finished" and stored == list(train(config, parts))
        return count


@dataclass(frozen=True)
class Fault:
    """One row of the table: what is done, how often at scale 1, and what is expected."""

    name: str
    count: int
    expected: str
    make: Callable[[FaultyLab, int], Seen]


@contextmanager
def faulty_lab() -> Iterator[FaultyLab]:
    """Make one in a temporary folder."""
    with laboratory() as lab:
        yield FaultyLab(home=lab.home, data=lab.data, settings=settings_at(lab.home))
