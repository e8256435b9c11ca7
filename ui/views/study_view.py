"""A comparison as the Compare page shows it: how far it is, the answer, the curves, the table."""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, cast

import streamlit as st

from fmnist_core.charts.arm_curves import ArmCurves, arm_panels, line_legend, overlay
from fmnist_core.charts.colours import arm_colour
from fmnist_core.charts.difference_chart import paired_differences
from fmnist_core.comparison.arms import ArmRun, arm_table, better_arms
from fmnist_core.comparison.article_curves import article_curves
from fmnist_core.comparison.progress import Progress, collect, progress_of
from fmnist_core.comparison.study import Study
from fmnist_core.comparison.tables import study_table
from fmnist_core.comparison.verdict import conclude
from fmnist_core.config import PRESETS
from fmnist_core.store.database import StoreError
from ui import handles
from ui.components.live_chart import live_chart
from ui.forms.study_form import start_study
from ui.page_files import PAGES
from ui.reveal import are_revealed, reveal_button
from ui.views import explanations
from ui.wording import duration, plain

_TICK_SECONDS = 1.0
_METRICS = {"loss": "Loss", "accuracy": "Accuracy", "gap": "Gap"}
_LAYOUTS = {"panels": "Side by side", "overlay": "In one chart"}


def show_study(study: Study) -> None:
    """Draw a comparison, and keep it up to date while any of its runs waits or trains."""
    runs = _collected(study)
    if runs is None:
        return
    st.session_state.pop("compare.redraw", None)
    active = any(arm.run is not None and arm.run.is_active for arm in runs)
    st.fragment(_study, run_every=_TICK_SECONDS if active else None)(study, active)


def _collected(study: Study) -> list[ArmRun] | None:
    dataset = handles.data().dataset
    assert dataset is not None, "the frame waits for data"
    try:
        return collect(study, handles.store(), dataset.fingerprint)
    except StoreError as error:
        st.error(f"The comparison cannot be shown: {plain(str(error))}.", icon=":material/error:")
        return None


def _study(study: Study, ticking: bool) -> None:
    if "compare.redraw" in st.session_state:
        st.rerun()  # a button in here has changed what stands outside of this fragment: address, form or message
    runs = _collected(study)
    if runs is None:
        return
    progress = progress_of(runs, handles.settings().workers or len(os.sched_getaffinity(0)))
    if ticking and not progress.active:
        st.rerun()  # draws the whole page once more, without ticking
    with st.container():  # one place whatever it holds, so that the charts below stay the same elements
        _state(runs, progress)
    if not progress.asked_for:
        return
    reveal = are_revealed([arm.run.key for arm in runs if arm.run is not None])
    _answer(study, runs, reveal)
    _curves(study, runs)
    _table(study, runs, reveal)
    explanations.evaluation_mode(runs)


def _state(runs: Sequence[ArmRun], progress: Progress) -> None:
    if not progress.asked_for:
        with st.container(border=True):
            st.subheader("Not run here yet", anchor=False)
            st.write(
                "The address describes an experiment that this server has not run. Its settings are in the form: "
                "press **Compare** to run it."
            )
        return
    if failed := [arm.run for arm in runs if arm.run is not None and arm.run.status == "failed"]:
        reason = plain((failed[0].error or "").rstrip("."))
        st.error(
            f"{len(failed)} of {progress.total} runs failed. Run {failed[0].number}: {reason}.", icon=":material/error:"
        )
    if progress.active:
        left = "" if progress.seconds_left is None else f" · {duration(progress.seconds_left)} left"
        st.progress(progress.share, text=f"{progress.finished} of {progress.total} runs finished{left}")
        keys = [arm.run.key for arm in runs if arm.run is not None and arm.run.is_active]
        st.button("Stop all", icon=":material/stop:", key="compare.stop", on_click=_stop, args=(keys,))
    elif progress.finished < progress.total:
        st.info(
            f"{progress.finished} of {progress.total} runs have finished. Press **Compare** to go on with the rest.",
            icon=":material/info:",
        )


def _run_five_seeds(study: Study) -> None:
    start_study(replace(study, seeds=5))
    st.session_state["compare.redraw"] = True


def _stop(keys: list[str]) -> None:
    st.session_state["compare.redraw"] = True
    try:
        handles.store().cancel(*keys)
    except StoreError as error:
        st.session_state["compare.problem"] = f"The runs could not be stopped: {plain(str(error))}."


