"""The form that makes a RunConfig: presets, every field with a line of help, and messages beside what is wrong."""

import random

import streamlit as st

from fmnist_core import config as limits
from fmnist_core.config import PRESETS, RunConfig, parse_hidden, preset_of
from fmnist_core.model import count_parameters
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


def fill_form(config: RunConfig) -> None:
    """Put a config into the form; to be called before the form is drawn, or in a callback."""
    st.session_state["train.hidden"] = ", ".join(map(str, config.hidden))
    for name in _PLAIN_FIELDS:
        st.session_state[f"train.{name}"] = getattr(config, name)


def config_form() -> RunConfig | None:
    """Draw the form; None when something in it cannot be used, which a message beside it then says."""
    state = st.session_state
    if "train.hidden" not in state:
        fill_form(PRESETS[0].config)
    try:
        chosen = preset_of(read_form())
    except ValueError:
        chosen = None
    state["train.preset"] = chosen.name if chosen else None
    st.radio(
        "Start from",
        [preset.name for preset in PRESETS],
        index=None,
        horizontal=True,
        key="train.preset",
        on_change=_apply_preset,
        help="A preset fills in every field below. Change any of them afterwards.",
    )
    st.caption(chosen.purpose if chosen else "Your own recipe.")
    st.text_input(
        "Hidden layers",
        key="train.hidden",
        persist_state="session",
        help="Units in each hidden layer, from input to output: 1 to 6 layers of 8 to 2048 units.",
    )
    problem = _hidden_problem(state["train.hidden"])
    if problem:
        st.error(problem, icon=":material/error:")
    st.slider(
        "Dropout",
        *limits.DROPOUT_LIMITS,
        step=0.05,
        key="train.dropout",
        persist_state="session",
        help="The chance that a hidden unit is switched off in a training step. 0 trains without dropout.",
    )
    left, right = st.columns(2)
    left.number_input(
        "Epochs",
        *limits.EPOCH_LIMITS,
        step=1,
        key="train.epochs",
        persist_state="session",
        help="How often the network sees every training image.",
    )
    right.number_input(
        "Seed",
        *limits.SEED_LIMITS,
        step=1,
        key="train.seed",
        persist_state="session",
        help="The starting point of all chance: split, first weights, order of images. Same seed, same result.",
    )
    with st.expander("More settings"):
        _more_settings()
    if problem:
        return None
    try:
        config = read_form()
    except ValueError as error:
        st.error(_sentence(error), icon=":material/error:")
        return None
    st.caption(f"{count_parameters(config):,} parameters")
    return config


def new_seed() -> None:
    """Put a fresh seed into the form; a callback."""
    st.session_state["train.seed"] = random.randrange(10_000)


def _more_settings() -> None:
    st.toggle(
        "Batch normalisation",
        key="train.batch_norm",
        persist_state="session",
        help="Rescales what enters each hidden layer's ReLU, batch by batch. Learning gets faster and steadier.",
    )
    st.toggle(
        "Horizontal flips",
        key="train.flips",
        persist_state="session",
        help="Mirrors half of the training images at random, which makes more of the same data.",
    )
    left, right = st.columns(2)
    left.number_input(
        "Learning rate",
        *limits.LEARNING_RATE_LIMITS,
        step=0.001,
        format="%.6g",
        key="train.learning_rate",
        persist_state="session",
        help="How far each step moves the weights. With one cycle: the highest rate on the way.",
    )
    right.selectbox(
        "Schedule",
        list(_SCHEDULES),
        format_func=_SCHEDULES.__getitem__,
        key="train.schedule",
        persist_state="session",
        help="Constant keeps the learning rate. One cycle raises it over a fifth of the run, then lowers it to zero.",
    )
    left.number_input(
        "Batch size",
        *limits.BATCH_SIZE_LIMITS,
        step=8,
        key="train.batch_size",
        persist_state="session",
        help="Images a step. Larger batches make fewer and smoother steps.",
    )
    right.number_input(
        "Weight decay",
        *limits.WEIGHT_DECAY_LIMITS,
        step=0.01,
        format="%.4g",
        key="train.weight_decay",
        persist_state="session",
        help="Pulls all weights towards zero a little at each step (AdamW). Another remedy against overfitting.",
    )
    left.number_input(
        "Label smoothing",
        *limits.LABEL_SMOOTHING_LIMITS,
        step=0.01,
        format="%.4g",
        key="train.label_smoothing",
        persist_state="session",
        help="Spreads this share of each label over all classes, so that the network grows less sure of itself.",
    )
    right.selectbox(
        "Validation on",
        list(_PROTOCOLS),
        format_func=_PROTOCOLS.__getitem__,
        key="train.protocol",
        persist_state="session",
        help="Held-out: one sixth of the training images are kept for validation. Article: trains on all of them and "
        "validates on the test set, which makes its best epoch look better than it is.",
    )


def _apply_preset() -> None:
    chosen = st.session_state["train.preset"]
    for preset in PRESETS:
        if preset.name == chosen:
            fill_form(preset.config)


def read_form() -> RunConfig:
    """The config that the form shows now. Raises ValueError for what cannot be used."""
    state = st.session_state
    return RunConfig(
        hidden=parse_hidden(state["train.hidden"]),
        **{name: state[f"train.{name}"] for name in _PLAIN_FIELDS},
    )


def _hidden_problem(text: str) -> str | None:
    try:
        RunConfig(hidden=parse_hidden(text))
    except ValueError as error:
        return _sentence(error)
    return None


def _sentence(error: ValueError) -> str:
    text = plain(str(error))
    return f"{text[:1].upper()}{text[1:]}."
