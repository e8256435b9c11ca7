"""What goes wrong while a page is drawn, in a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from fmnist_core.store.database import StoreError
from ui import handles
from ui.wording import plain


@contextmanager
def explaining(what: str) -> Iterator[None]:
    """Where the store cannot be read within this block, say that `what` failed and why, and end the page.

    Where a run has gone on meanwhile, the page is drawn once more instead.
    """
    try:
        yield
    except StoreError as error:
        st.error(store_sentence(what, error), icon=":material/error:")
        st.stop()
    except handles.RunWentOnError:
        handles.shared_runs().expect_news()
        st.rerun()


def store_sentence(what: str, error: Exception) -> str:
    """The sentence for a store, or a request to it, that fails: what could not be done, and why."""
    return f"{what}: {plain(str(error))}."
