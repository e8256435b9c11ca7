"""Whether a process that another one has named is still alive: known for certain, or not known at all."""

import os
from pathlib import Path


def this_process() -> str | None:
    """A name of this process that nothing else on earth has: machine, process id, start time. None beside Linux.

    The machine counts as another after each boot, and in each container with process ids of its own.
    """
    machine, started = _machine(), _start_ticks(os.getpid())
    return f"{machine}/{os.getpid()}/{started}" if machine and started else None


def is_known_dead(process: str | None) -> bool:
    """Whether the process with this name has ended. False where it cannot be seen from here.

    A container's number may be given again once it is gone; then its processes are gone too, so the answer holds.
    """
    machine, _, rest = (process or "").partition("/")
    number, _, started = rest.partition("/")
    return bool(number) and machine == _machine() and not _may_live(int(number), started)


def _may_live(number: int, started: str) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's, of which the system may hide the rest
    return _start_ticks(number) == started


def _machine() -> str | None:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")
        return f"{boot[:16]}.{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return None


def _start_ticks(number: int) -> str | None:
    """When a process started, in clock ticks since the boot; None where there is none, or only its remains."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in {"Z", "X"} else fields[19]
