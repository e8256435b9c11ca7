"""A comparison as the Compare page shows it: how far it is, the answer, the curves, the table."""

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import streamlit as st

from fmnist_core.charts.arm_curves import line_legend
from fmnist_core.charts.colours import arm_colour
from fmnist_core.charts.difference_chart import paired_differences
from fmnist_core.charts.mean_curves import CurveMetric
from fmnist_core.comparison.conditions import trained_apart
from fmnist_core.comparison.experiment import Experiment
from fmnist_core.comparison.latex import latex_table
from fmnist_core.comparison.peeking import FIRST_LOOK
from fmnist_core.comparison.progress import Collected, Progress, progress_of, stored_runs
from fmnist_core.comparison.reading import Reading, epoch_caption, epoch_phrase
from fmnist_core.comparison.study import Study
from fmnist_core.comparison.tables import csv_table
from fmnist_core.config import PRESETS
from fmnist_core.store.database import StoreError
from fmnist_core.store.run import Run
from fmnist_core.store.shared_runs import version
from fmnist_core.wording import capitalised
from ui import drawn_once, handles
from ui.components.live_chart import live_chart
from ui.components.news import News, news_bar
from ui.forms.reading_form import reading_form
from ui.forms.study_form import start_study, stop_runs
from ui.guards import explaining
from ui.page_files import PAGES
from ui.reveal import are_revealed, reveal_button
from ui.views import explanations
from ui.views.comparison_state import progress_words, say_state
from ui.visitors import may_stop, why_not
from ui.wording import plain

_NEWS_SECONDS = 1.0
_METRICS: dict[CurveMetric, str] = {"loss": "Loss", "accuracy": "Accuracy", "gap": "Gap"}
_AXES = {"epochs": "Epochs", "seconds": "Seconds"}
_LAYOUTS = {"panels": "Side by side", "overlay": "In one chart"}


class _Look(NamedTuple):
    """How a visitor wants to see the curves."""

    metric: CurveMetric
    overlaid: bool
    with_published: bool
    over_seconds: bool


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


def _collected(study: Study, stored: list[Run | None]) -> Collected:
    return drawn_once.collected(study, stored, handles.dataset().fingerprint, version(stored))


def _study(study: Study, was_active: bool) -> None:
    with explaining("The comparison cannot be shown"):
        now = _collected(study, _stored_runs(study))
    is_active = any(arm.run is not None and arm.run.is_active for arm in now.runs)
    if was_active != is_active:
        st.rerun()  # what stands outside of this fragment is another for a comparison that has ended, or goes on
    progress = progress_of(now.runs, handles.outlook())
    top = st.container()  # one place whatever it holds, so that the charts below stay the same elements
    with top:
        say_state(now.runs, progress)
    if not progress.asked_for:
        _watch(study, progress, _Look("loss", overlaid=False, with_published=False, over_seconds=False))
        return
    reveal = are_revealed([arm.run.key for arm in now.runs if arm.run is not None])
    st.caption(study.describe())
    reading = reading_form(study)
    _answer(study, now, reveal, reading)
    look = _curves(study, now)
    if progress.finished < progress.total:
        with top:
            _watch(study, progress, look)
    _table(study, now, reveal, reading)
    explanations.evaluation_mode(now.runs, study.factor)


def _watch(study: Study, progress: Progress, look: _Look) -> None:
    """Keep a comparison up to date; one that does not train may go on in another tab."""
    news_bar(
        f"comparison {sorted(study.to_address().items())} {handles.dataset().fingerprint} {look}",
        partial(_news, study, look),
        key="compare.watch",
        seconds=_NEWS_SECONDS,
        is_quiet=not progress.active,
    )


def _news(study: Study, look: _Look) -> News:
    """How far a comparison is, for all who watch it and look at its curves alike."""
    stored = _stored_runs(study)
    now = _collected(study, stored)
    runs = [replace(arm, run=run) for arm, run in zip(now.runs, stored, strict=True)]  # with their share of the epoch
    progress = progress_of(runs, handles.outlook())
    return News(now.state, progress.share, progress_words(progress), now.version, partial(_charts, study, now, look))


def _answer(study: Study, now: Collected, reveal: bool, reading: Reading) -> None:
    factor = study.factor
    first, *others = study.levels
    second = others[0]
    if len(others) > 1:
        second = st.segmented_control(
            f"Compare {factor.arm_name(first)} with",
            others,
            default=others[0],
            required=True,
            format_func=factor.label,
            key=f"compare.second.{factor.setting}",
        )
    verdict = drawn_once.verdict_of(study, now, now.state, first, second, reveal, reading)
    with st.container(border=True):
        st.subheader(plain(verdict.headline), anchor=False)
        for sentence in verdict.sentences:
            st.write(plain(sentence))
        if study.seeds < FIRST_LOOK and st.button(
            "Run five seeds",
            icon=":material/casino:",
            key="compare.run_five",
            on_click=start_study,
            args=(replace(study, seeds=5),),
            help="Stored runs are not trained again.",
        ):
            st.rerun()  # the address and the form stand outside of this fragment
        if verdict.differences:
            st.plotly_chart(
                paired_differences(
                    verdict.differences,
                    settled=verdict.settled,
                    arm=factor.subject(second),
                    protocol=study.base.protocol,
                    colour=arm_colour(study.levels.index(second)),
                    margin=reading.margin_share,
                ),
                key="compare.differences",
                config={"displayModeBar": False},
                alt=f"Paired differences of {factor.arm_name(second)} to {factor.arm_name(first)} with 95% intervals",
            )
            st.caption(
                f"{capitalised(factor.subject(second))} minus {factor.subject(first)}. {_epoch_said(study, reading)} "
                "Filled points may be claimed, hollow ones not. Small ticks are single pairs; dotted lines, where they "
                f"are near, the margin of {reading.margin_words}."
            )
        if apart := trained_apart(now.runs, first, second):
            st.caption(apart)


