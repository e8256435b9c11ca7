import threading
from dataclasses import replace

import pytest

from fmnist_core.data import background
from fmnist_core.data.background import BackgroundData
from fmnist_core.data.download import Progress

SECONDS = 30  # longest wait for another thread; passing tests need a few milliseconds
HALF_WAY = Progress("labels.gz", 50, 100, "file:///mirror")


class Attempt:
    """One call of `load`: it reports HALF_WAY, then waits for `finish` with a data set or an exception."""

    def __init__(self):
        self.under_way, self._may_end = threading.Event(), threading.Event()
        self._outcome = None

    def load(self, progress):
        progress(HALF_WAY)
        self.under_way.set()
        assert self._may_end.wait(SECONDS)
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    def finish(self, outcome):
        self._outcome = outcome
        self._may_end.set()


@pytest.fixture
def attempts(monkeypatch):
    """Three attempts; the n-th call of `load` is the n-th attempt, and a fourth is an error."""
    prepared = [Attempt() for _ in range(3)]
    waiting = iter(prepared)
    monkeypatch.setattr(background, "load", lambda settings, progress: next(waiting).load(progress))
    yield prepared
    for attempt in prepared:
        attempt.finish(None)
    join_loading_threads()


def join_loading_threads():
    for thread in threading.enumerate():
        if thread.name == "data":
            thread.join(SECONDS)


@pytest.fixture
def loaded(settings, attempts, tiny_dataset):
    """Data whose first attempt has ended well."""
    data = BackgroundData(settings)
    attempts[0].finish(tiny_dataset)
    assert data.wait(SECONDS)
    return data


def test_progress_is_visible_while_loading_and_not_after(settings, attempts, tiny_dataset):
    data = BackgroundData(settings)
    assert attempts[0].under_way.wait(SECONDS)
    assert data.is_loading
    assert data.dataset is None
    assert data.progress == HALF_WAY
    attempts[0].finish(tiny_dataset)
    assert data.wait(SECONDS)
    assert not data.is_loading
    assert data.dataset is tiny_dataset
    assert data.progress is None


def test_waiting_for_a_loading_that_goes_on_ends_without_it(settings, attempts):
    data = BackgroundData(settings)
    assert data.wait(0) is False
    assert data.is_loading


def test_the_data_in_use_stay_until_another_attempt_has_ended(loaded, attempts, tiny_dataset):
    other = replace(tiny_dataset, source="another mirror")
    loaded.retry()
    assert attempts[1].under_way.wait(SECONDS)
    assert loaded.is_loading
    assert loaded.dataset is tiny_dataset
    assert loaded.progress == HALF_WAY
    attempts[1].finish(other)
    assert loaded.wait(SECONDS)
    assert loaded.dataset is other


def test_there_is_one_attempt_at_a_time(loaded, attempts, tiny_dataset):
    loaded.retry()
    assert attempts[1].under_way.wait(SECONDS)
    callers = [threading.Thread(target=loaded.retry) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(SECONDS)
    attempts[1].finish(tiny_dataset)
    assert loaded.wait(SECONDS)
    join_loading_threads()
    assert not attempts[2].under_way.is_set()


def test_each_attempt_may_be_followed_by_another(loaded, attempts, tiny_dataset):
    for attempt in attempts[1:]:
        loaded.retry()
        attempt.finish(tiny_dataset)
        assert loaded.wait(SECONDS)
        assert attempt.under_way.is_set()


def test_an_unexpected_error_ends_the_loading_without_data(settings, attempts, tiny_dataset):
    data = BackgroundData(settings)
    attempts[0].finish(MemoryError("no room for the images"))
    assert data.wait(SECONDS)
    join_loading_threads()
    assert not data.is_loading
    assert data.dataset is None
    assert data.progress is None
    data.retry()
    attempts[1].finish(tiny_dataset)
    assert data.wait(SECONDS)
    assert data.dataset is tiny_dataset


def test_an_unexpected_error_in_another_attempt_keeps_the_data_in_use(loaded, attempts, tiny_dataset):
    loaded.retry()
    attempts[1].finish(OSError("the disk is gone"))
    assert loaded.wait(SECONDS)
    join_loading_threads()
    assert not loaded.is_loading
    assert loaded.dataset is tiny_dataset


def test_an_unexpected_error_is_in_the_log(settings, attempts, caplog):
    """The page says that the server's log has the reason."""
    data = BackgroundData(settings)
    attempts[0].finish(MemoryError("no room for the images"))
    assert data.wait(SECONDS)
    join_loading_threads()
    assert "no room for the images" in caplog.text
