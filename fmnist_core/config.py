"""What a training run is: every choice that can change its result, and the presets to start from."""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self, get_args

from fmnist_core.wording import number_text

Schedule = Literal["constant", "one-cycle"]
Protocol = Literal["held-out", "article"]
Optimizer = Literal["adam", "sgd"]

INPUTS = 28 * 28  # pixels
OUTPUTS = 10  # classes

LAYER_LIMITS = (1, 6)
WIDTH_LIMITS = (8, 2048)
DROPOUT_LIMITS = (0.0, 0.95)  # of pixels as of hidden units
TRAINING_IMAGE_LIMITS = (100, 60_000)  # the official files have no more; what a run's data have, `data.split` knows
LABEL_NOISE_LIMITS = (0.0, 0.9)  # at 0.9 a label says nothing of its image: all ten classes are equally likely
SHIFT_LIMITS = (0, 3)
LEARNING_RATE_LIMITS = (1e-6, 1.0)
WEIGHT_DECAY_LIMITS = (0.0, 1.0)
LABEL_SMOOTHING_LIMITS = (0.0, 0.5)
BATCH_SIZE_LIMITS = (8, 4096)
EPOCH_LIMITS = (1, 200)
SEED_LIMITS = (0, 2**31 - 1)

# Settings that came after the first stored runs. At its default none of them is part of a run's key, so that the runs
# of earlier versions are found again; and none may ever get another default.
_LATER_SETTINGS = ("training_images", "label_noise", "input_dropout", "shift_pixels", "optimizer")

