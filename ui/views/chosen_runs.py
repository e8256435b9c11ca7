"""The runs that are selected on the Runs page: what to do with them, their curves, and what differs between them."""

from collections.abc import Sequence

import streamlit as st

from fmnist_core.charts.run_curves import Part
from fmnist_core.comparison.run_settings import ENOUGH_FOR_AXES, settings_of
from fmnist_core.results.run_names import run_title, short_title
from fmnist_core.store.run import Run
from fmnist_core.store.shared_runs import version
from fmnist_core.wording import capitalised, counted
from ui import drawn_once
from ui.components.live_chart import live_chart
from ui.forms.curve_fields import axis_field, metric_field
from ui.forms.notes_form import notes_form
from ui.forms.run_actions import run_actions
from ui.forms.runs_address import SMOOTHINGS
from ui.views.take_away import take_away_run
from ui.wording import plain

_PARTS: dict[Part, str] = {"validation": "Validation", "training": "Training"}


def show_chosen(runs: Sequence[Run]) -> None:
    """Draw the selected runs, at least one."""
    one = runs[0] if len(runs) == 1 else None
    st.subheader(plain(run_title(one)) if one else f"{counted(len(runs), 'run')} side by side", anchor=False)
    run_actions(runs)
    if one:
        take_away_run(one, page="runs")
        notes_form("runs", one)
    _curves(runs)
    if len(runs) > 1:
        _settings(runs)
    if len(runs) >= ENOUGH_FOR_AXES:
        _axes(runs)


def _curves(runs: Sequence[Run]) -> None:
    usual = {"part": "validation", "smoothing": SMOOTHINGS[0]}
    for name, value in usual.items():
        st.session_state.setdefault(f"runs.{name}", value)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = metric_field("runs")
        part = st.segmented_control(
            "Measured on",
            list(_PARTS),
            format_func=_PARTS.__getitem__,
            required=True,
            key="runs.part",
            persist_state="session",
            disabled=metric == "gap",
            help="Training images are measured as validation images are: after the epoch, with dropout off.",
        )
        over = axis_field("runs")
        smoothing = st.select_slider(
            "Smoothing",
            SMOOTHINGS,
            key="runs.smoothing",
            persist_state="session",
            width=180,
            help="Averages each epoch with those before it, which count so many times less from epoch to epoch. The "
            "values themselves stay, faintly.",
        )
    assert part is not None
    measured = metric if metric == "gap" else f"{_PARTS[part].lower()} {metric}"
    live_chart(
        drawn_once.chosen_curves_of(
            runs, tuple(run.key for run in runs), version(runs), metric, part, smoothing, over == "seconds"
        ),
        key="runs.curves",
        height=420,
        alt=f"{capitalised(measured)} over {over} of {counted(len(runs), 'run')}",
    )


def _settings(runs: Sequence[Run]) -> None:
    differing, same = settings_of(runs)
    st.subheader("What differs", anchor=False)
    if differing.empty or not len(differing.columns):
        st.write("These runs have the same settings.")
    else:
        table = differing.assign(Run=[short_title(run) for run in runs])
        st.dataframe(
            table[["Run", *differing.columns]],
            key="runs.differing",
            hide_index=True,
            height="content" if len(runs) <= 10 else 388,
            alt="The settings in which the selected runs differ, one row a run",
            column_config={"Run": st.column_config.TextColumn("Run", pinned=True)},
        )
    with st.expander(f"What is the same ({len(same)})"):
        st.dataframe(
            same.rename_axis("Setting").rename("Value").reset_index(),
            key="runs.same",
            hide_index=True,
            height="content",
            alt="The settings that all selected runs share",
        )


def _axes(runs: Sequence[Run]) -> None:
    st.subheader("All of it at once", anchor=False)
    st.write(
        "Each line is a run: it crosses each setting that differs where its value lies, and then its figures. Follow "
        "the lines with the lowest loss back to see which values they share."
    )
    figure, height = drawn_once.run_axes_of(runs, tuple(run.key for run in runs), version(runs))
    live_chart(
        figure,
        key="runs.axes",
        height=height,
        alt=f"{counted(len(runs), 'run')} as lines across the settings that differ and their figures",
    )
