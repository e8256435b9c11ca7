"""What runs are called: two that differ in any setting have different names."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

from fmnist_core.config import PRESETS, Preset, RunConfig
from fmnist_core.wording import counted, dropout_name, number_text

# With more differences, a preset's name says less than the settings themselves.
_MOST_DIFFERENCES = 2
_BASE = "base"  # the part of a name that the others are differences from: a preset's name or the network
# In the order in which a name lists them.
_WORDS: dict[str, Callable[[Any], str]] = {
    "hidden": lambda sizes: f"network {_network(sizes)}",
    "dropout": lambda rate: f"dropout {number_text(rate)}" if rate else dropout_name(rate),
    "batch_norm": lambda is_on: "batch norm" if is_on else "no batch norm",
    "input_dropout": lambda rate: f"input dropout {number_text(rate)}" if rate else "no input dropout",
    "flips": lambda is_on: "flips" if is_on else "no flips",
    "shift_pixels": lambda pixels: f"shifts up to {counted(pixels, 'pixel')}" if pixels else "no shifts",
    "optimizer": lambda optimizer: "SGD" if optimizer == "sgd" else "Adam",
    "learning_rate": lambda rate: f"learning rate {number_text(rate)}",
    "schedule": lambda schedule: "one cycle" if schedule == "one-cycle" else "constant rate",
    "batch_size": lambda size: f"batch {size}",
    "weight_decay": lambda decay: f"weight decay {number_text(decay)}" if decay else "no weight decay",
    "label_smoothing": lambda share: f"label smoothing {number_text(share)}" if share else "no label smoothing",
    "training_images": lambda count: "all images" if count is None else counted(count, "image"),
    "label_noise": lambda share: f"label noise {number_text(share)}" if share else "no label noise",
    "epochs": lambda epochs: counted(epochs, "epoch"),
    "protocol": lambda protocol: "validated on the test set" if protocol == "article" else "held-out validation",
    "seed": lambda seed: f"seed {seed}",
}
assert set(_WORDS) == {field.name for field in fields(RunConfig)}


def describe(config: RunConfig) -> str:
    """The config in a few words: the nearest preset with what differs, or else the network and what differs."""
    *parts, seed = _parts(config).values()
    return f"{', '.join(parts)} · {seed}"


def describe_all(configs: Sequence[RunConfig]) -> list[str]:
    """The names of runs that are listed together, each beginning with what not all of them have in common."""
    if len(set(configs)) < 2:
        return [describe(config) for config in configs]
    all_parts = [_parts(config) for config in configs]
    common = set.intersection(*(set(parts.items()) for parts in all_parts))
    names = []
    for parts in all_parts:
        own = [parts[name] for name in parts if (name, parts[name]) not in common]
        shared = [parts[name] for name in parts if (name, parts[name]) in common]
        names.append(" · ".join(", ".join(group) for group in (own, shared) if group))
    return names


def setting_words(setting: str, value: Any) -> str:
    """One setting's value as names have it: "no dropout", "batch 64"."""
    return _WORDS[setting](value)


def describe_recipe(config: RunConfig, *differing: str) -> str:
    """What the runs of a comparison have in common, in a few words: all but the settings that differ and the seed."""
    apart = [name for name in ("epochs", "protocol") if name not in differing]
    recipe = ", ".join(_parts(config, leaving_out=(*differing, "seed", *apart)).values())
    return " · ".join([recipe, *(setting_words(name, getattr(config, name)) for name in apart)])


@lru_cache(maxsize=4096)
def _parts(config: RunConfig, leaving_out: tuple[str, ...] = ()) -> dict[str, str]:
    """The parts of a name by the setting that they tell of, the base first. Not to be changed: it is kept."""
    told = [name for name in _WORDS if name not in leaving_out]

    def differing(other: RunConfig) -> list[str]:
        return [name for name in told if name != "seed" and getattr(config, name) != getattr(other, name)]

    def differences(preset: Preset) -> int:
        return len(differing(preset.config))

    nearest = min(PRESETS, key=differences)
    if differences(nearest) <= _MOST_DIFFERENCES:
        base, different = nearest.name, differing(nearest.config)
    else:
        # A single number would not be taken for a network.
        network = _network(config.hidden) if len(config.hidden) > 1 else _WORDS["hidden"](config.hidden)
        base, different = network, [name for name in differing(RunConfig()) if name != "hidden"]
    if "seed" in told:
        different.append("seed")
    return {_BASE: base, **{name: _WORDS[name](getattr(config, name)) for name in different}}


def _network(hidden: tuple[int, ...]) -> str:
    return "-".join(map(str, hidden))
