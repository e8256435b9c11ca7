"""Which images are worth a look, and in which order: mistakes, doubts, and what changed between two runs."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from fmnist_core.data.evaluation_images import Positions

Choice = Literal["all", "mistakes", "confident mistakes", "least certain", "fixed", "broke", "both wrong"]
PAIR_CHOICES: tuple[Choice, ...] = ("fixed", "broke", "both wrong")  # these compare two runs

ORDERS = 10_000  # a seed of few digits, for addresses

Probabilities = npt.NDArray[np.float32]


def select(
    choice: Choice,
    labels: npt.NDArray[np.int64],
    probabilities: Probabilities,
    other: Probabilities | None = None,
    *,
    label: int | None = None,
    seed: int = 0,
) -> Positions:
    """Rows of the images that `choice` admits, of class `label` where one is given, in the order in which to show them.

    `labels` (n,) and class probabilities (n, 10). What it is about are the `probabilities`; with `other` they are what
    it is compared with: "fixed" are images that `probabilities` gets wrong and `other` right, "broke" the reverse.
    Confident mistakes come by the probability of the wrong class, highest first; the least certain by that of the
    likeliest class, lowest first; all else in an order drawn from `seed`.
    Raises ValueError where a choice needs two runs and `other` is missing.
    """
    if choice in PAIR_CHOICES and other is None:
        raise ValueError(f"to choose images by {choice!r} two runs are needed, got one")
    wrong = probabilities.argmax(axis=1) != labels
    admitted = np.ones(len(labels), dtype=bool) if label is None else labels == label
    if choice in {"mistakes", "confident mistakes"}:
        admitted &= wrong
    elif other is not None and choice in PAIR_CHOICES:
        other_wrong = other.argmax(axis=1) != labels
        admitted &= {"fixed": wrong & ~other_wrong, "broke": ~wrong & other_wrong, "both wrong": wrong & other_wrong}[
            choice
        ]
    rows = np.flatnonzero(admitted)
    confidence = probabilities[rows].max(axis=1)
    if choice == "confident mistakes":
        return rows[np.argsort(-confidence, kind="stable")]
    if choice == "least certain":
        return rows[np.argsort(confidence, kind="stable")]
    return np.random.default_rng(seed).permutation(rows)


def new_order() -> int:
    """A fresh seed for `select`."""
    return int(np.random.default_rng().integers(ORDERS))
