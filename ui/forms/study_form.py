"""The form that sets up a comparison: what differs and at which levels, seeds, and one recipe for all arms."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from fmnist_core.comparison.experiment import EXPERIMENT_NAMES, Experiment, experiment_from_address, study_of
from fmnist_core.comparison.factors import FACTORS, Factor, Level, at_default
from fmnist_core.comparison.grid import VALUE_LIMITS, Grid
from fmnist_core.comparison.reading import READING_NAMES
from fmnist_core.comparison.setting_texts import typed_levels, write_levels
from fmnist_core.comparison.study import ARM_LIMITS, Study
from fmnist_core.config import PRESETS, Preset, RunConfig, typed_whole
from fmnist_core.data.split import check_training_images
from fmnist_core.store.database import StoreError
from fmnist_core.store.queue import LimitReachedError
from fmnist_core.store.visitor import NotYoursError
from ui import handles, link
from ui.forms.config_fields import fill_field, fill_form, read_form, sentence, settle_form, text_field
from ui.forms.config_form import dropout_field, epochs_field, hidden_field, preset_field, usable_config
from ui.forms.more_settings import more_settings
from ui.forms.reading_form import kept_reading
from ui.guards import store_sentence
from ui.page_state import PageState
from ui.shown_controls import shows
from ui.visitors import visitor

_PAGE = "compare"
ARTICLE = Study(base=RunConfig(protocol="article"), seeds=5)
ONE_CYCLE = Study(
    base=RunConfig(protocol="article", schedule="one-cycle", learning_rate=0.004, batch_size=256), seeds=5
)


def fill_study_form(experiment: Experiment) -> None:
    """Put an experiment into the form; to be called before the form is drawn, or in a callback."""
    study, grid = study_of(experiment), experiment if isinstance(experiment, Grid) else None
    fill_form(study.base, _PAGE)
    st.session_state["compare.across"] = grid.across if grid else None
    st.session_state["compare.values"] = _levels_text(grid.second, grid.values) if grid else ""
    st.session_state["compare.factor"] = study.setting
    st.session_state["compare.levels"] = _levels_text(study.factor, study.levels)
    st.session_state["compare.seeds"] = str(study.seeds)


def study_form() -> Experiment | None:
    """Draw the form; None when something in it cannot be used, which a message beside it then says."""
    factor = _factor()
    if shows("factor"):
        _factor_fields(factor)
    second = _second()
    if shows("across"):
        _second_fields(factor, second)
    shown = {factor.setting} | ({second.setting} if second else set())
    if shows("seeds"):
        _seeds_field()
    preset_field(_PAGE, _presets(shown))
    if "hidden" not in shown:
        hidden_field(_PAGE)
    if "dropout" not in shown:
        dropout_field(_PAGE)
    left, right = st.columns(2)
    if "epochs" not in shown:
        epochs_field(_PAGE, left)
    if shows("seed"):
        text_field(
            right,
            _PAGE,
            "seed",
            "First seed",
            "The seeds count up from here. Arms with the same seed share what chance decides, as far as they can.",
        )
    more_settings(_PAGE, leaving_out=shown)
    if usable_config(_PAGE, with_size="hidden" not in shown) is None:
        return None
    try:
        experiment = read_study_form()
    except ValueError as error:
        st.error(sentence(error), icon=":material/error:")
        return None
    if isinstance(experiment, Grid):
        st.caption(f"{len(experiment.configs())} runs")
    return experiment


def _factor_fields(factor: Factor) -> None:
    st.selectbox(
        "What differs",
        list(FACTORS),
        format_func=lambda setting: FACTORS[setting].name,
        key="compare.factor",
        persist_state="session",
        on_change=_use_its_levels,
        args=("compare.factor", "compare.levels"),
        help="The one setting in which the arms of the experiment differ. Everything else is the same for all of them.",
    )
    _levels_field(factor, "compare.levels")


def _second_fields(factor: Factor, second: Factor | None) -> None:
    st.selectbox(
        "Across",
        [setting for setting in FACTORS if setting != factor.setting],
        format_func=lambda setting: FACTORS[setting].name,
        index=None,
        placeholder="Nothing else",
        key="compare.across",
        persist_state="session",
        on_change=_use_its_levels,
        args=("compare.across", "compare.values"),
        help="A second setting: the comparison is made again at each of its values, which shows when it helps.",
    )
    if second is not None:
        _levels_field(second, "compare.values")


def _seeds_field() -> None:
    left, right = st.columns(2, vertical_alignment="bottom")
    left.text_input(
        "Seeds for each arm",
        key="compare.seeds",
        persist_state="session",
        help="How often each arm is repeated from another starting point. One seed cannot tell a difference from luck; "
        "5, 10 and 20 tell most.",
    )
    right.button("Use 5 seeds", key="compare.five_seeds", on_click=_use_five_seeds, width="stretch")


def example_study() -> Study:
    """A comparison in the setting that the form is about, for what can be said before there is one."""
    factor = _factor()
    return Study(base=RunConfig(), setting=factor.setting, levels=factor.levels)


def _shown() -> Experiment:
    """The experiment that the address names, or else the one that the form starts with."""
    start: Experiment = st.session_state.get("compare.start_experiment", experiment_from_address({}))
    try:
        return experiment_from_address(said) if (said := link.values(EXPERIMENT_NAMES)) else start
    except ValueError:
        return start  # the page itself says what is wrong


def _say_draft() -> Mapping[str, str]:
    if "compare.levels" not in st.session_state:
        return {}
    try:
        draft = read_study_form()
    except ValueError:
        return link.values(DRAFT_STATE.names)
    return {} if draft == _shown() else {"draft": urlencode(draft.to_address())}


def _take_draft(said: Mapping[str, str]) -> None:
    fill_study_form(experiment_from_address(dict(parse_qsl(said["draft"]))) if "draft" in said else _shown())


# What the form shows, where that is not the experiment beside it: what is set up and not yet started.
DRAFT_STATE = PageState({"draft"}, _say_draft, _take_draft)


def _factor() -> Factor:
    """The setting that the form is about now."""
    return FACTORS[st.session_state["compare.factor"]]


def _second() -> Factor | None:
    """The setting that the form's comparison goes across, if any; the one that differs can be none."""
    across = st.session_state.get("compare.across")
    if across == st.session_state["compare.factor"]:
        across = st.session_state["compare.across"] = None
    return FACTORS[across] if across else None


