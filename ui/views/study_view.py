"""A comparison as the Compare page shows it: how far it is, the answer, the curves, the table."""

from dataclasses import replace
from functools import partial

import streamlit as st

from fmnist_core.comparison.experiment import Experiment
from fmnist_core.comparison.progress import Collected, Progress, progress_of, stored_runs
from fmnist_core.comparison.study import Study
from fmnist_core.store.database import StoreError
from fmnist_core.store.run import Run
from fmnist_core.store.shared_runs import version
from ui import drawn_once, handles
from ui.components.news import News, news_bar
from ui.forms.reading_form import reading_form
from ui.forms.study_form import stop_runs
from ui.guards import explaining
from ui.reveal import are_revealed
from ui.shown_controls import shows
from ui.views import explanations
from ui.views.comparison_state import progress_words, say_state
from ui.views.study_answer import show_answer, show_table
from ui.views.study_curves import NO_LOOK, Look, charts_of, show_curves
from ui.visitors import may_stop, why_not

_NEWS_SECONDS = 1.0


def show_study(study: Study) -> None:
    """Draw a comparison, and keep it up to date until all of its runs have finished."""
    with explaining("The comparison cannot be shown"):
        is_active = bool(_active_runs(study))
    st.fragment(_study)(study, is_active)


def stop_button(experiment: Experiment) -> None:
    """Where runs of a comparison wait or train, offer to stop them."""
    try:
        runs = _active_runs(experiment)
    except StoreError:
        return  # the comparison itself says so
    if runs:
        own = [run.key for run in runs if may_stop(run)]
        st.button(
            "Stop all" if len(own) in {0, len(runs)} else f"Stop your {len(own)} runs",
            icon=":material/stop:",
            key="compare.stop",
            on_click=stop_runs,
            args=(own,),
            disabled=not own,
            help=None if own else why_not(runs[0]),
        )


def _active_runs(experiment: Experiment) -> list[Run]:
    return [run for run in _stored_runs(experiment) if run is not None and run.is_active]


def _stored_runs(experiment: Experiment) -> list[Run | None]:
    return stored_runs(experiment, handles.shared_runs(), handles.dataset().fingerprint)


def collected_now(study: Study) -> Collected:
    """A comparison's runs as they are now, with their epochs."""
    return _collected(study, _stored_runs(study))


def _collected(study: Study, stored: list[Run | None]) -> Collected:
    return drawn_once.collected(study, stored, handles.dataset().fingerprint, version(stored))


def _study(study: Study, was_active: bool) -> None:
    with explaining("The comparison cannot be shown"):
        now = collected_now(study)
    is_active = any(arm.run is not None and arm.run.is_active for arm in now.runs)
    if was_active != is_active:
        st.rerun()  # what stands outside of this fragment is another for a comparison that has ended, or goes on
    progress = progress_of(now.runs, handles.outlook())
    top = st.container()  # one place whatever it holds, so that the charts below stay the same elements
    with top:
        say_state(now.runs, progress)
    if not progress.asked_for:
        _watch(study, now, progress, NO_LOOK)
        return
    reveal = are_revealed([arm.run.key for arm in now.runs if arm.run is not None])
    st.caption(study.describe())
    reading = reading_form(study)
    show_answer(study, now, reveal, reading)
    look = show_curves(study, now)
    if progress.finished < progress.total:
        with top:
            _watch(study, now, progress, look)
    if shows("table"):
        show_table(study, now, reveal, reading)
    explanations.evaluation_mode(now.runs, study.factor)


def _watch(study: Study, drawn: Collected, progress: Progress, look: Look) -> None:
    """Keep a comparison up to date; one that does not train may go on in another tab."""
    news_bar(
        f"comparison {sorted(study.to_address().items())} {handles.dataset().fingerprint} {look}",
        partial(study_news, study, look),
        key="compare.watch",
        seconds=_NEWS_SECONDS,
        is_quiet=not progress.active,
        version=drawn.state,
        edition=drawn.version,
    )


def study_news(study: Study, look: Look) -> News:
    """How far a comparison is, for all who watch it and look at its curves alike."""
    stored = _stored_runs(study)
    now = _collected(study, stored)
    runs = [replace(arm, run=run) for arm, run in zip(now.runs, stored, strict=True)]  # with their share of the epoch
    progress = progress_of(runs, handles.outlook())
    return News(now.state, progress.share, progress_words(progress), now.version, partial(charts_of, study, now, look))
