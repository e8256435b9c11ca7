"""What exports are made of: all that the store and the data set know of a run, a comparison or a grid."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from fmnist_core.comparison.factors import Level
from fmnist_core.comparison.grid import Grid
from fmnist_core.comparison.progress import Collected
from fmnist_core.comparison.reading import STANDARD_READING, Reading
from fmnist_core.comparison.study import Study
from fmnist_core.data.dataset import Dataset
from fmnist_core.data.evaluation_images import EvaluationImages, evaluation_images
from fmnist_core.network.figures import Evaluation
from fmnist_core.network.stored_network import StoredNetwork
from fmnist_core.store.notes import NO_NOTES, Notes
from fmnist_core.store.run import Run, Weights


@dataclass(frozen=True, kw_only=True)
class RunMaterial:
    """A run with at least one epoch, and its best network. `tests` are there only where the visitor revealed them."""

    run: Run
    epochs: pd.DataFrame
    weights: bytes  # of its best epoch, a safetensors file
    data: Dataset | None  # None where this machine has not those that it trained on
    tests: Mapping[Weights, Evaluation]
    link: str  # to its page; empty where nobody knows the server's address
    notes: Notes = NO_NOTES

    @cached_property
    def network(self) -> StoredNetwork:
        """The best epoch's network."""
        return StoredNetwork(self.run.config, self.weights)

    @cached_property
    def answers(self) -> "Answers | None":
        """What that network says of the images that the run validates on; None without the data."""
        if self.data is None:
            return None
        images = evaluation_images(self.data, self.run.config, "validation")
        pixels = images.pixels(self.data)
        return Answers(images, pixels, images.labels(self.data), self.network.probabilities(pixels))


@dataclass(frozen=True, eq=False)
class Answers:
    """Images, uint8 (n, 28, 28), their labels, int64 (n,), and a network's probabilities, float32 (n, 10)."""

    images: EvaluationImages
    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float32]

    @property
    def predicted(self) -> npt.NDArray[np.int64]:
        """The likeliest class of each image, (n,)."""
        predicted: npt.NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return predicted


@dataclass(frozen=True, kw_only=True)
class StudyMaterial:
    """A comparison with what is stored of its runs, read as its visitor reads it: `second` beside the first level."""

    study: Study
    collected: Collected
    second: Level
    reveal_tests: bool
    link: str
    pair: tuple[RunMaterial, RunMaterial] | None = None  # of one seed, at the first level and at `second`
    reading: Reading = STANDARD_READING
    notes: Notes = NO_NOTES


@dataclass(frozen=True, kw_only=True)
class GridMaterial:
    """A comparison across a second setting with what is stored of its runs, value by value."""

    grid: Grid
    collected: tuple[Collected, ...]
    link: str
    notes: Notes = NO_NOTES


Material = RunMaterial | StudyMaterial | GridMaterial
