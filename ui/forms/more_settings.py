"""The settings that most visitors leave alone, folded away, in groups."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.forms.config_fields import problems, text_field
from ui.shown_controls import shows

_Field = Callable[[DeltaGenerator, str, str], None]  # draws itself in a place, for a page and a setting


def _choice(place: DeltaGenerator, page: str, name: str, *, label: str, options: dict[Any, str], help: str) -> None:
    place.selectbox(
        label,
        list(options),
        format_func=options.__getitem__,
        key=f"{page}.{name}",
        persist_state="session",
        help=help,
    )


def _switch(place: DeltaGenerator, page: str, name: str, *, label: str, help: str) -> None:
    place.toggle(label, key=f"{page}.{name}", persist_state="session", help=help)


_GROUPS: dict[str, dict[str, _Field]] = {
    "Data": {
        "training_images": partial(
            text_field,
            label="Training images",
            help='How many images to train on, 100 or more, as many of each class; or "all". A smaller set lies in a '
            "larger.",
        ),
        "label_noise": partial(
            text_field,
            label="Label noise",
            help="The chance that a training label is replaced by another class. Training figures are measured on "
            "these labels, validation and test figures on the right ones.",
        ),
        "protocol": partial(
            _choice,
            label="Validation on",
            options={"held-out": "Held-out validation", "article": "Article: test set"},
            help="Held-out: one sixth of the training images are kept for validation. Article: trains on all of them "
            "and validates on the test set, which makes its best epoch look better than it is.",
        ),
    },
    "Network and steps": {
        "batch_norm": partial(
            _switch,
            label="Batch normalisation",
            help="Rescales what enters each hidden layer's ReLU, batch by batch. Learning gets faster and steadier.",
        ),
        "optimizer": partial(
            _choice,
            label="Optimiser",
            options={"adam": "Adam", "sgd": "SGD with momentum"},
            help="Adam fits the size of each weight's steps. SGD goes along the slope with momentum (Nesterov's, "
            "0.9); it wants a higher learning rate, such as 0.03.",
        ),
        "schedule": partial(
            _choice,
            label="Schedule",
            options={"constant": "Constant", "one-cycle": "One cycle"},
            help="Constant keeps the learning rate. One cycle raises it over a fifth of the run, then lowers it to "
            "zero.",
        ),
        "learning_rate": partial(
            text_field,
            label="Learning rate",
            help="How far each step moves the weights. With one cycle: the highest rate on the way.",
        ),
        "batch_size": partial(
            text_field,
            label="Batch size",
            help="Images a step. Larger batches make fewer and smoother steps.",
        ),
    },
    "Against overfitting": {
        "weight_decay": partial(
            text_field,
            label="Weight decay",
            help="Pulls all weights towards zero a little at each step (decoupled, as in AdamW), biases and batch "
            "normalisation's scales among them.",
        ),
        "label_smoothing": partial(
            text_field,
            label="Label smoothing",
            help="Spreads this share of each label over all classes, so that the network grows less sure of itself.",
        ),
        "input_dropout": partial(
            text_field,
            label="Input dropout",
            help="The chance that a pixel turns black in a training step; the others get brighter to make up for it.",
        ),
        "shift_pixels": partial(
            _choice,
            label="Shifts",
            options={0: "None", 1: "1 pixel", 2: "Up to 2 pixels", 3: "Up to 3 pixels"},
            help="Moves each training image in each step, in any direction, at random. Black fills what becomes free.",
        ),
        "flips": partial(
            _switch,
            label="Horizontal flips",
            help="Mirrors half of the training images at random, which makes more of the same data.",
        ),
    },
}
_WIDE = ("protocol", "batch_norm", "flips")  # these take a row each, the others half of one


def more_settings(page: str, leaving_out: Collection[str] = ()) -> None:
    """Draw them, without those that a comparison is about; the box is marked where something in it is wrong."""
    if not shows("more"):
        return
    inside = {name for fields in _GROUPS.values() for name in fields}
    is_wrong = bool(inside & problems(page).keys())
    with st.expander("More settings", icon=":material/error:" if is_wrong else None, key=f"{page}.more"):
        for group, fields in _GROUPS.items():
            st.markdown(f"**{group}**")
            _draw(page, {name: field for name, field in fields.items() if name not in leaving_out})


def _draw(page: str, fields: dict[str, _Field]) -> None:
    free: list[DeltaGenerator] = []
    for name, field in fields.items():
        if name in _WIDE:
            place, free = st.container(), []
        else:
            free = free or list(st.columns(2))
            place = free.pop(0)
        field(place, page, name)
