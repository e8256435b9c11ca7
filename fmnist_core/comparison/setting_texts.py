"""How links and form fields write a comparison's settings and levels, and how they are read back."""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from fmnist_core.comparison.factors import Factor, Level
from fmnist_core.config import RunConfig
from fmnist_core.wording import number_text

# Longer than anything that is written: eight rates with all their digits.
TEXT_LENGTH = 250
_WHOLE = r"[0-9]{1,10}"
_NUMBER = r"[0-9]{1,3}(?:\.[0-9]{1,26})?(?:e-[0-9]{1,3})?"
_TYPED_NUMBER = re.compile(rf"{_NUMBER}|\.[0-9]{{1,26}}")
_TYPED_DECIMAL_COMMA = re.compile(r"([0-9]{1,3}),([0-9]{1,26})")


@dataclass(frozen=True)
class SettingText:
    """How a setting stands in a link."""

    pattern: str  # which must match to the very end, and in ASCII
    read: Callable[[str], Any]
    write: Callable[[Any], str]
    example: str

    def parse(self, name: str, text: str) -> Any:
        """Read the text of the link's `name`. Raises ValueError with a sentence for people."""
        if len(text) > TEXT_LENGTH or not re.fullmatch(self.pattern, text):
            raise ValueError(f"the link's {name} must look like {self.example}, got {quoted(text)}")
        return self.read(text)


def _whole(example: str) -> SettingText:
    return SettingText(_WHOLE, int, str, example)


def _number(example: str) -> SettingText:
    return SettingText(_NUMBER, float, number_text, example)


def _choice(example: str) -> SettingText:
    return SettingText("[a-z-]{1,20}", str, str, example)  # RunConfig knows the choices


_SWITCH = SettingText("true|false", lambda text: text == "true", lambda value: str(value).lower(), "true")
_NETWORK = SettingText(
    rf"{_WHOLE}(?:-{_WHOLE})*",
    lambda text: tuple(map(int, text.split("-"))),
    lambda sizes: "-".join(map(str, sizes)),
    "256-128-64",
)
SETTING_TEXTS: dict[str, SettingText] = {
    "hidden": _NETWORK,
    "dropout": _number("0.2"),
    "batch_norm": _SWITCH,
    "learning_rate": _number("0.003"),
    "schedule": _choice("one-cycle"),
    "batch_size": _whole("64"),
    "epochs": _whole("30"),
    "weight_decay": _number("0.01"),
    "label_smoothing": _number("0.1"),
    "flips": _SWITCH,
    "protocol": _choice("article"),
    "seed": _whole("0"),
    "training_images": SettingText(
        rf"all|{_WHOLE}",
        lambda text: None if text == "all" else int(text),
        lambda count: "all" if count is None else str(count),
        "2000",
    ),
    "label_noise": _number("0.2"),
    "input_dropout": _number("0.2"),
    "shift_pixels": _whole("2"),
    "optimizer": _choice("sgd"),
}
assert set(SETTING_TEXTS) == {field.name for field in fields(RunConfig)}


def differences(usual: RunConfig, config: RunConfig) -> dict[str, str]:
    """The settings in which `config` differs from `usual`, as a link has them."""
    return {
        name: text.write(getattr(config, name))
        for name, text in SETTING_TEXTS.items()
        if getattr(config, name) != getattr(usual, name)
    }


def write_levels(factor: Factor, levels: tuple[Level, ...]) -> str:
    """Levels as a link has them: "0,0.2"."""
    return ",".join(map(SETTING_TEXTS[factor.setting].write, levels))


def read_levels(factor: Factor, text: str, name: str = "arms") -> tuple[Level, ...]:
    """Levels from a link's parameter `name`, in their order. Raises ValueError with a sentence for people."""
    form = SETTING_TEXTS[factor.setting]
    if len(text) > TEXT_LENGTH or not re.fullmatch(rf"(?:{form.pattern})(?:,(?:{form.pattern}))*", text):
        example = write_levels(factor, factor.levels)
        raise ValueError(f"the link's {name} must look like {example}, got {quoted(text)}")
    return tuple(map(form.read, text.split(",")))


def typed_levels(factor: Factor, text: str) -> tuple[Level, ...]:
    """Levels as people type them, in their order: "0, 0.2 0.5", "0; 0,2", "128-64, 512". `Study` checks them.

    Where semicolons separate them, a comma within a number is a decimal one. Raises ValueError that quotes the part
    that is no level.
    """
    if ";" in text:
        parts = [part.strip(" ,\t\n") for part in text.split(";")]
        parts = [_TYPED_DECIMAL_COMMA.sub(r"\1.\2", part) for part in parts]
        parts = [piece for part in parts for piece in part.split()]
    else:
        parts = text.replace(",", " ").split()
    levels = []
    for part in parts:
        pattern = _TYPED_NUMBER if isinstance(factor.levels[0], float) else SETTING_TEXTS[factor.setting].pattern
        if not re.fullmatch(pattern, part):
            example = write_levels(factor, factor.levels).replace(",", ", ")
            raise ValueError(f"{_what_is_typed(factor)} must be typed like {example}; got {quoted(part)}")
        levels.append(SETTING_TEXTS[factor.setting].read(part))
    return tuple(levels)


def _what_is_typed(factor: Factor) -> str:
    return {"numbers": "levels of " + factor.name.lower(), "networks": "networks"}[factor.kind]


def quoted(text: str) -> str:
    """A text that somebody gave, in quotation marks and not too much of it."""
    return repr(text if len(text) <= 40 else text[:39] + "…")
