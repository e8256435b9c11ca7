"""What runs are called: by what somebody named them, or by their settings, of which any difference shows."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any
from unicodedata import bidirectional

from fmnist_core.config import PRESETS, Preset, RunConfig
from fmnist_core.store.run import Run, Status
from fmnist_core.wording import counted, dropout_name, number_text, shortened

# With more differences, a preset's name says less than the settings themselves.
_MOST_DIFFERENCES = 2
_SHORT_NAME = 40  # characters of a name in a legend
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


STATUS_WORDS: dict[Status, str] = {
    "queued": "Waiting",
    "running": "Training",
    "finished": "Finished",
    "stopped": "Stopped",
    "failed": "Failed",
}


def status_word(run: Run) -> str:
    """How a run is doing, in a word."""
    return "Stopping" if run.is_active and run.cancel_requested else STATUS_WORDS.get(run.status, "Deleted")


def run_titles(runs: Sequence[Run]) -> list[str]:
    """What runs that are listed together are called: number, name where there is one, and settings."""
    all_settings = describe_all([run.config for run in runs])
    return [_title(run, settings) for run, settings in zip(runs, all_settings, strict=True)]


def run_title(run: Run) -> str:
    """What a run is called by itself: number, name where there is one, and settings."""
    return _title(run, describe(run.config))


def short_title(run: Run, otherwise: str = "") -> str:
    """What a run is called where there is little room: number, and its name, or what is said `otherwise`."""
    name = run.notes.name
    return " · ".join(filter(None, (f"Run {run.number}", isolated(shortened(name, _SHORT_NAME)) or otherwise)))


def _title(run: Run, settings: str) -> str:
    return " · ".join(filter(None, (f"Run {run.number}", isolated(run.notes.name), settings)))


def isolated(text: str) -> str:
    """`text` so that what is written from right to left in it does not turn the words around it."""
    if any(bidirectional(character) in {"R", "AL", "AN"} for character in text):
        return f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"
    return text


def describe_settings(config: RunConfig) -> str:
    """The config but for its seed, as `describe` has it."""
    return ", ".join(_parts(config, ("seed",)).values())


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
