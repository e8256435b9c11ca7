"""The form that makes a RunConfig: presets, every field with a line of help, and messages beside what is wrong."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fmnist_core import config as limits
from fmnist_core.config import (
    PRESETS,
    Preset,
    RunConfig,
    count_parameters,
    parse_hidden,
    preset_of,
    typed_number,
    typed_whole,
)
from fmnist_core.wording import number_text
from ui.wording import plain

_SCHEDULES = {"constant": "Constant", "one-cycle": "One cycle"}
_PROTOCOLS = {"held-out": "Held-out validation", "article": "Article: test set"}
_PLAIN_FIELDS = (
    "dropout",
    "batch_norm",
    "learning_rate",
    "schedule",
    "batch_size",
    "epochs",
    "weight_decay",
    "label_smoothing",
    "flips",
    "protocol",
    "seed",
)
# Numbers are typed as text. A number field would send nothing of what is out of its range, nor of what it cannot read,
# and what runs would not be what is seen.
_READ: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("learning_rate", "weight_decay", "label_smoothing"), typed_number),
    **dict.fromkeys(("batch_size", "epochs", "seed"), typed_whole),
}


def fill_form(config: RunConfig, page: str = "train") -> None:
    """Put a config into a page's form; to be called before the form is drawn, or in a callback."""
    st.session_state[f"{page}.hidden"] = ", ".join(map(str, config.hidden))
    for name in _PLAIN_FIELDS:
        value = getattr(config, name)
        st.session_state[f"{page}.{name}"] = number_text(value) if name in _READ else value


def config_form() -> RunConfig | None:
    """Draw the Train page's form; None when something in it cannot be used, which a message beside it then says."""
    preset_field("train", PRESETS)
    problem = hidden_field("train")
    dropout_field("train")
    left, right = st.columns(2)
    epochs_field("train", left)
    right.text_input(
        "Seed",
        key="train.seed",
        persist_state="session",
        help="The starting point of all chance: split, first weights, order of images. Same seed, same result.",
    )
    more_settings("train")
    return None if problem else usable_config("train")


def preset_field(page: str, presets: Sequence[Preset]) -> None:
    """Choose what to start from. The choice shown is always the preset that the fields equal, if any."""
    state = st.session_state
    if f"{page}.hidden" not in state:
        fill_form(presets[0].config, page)
    if (overtaken := _overtaken_preset(page)) is not None:
        fill_form(overtaken, page)
        del state[f"{page}.replaced"]
    elif not state.pop(f"{page}.just_applied", False):
        state.pop(f"{page}.replaced", None)  # the browser has shown the preset's fields by now
    try:
        chosen = preset_of(read_form(page), presets)
    except ValueError:
        chosen = None
    state[f"{page}.preset"] = chosen.name if chosen else None

    def apply() -> None:
        for preset in presets:
            if preset.name == state[f"{page}.preset"]:
                state[f"{page}.replaced"] = (preset.name, _fields(page), preset.config)
                state[f"{page}.just_applied"] = True
                fill_form(preset.config, page)

    st.radio(
        "Start from",
        [preset.name for preset in presets],
        index=None,
        horizontal=True,
        key=f"{page}.preset",
        on_change=apply,
        help="A preset fills in every field below. Change any of them afterwards.",
    )
    st.caption(chosen.purpose if chosen else "Your own recipe.")


def hidden_field(page: str) -> bool:
    """Ask for the hidden layers; return whether what stands there is a problem, which a message then says."""
    text = st.text_input(
        "Hidden layers",
        key=f"{page}.hidden",
        persist_state="session",
        help="Units in each hidden layer, from input to output: 1 to 6 layers of 8 to 2048 units.",
    )
    try:
        RunConfig(hidden=parse_hidden(text))
    except ValueError as error:
        st.error(sentence(error), icon=":material/error:")
        return True
    return False


def dropout_field(page: str) -> None:
    """Ask for the dropout rate."""
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
    place.text_input(
        "Epochs",
        key=f"{page}.epochs",
        persist_state="session",
        help="How often the network sees every training image.",
    )


