import threading

import pytest

from fmnist_core.jobs import worker_ends
from fmnist_core.jobs.worker_ends import WorkerEnds, words_for


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [
        (-9, "was killed by signal 9 (SIGKILL), often for lack of memory"),
        (-11, "was killed by signal 11 (SIGSEGV)"),
        (-63, "was killed by signal 63"),
        (3, "ended by itself with exit code 3"),
        (0, "ended by itself with exit code 0"),
        (255, "died, perhaps for lack of memory"),
        (None, "died, perhaps for lack of memory"),
    ],
)
def test_an_exit_code_says_what_happened_and_an_unknown_one_no_more_than_that(exit_code, words):
    assert words_for(exit_code) == f"its worker process {words}"


def test_an_end_that_is_noted_a_moment_later_is_waited_for():
    ends, found = WorkerEnds(), []
    asking = threading.Thread(target=lambda: found.append(ends.exit_code("tls://here:1")))
    asking.start()
    ends.note("tls://elsewhere:1", 3)
    ends.note("tls://here:1", -9)
    asking.join(30)
    assert found == [-9]


def test_an_end_that_nobody_notes_stays_unknown(monkeypatch):
    monkeypatch.setattr(worker_ends, "_NOTED_SECONDS", 0.0)
    ends = WorkerEnds()
    ends.note(None, -9)
    assert ends.exit_code("tls://here:1") is None


def test_only_the_latest_ends_are_kept(monkeypatch):
    monkeypatch.setattr(worker_ends, "_NOTED_SECONDS", 0.0)
    monkeypatch.setattr(worker_ends, "_KEPT", 2)
    ends = WorkerEnds()
    for number in range(3):
        ends.note(str(number), number)
    assert [ends.exit_code(str(number)) for number in range(3)] == [None, 1, 2]