def _epoch_said(study: Study, reading: Reading, begin: str = "Taken") -> str:
    epochs = reading.views(study.shared_epochs)
    return epoch_caption(reading.epoch, study.base.protocol, epochs, begin)


def _curves(study: Study, now: Collected) -> _Look:
    """Draw the curves as the visitor wants to see them, and return how that is."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = st.segmented_control(
            "Curves of",
            list(_METRICS),
            format_func=_METRICS.__getitem__,
            default="loss",
            required=True,
            key="compare.metric",
            help="The gap is validation loss minus training loss, both with dropout off.",
        )
        layout = st.segmented_control(
            "Arms",
            list(_LAYOUTS),
            format_func=_LAYOUTS.__getitem__,
            default="panels",
            required=True,
            key="compare.layout",
            disabled=metric == "gap",
            help="The gap of all arms is always drawn in one chart.",
        )
        over = st.segmented_control(
            "Over",
            list(_AXES),
            format_func=_AXES.__getitem__,
            default="epochs",
            required=True,
            key="compare.axis",
            help="Seconds of training with its evaluations, as this server took them: they tell how busy it was, too.",
        )
        published = _follows_the_article(study) and st.toggle(
            "The article's curves",
            key="compare.reference",
            help="As published in February 2019, for the same network and recipe: one run each, dashed and grey.",
        )
    name = "Validation (test set)" if study.base.protocol == "article" else "Validation"
    with_dropout = any(config.dropout > 0 for config in study.configs())
    overlaid = layout == "overlay" or metric == "gap"
    st.html(
        line_legend(
            metric=metric,
            overlaid=overlaid,
            several_seeds=study.seeds > 1,
            with_reference=published,
            with_dropout=with_dropout,
            validation_name=name,
        )
    )
    look = _Look(metric, overlaid, published, over == "seconds")
    charts = _charts(study, now, look)
    if overlaid:
        (key,) = charts
        live_chart(charts[key], key=key, height=420, alt=f"{_METRICS[metric]} of all arms over {over}")
    else:
        across = 2 if len(charts) in {2, 4} else 3
        panels = list(zip(study.levels, charts.items(), strict=True))
        for start in range(0, len(panels), across):
            row = panels[start : start + across]
            for column, (level, (key, figure)) in zip(st.columns(across), row, strict=False):
                with column:
                    live_chart(
                        figure,
                        key=key,
                        group="compare" if over == "epochs" else None,  # arms differ in how long an epoch takes
                        alt=f"{_METRICS[metric]} of {study.factor.arm_name(level)} over {over}",
                    )
    if with_dropout:
        explanations.harder_training()
    return look


def _charts(study: Study, now: Collected, look: _Look) -> dict[str, str]:
    """The arms' curves for `live_chart`, under their keys."""
    figures = drawn_once.arm_curves_of(study, now, now.version, *look)
    keys = ["compare.overlay"] if look.overlaid else [f"compare.panel{place}" for place in range(len(figures))]
    return dict(zip(keys, figures, strict=True))


def _follows_the_article(study: Study) -> bool:
    article = PRESETS[0].config
    return study.setting == "dropout" and replace(study.base, seed=article.seed) == article


def _table(study: Study, now: Collected, reveal: bool, reading: Reading) -> None:
    runs = now.runs
    figures, words = drawn_once.arm_figures_of(study, now, now.state, reveal, reading.epoch)
    st.subheader("Each arm's figures", anchor=False)
    st.table(words.set_index(study.factor.name))
    st.caption(
        "Mean ± standard deviation over the seeds that have finished. ★ marks the arm that is better than every other "
        "in a figure that the answer is about, by the same rule. "
        f"{_epoch_said(study, reading, begin='Stars are given')} "
        "The best epoch is the one with the lowest validation loss. The calibration error says how far confidence lies "
        "from accuracy."
    )
    with st.container(horizontal=True):
        if not reveal and any(arm.finished for arm in runs):
            keys = [arm.run.key for arm in runs if arm.run is not None]
            reveal_button("Reveal test figures", keys, key="compare.reveal")
        st.download_button(
            "Download as CSV",
            csv_table(figures, study.factor).to_csv(index=False),
            file_name=f"{study.setting.replace('_', '-')}-comparison.csv",
            mime="text/csv",
            icon=":material/download:",
            key="compare.csv",
        )
        st.download_button(
            "Download as LaTeX",
            latex_table(
                words,
                f"{study.describe()}. Mean ± standard deviation over seeds. "
                f"★: settled to be better than every other arm, {epoch_phrase(reading.epoch)}.",
            ),
            file_name=f"{study.setting.replace('_', '-')}-comparison.tex",
            mime="application/x-tex",
            icon=":material/download:",
            key="compare.latex",
            help="A table for a paper, with the rules of the booktabs package.",
        )
        first, second = (next((arm.run for arm in runs if arm.level == level), None) for level in study.levels[:2])
        if first is not None and second is not None and first.best_epoch and second.best_epoch:
            st.page_link(
                PAGES / "inspect.py",
                label="Inspect what changes",
                icon=":material/troubleshoot:",
                query_params={"run": first.key, "beside": second.key},
            )
