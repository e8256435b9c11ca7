"""The learner in front of a page, known as long as their browser is open: a reload loses nothing."""

import streamlit as st

from fmnist_core.lessons.learner import Learner
from ui import handles
from ui.visitors import visitor


def learner() -> Learner:
    """Who this page is drawn for; a browser without cookies is forgotten with its page."""
    name = visitor().name
    if name is not None:
        return handles.learner(name)
    nameless: Learner = st.session_state.setdefault("lesson.learner", Learner())
    return nameless
