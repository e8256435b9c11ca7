"""The form that makes a RunConfig: presets, every field with a line of help, and messages beside what is wrong."""

import random
from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fmnist_core import config as limits
from fmnist_core.config import PRESETS, Preset, RunConfig, count_parameters, preset_of
from ui.forms.config_fields import (
    fill_form,
    overtaken_preset,
    preset_key,
    problem,
    problems,
    read_form,
    settle_form,
    shown,
    text_field,
)
from ui.forms.more_settings import more_settings
from ui.shown_controls import shows


def config_form() -> RunConfig | None:
    """Draw the Train page's form; None when something in it cannot be used, which a message beside it then says."""
    preset_field("train", PRESETS)
    hidden_field("train")
    dropout_field("train")
    left, right = st.columns(2)
    epochs_field("train", left)
    if shows("seed"):
        text_field(
            right,
            "train",
            "seed",
            "Seed",
            "The starting point of all chance: split, first weights, order of images. Same seed, same result.",
        )
    more_settings("train")
    return usable_config("train")


def preset_field(page: str, presets: Sequence[Preset]) -> None:
    """Choose what to start from. The choice shown is always the preset that the fields equal, if any."""
    state = st.session_state
    if f"{page}.hidden" not in state:
        fill_form(presets[0].config, page)
    if (overtaken := overtaken_preset(page)) is not None:
        fill_form(overtaken, page)
        del state[f"{page}.replaced"]
    elif not state.pop(f"{page}.just_applied", False):
        state.pop(f"{page}.replaced", None)  # the browser has shown the preset's fields by now
    try:
        chosen = preset_of(read_form(page), presets)
    except ValueError:
        chosen = None
    name = chosen.name if chosen else None
    key = preset_key(page)
    if key in state and state[key] != name:
        # An edit has ended the choice. A browser that does not know yet sends the old one with the next edit, or with a
        # click on Train, which looks as if it had just been made: from under an earlier key it means nothing.
        state[f"{page}.preset_edits"] = state.get(f"{page}.preset_edits", 0) + 1
        key = preset_key(page)
    state[key] = name
    if not shows("preset"):
        return

    def apply() -> None:
        if key != preset_key(page):
            return
        for preset in presets:
            if preset.name == state[key]:
                state[f"{page}.replaced"] = (preset.name, shown(page), preset.config)
                state[f"{page}.just_applied"] = True
                fill_form(preset.config, page)

    st.radio(
        "Start from",
        [preset.name for preset in presets],
        index=None,
        horizontal=True,
        key=key,
        on_change=apply,
        help="A preset fills in every field below. Change any of them afterwards.",
    )
    st.caption(chosen.purpose if chosen else "Your own recipe.")


def hidden_field(page: str) -> None:
    """Ask for the hidden layers; a message below says what is wrong with them."""
    if not shows("hidden"):
        return
    st.text_input(
        "Hidden layers",
        key=f"{page}.hidden",
        persist_state="session",
        help="Units in each hidden layer, from input to output: 1 to 6 layers of 8 to 2048 units.",
    )
    if (words := problem(page, "hidden")) is not None:
        st.error(words, icon=":material/error:")


def dropout_field(page: str) -> None:
    """Ask for the dropout rate."""
    if not shows("dropout"):
        return
    st.slider(
        "Dropout",
        *limits.DROPOUT_LIMITS,
        step=0.05,
        key=f"{page}.dropout",
        persist_state="session",
        help="The chance that a hidden unit is switched off in a training step. 0 trains without dropout.",
    )


def epochs_field(page: str, place: DeltaGenerator) -> None:
    """Ask for the number of epochs."""
    if shows("epochs"):
        text_field(place, page, "epochs", "Epochs", "How often the network sees every training image.")


def usable_config(page: str, *, with_size: bool = True) -> RunConfig | None:
    """The form's config, and its size unless that is what differs; None where something in it cannot be used.

    What that is stands here once more, naming its field: the field may be folded away, or scrolled out of sight.
    """
    wrong = problems(page)
    if elsewhere := [words for name, words in wrong.items() if name != "hidden"]:
        st.error("\n\n".join(elsewhere), icon=":material/error:")
    if wrong:
        return None
    config = read_form(page)
    if with_size:
        st.caption(f"{count_parameters(config):,} parameters")
    return config


def new_seed() -> None:
    """Put a fresh seed into the form; a callback."""
    settle_form("train")
    st.session_state["train.seed"] = str(random.randrange(10_000))
