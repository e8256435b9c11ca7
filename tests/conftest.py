"""Data for the tests: a tiny data set made on the spot, and the official files where a mirror is set."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits
from torch import Generator

from fmnist_core.data.dataset import Dataset
from fmnist_core.data.sources import load
from fmnist_core.data.split import Split, split
from fmnist_core.network.figures import EpochResult
from fmnist_core.settings import Settings
from fmnist_core.store.runs import Store

if TYPE_CHECKING:
    from tests.page_lab import Lab

# Where tests share servers, or what takes long to make: they stay together when tests run in several processes (`-n`).
TOGETHER = {"browser", "several_machines"}
TOGETHER_BY_FILE = {"benchmarks", "export", "jobs"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: they take longest, want the machine for themselves, and leave an event loop behind."""
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(900))  # of each wait in it there is a shorter one, which says for what
    items.sort(key=lambda item: (item.path.parent.name == "browser", item.path.parent.name not in TOGETHER_BY_FILE))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Hand tests to processes in their order, one by one where they share nothing."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            folder = Path(file).parent.name
            return folder if folder in TOGETHER else file if folder in TOGETHER_BY_FILE else nodeid

    return Scheduling(config, log)


def make_tiny_dataset(train_per_class: int = 60, test_per_class: int = 20) -> Dataset:
    """Ten learnable classes: a fixed random pattern each, under much noise."""
    generator = Generator().manual_seed(0)
    patterns = torch.rand(10, 28, 28, generator=generator) * 255

    def part(per_class: int) -> tuple[np.ndarray, np.ndarray]:
        labels = torch.arange(10).repeat(per_class)
        noise = torch.rand(len(labels), 28, 28, generator=generator) * 255
        return (0.3 * patterns[labels] + 0.7 * noise).to(torch.uint8).numpy(), labels.numpy()

    train_images, train_labels = part(train_per_class)
    test_images, test_labels = part(test_per_class)
    return Dataset(
        name="Tiny patterns",
        source="made for a test",
        train_images=train_images,
        train_labels=train_labels,
        test_images=test_images,
        test_labels=test_labels,
        notes=(),
    )


def epoch_result(epoch: int = 1, validation_loss: float = 0.5) -> EpochResult:
    """What an epoch may have shown."""
    return EpochResult(
        epoch=epoch,
        training_loss=0.6,
        training_accuracy=0.8,
        evaluated_training_loss=0.4,
        evaluated_training_accuracy=0.85,
        validation_loss=validation_loss,
        validation_accuracy=0.82,
        validation_calibration_error=0.05,
        learning_rate=0.003,
        seconds=10.0,
    )


def wait_until(condition: Callable[[], object], what: str, seconds: float = 120) -> None:
    """Poll until `condition` holds; fail with `what` was awaited when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        pause.wait(0.05)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """As in a worker: with more threads sums may come in another order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1, user_api="blas"):
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_dataset() -> Dataset:
    return make_tiny_dataset()


@pytest.fixture(scope="session")
def tiny_split(tiny_dataset: Dataset) -> Split:
    return split(tiny_dataset, "held-out", 0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", workers=2)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = Store(settings.database_url)
    yield opened
    opened.close()


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["Lab"]:
    """One server without workers, for tests of pages."""
    from tests.page_lab import running_lab  # starts Streamlit, which other tests do not need

    with running_lab(tmp_path / "home", monkeypatch) as opened:
        yield opened


@pytest.fixture(scope="session")
def real_data_mirror() -> str:
    """The address of the official files; in CI their absence is a failure, elsewhere a reason to skip."""
    mirror = os.environ.get("DROPOUT_LAB_MIRROR", "")
    if not mirror:
        message = "needs DROPOUT_LAB_MIRROR, the address of a folder with the official Fashion-MNIST files"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return mirror


@pytest.fixture(scope="session")
def fashion_mnist(real_data_mirror: str, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The official images."""
    data = load(Settings(home=tmp_path_factory.mktemp("home"), mirror=real_data_mirror))
    assert data.is_real
    return data
