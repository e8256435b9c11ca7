"""One run as the Train page shows it: state, live curves, diagnosis, table."""

import time
from functools import partial
from typing import Literal, get_args

import streamlit as st

from fmnist_core.charts.colours import run_colour
from fmnist_core.charts.style import Metric
from fmnist_core.results.run_names import describe, short_title, status_word
from fmnist_core.store.run import Run, Status
from fmnist_core.store.shared_runs import curves_version, run_state, run_version
from fmnist_core.wording import counted, number_text
from ui import drawn_once, handles
from ui.components.live_chart import live_chart
from ui.components.live_html import live_html, sentence_html
from ui.components.news import News, news_bar
from ui.forms.config_fields import fill_form
from ui.forms.deletion import delete_button
from ui.forms.notes_form import notes_form
from ui.guards import explaining
from ui.page_files import PAGES
from ui.reveal import are_revealed, reveal_button
from ui.shown_controls import is_lesson, shows
from ui.views.dropout_steps import dropout_steps
from ui.views.take_away import take_away_run
from ui.wording import duration, plain

_NEWS_SECONDS = 1.0
_STARTING_SECONDS = 5.0  # that a run may wait before it is one that waits in line
_BADGES: dict[Status, tuple[str, Literal["gray", "blue", "green", "orange", "red"]]] = {
    "queued": (":material/hourglass_empty:", "gray"),
    "running": (":material/play_arrow:", "blue"),
    "finished": (":material/check:", "green"),
    "stopped": (":material/stop:", "orange"),
    "failed": (":material/error:", "red"),
}
_FINDING_ICONS = {
    "too early": "hourglass_empty",
    "still learning": "trending_down",
    "fits well": "check_circle",
    "overfits": "warning",
    "unstable": "ssid_chart",
    "learns nothing": "block",
}


def show_run(run: Run) -> None:
    """Draw a run, and keep it up to date until it has finished."""
    st.fragment(_run)(run.key, run.is_active)
    dropout_steps(run)
    with st.container(horizontal=True, vertical_alignment="center"):
        _ways_on(run)
        if shows("take_away"):
            take_away_run(run, page="train")
        delete_button("train", [run])


def _run(key: str, was_active: bool) -> None:
    shared = handles.shared_runs()
    with explaining("The run cannot be shown"):
        run = shared.run(key)
        if run is None:
            st.rerun()  # deleted meanwhile, as the page around this says
        contents = _contents(run, with_tests := are_revealed([key]))
    if was_active != run.is_active:
        st.rerun()  # what stands outside of this fragment is another for a run that has ended, or goes on
    _header(run, run_colour(run.number))
    if not is_lesson():
        notes_form("train", run)
    with st.container():  # one place whatever it holds, so that the charts below stay the same elements
        _state(run)
        if run.epochs_done:
            live_html(contents["train.diagnosis"], key="train.diagnosis", edition=curves_version(run))
    for metric in get_args(Metric):
        live_chart(
            contents[f"train.{metric}"],
            key=f"train.{metric}",
            alt=f"Training and validation {metric} of run {run.number} over its epochs",
            edition=curves_version(run),
        )
    _why_below()
    if run.epochs_done:
        live_html(contents["train.table"], key="train.table", edition=curves_version(run))
        _below_table(run, with_tests)


def _contents(run: Run, with_tests: bool = False) -> dict[str, str]:
    """What each epoch changes: the charts, and as soon as there is an epoch what the curves say and the table."""
    contents = {
        f"train.{metric}": drawn_once.learning_curves_of(run, metric, run.key, curves_version(run, metric))
        for metric in get_args(Metric)
    }
    if run.epochs_done:
        diagnosis = drawn_once.diagnosis_of(run, run.key, run_version(run))
        so_far = "So far:" if run.is_active else ""
        contents["train.diagnosis"] = sentence_html(_FINDING_ICONS[diagnosis.finding], so_far, diagnosis.sentence)
        contents["train.table"] = drawn_once.epoch_table_of(run, run.key, run_version(run), with_tests)
    return contents


