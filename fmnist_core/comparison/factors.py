"""The settings that a comparison can be about, and the words that follow from which one it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from fmnist_core.config import Optimizer, RunConfig, Schedule, count_parameters
from fmnist_core.results.run_names import setting_words
from fmnist_core.wording import counted, number_text

Level = float | bool | str | tuple[int, ...] | None

# How levels are chosen: typed as numbers or as networks, or all that there are.
Kind = Literal["numbers", "networks", "choices"]


@dataclass(frozen=True, kw_only=True)
class Factor:
    """A setting that differs between the arms of a comparison."""

    setting: str  # RunConfig's name of it
    name: str
    question: str  # the page's title
    purpose: str  # what it does, and why one would try it
    levels: tuple[Level, ...]  # to begin with
    kind: Kind = "numbers"
    # What does something in a sentence, where the setting has this level; the arm's name, where nothing else is said.
    phrase: Callable[[Any], str] | None = None

    def label(self, level: Level) -> str:
        """The level alone, as a table names it: "0.2", "256-128-64", "on"."""
        if level is None:
            return "all"
        if isinstance(level, bool):
            return "on" if level else "off"
        if isinstance(level, tuple):
            return "-".join(map(str, level))
        if isinstance(level, str):
            return setting_words(self.setting, level)
        return f"{level:,}" if isinstance(level, int) else number_text(level)

    def arm_name(self, level: Level) -> str:
        """What an arm is called in a list or, capitalised, in a legend: "no dropout", "batch 64"."""
        return setting_words(self.setting, level)

    def subject(self, level: Level) -> str:
        """What an arm is called in a sentence: "dropout 0.2", "a batch size of 64"."""
        return self.phrase(level) if self.phrase else self.arm_name(level)

    def is_none(self, level: Level) -> bool:
        """Whether the level is the lack of the thing, so that a sentence need not say what it is compared with."""
        return level is False or (level == 0 and self.kind == "numbers")

    def in_order(self, levels: Sequence[Level]) -> tuple[Level, ...]:
        """Levels from the least to the most: numbers ascending, choices as they are listed, networks by their size."""
        return tuple(sorted(levels, key=self._rank))

    def _rank(self, level: Any) -> Any:
        if self.kind == "choices":
            return self.levels.index(level)
        if self.kind == "networks":
            return count_parameters(RunConfig(hidden=level)), level
        return (1, 0) if level is None else (0, level)  # None stands for all that there are


_OFF_AND_ON = (False, True)
FACTORS: dict[str, Factor] = {
    factor.setting: factor
    for factor in (
        Factor(
            setting="dropout",
            name="Dropout",
            question="Does dropout help here?",
            purpose="Train the same network with and without dropout, side by side.",
            levels=(0.0, 0.2),
        ),
        Factor(
            setting="weight_decay",
            name="Weight decay",
            question="Does weight decay help here?",
            purpose="Weight decay pulls weights towards zero a little at each step, so that none grows for no reason.",
            levels=(0.0, 0.01),
        ),
        Factor(
            setting="label_smoothing",
            name="Label smoothing",
            question="Does label smoothing help here?",
            purpose="Label smoothing spreads a share of each label over all classes, so that the network grows less "
            "sure of itself.",
            levels=(0.0, 0.1),
        ),
        Factor(
            setting="batch_norm",
            name="Batch normalisation",
            question="Does batch normalisation help here?",
            purpose="Batch normalisation rescales what enters each hidden layer's ReLU, batch by batch. Learning gets "
            "faster and steadier.",
            levels=_OFF_AND_ON,
            kind="choices",
            phrase=lambda is_on: "batch normalisation" if is_on else "no batch normalisation",
        ),
        Factor(
            setting="flips",
            name="Horizontal flips",
            question="Do horizontal flips help here?",
            purpose="Mirroring half of the training images at random makes more of the same data.",
            levels=_OFF_AND_ON,
            kind="choices",
            phrase=lambda is_on: "flipping images" if is_on else "flipping no images",
        ),
        Factor(
            setting="hidden",
            name="Hidden layers",
            question="Which network is better here?",
            purpose="A larger network can learn more, and can also learn more by heart.",
            levels=((64,), (256, 128, 64)),
            kind="networks",
            phrase=lambda sizes: f"the network {'-'.join(map(str, sizes))}",
        ),
        Factor(
            setting="learning_rate",
            name="Learning rate",
            question="Which learning rate is better here?",
            purpose="The learning rate is how far each step moves the weights.",
            levels=(0.001, 0.003),
            phrase=lambda rate: f"a learning rate of {number_text(rate)}",
        ),
        Factor(
            setting="schedule",
            name="Schedule",
            question="Does one cycle help here?",
            purpose="One cycle raises the learning rate over a fifth of the run, then lowers it to zero.",
            levels=get_args(Schedule),
            kind="choices",
            phrase=lambda schedule: "one cycle" if schedule == "one-cycle" else "a constant rate",
        ),
        Factor(
            setting="batch_size",
            name="Batch size",
            question="Which batch size is better here?",
            purpose="Larger batches make fewer and smoother steps.",
            levels=(64, 256),
            phrase=lambda size: f"a batch size of {size:,}",
        ),
        Factor(
            setting="training_images",
            name="Training images",
            question="Do more images help here?",
            purpose="With fewer images there is less to learn from, and it is easier to learn them by heart.",
            levels=(2_000, 10_000),
            phrase=lambda count: f"training on {'all images' if count is None else counted(count, 'image')}",
        ),
        Factor(
            setting="label_noise",
            name="Label noise",
            question="What does label noise do here?",
            purpose="A share of the training labels says another class. A network that learns them learns by heart.",
            levels=(0.0, 0.2),
        ),
        Factor(
            setting="input_dropout",
            name="Input dropout",
            question="Does input dropout help here?",
            purpose="Blackening pixels at random in each training step keeps the network from relying on single ones.",
            levels=(0.0, 0.2),
        ),
        Factor(
            setting="shift_pixels",
            name="Shifts",
            question="Do shifted images help here?",
            purpose="Moving each training image by a pixel or so at random makes more of the same data.",
            levels=(0, 1),
            phrase=lambda pixels: f"shifting images by up to {counted(pixels, 'pixel')}" if pixels else "no shifting",
        ),
        Factor(
            setting="optimizer",
            name="Optimiser",
            question="Which optimiser is better here?",
            purpose="Adam adapts the step of each weight; SGD with momentum moves all of them at one rate.",
            levels=get_args(Optimizer),
            kind="choices",
        ),
        Factor(
            setting="epochs",
            name="Epochs",
            question="Do more epochs help here?",
            purpose="An epoch is one pass over all training images. Each arm is looked at where it ends.",
            levels=(5, 15),
            phrase=lambda epochs: f"training for {counted(epochs, 'epoch')}",
        ),
    )
}
# Seeds are what pairs share, and the protocol decides which images judge.
assert set(FACTORS) == {field.name for field in fields(RunConfig)} - {"seed", "protocol"}


def at_level(base: RunConfig, setting: str, level: Level) -> RunConfig:
    """`base` with one setting at this level. Raises ValueError that names the setting, the rule and the value."""
    changes: dict[str, Any] = {setting: level}
    return replace(base, **changes)


def at_default(base: RunConfig, setting: str) -> RunConfig:
    """`base` with RunConfig's default of the setting, which says nothing where every arm has a level of its own."""
    return at_level(base, setting, getattr(RunConfig(), setting))