def _answer(study: Study, runs: Sequence[ArmRun], reveal: bool) -> None:
    first, *others = study.dropouts
    second = others[0]
    if len(others) > 1:
        second = st.segmented_control(
            f"Compare dropout {first:g} with",
            others,
            default=others[0],
            required=True,
            format_func=lambda dropout: f"{dropout:g}",
            key="compare.second",
        )
    verdict = conclude(runs, first, second, reveal)
    with st.container(border=True):
        st.subheader(plain(verdict.headline), anchor=False)
        for sentence in verdict.sentences:
            st.write(plain(sentence))
        if study.seeds == 1:
            st.button(
                "Run five seeds",
                icon=":material/casino:",
                key="compare.run_five",
                on_click=_run_five_seeds,
                args=(study,),
                help="Stored runs are not trained again.",
            )
        if verdict.differences:
            st.plotly_chart(
                paired_differences(
                    verdict.differences,
                    settled=verdict.settled,
                    arm=f"dropout {second:g}",
                    protocol=study.base.protocol,
                    colour=arm_colour(study.dropouts.index(second)),
                ),
                key="compare.differences",
                config={"displayModeBar": False},
                alt=f"Paired differences between dropout {second:g} and {first:g} with 95% intervals",
            )


def _curves(study: Study, runs: Sequence[ArmRun]) -> None:
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
        published = _follows_the_article(study) and st.toggle(
            "The article's curves",
            key="compare.reference",
            help="As published in February 2019, for the same network and recipe: one run each, dashed and grey.",
        )
    reference = article_curves() if published else None
    arms = [
        ArmCurves(dropout, arm_colour(position), tuple(arm.epochs for arm in runs if arm.dropout == dropout))
        for position, dropout in enumerate(study.dropouts)
    ]
    name = "Validation (test set)" if study.base.protocol == "article" else "Validation"
    overlaid = layout == "overlay" or metric == "gap"
    st.html(
        line_legend(
            metric=metric,
            overlaid=overlaid,
            several_seeds=study.seeds > 1,
            with_reference=published,
            validation_name=name,
        )
    )
    if overlaid:
        figure = overlay(
            arms,
            metric=cast(Literal["loss", "accuracy", "gap"], metric),
            total_epochs=study.base.epochs,
            reference=reference,
            validation_name=name,
        )
        live_chart(figure, key="compare.overlay", height=420, alt=f"{_METRICS[metric]} of all arms over epochs")
    else:
        curve = cast(Literal["loss", "accuracy"], metric)
        panels = arm_panels(
            arms, metric=curve, total_epochs=study.base.epochs, reference=reference, validation_name=name
        )
        across = 2 if len(panels) in {2, 4} else 3
        for start in range(0, len(panels), across):
            for place, (column, figure) in enumerate(
                zip(st.columns(across), panels[start : start + across], strict=False), start
            ):
                with column:
                    live_chart(
                        figure,
                        key=f"compare.panel{place}",
                        group="compare",
                        alt=f"{_METRICS[metric]} of {arms[place].name} over epochs",
                    )
    explanations.harder_training()


def _follows_the_article(study: Study) -> bool:
    article = PRESETS[0].config
    return replace(study.base, seed=article.seed) == article


def _table(study: Study, runs: Sequence[ArmRun], reveal: bool) -> None:
    figures = arm_table(runs, reveal)
    st.subheader("Each arm's figures", anchor=False)
    st.table(study_table(figures, better_arms(runs, reveal)).set_index("Dropout"))
    st.caption(
        "Mean ± standard deviation over the seeds that have finished. ★ marks the better arm of a column, and only "
        "where the paired difference is more than noise (95% interval). The best epoch is the one with the lowest "
        "validation loss. The calibration error says how far confidence lies from accuracy."
    )
    with st.container(horizontal=True):
        if not reveal and any(arm.finished for arm in runs):
            keys = [arm.run.key for arm in runs if arm.run is not None]
            reveal_button("Reveal test figures", keys, key="compare.reveal")
        st.download_button(
            "Download as CSV",
            figures.to_csv(index=False),
            file_name="dropout-comparison.csv",
            mime="text/csv",
            icon=":material/download:",
            key="compare.csv",
        )
        first, second = (next((arm.run for arm in runs if arm.dropout == rate), None) for rate in study.dropouts[:2])
        if first is not None and second is not None and first.best_epoch and second.best_epoch:
            st.page_link(
                PAGES / "inspect.py",
                label="Inspect what changes",
                icon=":material/troubleshoot:",
                query_params={"run": first.key, "beside": second.key},
            )
