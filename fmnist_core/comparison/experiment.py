"""What the Compare page is about: one comparison, or one across a second setting; and the three to begin with."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from fmnist_core.comparison.grid import GRID_NAMES, Grid
from fmnist_core.comparison.study import Study
from fmnist_core.config import RunConfig

Experiment = Study | Grid
EXPERIMENT_NAMES = GRID_NAMES


def experiment_from_address(values: Mapping[str, str]) -> Experiment:
    """Read query parameters. Raises ValueError with a sentence for people."""
    return Grid.from_address(values) if "across" in values else Study.from_address(values)


def study_of(experiment: Experiment) -> Study:
    """The comparison, without what it goes across."""
    return experiment.study if isinstance(experiment, Grid) else experiment


class Offer(NamedTuple):
    """An experiment that one click starts, and what it asks."""

    name: str
    grid: Grid


# A small network at a constant rate for thirty epochs overfits wherever there is little to learn from, and trains in
# seconds.
_BASE = RunConfig(hidden=(128,), learning_rate=0.001, epochs=30)
_STUDY = Study(base=_BASE, levels=(0.0, 0.5), seeds=5)
_FEWER_IMAGES = replace(_STUDY, base=replace(_BASE, training_images=10_000))
OFFERS = (
    Offer(
        "Dropout and the number of images",
        Grid(study=_STUDY, across="training_images", values=(500, 2_000, 10_000, 50_000)),
    ),
    Offer("Dropout and label noise", Grid(study=_FEWER_IMAGES, across="label_noise", values=(0.0, 0.2, 0.4))),
    Offer("Dropout and width", Grid(study=_FEWER_IMAGES, across="hidden", values=((32,), (128,), (512,)))),
)
