"""What goes wrong while a page is drawn, in a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from fmnist_core.store.database import StoreError
from ui.wording import plain


@contextmanager
def explaining(what: str) -> Iterator[None]:
    """Where the store cannot be read within this block, say that `what` failed and why, and end the page."""
    try:
        yield
    except StoreError as error:
        st.error(f"{what}: {plain(str(error))}.", icon=":material/error:")
        st.stop()
