"""Which settings a script has to write out: those that a run, or any arm of a comparison, does not leave alone."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from fmnist_core.config import RunConfig
from fmnist_core.data.split import VALIDATION_SHARE

# All that the templates write out. For settings that are a choice also which ones: another has to be written first.
WRITTEN: dict[str, tuple[Any, ...] | None] = {
    "hidden": None,
    "dropout": None,
    "batch_norm": (False, True),
    "learning_rate": None,
    "schedule": ("constant", "one-cycle"),
    "batch_size": None,
    "epochs": None,
    "weight_decay": None,
    "label_smoothing": None,
    "flips": (False, True),
    "protocol": ("held-out", "article"),
    "seed": None,
    "training_images": None,
    "label_noise": None,
    "input_dropout": None,
    "shift_pixels": None,
    "optimizer": ("adam", "sgd"),
}
# The official files have so many training images; other data are not exported.
_IMAGES = 60_000


class ExportError(ValueError):
    """Something cannot be taken along; the message says why, for people."""


class SettingsUsed:
    """What the configs of a run or of a comparison's arms use; `varying` is the setting in which arms differ."""

    def __init__(self, configs: Sequence[RunConfig], varying: str | None = None) -> None:
        for config in configs:
            _check_written(config)
        self._configs = configs
        self.varying = varying

    def uses(self, name: str) -> bool:
        """Whether the setting is anywhere on: not at RunConfig's default, which stands for doing nothing."""
        default = getattr(RunConfig(), name)
        return any(getattr(config, name) != default for config in self._configs)

    def is_guarded(self, name: str) -> bool:
        """Whether the setting is on in some arms and off in others."""
        default = getattr(RunConfig(), name)
        return self.uses(name) and any(getattr(config, name) == default for config in self._configs)

    def uses_value(self, name: str, value: object) -> bool:
        """Whether the setting has this value anywhere."""
        return any(getattr(config, name) == value for config in self._configs)

    @property
    def has_lone_last_image(self) -> bool:
        """Whether an epoch anywhere would end with a batch of a single image."""
        return any(_images(config) % config.batch_size == 1 for config in self._configs)

    @property
    def most_images(self) -> int:
        """How many images the largest of the runs trains on."""
        return max(map(_images, self._configs))


def _images(config: RunConfig) -> int:
    held_out = 0 if config.protocol == "article" else _IMAGES // VALIDATION_SHARE
    return config.training_images or _IMAGES - held_out


def _check_written(config: RunConfig) -> None:
    """Raise ExportError for a setting that no template writes out, unless it is at its default, which does nothing."""
    for field in fields(config):
        value = getattr(config, field.name)
        written = WRITTEN.get(field.name, (field.default,))
        if written is not None and value not in written:
            known = " or ".join(map(repr, written))
            raise ExportError(
                f"a script can be made of runs with {field.name.replace('_', ' ')} {known}; this one has {value!r}, "
                "which no script writes out yet"
            )