def _levels_field(factor: Factor, key: str) -> None:
    """Ask for the levels of a setting; where there are no others, say which they are."""
    are_arms = key == "compare.levels"
    called = "Arms" if are_arms else "At"
    if factor.kind == "choices":
        st.caption(f"{called}: {', '.join(map(factor.arm_name, factor.levels))}.")
        return
    name = ("Dropout rates" if factor.setting == "dropout" else "Levels") if are_arms else "Values"
    (fewest, most), each = (ARM_LIMITS, "One arm of the experiment") if are_arms else (VALUE_LIMITS, "One comparison")
    st.text_input(
        name,
        key=key,
        persist_state="session",
        help=f"{each} for each, {fewest} to {most} of them. {_HOW_TYPED[factor.kind]}",
    )
    try:
        levels = factor.in_order(typed_levels(factor, st.session_state[key]))
    except ValueError:
        return  # said below, with what else is wrong
    if factor.setting != "dropout":
        st.caption(f"{called}: {', '.join(map(factor.arm_name, levels))}.")


_HOW_TYPED = {
    "numbers": "Separate them by commas, or by semicolons where you write decimals with a comma.",
    "networks": "Write the sizes of a network's layers with hyphens, as 256-128-64, and separate networks by commas.",
}


def _presets(differing: Collection[str]) -> list[Preset]:
    """The presets without the settings that differ, of which they have no one value; those that are then alike once."""
    presets: dict[RunConfig, Preset] = {}
    for preset in PRESETS:
        config = preset.config
        for setting in differing:
            config = at_default(config, setting)
        presets.setdefault(config, Preset(preset.name, preset.purpose, config))
    return list(presets.values())


def read_study_form() -> Experiment:
    """The experiment that the form shows now. Raises ValueError for what cannot be used."""
    factor, second = _factor(), _second()
    seeds: Any = typed_whole(st.session_state["compare.seeds"])  # Study says what is wrong with a text
    levels = _read_levels(factor, "compare.levels")
    study = Study(base=read_form(_PAGE), setting=factor.setting, levels=levels, seeds=seeds)
    experiment = (
        study
        if second is None
        else Grid(study=study, across=second.setting, values=_read_levels(second, "compare.values"))
    )
    _check_images(experiment)
    return experiment


def _read_levels(factor: Factor, key: str) -> tuple[Level, ...]:
    return factor.levels if factor.kind == "choices" else typed_levels(factor, st.session_state[key])


def _check_images(experiment: Experiment) -> None:
    """Raise TooFewImagesError where a run asks for more training images than there are."""
    for config in experiment.configs():
        check_training_images(config, handles.dataset())


def _use_its_levels(setting_key: str, levels_key: str) -> None:
    """Begin with the levels of the setting that was just chosen under `setting_key`."""
    setting = st.session_state[setting_key]
    st.session_state[levels_key] = _levels_text(FACTORS[setting], FACTORS[setting].levels) if setting else ""
    if setting:
        # Its field is not drawn now, and what stands there is no arm's: nothing can be wrong with it.
        fill_field(_PAGE, RunConfig(), setting)


def _levels_text(factor: Factor, levels: Sequence[Level]) -> str:
    return write_levels(factor, tuple(levels)).replace(",", ", ")


def _use_five_seeds() -> None:
    settle_form(_PAGE)
    st.session_state["compare.seeds"] = "5"


def start_study(experiment: Experiment | None = None) -> None:
    """Ask for all runs of an experiment, the form's where none is given, and put it into the address; a callback."""
    dataset = handles.dataset()
    settle_form(_PAGE)
    try:
        experiment = experiment or read_study_form()
        _check_images(experiment)
        handles.store().request_all(experiment.configs(), dataset.name, dataset.fingerprint, visitor())
    except (ValueError, LimitReachedError, StoreError) as error:
        st.session_state["compare.problem"] = store_sentence("The comparison was not started", error)
        return
    handles.shared_runs().expect_news()
    handles.dispatcher().wake()
    open_comparison(experiment)


def open_comparison(experiment: Experiment) -> None:
    """Put an experiment into form and address; a callback."""
    fill_study_form(experiment)
    reading = kept_reading(experiment) if isinstance(experiment, Study) else {}
    link.replace({*EXPERIMENT_NAMES, *READING_NAMES, *DRAFT_STATE.names}, experiment.to_address() | reading)


def stop_runs(keys: Sequence[str]) -> None:
    """Ask the runs of a comparison to stop; a callback."""
    try:
        handles.store().cancel(*keys, by=visitor())
    except (NotYoursError, StoreError) as error:
        st.session_state["compare.problem"] = store_sentence("The runs could not be stopped", error)
        return
    handles.shared_runs().wait_until_ended(keys)