def _header(run: Run, colour: str) -> None:
    icon, badge_colour = _BADGES[run.status]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(
            f'<span style="display:inline-block;width:.9rem;height:.9rem;border-radius:50%;background:{colour}">',
            width="content",
        )
        st.subheader(plain(short_title(run)), anchor=False, width="content")
        st.badge(status_word(run), icon=icon, color=badge_colour)
    st.caption(f"{describe(run.config)} · {run.data_name}")


def _state(run: Run) -> None:
    if run.status == "failed":
        reason = plain((run.error or "").rstrip("."))
        st.error(f"This run ended early: {reason}.", icon=":material/error:")
    elif run.status == "stopped":
        st.info(
            f"Stopped after {run.epochs_done} of {counted(run.config.epochs, 'epoch')}. "
            "Train with the same settings to go on.",
            icon=":material/stop:",
        )
    if run.status != "finished":  # what has stopped or failed may be taken up again in another tab
        news_bar(
            f"run {run.key}",
            partial(run_news, run.key),
            key="train.watch",
            seconds=_NEWS_SECONDS,
            is_quiet=not run.is_active,
            version=run_state(run),
            edition=curves_version(run),
        )


def run_news(key: str) -> News:
    """How far a run is, for all who watch it."""
    shared = handles.shared_runs()
    run = shared.run(key)
    if run is None:
        return News(run_state(None), 0.0, "Deleted", run_version(None), dict)
    ahead = handles.outlook()
    seconds = ahead.seconds_left.get(key)
    left = "" if seconds is None else f" · {duration(seconds)} left"
    if run.status == "queued":
        problem = handles.dispatcher().workers_problem()
        text = f"Waiting: {problem}." if problem else f"Waiting: place {ahead.places.get(key, 1)} in line{left}"
    else:
        text = f"Epoch {min(run.epochs_done + 1, run.config.epochs)} of {run.config.epochs}{left}"
    return News(
        run_state(run), run.progress, text, curves_version(run), partial(_contents, run), is_urgent=_is_waited_for(run)
    )


def _is_waited_for(run: Run) -> bool:
    """Whether something is about to happen that people have just asked for: the first epoch, or the end."""
    if run.status == "queued":
        return time.time() - run.created_at < _STARTING_SECONDS
    return run.is_active and (run.cancel_requested or not run.epochs_done)


def _why_below() -> None:
    with st.popover("Why can validation lie below training?", icon=":material/help:"):
        st.markdown(
            "**The curve “as trained” is measured under harder conditions.** While the network trains, dropout "
            "switches units off, and the loss is averaged over an epoch in which the weights still got better. "
            "Validation is measured after the epoch, with dropout off.\n\n"
            "**Compare like with like:** the curve “evaluated” is the loss on up to 10,000 training images, measured "
            "as validation is. The distance from it to validation is the *gap*. A gap that grows while validation loss "
            "rises is overfitting."
        )


def _below_table(run: Run, with_tests: bool) -> None:
    st.caption(
        "The best epoch is the one with the lowest validation loss; training figures are measured with dropout off; "
        "the gap is validation loss minus training loss."
        + (
            " This run follows the article and validates on the test set, so its best epoch looks better than it is."
            if run.config.protocol == "article"
            else ""
        )
        + (
            f" Its training labels are wrong with a chance of {number_text(run.config.label_noise)}: training figures "
            "are measured on these labels, all others on the right ones."
            if run.config.label_noise
            else ""
        )
    )
    if not run.is_active and not with_tests:
        reveal_button("Reveal test accuracy", [run.key], key="train.reveal")


def _ways_on(run: Run) -> None:
    """What to do with the run next."""
    st.button(
        "Use these settings",
        icon=":material/tune:",
        key="train.reuse",
        on_click=fill_form,
        args=(run.config,),
        help="Puts this run's settings into the form.",
    )
    if not run.best_epoch:
        return
    st.page_link(
        PAGES / "predict.py",
        label="See what it predicts",
        icon=":material/image_search:",
        query_params={"run": run.key},
    )
    st.page_link(
        PAGES / "inspect.py",
        label="Inspect its mistakes",
        icon=":material/troubleshoot:",
        query_params={"run": run.key},
    )
