"""Puts what a page shows into the browser's address, without an entry in its history, and copies the address."""

from collections.abc import Collection, Mapping
from pathlib import Path

import streamlit as st

_HTML = """
<button type="button" hidden>
  <span class="icon" aria-hidden="true">link</span> <span class="words"></span>
</button>
<span class="told" role="status"></span>
<input type="text" readonly hidden aria-label="The link to this page">
"""

_COPY = "Copy link"

_component = st.components.v2.component(
    "page_address",
    html=_HTML,
    css=Path(__file__).with_suffix(".css").read_text(encoding="utf-8"),
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
)


def page_address(said: Mapping[str, str], names: Collection[str], changed_at: int, *, key: str, button: bool) -> None:
    """Of the parameters with these `names`, let the address have those that are `said`, and no others.

    `changed_at` orders what several of these on one page say: the newest one counts.
    """
    data = {"said": dict(said), "names": sorted(names), "changed_at": changed_at, "button": button}
    _component(key=key, data={**data, "words": _COPY, "more": {}})


def copy_address(words: str, more: Mapping[str, str], *, key: str) -> None:
    """Draw a button, called `words`, that copies the address as it is when it is pressed, with `more` parameters."""
    nothing = {"said": {}, "names": [], "changed_at": 0}
    _component(key=key, data={**nothing, "button": True, "words": words, "more": dict(more)})
