"""How worker processes have ended: noted by who watches them, asked by who has to say why a run broke off."""

import signal
import threading

_KEPT = 256  # ends, the latest
_NOTED_SECONDS = 2.0  # a broken connection is seen a moment before the exit code of the process behind it is known


class WorkerEnds:
    """Exit codes by the addresses that the workers had. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._exit_codes: dict[str, int] = {}
        self._noted = threading.Condition()

    def note(self, address: str | None, exit_code: int) -> None:
        """Note that the worker at this address has ended; one without an address never did any work."""
        if address is None:
            return
        with self._noted:
            self._exit_codes[address] = exit_code
            if len(self._exit_codes) > _KEPT:
                del self._exit_codes[next(iter(self._exit_codes))]
            self._noted.notify_all()

    def exit_code(self, address: str) -> int | None:
        """How the worker there ended, negative for a signal; waits a moment for it, None where it is not known."""
        with self._noted:
            self._noted.wait_for(lambda: address in self._exit_codes, _NOTED_SECONDS)
            return self._exit_codes.get(address)


def words_for(exit_code: int | None) -> str:
    """What happened to a worker process, from its exit code; continues a sentence."""
    if exit_code is None or exit_code == 255:  # multiprocessing's word for a code that nobody could read
        return "its worker process died, perhaps for lack of memory"
    if exit_code >= 0:
        return f"its worker process ended by itself with exit code {exit_code}"
    try:
        name = f" ({signal.Signals(-exit_code).name})"
    except ValueError:
        name = ""
    often = ", often for lack of memory" if name == " (SIGKILL)" else ""
    return f"its worker process was killed by signal {-exit_code}{name}{often}"
