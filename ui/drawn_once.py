"""Figures and tables that are drawn once, however many visitors look at them.

`version` belongs to the caches' keys: it is another as soon as the store has something new. What is kept as a resource
is shared by all sessions as it is, and must not be changed.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import pandas as pd
import streamlit as st

from fmnist_core.charts.arm_curves import ArmCurves, arm_panel, arm_panels, overlay, panels_extent
from fmnist_core.charts.colours import arm_colour, run_colour
from fmnist_core.charts.grid_charts import difference_map, differences_across, means_across
from fmnist_core.charts.learning_curves import learning_curves
from fmnist_core.charts.mean_curves import CurveMetric
from fmnist_core.charts.parallel_axes import axes_height, parallel_axes
from fmnist_core.charts.run_curves import Part, RunCurve, run_curves
from fmnist_core.charts.seconds_axis import put_on_seconds
from fmnist_core.charts.style import Extent, Metric
from fmnist_core.comparison.arms import arm_table, better_arms, by_level
from fmnist_core.comparison.article_curves import article_curves
from fmnist_core.comparison.factors import Level
from fmnist_core.comparison.grid import Grid
from fmnist_core.comparison.grid_results import GridResults, weigh_grid
from fmnist_core.comparison.measures import Metric as Measure
from fmnist_core.comparison.progress import Collected, collect
from fmnist_core.comparison.reading import STANDARD_READING, Epoch, Reading
from fmnist_core.comparison.run_settings import axes_of
from fmnist_core.comparison.study import Study
from fmnist_core.comparison.tables import study_table
from fmnist_core.comparison.verdict import Verdict, conclude
from fmnist_core.results.diagnosis import Diagnosis, diagnose
from fmnist_core.results.run_names import describe, short_title
from fmnist_core.results.run_table import in_per_cent, run_table
from fmnist_core.results.tables import epoch_table, epoch_table_words
from fmnist_core.store.run import Run
from fmnist_core.store.shared_runs import version as version_of
from fmnist_core.wording import capitalised
from ui import handles
from ui.components.live_chart import figure_text
from ui.components.live_html import table_html


@st.cache_resource(show_spinner=False, max_entries=128)
def learning_curves_of(_run: Run, metric: Metric, key: str, version: str) -> str:
    """One run's curves as text for `live_chart`; `key` and `version` are those of `_run`."""
    figure = learning_curves(
        handles.shared_runs().epochs(_run),
        metric=metric,
        colour=run_colour(_run.number),
        total_epochs=_run.config.epochs,
        best_epoch=_run.best_epoch,
        dropout=_run.config.dropout or _run.config.input_dropout,
        validation_name="Validation (test set)" if _run.config.protocol == "article" else "Validation",
        early_losses=_run.early_losses if metric == "loss" else (),
        has_ended=not _run.is_active,
    )
    figure.update_layout(uirevision=key)  # zoom is kept within a run, not from one run to another
    return figure_text(figure)


@st.cache_resource(show_spinner=False, max_entries=64)
def diagnosis_of(_run: Run, key: str, version: str) -> Diagnosis:
    """One run's curves in words."""
    return diagnose(handles.shared_runs().epochs(_run))


@st.cache_resource(show_spinner=False, max_entries=64)
def epoch_table_of(_run: Run, key: str, version: str, with_tests: bool) -> str:
    """One run's best and last epoch as text for `live_html`, with its test figures where they may be shown."""
    shared = handles.shared_runs()
    return table_html(epoch_table_words(epoch_table(shared.epochs(_run), shared.tests(_run) if with_tests else None)))


@st.cache_resource(show_spinner=False, max_entries=2)
def run_table_of(_runs: Sequence[Run], version: str) -> pd.DataFrame:
    """All stored runs as a table, with accuracies in per cent."""
    return in_per_cent(run_table(_runs, handles.shared_runs().summaries_of(_runs)))


@st.cache_resource(show_spinner=False, max_entries=32)
def chosen_curves_of(
    _runs: Sequence[Run],
    keys: tuple[str, ...],
    version: str,
    metric: CurveMetric,
    part: Part,
    smoothing: float,
    over_seconds: bool,
) -> str:
    """The curves of several runs as text for `live_chart`; `keys` and `version` are those of `_runs`."""
    epochs = handles.shared_runs().epochs_of(_runs)
    return figure_text(
        run_curves(
            [RunCurve(short_title(run, describe(run.config)), run.number, epochs[run.key]) for run in _runs],
            metric=metric,
            part=part,
            total_epochs=max(run.config.epochs for run in _runs),
            smoothing=smoothing,
            over_seconds=over_seconds,
        )
    )


