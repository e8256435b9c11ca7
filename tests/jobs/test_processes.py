import subprocess
import sys

import pytest

from fmnist_core.jobs.processes import is_known_dead, this_process
from tests.conftest import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes have such names on Linux only")

NAME_ITSELF = "from fmnist_core.jobs.processes import this_process\nprint(this_process(), flush=True)\ninput()"


@pytest.fixture
def child():
    """A process, and what it calls itself; it ends with its input."""
    with subprocess.Popen(
        [sys.executable, "-c", NAME_ITSELF], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process, process.stdout.readline().strip()


def test_a_process_is_known_dead_once_it_has_ended(child):
    process, name = child
    assert not is_known_dead(name)
    process.communicate("\n")
    assert is_known_dead(name)


def test_the_remains_of_a_process_are_dead(child):
    process, name = child
    process.stdin.close()  # it ends, and nobody asks for its exit status yet
    wait_until(lambda: is_known_dead(name), "the process ends")


def test_a_number_that_another_process_has_by_now_is_dead():
    machine, number, started = this_process().split("/")
    assert not is_known_dead(f"{machine}/{number}/{started}")
    assert is_known_dead(f"{machine}/{number}/{int(started) - 1}")


@pytest.mark.parametrize("name", [None, "", "another.1/1/1", "nonsense"])
def test_what_cannot_be_seen_from_here_is_not_known_to_be_dead(name):
    assert not is_known_dead(name)
