"""Labels that look wrong: images for which runs that never saw them agree on another class."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from fmnist_core.data.dataset import CLASSES


@dataclass(frozen=True, eq=False)
class HeldOutAnswers:
    """One run's class probabilities, float32 (m, 10), for the images at `positions`, int64 (m,).

    These must be images that the run was not trained on: it may know its own by heart, wrong labels included.
    Raises ValueError where the shapes do not fit or a position comes twice.
    """

    positions: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.positions.ndim != 1 or self.probabilities.shape != (len(self.positions), len(CLASSES)):
            raise ValueError(
                f"probabilities must have a row for each position and {len(CLASSES)} columns, "
                f"got {self.probabilities.shape} for positions {self.positions.shape}"
            )
        if len(np.unique(self.positions)) < len(self.positions):
            raise ValueError("a run must answer for an image once, got a position twice")


def doubtful_labels(
    held_out_answers: Iterable[HeldOutAnswers], labels: npt.NDArray[np.int64], limit: int
) -> pd.DataFrame:
    """The at most `limit` images whose labels (n,) the runs doubt most.

    Each image's probabilities are averaged over the runs that answered. It is doubtful where the likeliest class of
    that mean, the consensus, is not its label, and the more so the further the consensus's mean probability lies above
    the label's (`margin`). Columns: `position`, `label`, `consensus` (class numbers), `label_probability`,
    `consensus_probability`, `margin`, `runs` (that answered), `agreeing` (of these, how many have the consensus
    as their own likeliest class). Equal margins are in the order of positions, equal classes in that of their numbers.

    This ranks by a margin alone. Confident learning (Northcutt et al., 2021, "Confident Learning: Estimating
    Uncertainty in Dataset Labels") is a relative: it, too, relies on probabilities for images not trained on, but sets
    a threshold for each class and estimates how many labels are wrong. This estimates nothing: what stands here may as
    well be a mistake of all the runs. `held_out_answers` are used one at a time and may be a generator. Raises
    ValueError for a position that has no label.
    """
    sums = np.zeros((len(labels), len(CLASSES)))
    choices = np.zeros((len(labels), len(CLASSES)), dtype=np.int64)
    for answers in held_out_answers:
        positions, probabilities = answers.positions, answers.probabilities
        if len(positions) and not 0 <= positions.min() <= positions.max() < len(labels):
            raise ValueError(
                f"positions must be from 0 to {len(labels) - 1}, got {positions.min()} to {positions.max()}"
            )
        sums[positions] += probabilities
        choices[positions, probabilities.argmax(axis=1)] += 1
    runs = choices.sum(axis=1)
    consensus = sums.argmax(axis=1)
    doubtful = np.flatnonzero((runs > 0) & (consensus != labels))
    means = sums[doubtful] / runs[doubtful, None]
    rows = np.arange(len(doubtful))
    table = pd.DataFrame(
        {
            "position": doubtful,
            "label": labels[doubtful],
            "consensus": consensus[doubtful],
            "label_probability": means[rows, labels[doubtful]],
            "consensus_probability": means[rows, consensus[doubtful]],
            "margin": means[rows, consensus[doubtful]] - means[rows, labels[doubtful]],
            "runs": runs[doubtful],
            "agreeing": choices[doubtful, consensus[doubtful]],
        }
    )
    return table.sort_values("margin", ascending=False, kind="stable", ignore_index=True).head(limit)
