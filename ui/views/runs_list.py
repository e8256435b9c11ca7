"""The list of all stored runs, to choose one from."""

from collections.abc import Sequence

import streamlit as st

from fmnist_core.results.tables import runs_table
from fmnist_core.store.run import Run
from ui.forms.deletion import delete_several


def runs_list(runs: Sequence[Run]) -> None:
    """Draw the runs, newest first; choosing a row puts that run into the address."""
    st.subheader("All runs", anchor=False)

    def choose() -> None:
        if rows := st.session_state["train.runs"]["selection"]["rows"]:
            st.query_params["run"] = runs[rows[0]].key

    st.dataframe(
        runs_table(runs),
        key="train.runs",
        hide_index=True,
        on_select=choose,
        selection_mode="single-row",
        height="content" if len(runs) <= 8 else 318,
        alt="All stored runs with their settings, state and best validation figures",
        column_config={
            "run": st.column_config.NumberColumn("Run", format="%d"),
            "settings": st.column_config.TextColumn("Settings"),
            "status": st.column_config.TextColumn("State"),
            "epochs": st.column_config.TextColumn("Epochs", help="How many of the epochs asked for are done."),
            "best_epoch": st.column_config.NumberColumn("Best epoch", help="The one with the lowest validation loss."),
            "validation_loss": st.column_config.NumberColumn(
                "Validation loss", help="At the best epoch.", format="%.3f"
            ),
            "validation_accuracy": st.column_config.NumberColumn(
                "Validation accuracy", help="At the best epoch.", format="percent"
            ),
            "data": st.column_config.TextColumn("Data"),
            "started": st.column_config.DatetimeColumn("Asked for", format="D MMM, HH:mm"),
        },
    )
    st.caption("Select a row to see that run. Its link is in this page's address.")
    delete_several(runs)
