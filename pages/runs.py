"""Runs: all that was trained, to look through, to put side by side, to write about and to tidy up."""

import streamlit as st

from ui.forms.runs_address import RUNS_STATE
from ui.views.page_title import page_title
from ui.views.runs_view import show_runs

page_title("runs", "What was tried?", *RUNS_STATE)
st.write(
    "Every stored run, newest first. Select some to see their curves and what differs between them. Write down what "
    "you expect of a run, and what came of it."
)
show_runs()
