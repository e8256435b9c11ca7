"""What the server does once, before the first visitor and after the last."""

import gc
import importlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.concurrency import run_in_threadpool
from threadpoolctl import threadpool_limits

from fmnist_core.store.database import StoreError
from ui import handles

_SLOW_IMPORTS = (
    "fmnist_core.charts.difference_chart",
    "fmnist_core.charts.confusion_charts",
    "fmnist_core.pictures.own_picture",
)

logger = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Take up the runs that an earlier server left, and start looking for data."""
    try:
        await run_in_threadpool(handles.data)
        dispatcher = await run_in_threadpool(handles.dispatcher)
    except (ValueError, StoreError) as error:
        logger.error("%s", error)
        dispatcher = None
    # A test-set pass on more threads than one waits for cores that are busy training: 0.07 s then become 0.7 s.
    threadpool_limits(1, user_api="blas")
    # What a page imports first takes a second that no visitor should have to wait.
    for module in _SLOW_IMPORTS:
        await run_in_threadpool(importlib.import_module, module)
    # Streamlit collects garbage after every script run; what is imported by now never becomes garbage.
    gc.freeze()
    yield
    if dispatcher is not None:
        await run_in_threadpool(dispatcher.close)


def explain_error(error: Exception) -> bool:
    """Say that something unexpected went wrong; the log has the details. True: nothing else need be shown."""
    logger.exception("a page failed", exc_info=error)
    st.error(
        "Something unexpected went wrong on this page. Nothing stored is lost. Reload the page; "
        "if it happens again, the server's log has the details.",
        icon=":material/error:",
    )
    return True
