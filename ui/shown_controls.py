"""Which of a page's controls are drawn: all of them, but for what a lesson leaves away."""

import streamlit as st

_KEY = "lesson.controls"


def show_only(controls: tuple[str, ...] | None) -> None:
    """Let the page show these groups of controls, of `fmnist_core.lessons.controls`; None: all."""
    st.session_state[_KEY] = controls


def shows(group: str) -> bool:
    """Whether the page is to draw this group of its controls."""
    controls = st.session_state.get(_KEY)
    return controls is None or group in controls


def is_lesson() -> bool:
    """Whether the page is part of a lesson, which says what to do and asks its own question."""
    return st.session_state.get(_KEY) is not None
