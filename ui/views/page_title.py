"""A page's heading, with a button that copies the link to what the page shows."""

from collections.abc import Callable

import streamlit as st

from ui.page_state import PageState, follow_address, keep_in_address
from ui.wording import plain


def page_title(page: str, question: str | Callable[[], str], *states: PageState) -> None:
    """Show what the address says of `states`, and draw the heading: to be called before the page's widgets are drawn.

    A question that depends on what is shown is a function.
    """
    problems = follow_address(page, *states)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(question if isinstance(question, str) else question(), anchor=False, width="stretch")
        with st.container(width="content"):
            keep_in_address(page, *states, key=f"{page}.address", button=True)
    for problem in problems:
        st.warning(f"The link asks for what this page does not have: {plain(problem)}.", icon=":material/link_off:")
