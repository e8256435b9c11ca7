"""What the page's link says. Links come through chats, mails and trackers, which add to them."""

import unicodedata
from collections.abc import Collection, Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

_REPLACED = "link.replaced"
_BEFORE = "\"'([{<*“«"
_AFTER = ".,;:!?\"')]}>*…”»"


def value(name: str) -> str | None:
    """A parameter's text, without what it gained on its way; None where the link has none of this name."""
    text = st.query_params.get(name)
    return None if text is None else _cleaned(text)


def values(names: Collection[str]) -> dict[str, str]:
    """The parameters of these names that the link has; others, such as a tracker's, are no business of ours."""
    return {name: _cleaned(text) for name, text in st.query_params.items() if name in names}


def to_slide(page: str, address: Mapping[str, str]) -> str:
    """The link to a page, by its address below the lab's, that shows its one chart alone; relative to any page."""
    return f"./{page}?{urlencode({**address, 'embed': 'true'})}"


def is_embedded() -> bool:
    """Whether the address asks for the page as a part of another, by Streamlit's own `embed=true`."""
    return bool(st.context.is_embedded)


def replace(names: Collection[str], said: Mapping[str, str]) -> None:
    """Let the address say this of these names, and the same as before of all others; the browser's Back undoes it."""
    others = {name: text for name, text in st.query_params.items() if name not in names}
    st.query_params.from_dict(others | dict(said))
    st.session_state[_REPLACED] = st.query_params.to_dict()


def was_replaced() -> bool:
    """Whether the address is what `replace` has made of it since this was asked last: no link, and not Back."""
    return bool(st.session_state.pop(_REPLACED, None) == st.query_params.to_dict())


def address(page: str, **query: str) -> str:
    """The whole address of a page ("" is Train) as this visitor's browser reaches the server; empty where unknown."""
    here = urlsplit(st.context.url or "")
    if here.scheme not in {"http", "https"} or not here.netloc:
        return ""
    folder = here.path.rpartition("/")[0]  # all pages lie on one level
    return urlunsplit((here.scheme, here.netloc, f"{folder}/{page}", urlencode(query), ""))


def _cleaned(text: str) -> str:
    """`text` without characters that nobody sees, and without the spaces and punctuation of a sentence around it."""
    visible = "".join(character for character in text if unicodedata.category(character) not in {"Cf", "Cc"})
    while visible != (shorter := visible.strip().lstrip(_BEFORE).rstrip(_AFTER)):
        visible = shorter
    return visible
