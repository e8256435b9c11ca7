"""What a page shows, in its address: choices go into it as they are made, and come back from a link or by Back.

A page names the parts of its state. What somebody opens, such as a run or an image, is put into the address by its own
callback, and the browser's Back leads to what was open before. Everything else is one's way of looking at that: it
replaces what the address said, so that Back does not go through every change of a field.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from ui import link
from ui.components.page_address import page_address

_TEXT_LENGTH = 2000  # of what an address may say of one thing
_SUPERSEDED = 50  # more than clicks that are on their way at once


@dataclass(frozen=True)
class PageState:
    """A part of what a page shows, under parameters with these `names`.

    `say` tells what is other than usual, each under its name, and `take` puts what an address says into the session
    state: what is not said becomes as usual again. It may raise ValueError with a sentence for people.
    """

    names: Collection[str]
    say: Callable[[], Mapping[str, str]]
    take: Callable[[Mapping[str, str]], None]


@dataclass
class _Known:
    """What the address of a page says by now, of what is `opened` and of the rest, and what the rest was before.

    A click that follows another one at once comes with an address from before the first one's answer, which is
    `superseded`. That is no link.
    """

    opened: dict[str, str]
    said: dict[str, str]
    superseded: list[dict[str, str]] = field(default_factory=list)
    changed_at: int = field(default_factory=lambda: _now())


def choice(name: str, key: str, options: Sequence[Any], usual: Any) -> PageState:
    """What a widget of this key lets choose from, by what its options are called as a `str`."""
    by_text = {str(option): option for option in options}

    def say() -> dict[str, str]:
        value = st.session_state.get(key, usual)
        return {} if value == usual or str(value) not in by_text else {name: str(value)}

    def take(said: Mapping[str, str]) -> None:
        if name in said and said[name] not in by_text:
            raise ValueError(f"{name} must be one of {', '.join(by_text)}, got {said[name][:40]!r}")
        st.session_state[key] = by_text[said[name]] if name in said else usual

    return PageState({name}, say, take)


def number(name: str, key: str, usual: int, most: int) -> PageState:
    """A whole number from 0 to `most` that is kept under a key."""

    def say() -> dict[str, str]:
        value = st.session_state.get(key, usual)
        return {} if value == usual else {name: str(value)}

    def take(said: Mapping[str, str]) -> None:
        text = said.get(name, str(usual))
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and int(text) <= most):
            raise ValueError(f"{name} must be a whole number from 0 to {most}, got {text[:40]!r}")
        st.session_state[key] = int(text)

    return PageState({name}, say, take)


def switch(name: str, key: str) -> PageState:
    """A toggle that is usually off."""

    def take(said: Mapping[str, str]) -> None:
        if said.get(name, "on") != "on":
            raise ValueError(f"{name} must be on or left out, got {said[name][:40]!r}")
        st.session_state[key] = name in said

    return PageState({name}, lambda: {name: "on"} if st.session_state.get(key) else {}, take)


def follow_address(page: str, *states: PageState) -> list[str]:
    """Where the address says other than this page has put there, show what it says; return what cannot be shown.

    To be called before the page's widgets are drawn. A page that is opened from the menu shows what it showed before.
    """
    memory = st.session_state
    entered = memory.get("page_in_address") != page
    memory["page_in_address"] = page
    is_ours = link.was_replaced()  # by a callback, in an address that may be from before the last answer
    opened, said = _read(_names(states))
    known: _Known = memory.setdefault(f"address.{page}", _Known(opened, {}))
    if not entered and opened == known.opened and said in (known.said, *known.superseded):
        return []
    is_news = said != known.said and not is_ours and not (entered and not said)
    overtaken = [] if is_news or said == known.said else [said]
    changed_at = max(known.changed_at + 1, _now())
    memory[f"address.{page}"] = _Known(opened, said if is_news else known.said, overtaken, changed_at)
    if not is_news:
        return []
    problems = []
    for state in states:
        own = {name: text for name, text in said.items() if name in state.names}
        try:
            if too_long := [name for name, text in own.items() if len(text) > _TEXT_LENGTH]:
                raise ValueError(f"{too_long[0]} is longer than {_TEXT_LENGTH:,} characters")
            state.take(own)
        except ValueError as error:
            problems.append(str(error))
            state.take({})
    return problems


def keep_in_address(page: str, *states: PageState, key: str, button: bool = False) -> None:
    """Let the address say what the page shows; with a button that copies it.

    In a fragment once more, for the states of the fragment and under another `key`: it runs without the rest.
    """
    names = _names(states)
    known: _Known = st.session_state[f"address.{page}"]
    own = {name: text for state in states for name, text in state.say().items()}
    said = {name: text for name, text in known.said.items() if name not in names} | own
    if said != known.said:
        superseded = [old for old in (*known.superseded, known.said) if old != said]
        known = _Known(known.opened, said, superseded[-_SUPERSEDED:], max(known.changed_at + 1, _now()))
        st.session_state[f"address.{page}"] = known
    page_address(own, names, known.changed_at, key=key, button=button)


def _now() -> int:
    """Milliseconds, which also tell what is newer from what is older."""
    return time.time_ns() // 1_000_000


def _read(names: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
    """What the address says without these names, and of these."""
    opened = {name: text for name, text in st.query_params.items() if name not in names}
    return opened, link.values(names)


def _names(states: Sequence[PageState]) -> set[str]:
    return {name for state in states for name in state.names}
