"""How a script names the settings, and the lines that give them their values."""

from collections.abc import Sequence

from fmnist_core.config import RunConfig
from fmnist_core.export.settings_used import SettingsUsed

# What each constant says beside its value. The rest decide which code is written, and need no constant.
_COMMENTS = {
    "hidden": "units of each hidden layer",
    "dropout": "chance of zeroing a hidden unit in a training step",
    "input_dropout": "chance of blackening a pixel in a training step",
    "training_images": "how many to train on",
    "label_noise": "chance that a training label is wrong",
    "shift_pixels": "the furthest that a training image is moved",
    "learning_rate": "how far a step moves the weights",
    "batch_size": "images of a training step",
    "epochs": "passes over all training images",
    "weight_decay": "how strongly weights are pulled towards 0",
    "label_smoothing": "share of the target that goes to all classes alike",
}
_ALWAYS = ("hidden", "learning_rate", "batch_size", "epochs")


def constants(settings: SettingsUsed, config: RunConfig, seeds: Sequence[int]) -> list[str]:
    """One line for each setting that has a value, and the same one throughout the script; then the seed or seeds."""
    lines = []
    for name, comment in _COMMENTS.items():
        if name != settings.varying and (name in _ALWAYS or settings.uses(name)):
            peak = ", at the peak" if name == "learning_rate" and settings.uses("schedule") else ""
            lines.append(f"{name.upper()} = {getattr(config, name)!r}  # {comment}{peak}")
    if settings.varying is None:
        return [*lines, f"SEED = {seeds[0]}  # all chance comes from it"]
    return [*lines, f"SEEDS = {_sequence(seeds)}  # all chance comes from them"]


def _sequence(seeds: Sequence[int]) -> str:
    first, last = seeds[0], seeds[-1]
    if len(seeds) > 2 and list(seeds) == list(range(first, last + 1)):
        return f"range({first}, {last + 1})"
    return repr(tuple(seeds))


def name_in_script(setting: str, settings: SettingsUsed) -> str:
    """What the script calls a setting: a constant, or the parameter in which arms differ."""
    if setting != settings.varying:
        return setting.upper()
    return "optimizer_name" if setting == "optimizer" else setting  # `optimizer` is PyTorch's own


def parameter(settings: SettingsUsed, *used: str) -> str:
    """What follows in a function's head and in its calls, where arms differ in one of the settings that it has used."""
    return f", {name_in_script(settings.varying, settings)}" if settings.varying in used and settings.varying else ""


def epoch_parameter(settings: SettingsUsed) -> str:
    """`parameter` for the function that trains an epoch."""
    used = ["batch_size", "schedule", "flips", "shift_pixels", "label_smoothing"]
    if settings.uses("schedule"):
        used += ["learning_rate", "epochs"]
    if settings.uses("weight_decay") and settings.uses_value("optimizer", "sgd"):
        used += ["optimizer", "weight_decay"]
    return parameter(settings, *used)


def guard(setting: str) -> str:
    """The condition under which an arm has the setting on, where others have it off."""
    return 'schedule == "one-cycle"' if setting == "schedule" else setting
