"""A run, or a comparison, as one chart under its title: for slides, by `embed=true` in the address. It is live."""

from collections.abc import Callable
from functools import partial
from typing import get_args

import streamlit as st

from fmnist_core.charts.arm_curves import line_legend
from fmnist_core.charts.mean_curves import CurveMetric
from fmnist_core.charts.style import Metric
from fmnist_core.comparison.study import Study
from fmnist_core.results.run_names import run_title
from fmnist_core.store.shared_runs import curves_version, run_state
from ui import drawn_once, handles, link
from ui.components.live_chart import live_chart
from ui.components.news import News, news_bar
from ui.forms.run_address import LATEST, run_in_address
from ui.guards import explaining
from ui.views.newest_run import follow_newest
from ui.views.run_view import run_news
from ui.views.study_curves import Look, charts_of
from ui.views.study_view import collected_now, study_news
from ui.wording import plain

_HEIGHT = 520
_NEWS_SECONDS = 1.0


def show_run_alone() -> None:
    """Draw the loss curves of the run that the address names, or with `chart=accuracy` the accuracies."""
    with explaining("The run cannot be shown"):
        run = run_in_address()
    if run is None:
        st.info("The address names no run to show. The Runs page has a link for each.", icon=":material/link_off:")
    else:
        metrics: dict[str, Metric] = {metric: metric for metric in get_args(Metric)}
        st.fragment(_run)(run.key, metrics.get(link.value("chart") or "", "loss"))
    if link.value("run") == LATEST:
        follow_newest(run)


def _run(key: str, metric: Metric) -> None:
    with explaining("The run cannot be shown"):
        run = handles.shared_runs().run(key)
        if run is None:
            st.rerun()
        chart = drawn_once.learning_curves_of(run, metric, key, curves_version(run, metric))
    st.subheader(plain(run_title(run)), anchor=False)
    alt = f"Training and validation {metric} of run {run.number} over its epochs"
    live_chart(chart, key=f"train.{metric}", height=_HEIGHT, alt=alt, edition=curves_version(run))
    _keep_up(f"run {key}", partial(run_news, key), run_state(run), curves_version(run), is_active=run.is_active)


def show_study_alone(study: Study) -> None:
    """Draw the loss curves of all arms in one chart, or what `curves=accuracy` and `curves=gap` ask for."""
    metrics: dict[str, CurveMetric] = {metric: metric for metric in get_args(CurveMetric)}
    metric = metrics.get(link.value("curves") or "", "loss")
    over_seconds = link.value("over") == "seconds"
    st.fragment(_study)(study, Look(metric, overlaid=True, with_published=False, over_seconds=over_seconds))


def _study(study: Study, look: Look) -> None:
    with explaining("The comparison cannot be shown"):
        now = collected_now(study)
        ((key, chart),) = charts_of(study, now, look).items()
    st.subheader(study.factor.question, anchor=False)
    st.caption(plain(study.describe()))
    st.html(
        line_legend(
            metric=look.metric,
            overlaid=True,
            several_seeds=study.seeds > 1,
            with_reference=False,
            with_dropout=any(config.dropout > 0 for config in study.configs()),
            validation_name="Validation (test set)" if study.base.protocol == "article" else "Validation",
        )
    )
    alt = f"{look.metric.capitalize()} of all arms"
    live_chart(chart, key=key, height=_HEIGHT, alt=alt, edition=now.version)
    is_active = any(arm.run is not None and arm.run.is_active for arm in now.runs)
    topic = f"slide {sorted(study.to_address().items())} {handles.dataset().fingerprint} {look}"
    _keep_up(topic, partial(study_news, study, look), now.state, now.version, is_active=is_active)


def _keep_up(topic: str, tell: Callable[[], News], version: str, edition: str, *, is_active: bool) -> None:
    news_bar(
        topic,
        tell,
        key="slide.watch",
        seconds=_NEWS_SECONDS,
        is_quiet=True,
        quiet_seconds=_NEWS_SECONDS if is_active else None,
        version=version,
        edition=edition,
    )
