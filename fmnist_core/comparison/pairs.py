"""What two runs of one seed share when they differ in one setting, and what they cannot: the fairness of a pair."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

from fmnist_core.config import RunConfig

# All that chance decides in a run, worded to follow "the".
Draw = Literal[
    "held-out images",
    "training images",
    "wrong labels",
    "first weights",
    "order of images",
    "batches",
    "dropout masks",
    "flips",
    "shifts",
    "dropped pixels",
]
DRAWS: tuple[Draw, ...] = get_args(Draw)


@dataclass(frozen=True)
class Sharing:
    """How a pair's draws go together, and a sentence on those that are not the same; "" where all are.

    What is `nested` in one run lies within what it is in the other; what is `apart` has nothing in common.
    """

    same: tuple[Draw, ...]
    nested: tuple[Draw, ...]
    apart: tuple[Draw, ...]
    sentence: str


_EQUAL = Sharing(DRAWS, (), (), "")


def _but(sentence: str, *, nested: tuple[Draw, ...] = (), apart: tuple[Draw, ...] = ()) -> Sharing:
    return Sharing(tuple(draw for draw in DRAWS if draw not in (*nested, *apart)), nested, apart, sentence)


# By the setting that differs. A setting that came new without a line here fails a test, which also holds each line
# against what training draws.
_SHARING: dict[str, Sharing] = {
    "hidden": _but(
        "Networks of different sizes have no first weights and no dropout masks in common.",
        apart=("first weights", "dropout masks"),
    ),
    "dropout": _but(
        "What a lower rate switches off, a higher one switches off too.",
        nested=("dropout masks",),
    ),
    "batch_norm": _EQUAL,
    "learning_rate": _EQUAL,
    "schedule": _EQUAL,
    "batch_size": _but(
        "Images come in the same order, but in other batches, and so under other dropout masks.",
        apart=("batches", "dropout masks"),
    ),
    "epochs": Sharing(DRAWS, (), (), "The shorter run draws what the longer one draws in its first epochs."),
    "weight_decay": _EQUAL,
    "label_smoothing": _EQUAL,
    "flips": _but("Only one of the two mirrors images.", apart=("flips",)),
    "training_images": _but(
        "The smaller set of images lies in the larger one; their order and all that follows it cannot be the same.",
        nested=("training images",),
        apart=("order of images", "batches", "dropout masks", "flips", "shifts", "dropped pixels"),
    ),
    "label_noise": _but(
        "Labels that are wrong at a smaller share are wrong, and the same, at a larger one.",
        nested=("wrong labels",),
    ),
    "input_dropout": _but(
        "Pixels that a lower rate drops, a higher one drops too.",
        nested=("dropped pixels",),
    ),
    "shift_pixels": _but("Images move by other distances.", apart=("shifts",)),
    "optimizer": _EQUAL,
}


def shared_by_pairs(field: str, among: Collection[Draw] = DRAWS) -> Sharing:
    """What pairs share that differ in this setting of `RunConfig`, of the draws `among` which they make at all.

    Raises ValueError for a setting in which pairs cannot differ.
    """
    if field not in _SHARING:
        raise ValueError(f"pairs must differ in one of {', '.join(_SHARING)}, got {field!r}")
    all_draws = _SHARING[field]
    groups = (all_draws.same, all_draws.nested, all_draws.apart)
    same, nested, apart = (tuple(draw for draw in group if draw in among) for group in groups)
    return Sharing(same, nested, apart, all_draws.sentence)


def drawn_by(*configs: RunConfig) -> tuple[Draw, ...]:
    """What chance decides in at least one of these runs, in the order of `DRAWS`."""
    always: tuple[Draw, ...] = ("first weights", "order of images", "batches")
    drawn: dict[Draw, bool] = {
        **dict.fromkeys(always, True),
        "held-out images": any(config.protocol == "held-out" for config in configs),
        "training images": any(config.training_images is not None for config in configs),
        "wrong labels": any(config.label_noise > 0 for config in configs),
        "dropout masks": any(config.dropout > 0 for config in configs),
        "flips": any(config.flips for config in configs),
        "shifts": any(config.shift_pixels > 0 for config in configs),
        "dropped pixels": any(config.input_dropout > 0 for config in configs),
    }
    return tuple(draw for draw in DRAWS if drawn[draw])
