"""What the fields of a page's form hold: filled from a RunConfig, read as one, and what is wrong in which of them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fmnist_core.comparison.setting_texts import SETTING_TEXTS, differences, quoted
from fmnist_core.config import PRESETS, RunConfig, parse_hidden, typed_image_count, typed_number, typed_whole
from fmnist_core.data.split import check_training_images
from fmnist_core.wording import number_text
from ui import handles, link
from ui.page_state import PageState
from ui.wording import plain

# Numbers are typed as text. A number field would send nothing of what is out of its range, nor of what it cannot read,
# and what runs would not be what is seen. For each: how what was typed is read, and how a value is written.
_REAL = (typed_number, number_text)
_WHOLE = (typed_whole, number_text)
_TYPED: dict[str, tuple[Callable[[str], Any], Callable[[Any], str]]] = {  # in the form's order
    "hidden": (parse_hidden, lambda sizes: ", ".join(map(str, sizes))),
    "epochs": _WHOLE,
    "seed": _WHOLE,
    "training_images": (typed_image_count, lambda count: "all" if count is None else str(count)),
    "label_noise": _REAL,
    "learning_rate": _REAL,
    "batch_size": _WHOLE,
    "weight_decay": _REAL,
    "label_smoothing": _REAL,
    "input_dropout": _REAL,
}
_CHOSEN = ("dropout", "batch_norm", "schedule", "flips", "protocol", "shift_pixels", "optimizer")
FIELDS = (*_TYPED, *_CHOSEN)


def fill_form(config: RunConfig, page: str = "train") -> None:
    """Put a config into a page's form; to be called before the form is drawn, or in a callback."""
    for name, value in _as_shown(config).items():
        st.session_state[f"{page}.{name}"] = value


def fill_field(page: str, config: RunConfig, name: str) -> None:
    """Put one of a config's settings into a page's form; as `fill_form`."""
    st.session_state[f"{page}.{name}"] = _as_shown(config)[name]


def _as_shown(config: RunConfig) -> dict[str, Any]:
    """What each field shows of a config."""
    values = {name: getattr(config, name) for name in FIELDS}
    return {name: _TYPED[name][1](value) if name in _TYPED else value for name, value in values.items()}


def settle_form(page: str = "train") -> None:
    """Fill the form with the preset that was just chosen, where a button was pressed before the browser knew it.

    To be called in the button's callback, before the form is read.
    """
    if (overtaken := overtaken_preset(page, is_pressed=True)) is not None:
        fill_form(overtaken, page)


def read_form(page: str = "train") -> RunConfig:
    """The config that a page's form shows now. Raises ValueError for what cannot be used."""
    if (overtaken := overtaken_preset(page)) is not None:
        return overtaken
    values = shown(page)
    config = RunConfig(**{**values, **{name: read(values[name]) for name, (read, _) in _TYPED.items()}})
    check_training_images(config, handles.dataset())
    return config


def shown(page: str) -> dict[str, Any]:
    """What each field of a page's form shows, by the setting's name: texts where they are typed."""
    return {name: st.session_state[f"{page}.{name}"] for name in FIELDS}


def form_state(page: str, base: Callable[[], RunConfig]) -> PageState:
    """The settings that a page's form shows, as far as they are others than those of `base`, or of the preset that is
    nearer to them. While something in the form cannot be used, the address goes on saying what could.
    """

    names = frozenset({"preset", *SETTING_TEXTS})

    def say() -> Mapping[str, str]:
        if f"{page}.hidden" not in st.session_state:
            return {}
        try:
            config = read_form(page)
        except ValueError:
            return link.values(names)
        told = [differences(base(), config)]
        told += [{"preset": preset.name, **differences(preset.config, config)} for preset in PRESETS]
        return min(told, key=len)

    def take(said: Mapping[str, str]) -> None:
        start = _preset_config(said["preset"]) if "preset" in said else base()
        settings = {name: text for name, text in said.items() if name != "preset"}
        config = replace(start, **{name: SETTING_TEXTS[name].parse(name, text) for name, text in settings.items()})
        check_training_images(config, handles.dataset())
        fill_form(config, page)

    return PageState(names, say, take)


def _preset_config(name: str) -> RunConfig:
    for preset in PRESETS:
        if preset.name == name:
            return preset.config
    known = ", ".join(preset.name for preset in PRESETS)
    raise ValueError(f"preset must be one of {known}, got {quoted(name)}")


def problem(page: str, name: str) -> str | None:
    """What is wrong with what is typed into a field, as a sentence that names it; None where nothing is."""
    values = shown(page)
    read, _ = _TYPED[name]
    try:
        config = RunConfig(**{name: read(values[name])}, protocol=values["protocol"])
        check_training_images(config, handles.dataset())
    except ValueError as error:
        return sentence(error)
    return None


def problems(page: str) -> dict[str, str]:
    """The sentences of all fields with something wrong, by the setting's name."""
    found = {name: problem(page, name) for name in _TYPED}
    return {name: words for name, words in found.items() if words is not None}


def text_field(place: DeltaGenerator, page: str, name: str, label: str, help: str) -> None:
    """Ask for a setting that is typed; below it stands what is wrong with what was."""
    place.text_input(label, key=f"{page}.{name}", persist_state="session", help=help)
    if (words := problem(page, name)) is not None:
        place.markdown(f":small[:red[:material/error: {words}]]")


def preset_key(page: str) -> str:
    """Under which key the preset is chosen: another after each edit that ends a choice."""
    edits = st.session_state.get(f"{page}.preset_edits", 0)
    return f"{page}.preset{edits or ''}"


def overtaken_preset(page: str, *, is_pressed: bool = False) -> RunConfig | None:
    """The preset that was just chosen, where the browser has sent fields as they were before it.

    A visitor who chooses a preset and presses a button at once sends the new choice with old fields: not all of the
    preset's have reached the browser yet. What was meant is the preset. Where nothing was pressed (`is_pressed`), a
    single field that is as it was before is taken for what it looks like: one that was set back by hand.
    """
    replaced: tuple[str, dict[str, Any], RunConfig] | None = st.session_state.get(f"{page}.replaced")
    if replaced is None:
        return None
    name, before, config = replaced
    if name != st.session_state.get(preset_key(page)):
        return None
    now, filled = shown(page), _as_shown(config)
    late = {field for field in FIELDS if now[field] != filled[field]}
    are_all_old = all(now[field] == before[field] for field in late)
    return config if are_all_old and len(late) > (0 if is_pressed else 1) else None


def sentence(error: ValueError) -> str:
    """An error's message as a sentence of its own."""
    text = plain(str(error))
    return f"{text[:1].upper()}{text[1:]}."
