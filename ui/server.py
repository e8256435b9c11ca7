"""What the server does once, before the first visitor and after the last."""

import ast
import gc
import importlib
import inspect
import logging
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import streamlit as st
from starlette.concurrency import run_in_threadpool

from fmnist_core.jobs.cluster import start_fork_server
from fmnist_core.settings import Settings
from fmnist_core.store.run_log import show_log_lines
from ui.page_files import PAGES

if TYPE_CHECKING:
    from fmnist_core.jobs.dispatcher import Dispatcher

# What is imported only where it is used, since it takes a second: after all that every page needs.
_SLOW_IMPORTS = ("sklearn.metrics", "sklearn.decomposition", "scipy.stats")

logger = logging.getLogger(__name__)

_pages_are_imported = threading.Event()
_pages_are_imported.set()  # while nobody warms up, whoever needs a module imports it


def wait_for_imports() -> None:
    """Wait until the warm-up has imported what pages need; at once where none is under way.

    A visitor of a fresh server would import the same modules beside it: no sooner, and two threads that import from
    both ends of a circle, as some libraries have, may see one of them half done.
    """
    _pages_are_imported.wait()


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Answer at once, and meanwhile get ready for visitors; at the end, end the workers."""
    show_log_lines()
    _pages_are_imported.clear()
    warm_up = WarmUp()
    yield
    await run_in_threadpool(warm_up.close)


class WarmUp:
    """Gets the server ready for visitors, in one thread that starts at once.

    Opens the store, takes up the runs that an earlier server left, looks for the data, and imports what pages need.
    A visitor who comes earlier finds what there is, and makes or imports the rest.
    """

    def __init__(self) -> None:
        self._closing = threading.Event()
        self._dispatcher: Dispatcher | None = None
        self._thread = threading.Thread(target=self._work, name="warm-up", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Break off where it is not done, which takes as long as one import, and end the workers."""
        self._closing.set()
        self._thread.join()
        if self._dispatcher is not None:
            self._dispatcher.close()

    def _work(self) -> None:
        try:
            self._start_fork_server()
            self._start()
            self._import(_imports_of_pages())
            # At a process's first element Streamlit asks for the stack, for which Python looks through the files of all
            # modules. The first time this takes a second, which no visitor should have to wait.
            inspect.stack()
        finally:
            _pages_are_imported.set()
        self._import(_SLOW_IMPORTS)
        # What is imported by now never becomes garbage, and need not be looked through for it.
        gc.freeze()

    def _start_fork_server(self) -> None:
        """Begin the longest of all waits, that for what a first run needs; where runs are trained elsewhere, do not."""
        with suppress(ValueError):  # what is wrong with the settings, `_start` says
            if Settings.from_environment().scheduler is None:
                start_fork_server()

    def _start(self) -> None:
        # Not with this module: a server that imports these before its runtime is there keeps caches of another kind.
        from threadpoolctl import threadpool_limits

        from fmnist_core.store.database import StoreError
        from ui import handles

        try:
            handles.data()
            self._dispatcher = handles.dispatcher()
        except (ValueError, StoreError) as error:  # every page says so as well
            logger.error("%s", error)
        # A test-set pass on more threads than one waits for cores that are busy training: 0.07 s then become 0.7 s.
        threadpool_limits(1, user_api="blas")

    def _import(self, modules: Iterable[str]) -> None:
        for module in modules:
            if self._closing.is_set():
                return
            importlib.import_module(module)


def _imports_of_pages() -> Iterator[str]:
    """The modules that pages import, the first page's first."""
    yield "ui.frame"
    for page in sorted(PAGES.glob("*.py"), key=lambda page: page.name != "train.py"):
        for statement in ast.parse(page.read_text(encoding="utf-8")).body:
            if isinstance(statement, ast.ImportFrom) and statement.module:
                yield statement.module


def explain_error(error: Exception) -> bool:
    """Say that something unexpected went wrong; the log has the details. True: nothing else need be shown."""
    logger.exception("a page failed", exc_info=error)
    st.error(
        "Something unexpected went wrong on this page. Nothing stored is lost. Reload the page; "
        "if it happens again, the server's log has the details.",
        icon=":material/error:",
    )
    return True
