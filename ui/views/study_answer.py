"""What a comparison found: the answer with its differences, and the table of its arms."""

from dataclasses import replace

import streamlit as st

from fmnist_core.charts.colours import arm_colour
from fmnist_core.charts.difference_chart import paired_differences
from fmnist_core.comparison.conditions import trained_apart
from fmnist_core.comparison.factors import Level
from fmnist_core.comparison.peeking import FIRST_LOOK
from fmnist_core.comparison.progress import Collected
from fmnist_core.comparison.reading import Reading, epoch_caption
from fmnist_core.comparison.study import Study
from fmnist_core.wording import capitalised
from ui import drawn_once, link
from ui.forms.study_form import start_study
from ui.page_files import PAGES
from ui.reveal import reveal_button
from ui.shown_controls import shows
from ui.views.take_away import take_away_study
from ui.wording import plain


def choose_second(study: Study, level: Level) -> None:
    """Have the answer be about this level and the first, where a comparison has more than two; a callback."""
    if len(study.levels) > 2:
        st.session_state[_second_key(study)] = level


def _second_key(study: Study) -> str:
    return f"compare.second.{study.setting}"


def show_answer(study: Study, now: Collected, reveal: bool, reading: Reading) -> None:
    """Draw what may be said of two arms, the differences that carry it, and the menu of what to take along."""
    factor = study.factor
    first, *others = study.levels
    second = others[0]
    if len(others) > 1:
        key = _second_key(study)
        if st.session_state.get(key) not in others:
            st.session_state[key] = second
        second = st.segmented_control(
            f"Compare {factor.arm_name(first)} with", others, required=True, format_func=factor.label, key=key
        )
    verdict = drawn_once.verdict_of(study, now, now.state, first, second, reveal, reading)
    with st.container(border=True):
        st.subheader(plain(verdict.headline), anchor=False)
        for sentence in verdict.sentences:
            st.write(plain(sentence))
        if (
            study.seeds < FIRST_LOOK
            and shows("seeds")
            and st.button(
                "Run five seeds",
                icon=":material/casino:",
                key="compare.run_five",
                on_click=start_study,
                args=(replace(study, seeds=5),),
                help="Stored runs are not trained again.",
            )
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
        if shows("take_away"):
            take_away_study(study, now, second, reveal, reading)


def _epoch_said(study: Study, reading: Reading, begin: str = "Taken") -> str:
    epochs = reading.views(study.shared_epochs)
    return epoch_caption(reading.epoch, study.base.protocol, epochs, begin)


def show_table(study: Study, now: Collected, reveal: bool, reading: Reading) -> None:
    """Draw each arm's figures."""
    runs = now.runs
    words = drawn_once.arm_words_of(study, now, now.state, reveal, reading.epoch)
    st.subheader("Each arm's figures", anchor=False)
    st.table(words.set_index(study.factor.name))
    st.caption(
        "Mean ± standard deviation over the seeds that have finished. ★ marks the arm that is better than every other "
        "in a figure that the answer is about, by the same rule. "
        f"{_epoch_said(study, reading, begin='Stars are given')} "
        "The best epoch is the one with the lowest validation loss. The calibration error says how far confidence lies "
        "from accuracy."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if not reveal and any(arm.finished for arm in runs):
            keys = [arm.run.key for arm in runs if arm.run is not None]
            reveal_button("Reveal test figures", keys, key="compare.reveal")
        st.link_button(
            "On a slide",
            link.to_slide("compare", study.to_address()),
            icon=":material/slideshow:",
            help="Opens the arms' curves alone, in a tab of its own. They stay live.",
        )
        first, second = (next((arm.run for arm in runs if arm.level == level), None) for level in study.levels[:2])
        if first is not None and second is not None and first.best_epoch and second.best_epoch:
            st.page_link(
                PAGES / "inspect.py",
                label="Inspect what changes",
                icon=":material/troubleshoot:",
                query_params={"run": first.key, "beside": second.key},
            )
