"""The form that sets up a comparison: what differs and at which levels, seeds, and one recipe for all arms."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from fmnist_core.comparison.factors import FACTORS, Factor, Level, at_default
from fmnist_core.comparison.setting_texts import typed_levels, write_levels
from fmnist_core.comparison.study import Study
from fmnist_core.config import PRESETS, Preset, RunConfig, typed_whole
from fmnist_core.data.split import check_training_images
from fmnist_core.store.database import StoreError
from fmnist_core.store.queue import LimitReachedError
from fmnist_core.store.visitor import NotYoursError
from ui import handles
from ui.forms.config_fields import fill_field, fill_form, read_form, sentence, text_field
from ui.forms.config_form import dropout_field, epochs_field, hidden_field, preset_field, usable_config
from ui.forms.more_settings import more_settings
from ui.forms.reading_form import kept_reading
from ui.guards import store_sentence
from ui.visitors import visitor

_PAGE = "compare"
ARTICLE = Study(base=RunConfig(protocol="article"), seeds=5)
ONE_CYCLE = Study(
    base=RunConfig(protocol="article", schedule="one-cycle", learning_rate=0.004, batch_size=256), seeds=5
)


def fill_study_form(study: Study) -> None:
    """Put a study into the form; to be called before the form is drawn, or in a callback."""
    fill_form(study.base, _PAGE)
    st.session_state["compare.factor"] = study.setting
    st.session_state["compare.levels"] = _levels_text(study.factor, study.levels)
    st.session_state["compare.seeds"] = str(study.seeds)


def study_form() -> Study | None:
    """Draw the form; None when something in it cannot be used, which a message beside it then says."""
    factor = _factor()
    st.selectbox(
        "What differs",
        list(FACTORS),
        format_func=lambda setting: FACTORS[setting].name,
        key="compare.factor",
        persist_state="session",
        on_change=_use_its_levels,
        help="The one setting in which the arms of the experiment differ. Everything else is the same for all of them.",
    )
    _levels_field(factor)
    left, right = st.columns(2, vertical_alignment="bottom")
    left.text_input(
        "Seeds for each arm",
        key="compare.seeds",
        persist_state="session",
        help="How often each arm is repeated from another starting point. One seed cannot tell a difference from luck.",
    )
    right.button("Use 5 seeds", key="compare.five_seeds", on_click=_use_five_seeds, width="stretch")
    preset_field(_PAGE, _presets(factor))
    if factor.setting != "hidden":
        hidden_field(_PAGE)
    if factor.setting != "dropout":
        dropout_field(_PAGE)
    left, right = st.columns(2)
    if factor.setting != "epochs":
        epochs_field(_PAGE, left)
    text_field(
        right,
        _PAGE,
        "seed",
        "First seed",
        "The seeds count up from here. Arms with the same seed share what chance decides, as far as they can.",
    )
    more_settings(_PAGE, leaving_out=factor.setting)
    if usable_config(_PAGE, with_size=factor.setting != "hidden") is None:
        return None
    try:
        return read_study_form()
    except ValueError as error:
        st.error(sentence(error), icon=":material/error:")
        return None


def example_study() -> Study:
    """A comparison in the setting that the form is about, for what can be said before there is one."""
    factor = _factor()
    return Study(base=RunConfig(), setting=factor.setting, levels=factor.levels)


def _factor() -> Factor:
    """The setting that the form is about now."""
    return FACTORS[st.session_state["compare.factor"]]


def _levels_field(factor: Factor) -> None:
    """Ask for the levels; where there are no others, say which they are."""
    if factor.kind == "choices":
        st.caption(f"Arms: {', '.join(map(factor.arm_name, factor.levels))}.")
        return
    st.text_input(
        "Dropout rates" if factor.setting == "dropout" else "Levels",
        key="compare.levels",
        persist_state="session",
        help="One arm of the experiment for each, 2 to 8 of them. " + _HOW_TYPED[factor.kind],
    )
    try:
        levels = factor.in_order(typed_levels(factor, st.session_state["compare.levels"]))
    except ValueError:
        return  # said below, with what else is wrong
    if factor.setting != "dropout":
        st.caption(f"Arms: {', '.join(map(factor.arm_name, levels))}.")


_HOW_TYPED = {
    "numbers": "Separate them by commas, or by semicolons where you write decimals with a comma.",
    "networks": "Write the sizes of a network's layers with hyphens, as 256-128-64, and separate networks by commas.",
}


def _presets(factor: Factor) -> list[Preset]:
    """The presets without the setting that differs, of which each arm has a level; those that are then alike once."""
    presets: dict[RunConfig, Preset] = {}
    for preset in PRESETS:
        config = at_default(preset.config, factor.setting)
        presets.setdefault(config, Preset(preset.name, preset.purpose, config))
    return list(presets.values())


def read_study_form() -> Study:
    """The study that the form shows now. Raises ValueError for what cannot be used."""
    factor = _factor()
    typed = factor.kind != "choices"
    levels = typed_levels(factor, st.session_state["compare.levels"]) if typed else factor.levels
    seeds: Any = typed_whole(st.session_state["compare.seeds"])  # Study says what is wrong with a text
    study = Study(base=read_form(_PAGE), setting=factor.setting, levels=levels, seeds=seeds)
    _check_images(study)
    return study


def _check_images(study: Study) -> None:
    """Raise TooFewImagesError where an arm asks for more training images than there are."""
    for config in study.configs():
        check_training_images(config, handles.dataset())


def _use_its_levels() -> None:
    factor = _factor()
    st.session_state["compare.levels"] = _levels_text(factor, factor.levels)
    # Its field is not drawn now, and what stands there is no arm's: nothing can be wrong with it.
    fill_field(_PAGE, RunConfig(), factor.setting)


def _levels_text(factor: Factor, levels: Sequence[Level]) -> str:
    return write_levels(factor, tuple(levels)).replace(",", ", ")


def _use_five_seeds() -> None:
    st.session_state["compare.seeds"] = "5"


def start_study(study: Study | None = None) -> None:
    """Ask for all runs of a study, that of the form where none is given, and put it into the address; a callback."""
    dataset = handles.dataset()
    try:
        study = study or read_study_form()
        _check_images(study)
        handles.store().request_all(study.configs(), dataset.name, dataset.fingerprint, visitor())
    except (ValueError, LimitReachedError, StoreError) as error:
        st.session_state["compare.problem"] = store_sentence("The comparison was not started", error)
        return
    handles.shared_runs().expect_news()
    handles.dispatcher().wake()
    fill_study_form(study)
    st.query_params.from_dict(study.to_address() | kept_reading(study))


def stop_runs(keys: Sequence[str]) -> None:
    """Ask the runs of a comparison to stop; a callback."""
    try:
        handles.store().cancel(*keys, by=visitor())
    except (NotYoursError, StoreError) as error:
        st.session_state["compare.problem"] = store_sentence("The runs could not be stopped", error)
    handles.shared_runs().expect_news()