@st.cache_resource(show_spinner=False, max_entries=32)
def run_axes_of(_runs: Sequence[Run], keys: tuple[str, ...], version: str) -> tuple[str, int]:
    """Several runs across their settings and figures as text for `live_chart`, and how high that is."""
    axes = axes_of(_runs, handles.shared_runs().summaries_of(_runs))
    titles = [short_title(run, describe(run.config)) for run in _runs]
    return figure_text(parallel_axes(axes, [run.number for run in _runs], titles)), axes_height(len(axes))


_BY_ADDRESS: dict[str | type[Any], Callable[[Any], Any]] = {
    kind: lambda one: sorted(one.to_address().items()) for kind in (Study, Grid, Reading)
}


@st.cache_resource(show_spinner=False, max_entries=32, hash_funcs=_BY_ADDRESS)
def collected(study: Study, _stored: list[Run | None], data_fingerprint: str, version: str) -> Collected:
    """A study's runs with their epochs; `version` is that of `_stored`."""
    return collect(study, _stored, handles.shared_runs())


@st.cache_resource(show_spinner=False, max_entries=128, hash_funcs=_BY_ADDRESS)
def verdict_of(
    study: Study,
    _collected: Collected,
    state: str,
    first: Level,
    second: Level,
    reveal_tests: bool,
    reading: Reading = STANDARD_READING,
) -> Verdict:
    """What may be said of two arms, which is said of finished runs alone; `state` is that of `_collected`."""
    return conclude(_collected.runs, study.factor, first, second, reveal_tests, reading)


@st.cache_resource(show_spinner=False, max_entries=64, hash_funcs=_BY_ADDRESS)
def arm_words_of(
    study: Study, _collected: Collected, state: str, reveal_tests: bool, epoch: Epoch = "last"
) -> pd.DataFrame:
    """Each arm's figures over finished runs in words, with the better arms marked."""
    figures = arm_table(_collected.runs, reveal_tests, epoch)
    return study_table(figures, better_arms(_collected.runs, reveal_tests, epoch), study.factor, epoch)


@st.cache_resource(show_spinner=False, max_entries=128, hash_funcs=_BY_ADDRESS)
def arm_curves_of(
    study: Study,
    _collected: Collected,
    version: str,
    metric: CurveMetric,
    overlaid: bool,
    with_published: bool,
    over_seconds: bool,
) -> tuple[str, ...]:
    """The arms' curves as texts for `live_chart`: one in all where `overlaid`, else one an arm.

    They are drawn over epochs, or over seconds of training. `version` is that of `_collected`.
    """
    arms = [
        _arm_of(study, place, version_of([one.run for one in runs]), with_published, [one.epochs for one in runs])
        for place, runs in enumerate(by_level(_collected.runs).values())
    ]
    total, name = study.total_epochs, "Validation (test set)" if study.base.protocol == "article" else "Validation"
    if overlaid or metric == "gap":
        figures = [overlay(arms, metric=metric, total_epochs=total, validation_name=name)]
    elif over_seconds:
        figures = arm_panels(arms, metric=metric, total_epochs=total, validation_name=name)
    else:
        extent = panels_extent(arms, metric)
        return tuple(_panel_of(arm, metric, total, extent, name) for arm in arms)
    if over_seconds:
        put_on_seconds(figures, arms)
    return tuple(map(figure_text, figures))


@st.cache_resource(show_spinner=False, max_entries=256, hash_funcs=_BY_ADDRESS)
def _arm_of(study: Study, place: int, version: str, with_published: bool, _epochs: Sequence[pd.DataFrame]) -> ArmCurves:
    """One arm's curves, the same object as long as nothing of its runs has changed: an epoch changes one arm alone."""
    level = study.levels[place]
    published = article_curves() if with_published else None
    return ArmCurves(
        capitalised(study.factor.arm_name(level)),
        arm_colour(place),
        tuple(_epochs),
        None if published is None else published[published["dropout"] == level],
    )


@lru_cache(maxsize=256)
def _panel_of(arm: ArmCurves, metric: Metric, total_epochs: int, extent: Extent | None, validation_name: str) -> str:
    """One arm's panel as text; drawn anew where its runs, or the axes that it shares with the others, have changed."""
    return figure_text(arm_panel(arm, metric, total_epochs, extent, validation_name))


@st.cache_resource(show_spinner=False, max_entries=32, hash_funcs=_BY_ADDRESS)
def grid_results_of(grid: Grid, _collected: Sequence[Collected], state: str) -> GridResults:
    """What a comparison across a second setting found; `_collected` holds the runs at each value, `state` is theirs."""
    return weigh_grid(grid, [one.runs for one in _collected])


@st.cache_resource(show_spinner=False, max_entries=64, hash_funcs=_BY_ADDRESS)
def grid_figures_of(grid: Grid, _results: GridResults, state: str, metric: Measure) -> tuple[str, str]:
    """Differences, or with more than two arms their map, and the arms' means as texts for `live_chart`."""
    differences = difference_map if len(grid.study.levels) > 2 else differences_across
    return figure_text(differences(_results, metric)), figure_text(means_across(_results, metric))
