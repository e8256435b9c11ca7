"""A map leaves the processor to whoever trains, and its worker as it was."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fmnist_core.jobs.maps import NICENESS, _yield_to_training


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
def test_only_the_maps_own_thread_has_a_low_priority():
    def priority():
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = priority()
    with ThreadPoolExecutor(1, initializer=_yield_to_training) as thread:
        assert thread.submit(priority).result() == NICENESS
    assert priority() == before