# ASCII only: `float` and `int` would also take "1_0" and other scripts' digits.
_TYPED_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,20}(?:[.,][0-9]{0,40})?|[.,][0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")
_TYPED_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_TYPED_THOUSANDS = re.compile(r"[0-9]{1,3}(?:[,.' \u00a0\u202f][0-9]{3})+")


def _check_number(
    name: str, value: object, limits: tuple[float, float], *, whole: bool = False, otherwise: str = ""
) -> None:
    """Raise ValueError unless `value` lies within `limits`; `otherwise` says what else would do."""
    low, high = limits
    kind = "a whole number" if whole else "a number"
    right_type = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    # The type checker does not follow `right_type` to what it says of `value`.
    if not right_type or not math.isfinite(value) or not low <= value <= high:  # type: ignore[arg-type, operator]
        got = "nothing" if value == "" else repr(value)
        limits_text = f"from {number_text(low)} to {number_text(high)}{otherwise}"
        raise ValueError(f"{name} must be {kind} {limits_text}, got {got}")


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Every choice that can change a run's result, and nothing else.

    The defaults are the article's recipe on an honest split. Raises ValueError that names the field, the rule
    and the value.
    """

    hidden: tuple[int, ...] = (256, 128, 64)
    dropout: float = 0.0  # chance of zeroing a hidden unit; 0 disables it
    batch_norm: bool = False
    learning_rate: float = 0.003  # the peak, under the one-cycle schedule
    schedule: Schedule = "constant"
    batch_size: int = 64
    epochs: int = 30
    weight_decay: float = 0.0  # decoupled, as in AdamW
    label_smoothing: float = 0.0
    flips: bool = False  # mirror each training image left to right with probability 1/2
    protocol: Protocol = "held-out"
    seed: int = 0
    training_images: int | None = None  # None: all that the protocol leaves for training
    label_noise: float = 0.0  # chance of replacing a training label by another class
    input_dropout: float = 0.0  # chance of blackening a pixel in a training step
    shift_pixels: int = 0  # the furthest that a training image is moved, in either direction along each side
    optimizer: Optimizer = "adam"

    def __post_init__(self) -> None:
        if not isinstance(self.hidden, tuple):
            raise ValueError(f"hidden layer sizes must be a tuple of whole numbers, got {self.hidden!r}")
        low, high = LAYER_LIMITS
        if not low <= len(self.hidden) <= high:
            raise ValueError(f"the network must have {low} to {high} hidden layers, got {len(self.hidden)}")
        for width in self.hidden:
            _check_number("a hidden layer's size", width, WIDTH_LIMITS, whole=True)
        _check_number("dropout", self.dropout, DROPOUT_LIMITS)
        _check_number("learning rate", self.learning_rate, LEARNING_RATE_LIMITS)
        _check_number("batch size", self.batch_size, BATCH_SIZE_LIMITS, whole=True)
        _check_number("epochs", self.epochs, EPOCH_LIMITS, whole=True)
        _check_number("weight decay", self.weight_decay, WEIGHT_DECAY_LIMITS)
        _check_number("label smoothing", self.label_smoothing, LABEL_SMOOTHING_LIMITS)
        _check_number("seed", self.seed, SEED_LIMITS, whole=True)
        if self.training_images is not None:
            _check_number(
                "training images", self.training_images, TRAINING_IMAGE_LIMITS, whole=True, otherwise=', or "all"'
            )
        _check_number("label noise", self.label_noise, LABEL_NOISE_LIMITS)
        _check_number("input dropout", self.input_dropout, DROPOUT_LIMITS)
        _check_number("shift pixels", self.shift_pixels, SHIFT_LIMITS, whole=True)
        _check_choice("schedule", self.schedule, get_args(Schedule))
        _check_choice("protocol", self.protocol, get_args(Protocol))
        _check_choice("optimizer", self.optimizer, get_args(Optimizer))
        for name in ("batch_norm", "flips"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be true or false, got {getattr(self, name)!r}")
        for name in ("dropout", "learning_rate", "weight_decay", "label_smoothing", "label_noise", "input_dropout"):
            # 0 and 0.0 are the same choice, so they must give the same key.
            object.__setattr__(self, name, float(getattr(self, name)) + 0.0)  # which turns -0.0 into 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, `from_dict`'s inverse."""
        return {**asdict(self), "hidden": list(self.hidden)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Validate plain values; a missing field takes its default, an unknown one raises ValueError."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ValueError(f"unknown setting {', '.join(map(repr, unknown))}; known are {', '.join(sorted(known))}")
        values = dict(values)
        if isinstance(values.get("hidden"), list):
            values["hidden"] = tuple(values["hidden"])
        return cls(**values)

    def key(self, data_fingerprint: str, training_version: int) -> str:
        """The run's name: 16 hex digits of SHA-256 over all that decides its result."""
        defaults = {field.name: field.default for field in fields(self)}
        config = {
            name: value
            for name, value in self.to_dict().items()
            if name not in _LATER_SETTINGS or value != defaults[name]
        }
        content = json.dumps({"config": config, "data": data_fingerprint, "training": training_version}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def count_parameters(config: RunConfig) -> int:
    """Trainable parameters of the network that `config` describes."""
    widths = (INPUTS, *config.hidden)
    linear = sum(inputs * outputs + outputs for inputs, outputs in zip(widths, (*config.hidden, OUTPUTS), strict=True))
    return linear + (2 * sum(config.hidden) if config.batch_norm else 0)


def parse_hidden(text: str) -> tuple[int, ...]:
    """Read hidden layer sizes as people type them: "256, 128, 64".

    Raises ValueError that quotes the part that is no whole number.
    """
    parts = [part for part in text.replace(",", " ").replace("-", " ").split() if part]
    for part in parts:
        if not (part.isascii() and part.isdigit() and len(part) <= 6):
            raise ValueError(f"hidden layer sizes must be whole numbers such as 256, 128, 64; got {part!r}")
    return tuple(int(part) for part in parts)


def typed_number(text: str) -> float | str:
    """A number as people type it, with a point or a comma: "0.001", "0,001", "1e-3"; else the text, as it stands.

    RunConfig then says what is wrong with the text: it is the one that knows the field and its rule.
    """
    text = text.strip()
    return float(text.replace(",", ".")) if _TYPED_NUMBER.fullmatch(text) else text


def typed_whole(text: str) -> int | str:
    """A whole number as people type it; else the text, as it stands, as `typed_number`."""
    text = text.strip()
    return int(text) if _TYPED_WHOLE.fullmatch(text) else text


def typed_image_count(text: str) -> int | str | None:
    """A number of images as people type it: "2000", "2,000", "2 000"; None for "all"; else the text, as it stands."""
    text = text.strip()
    if text.lower() == "all":
        return None
    return typed_whole(re.sub(r"\D", "", text) if _TYPED_THOUSANDS.fullmatch(text) else text)


@dataclass(frozen=True)
class Preset:
    """A named starting point and the reason to choose it."""

    name: str
    purpose: str
    config: RunConfig


_ARTICLE = RunConfig(protocol="article")
PRESETS: tuple[Preset, ...] = (
    Preset("Article", "The article's recipe: 30 epochs at a constant learning rate. Watch it overfit.", _ARTICLE),
    Preset(
        "Article with dropout 0.2",
        "The same recipe, dropping one hidden unit in five. Compare its gap with the first.",
        replace(_ARTICLE, dropout=0.2),
    ),
    Preset(
        "Quick",
        "Five epochs with batch normalisation and a one-cycle learning rate: better than the article's thirty.",
        RunConfig(batch_norm=True, learning_rate=0.006, schedule="one-cycle", batch_size=256, epochs=5),
    ),
    Preset(
        "Best",
        "The most accurate recipe measured here: a wider network, batch normalisation, label smoothing, a little "
        "dropout of units and of pixels, 30 epochs.",
        RunConfig(
            hidden=(512, 128),
            dropout=0.05,
            batch_norm=True,
            learning_rate=0.002,
            schedule="one-cycle",
            batch_size=128,
            epochs=30,
            weight_decay=0.05,
            label_smoothing=0.1,
            input_dropout=0.05,
        ),
    ),
)


def preset_of(config: RunConfig, presets: Sequence[Preset] = PRESETS) -> Preset | None:
    """The preset that `config` equals but for its seed, or None."""
    return next((preset for preset in presets if replace(preset.config, seed=config.seed) == config), None)
