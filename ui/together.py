"""What the chosen runs say of the images that all of them are judged by."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fmnist_core.judged import JudgedImages, common_images
from fmnist_core.schema import Part
from fmnist_core.selection import Scores
from ui import handles
from ui.run_choice import Chosen


@dataclass(frozen=True, eq=False)
class Together:
    """The images, their labels (n,), and each chosen run's probabilities (n, 10) for them."""

    images: JudgedImages
    labels: npt.NDArray[np.int64]
    scores: tuple[Scores, ...]

    @property
    def predicted(self) -> tuple[npt.NDArray[np.int64], ...]:
        """Each run's likeliest class for each image, (n,)."""
        return tuple(scores.argmax(axis=1) for scores in self.scores)


def judge_together(chosen: Chosen, part: Part) -> Together | None:
    """Ask the chosen networks; None where the runs have no image in common that neither was trained on."""
    dataset = handles.data().dataset
    assert dataset is not None, "the frame waits for data"
    own = [handles.judged_of(run, part) for run in chosen.runs]
    common = own[0] if len(own) == 1 else common_images(*own)
    if common is None:
        return None
    scores = tuple(
        handles.scores(run.key, chosen.kind, run.epoch_of(chosen.kind), part)[images.rows_of(common)]
        for run, images in zip(chosen.runs, own, strict=True)
    )
    return Together(common, common.labels(dataset), scores)
