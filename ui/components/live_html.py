"""Words and tables that change in place with news of what trains, without a run of the script."""

from html import escape
from pathlib import Path

import pandas as pd
import streamlit as st

_component = st.components.v2.component(
    "live_html",
    html='<div class="live-html"></div>',
    css=Path(__file__).with_suffix(".css").read_text(encoding="utf-8"),
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
)


def live_html(html: str, *, key: str, edition: str) -> None:
    """Show `html`, or what news brings under `key` later. Text from elsewhere must have been escaped by the caller.

    `edition` is that of `html`, as in `news_bar`.
    """
    _component(key=key, data={"key": key, "html": html, "edition": edition})


def sentence_html(icon: str, lead: str, sentence: str) -> str:
    """A sentence after one of Streamlit's Material icons and a few words in bold, which may be none."""
    lead = f"<strong>{escape(lead)}</strong> " if lead else ""
    return f'<p><span class="icon" aria-hidden="true">{icon}</span> {lead}{escape(sentence)}</p>'


def table_html(table: pd.DataFrame) -> str:
    """A table of words, whose index heads its rows."""
    return table.to_html(border=0, escape=True)
