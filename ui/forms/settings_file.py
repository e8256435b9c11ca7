"""Settings from a file that Take away made: they fill the form, and give the run's own key."""

import streamlit as st

from fmnist_core.export.config_file import read_config_file
from fmnist_core.results.run_names import describe
from ui import handles
from ui.forms.config_fields import fill_form, sentence

_KEY = "train.settings_file"


def settings_file() -> None:
    """Offer to fill the Train page's form from a file; what came of it stands below the button."""
    with st.popover("From a file", icon=":material/upload_file:", help="Fills the form from a settings file."):
        st.file_uploader("Settings file (JSON), as Take away makes it", type=["json"], key=_KEY, on_change=_fill)
    if problem := st.session_state.get("train.file_problem"):
        st.error(problem, icon=":material/error:")
    elif words := st.session_state.get("train.file_words"):
        st.info(words, icon=":material/upload_file:")


def _fill() -> None:
    """Put what the file says into the form; a callback."""
    state = st.session_state
    state.pop("train.file_problem", None)
    state.pop("train.file_words", None)
    uploaded = state[_KEY]
    if uploaded is None:
        return
    try:
        read = read_config_file(uploaded.getvalue(), handles.dataset().fingerprint)
    except ValueError as error:
        state["train.file_problem"] = sentence(error)
        return
    fill_form(read.config)
    words = f"The form has the file's settings: {describe(read.config)}."
    if read.key and read.is_same_here:
        words += f" They are those of run {read.key}."
    elif read.key:
        words += " This server has other data or other training code than that run had, so it will be another run here."
    state["train.file_words"] = words
