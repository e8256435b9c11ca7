"""Has exports made beside the server, one at a time, and keeps the files for a while.

Each is made by a process of its own at a low priority: a report takes a second or two of a processor, in which no page
of the server may wait. The file lies on the disk, so that the server's memory stays as it is.
"""

import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from fmnist_core.export.request import ExportRequest
from fmnist_core.settings import Settings

logger = logging.getLogger(__name__)

KEPT_BYTES = 256 * 2**20  # of all files together; the largest network takes 90 MB
WAITING = 20  # exports that may wait or be made at once
LONGEST_SECONDS = 300.0  # what takes longer is given up
_PROJECT = Path(__file__).parent.parent.parent


class WorkshopFullError(RuntimeError):
    """Too many exports wait; the message is for people."""


@dataclass(frozen=True)
class Made:
    """A file that is there, how large it is, and how long it took."""

    file: Path
    size: int
    seconds: float


@dataclass(frozen=True)
class Making:
    """One that waits or is being made: how many are before it, and for how long it has been under way."""

    before: int
    seconds: float


@dataclass(frozen=True)
class Problem:
    """Why there is no file, for people; continues a sentence."""

    sentence: str


@dataclass(eq=False)
class _Job:
    request: ExportRequest
    asked_at: float
    began_at: float | None = None
    result: Made | Problem | None = None
    done: threading.Event = field(default_factory=threading.Event)


class Workshop:
    """Makes what it is asked for, once, and keeps it while there is room. Any thread may call any method."""

    def __init__(self, settings: Settings, *, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._environment = {
            **os.environ,
            "DROPOUT_LAB_HOME": str(settings.home),
            "DROPOUT_LAB_STORE": settings.store_url or "",
            "PYTHONPATH": os.pathsep.join([str(_PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "PYTHONIOENCODING": "utf-8",
            # More threads would wait for cores that are busy training.
            **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        }
        self._folder = Path(tempfile.mkdtemp(prefix="dropout-lab-exports-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)  # also when the server ends
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, _Job] = OrderedDict()  # the one that was asked for last, last
        self._is_working = False

    def ask(self, request: ExportRequest) -> None:
        """Have an export made, unless it is there or under way. Raises WorkshopFullError."""
        with self._lock:
            self._ask(request)

    def state(self, request: ExportRequest) -> Made | Making | Problem | None:
        """How far an export is; None where it was not asked for, or its file was given up to make room."""
        with self._lock:
            job = self._jobs.get(request.digest)
            if job is None or job.result is not None:
                return None if job is None else job.result
            before = [one for one in self._waiting() if one.asked_at < job.asked_at]
            return Making(len(before), time.monotonic() - (job.began_at or job.asked_at))

    def content(self, request: ExportRequest) -> bytes:
        """The file's content; made again where it was given up meanwhile. Raises OSError where it cannot be made."""
        with self._lock:
            job = self._ask(request)
        job.done.wait()
        if not isinstance(job.result, Made):
            raise OSError(job.result.sentence if job.result else "the export was given up")
        return job.result.file.read_bytes()

    def _ask(self, request: ExportRequest) -> _Job:
        job = self._jobs.get(request.digest)
        if job is None or isinstance(job.result, Problem):
            if (waiting := len(self._waiting())) >= WAITING:
                raise WorkshopFullError(f"{waiting} others wait already; try again in a minute")
            job = self._jobs[request.digest] = _Job(request, time.monotonic())
            if not self._is_working:
                self._is_working = True
                # A daemon: a server that ends waits for no export.
                threading.Thread(target=self._work, name="exports", daemon=True).start()
        self._jobs.move_to_end(request.digest)
        return job

    def _waiting(self) -> list[_Job]:
        """Those that wait or are being made, first asked first."""
        return sorted((job for job in self._jobs.values() if job.result is None), key=lambda job: job.asked_at)

    def forget(self, keys: Collection[str]) -> None:
        """Give up what was made of these runs, which were deleted."""
        with self._lock:
            for digest, job in list(self._jobs.items()):
                if job.result is not None and set(keys) & set(job.request.keys):
                    self._drop(digest)

    def _work(self) -> None:
        """Make what waits, one after the other, until nothing does."""
        while True:
            with self._lock:
                if not (waiting := self._waiting()):
                    self._is_working = False
                    return
                job = waiting[0]
                job.began_at = time.monotonic()
            try:
                result: Made | Problem = self._make(job.request)
            except Exception as error:  # or nothing would ever be made again
                logger.exception("an export could not be made")
                result = Problem(f"it could not be made ({type(error).__name__}); the server's log has the details")
            with self._lock:
                job.result = result
                self._make_room(job)
            job.done.set()

    def _make(self, request: ExportRequest) -> Made | Problem:
        began, file = time.monotonic(), self._folder / request.digest
        try:
            done = subprocess.run(
                [sys.executable, "-m", "fmnist_core.export.make", str(file)],
                input=request.to_json(),
                capture_output=True,
                text=True,
                encoding="utf-8",
                timeout=LONGEST_SECONDS,
                cwd=_PROJECT,
                env=self._environment,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Problem(f"it took longer than {LONGEST_SECONDS:.0f} s")
        if done.returncode or not file.is_file():
            logger.warning("an export failed: %s", done.stderr.strip() or done.stdout.strip())
            return Problem(_said(done.stdout))
        return Made(file, file.stat().st_size, time.monotonic() - began)

    def _make_room(self, newest: _Job) -> None:
        """Give up files, the ones asked for longest ago first, until all of them together are small enough."""
        made = {digest: job.result for digest, job in self._jobs.items() if isinstance(job.result, Made)}
        total = sum(one.size for one in made.values())
        for digest, one in made.items():
            if total > self._kept_bytes and digest != newest.request.digest:
                total -= one.size
                self._drop(digest)

    def _drop(self, digest: str) -> None:
        if isinstance(result := self._jobs.pop(digest).result, Made):
            result.file.unlink(missing_ok=True)


def _said(output: str) -> str:
    """What the process said went wrong; where it could not say so, that the log knows."""
    try:
        return str(json.loads(output)["problem"])
    except (ValueError, KeyError, TypeError):
        return "something unexpected went wrong; the server's log has the details"
