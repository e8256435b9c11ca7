"""Which runs the list of all runs shows, and which of them are selected."""

import hashlib
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from fmnist_core.results.run_filter import PRESET_CHOICES, RunFilter
from fmnist_core.results.run_names import STATUS_WORDS
from fmnist_core.store.run import Run
from ui.forms.runs_address import WORDS_LIMIT
from ui.visitors import visitor

_COLUMNS = {
    "run": st.column_config.NumberColumn("Run", format="%d", pinned=True, width=48),
    "name": st.column_config.TextColumn("Name", width="medium"),
    "curve": st.column_config.LineChartColumn(
        "Validation loss", help="Over the epochs, each run in a scale of its own.", width=100
    ),
    "settings": st.column_config.TextColumn("Settings", help="The nearest preset and what differs from it.", width=230),
    "seed": st.column_config.NumberColumn("Seed", format="%d"),
    "status": st.column_config.TextColumn("State"),
    "epochs": st.column_config.TextColumn("Epochs", help="How many of the epochs asked for are done."),
    "best_validation_loss": st.column_config.NumberColumn(
        "Lowest loss", help="Validation loss at the best epoch.", format="%.3f"
    ),
    "best_validation_accuracy": st.column_config.NumberColumn(
        "Its accuracy", help="Validation accuracy at the best epoch.", format="%.2f%%"
    ),
    "last_validation_loss": st.column_config.NumberColumn(
        "Last loss", help="Validation loss at the last epoch.", format="%.3f"
    ),
    "last_validation_accuracy": st.column_config.NumberColumn(
        "Last accuracy", help="Validation accuracy at the last epoch.", format="%.2f%%"
    ),
    "gap": st.column_config.NumberColumn(
        "Gap", help="Validation loss minus training loss (dropout off) at the last epoch.", format="%.3f"
    ),
    "seconds": st.column_config.NumberColumn("Seconds", help="All epochs with their evaluations.", format="%.0f"),
    "asked_for": st.column_config.DatetimeColumn("Asked for", format="D MMM, HH:mm"),
    "hypothesis": st.column_config.TextColumn("Hypothesis", width="medium"),
    "conclusion": st.column_config.TextColumn("Conclusion", width="medium"),
    "data": st.column_config.TextColumn("Data"),
}
_LONGEST_LIST = 10  # rows that are shown without scrolling


def filter_form(runs: Sequence[Run]) -> list[Run]:
    """Ask which runs to list, and return those."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(
            "Find",
            key="runs.find",
            persist_state="session",
            max_chars=WORDS_LIMIT,
            placeholder="Name, notes, settings",
            icon=":material/search:",
            help="Lists the runs in which every word occurs: in name, hypothesis, conclusion, settings, state or "
            "data. Press Enter.",
            width=260,
        )
        preset = st.selectbox(
            "Preset",
            PRESET_CHOICES,
            index=None,
            key="runs.preset",
            persist_state="session",
            placeholder="Any",
            width=200,
            help="Runs with a preset's settings, whatever their seed.",
        )
        states = st.pills(
            "State",
            list(STATUS_WORDS),
            selection_mode="multi",
            format_func=STATUS_WORDS.__getitem__,
            key="runs.states",
            persist_state="session",
            help="None chosen: all.",
        )
        mine = st.toggle("Only mine", key="runs.mine", persist_state="session", help="Runs that you asked for first.")
    me = visitor().name or "" if mine else None
    wanted = RunFilter(words=words or "", states=tuple(states), preset=preset, asked_by=me)
    return [run for run in runs if wanted.keeps(run)]


def choose_runs(table: pd.DataFrame) -> list[str]:
    """Draw the table, whose index are the runs' keys, and return the keys of all runs that are selected.

    Runs that are selected and not listed now stay selected.
    """
    keys = list(table.index)
    chosen: list[str] = st.session_state.setdefault("runs.chosen", [])
    # A selection is of rows by their places: with other rows it must be another table, which begins with the same runs.
    fresh = st.session_state.setdefault("runs.fresh", 0)
    key = f"runs.table.{hashlib.sha256(f'{fresh} {keys}'.encode()).hexdigest()[:12]}"

    def choose() -> None:
        rows = [keys[row] for row in st.session_state[key]["selection"]["rows"] if row < len(keys)]
        before = st.session_state["runs.chosen"]
        kept = [one for one in before if one in rows or one not in keys]
        st.session_state["runs.chosen"] = [*kept, *(one for one in rows if one not in kept)]

    empty = [name for name in ("name", "hypothesis", "conclusion") if not any(table[name])]
    if table["data"].nunique() < 2:
        empty.append("data")
    st.dataframe(
        table[list(_COLUMNS)].reset_index(drop=True),  # the table's own menu offers every column that it gets
        key=key,
        hide_index=True,
        column_order=[name for name in _COLUMNS if name not in empty],
        column_config=_COLUMNS,
        on_select=choose,
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [keys.index(one) for one in chosen if one in keys]}},
        height="content" if len(keys) <= _LONGEST_LIST else 38 + 35 * _LONGEST_LIST,
        alt="Stored runs with their settings, curves, figures and notes; select rows to see these runs together",
    )
    return chosen
