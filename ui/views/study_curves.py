"""The curves of a comparison's arms, as a visitor wants to see them."""

from dataclasses import replace
from typing import NamedTuple

import streamlit as st

from fmnist_core.charts.arm_curves import line_legend
from fmnist_core.charts.mean_curves import CurveMetric
from fmnist_core.comparison.progress import Collected
from fmnist_core.comparison.study import Study
from fmnist_core.config import PRESETS
from ui import drawn_once
from ui.components.live_chart import live_chart
from ui.forms.curve_fields import AXES, METRICS, axis_field, metric_field
from ui.page_state import choice, keep_in_address, switch
from ui.shown_controls import shows
from ui.views import explanations

_LAYOUTS = {"panels": "Side by side", "overlay": "In one chart"}
CURVES_STATE = (
    choice("curves", "compare.metric", list(METRICS), "loss"),
    choice("layout", "compare.layout", list(_LAYOUTS), "panels"),
    choice("over", "compare.axis", list(AXES), "epochs"),
    switch("article", "compare.reference"),
)


class Look(NamedTuple):
    """How a visitor wants to see the curves."""

    metric: CurveMetric
    overlaid: bool
    with_published: bool
    over_seconds: bool


NO_LOOK = Look("loss", overlaid=False, with_published=False, over_seconds=False)


def show_curves(study: Study, now: Collected) -> Look:
    """Draw the curves as the visitor wants to see them, and return how that is."""
    look = _look_fields(study) if shows("curves") else NO_LOOK
    metric, overlaid = look.metric, look.overlaid
    name = "Validation (test set)" if study.base.protocol == "article" else "Validation"
    with_dropout = any(config.dropout > 0 for config in study.configs())
    st.html(
        line_legend(
            metric=metric,
            overlaid=overlaid,
            several_seeds=study.seeds > 1,
            with_reference=look.with_published,
            with_dropout=with_dropout,
            validation_name=name,
        )
    )
    over = "seconds" if look.over_seconds else "epochs"
    charts = charts_of(study, now, look)
    if overlaid:
        (key,) = charts
        alt = f"{METRICS[metric]} of all arms over {over}"
        live_chart(charts[key], key=key, height=420, alt=alt, edition=now.version)
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
                        alt=f"{METRICS[metric]} of {study.factor.arm_name(level)} over {over}",
                        edition=now.version,
                    )
    if with_dropout:
        explanations.harder_training()
    return look


def _look_fields(study: Study) -> Look:
    st.session_state.setdefault("compare.layout", "panels")
    keep_in_address("compare", *CURVES_STATE, key="compare.curves_address")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = metric_field("compare")
        layout = st.segmented_control(
            "Arms",
            list(_LAYOUTS),
            format_func=_LAYOUTS.__getitem__,
            required=True,
            key="compare.layout",
            persist_state="session",
            disabled=metric == "gap",
            help="The gap of all arms is always drawn in one chart.",
        )
        over = axis_field("compare")
        published = _follows_the_article(study) and st.toggle(
            "The article's curves",
            key="compare.reference",
            persist_state="session",
            help="As published in February 2019, for the same network and recipe: one run each, dashed and grey.",
        )
    return Look(metric, layout == "overlay" or metric == "gap", published, over == "seconds")


def charts_of(study: Study, now: Collected, look: Look) -> dict[str, str]:
    """The arms' curves for `live_chart`, under their keys."""
    figures = drawn_once.arm_curves_of(study, now, now.version, *look)
    keys = ["compare.overlay"] if look.overlaid else [f"compare.panel{place}" for place in range(len(figures))]
    return dict(zip(keys, figures, strict=True))


def _follows_the_article(study: Study) -> bool:
    article = PRESETS[0].config
    return study.setting == "dropout" and replace(study.base, seed=article.seed) == article
