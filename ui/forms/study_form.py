"""The form that sets up a comparison: dropout rates, seeds, and one recipe for all of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from fmnist_core.comparison.study import Study, parse_dropouts
from fmnist_core.config import PRESETS, Preset, RunConfig, typed_whole
from fmnist_core.store.database import StoreError
from fmnist_core.store.queue import LimitReachedError
from fmnist_core.store.visitor import NotYoursError
from ui import handles
from ui.forms.config_form import (
    epochs_field,
    fill_form,
    hidden_field,
    more_settings,
    preset_field,
    read_form,
    sentence,
    usable_config,
)
from ui.guards import store_sentence
from ui.visitors import visitor

_PAGE = "compare"
# A preset's own dropout plays no part here: the arms set it.
_PRESETS = tuple(
    Preset(preset.name, preset.purpose, replace(preset.config, dropout=0.0))
    for preset in PRESETS
    if preset.name != "Article with dropout 0.2"
)
ARTICLE = Study(base=RunConfig(protocol="article"), seeds=5)
ONE_CYCLE = Study(
    base=RunConfig(protocol="article", schedule="one-cycle", learning_rate=0.004, batch_size=256), seeds=5
)


def fill_study_form(study: Study) -> None:
    """Put a study into the form; to be called before the form is drawn, or in a callback."""
    fill_form(study.base, _PAGE)
    st.session_state["compare.dropouts"] = ", ".join(f"{dropout:g}" for dropout in study.dropouts)
    st.session_state["compare.seeds"] = str(study.seeds)


def study_form() -> Study | None:
    """Draw the form; None when something in it cannot be used, which a message beside it then says."""
    st.text_input(
        "Dropout rates",
        key="compare.dropouts",
        persist_state="session",
        help="One arm of the experiment for each rate, 2 to 8 of them. 0 trains without dropout.",
    )
    left, right = st.columns(2, vertical_alignment="bottom")
    left.text_input(
        "Seeds for each arm",
        key="compare.seeds",
        persist_state="session",
        help="How often each arm is repeated from another starting point. One seed cannot tell a difference from luck.",
    )
    right.button("Use 5 seeds", key="compare.five_seeds", on_click=_use_five_seeds, width="stretch")
    preset_field(_PAGE, _PRESETS)
    problem = hidden_field(_PAGE)
    left, right = st.columns(2)
    epochs_field(_PAGE, left)
    right.text_input(
        "First seed",
        key="compare.seed",
        persist_state="session",
        help="The seeds count up from here. Arms with the same seed share split, first weights and batch order.",
    )
    more_settings(_PAGE)
    if problem or usable_config(_PAGE) is None:
        return None
    try:
        return read_study_form()
    except ValueError as error:
        st.error(sentence(error), icon=":material/error:")
        return None


def read_study_form() -> Study:
    """The study that the form shows now. Raises ValueError for what cannot be used."""
    seeds: Any = typed_whole(st.session_state["compare.seeds"])  # Study says what is wrong with a text
    return Study(base=read_form(_PAGE), dropouts=parse_dropouts(st.session_state["compare.dropouts"]), seeds=seeds)


def _use_five_seeds() -> None:
    st.session_state["compare.seeds"] = "5"


def start_study(study: Study | None = None) -> None:
    """Ask for all runs of a study, that of the form where none is given, and put it into the address; a callback."""
    dataset = handles.dataset()
    try:
        study = study or read_study_form()
        handles.store().request_all(study.configs(), dataset.name, dataset.fingerprint, visitor())
    except (ValueError, LimitReachedError, StoreError) as error:
        st.session_state["compare.problem"] = store_sentence("The comparison was not started", error)
        return
    handles.shared_runs().expect_news()
    handles.dispatcher().wake()
    fill_study_form(study)
    st.query_params.from_dict(study.to_address())


def stop_runs(keys: Sequence[str]) -> None:
    """Ask the runs of a comparison to stop; a callback."""
    try:
        handles.store().cancel(*keys, by=visitor())
    except (NotYoursError, StoreError) as error:
        st.session_state["compare.problem"] = store_sentence("The runs could not be stopped", error)
    handles.shared_runs().expect_news()
