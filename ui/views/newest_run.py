"""A page that shows the newest run, and the next one as soon as that begins: for a projector."""

import streamlit as st

from fmnist_core.store.run import Run, newest
from ui import handles
from ui.components.news import News, news_bar
from ui.guards import explaining

_NEWS_SECONDS = 1.0


def follow_newest(shown: Run | None) -> None:
    """Have the page drawn anew as soon as the newest run is another than `shown`; draws nothing to be seen."""
    st.fragment(_follow)(None if shown is None else shown.key)


def _follow(shown: str | None) -> None:
    with explaining("The newest run cannot be shown"):
        now = _news()
    if now.version != str(shown):
        st.rerun()
    news_bar(
        "newest run",
        _news,
        key="train.newest",
        seconds=_NEWS_SECONDS,
        is_quiet=True,
        quiet_seconds=_NEWS_SECONDS,
    )


def _news() -> News:
    run = handles.shared_runs().of_all(newest)
    return News("None" if run is None else run.key, 0.0, "", "", dict)
