"""What the chosen runs say of the images that all of them are evaluated on."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fmnist_core.data.evaluation_images import EvaluationImages, Part, common_images
from fmnist_core.results.selection import Probabilities
from ui import handles
from ui.forms.run_choice import Chosen


@dataclass(frozen=True, eq=False)
class CommonAnswers:
    """The images, their labels (n,), and each chosen run's probabilities (n, 10) for them."""

    images: EvaluationImages
    labels: npt.NDArray[np.int64]
    probabilities: tuple[Probabilities, ...]

    @property
    def predicted(self) -> tuple[npt.NDArray[np.int64], ...]:
        """Each run's likeliest class for each image, (n,)."""
        return tuple(probabilities.argmax(axis=1) for probabilities in self.probabilities)


def common_answers(chosen: Chosen, part: Part) -> CommonAnswers | None:
    """Ask the chosen networks; None where the runs have no image in common that neither was trained on."""
    dataset = handles.dataset()
    own = [handles.evaluation_images_of(run, part) for run in chosen.runs]
    common = own[0] if len(own) == 1 else common_images(*own)
    if common is None:
        return None
    probabilities = tuple(
        handles.probabilities_of(run.key, chosen.kind, run.epoch_of(chosen.kind), part)[images.rows_of(common)]
        for run, images in zip(chosen.runs, own, strict=True)
    )
    return CommonAnswers(common, common.labels(dataset), probabilities)