def usable_config(page: str, *, with_size: bool = True) -> RunConfig | None:
    """The form's config, and its size unless that is what differs; None, with a message, when it cannot be used."""
    try:
        config = read_form(page)
    except ValueError as error:
        st.error(sentence(error), icon=":material/error:")
        return None
    if with_size:
        st.caption(f"{count_parameters(config):,} parameters")
    return config


def new_seed() -> None:
    """Put a fresh seed into the form; a callback."""
    st.session_state["train.seed"] = str(random.randrange(10_000))


def more_settings(page: str, leaving_out: str = "") -> None:
    """The fields that most visitors leave alone, folded away; without the one that a comparison is about."""
    with st.expander("More settings"):
        _more_settings(page, leaving_out)


def _more_settings(page: str, leaving_out: str) -> None:
    if leaving_out != "batch_norm":
        st.toggle(
            "Batch normalisation",
            key=f"{page}.batch_norm",
            persist_state="session",
            help="Rescales what enters each hidden layer's ReLU, batch by batch. Learning gets faster and steadier.",
        )
    if leaving_out != "flips":
        st.toggle(
            "Horizontal flips",
            key=f"{page}.flips",
            persist_state="session",
            help="Mirrors half of the training images at random, which makes more of the same data.",
        )
    left, right = st.columns(2)
    if leaving_out != "learning_rate":
        left.text_input(
            "Learning rate",
            key=f"{page}.learning_rate",
            persist_state="session",
            help="How far each step moves the weights. With one cycle: the highest rate on the way.",
        )
    if leaving_out != "schedule":
        right.selectbox(
            "Schedule",
            list(_SCHEDULES),
            format_func=_SCHEDULES.__getitem__,
            key=f"{page}.schedule",
            persist_state="session",
            help="Constant keeps the learning rate. One cycle raises it over a fifth of the run, then lowers it to 0.",
        )
    if leaving_out != "batch_size":
        left.text_input(
            "Batch size",
            key=f"{page}.batch_size",
            persist_state="session",
            help="Images a step. Larger batches make fewer and smoother steps.",
        )
    if leaving_out != "weight_decay":
        right.text_input(
            "Weight decay",
            key=f"{page}.weight_decay",
            persist_state="session",
            help="Pulls all weights towards zero a little at each step (AdamW). Another remedy against overfitting.",
        )
    if leaving_out != "label_smoothing":
        left.text_input(
            "Label smoothing",
            key=f"{page}.label_smoothing",
            persist_state="session",
            help="Spreads this share of each label over all classes, so that the network grows less sure of itself.",
        )
    right.selectbox(
        "Validation on",
        list(_PROTOCOLS),
        format_func=_PROTOCOLS.__getitem__,
        key=f"{page}.protocol",
        persist_state="session",
        help="Held-out: one sixth of the training images are kept for validation. Article: trains on all of them and "
        "validates on the test set, which makes its best epoch look better than it is.",
    )


def read_form(page: str = "train") -> RunConfig:
    """The config that a page's form shows now. Raises ValueError for what cannot be used."""
    if (overtaken := _overtaken_preset(page)) is not None:
        return overtaken
    values = _fields(page)
    numbers = {name: read(values[name]) for name, read in _READ.items()}
    return RunConfig(**{**values, **numbers, "hidden": parse_hidden(values["hidden"])})


def _fields(page: str) -> dict[str, Any]:
    return {name: st.session_state[f"{page}.{name}"] for name in ("hidden", *_PLAIN_FIELDS)}


def _overtaken_preset(page: str) -> RunConfig | None:
    """The preset that was just chosen, where the browser has sent the fields as they were before it.

    A visitor who chooses a preset and presses a button at once sends the new choice with the old fields: the
    preset's have not reached the browser yet. What was meant is the preset.
    """
    replaced: tuple[str, dict[str, Any], RunConfig] | None = st.session_state.get(f"{page}.replaced")
    if replaced is None:
        return None
    name, before, config = replaced
    if name != st.session_state.get(f"{page}.preset") or before != _fields(page):
        return None
    return config


def sentence(error: ValueError) -> str:
    """An error's message as a sentence of its own."""
    text = plain(str(error))
    return f"{text[:1].upper()}{text[1:]}."
