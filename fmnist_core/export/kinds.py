"""What can be taken along of a run, of a comparison and of a grid: names, words, endings."""

from dataclasses import dataclass
from typing import Literal

Subject = Literal["run", "study", "grid"]


@dataclass(frozen=True)
class Kind:
    """One thing to take along."""

    name: str
    label: str
    about: str  # what it is for, in a sentence
    ending: str  # of its file's name
    media_type: str


_REPORT = Kind(
    "report",
    "Report",
    "One page with question, curves, answer and mistakes. It opens without a network, and prints.",
    ".html",
    "text/html",
)
_TENSORBOARD = Kind(
    "tensorboard",
    "TensorBoard files",
    "A zip of a log directory with every epoch and the settings as hyperparameters; `tensorboard --logdir` reads it.",
    ".zip",
    "application/zip",
)
_CSV, _TEX = "text/csv", "application/x-tex"
_SCRIPT = Kind(
    "script",
    "Script",
    "One Python file that makes it again without the lab, and says whether it met the same figures.",
    ".py",
    "text/x-python",
)
_NOTEBOOK = Kind(
    "notebook",
    "Notebook",
    "The same as a notebook, to read and to try cell by cell.",
    ".ipynb",
    "application/x-ipynb+json",
)
_RUN = (
    _REPORT,
    _SCRIPT,
    _NOTEBOOK,
    Kind(
        "weights",
        "Weights",
        "The best epoch's network as safetensors, with classes, normalisation and settings as metadata.",
        ".safetensors",
        "application/octet-stream",
    ),
    Kind(
        "settings",
        "Settings",
        "All that decides the run's figures, as JSON. The form on Train reads it back.",
        ".json",
        "application/json",
    ),
    Kind(
        "onnx",
        "ONNX",
        "The best epoch's network for other runtimes, any number of images at once; it gives probabilities.",
        ".onnx",
        "application/octet-stream",
    ),
    _TENSORBOARD,
    Kind(
        "card",
        "Model card",
        "What the network is, how it was trained and how good it is: Markdown with the head that Hugging Face reads.",
        ".md",
        "text/markdown",
    ),
    Kind("history", "History as CSV", "Every epoch's figures: losses in nats, accuracies as shares.", ".csv", _CSV),
    Kind("latex", "Table as LaTeX", "Best and last epoch for a paper, with the rules of booktabs.", ".tex", _TEX),
)
_STUDY = (
    _REPORT,
    _SCRIPT,
    _NOTEBOOK,
    _TENSORBOARD,
    Kind("figures", "Table as CSV", "Each arm's means and spreads, with nothing rounded.", ".csv", _CSV),
    Kind("history", "History as CSV", "Every epoch of every run, under its level and seed.", ".csv", _CSV),
    Kind("latex", "Table as LaTeX", "Each arm's figures for a paper, with the rules of booktabs.", ".tex", _TEX),
)
_GRID = (
    _REPORT,
    Kind(
        "figures", "Table as CSV", "Means, spreads and differences at each value, with nothing rounded.", ".csv", _CSV
    ),
    Kind("latex", "Table as LaTeX", "The differences for a paper, with the rules of booktabs.", ".tex", _TEX),
)
KINDS: dict[Subject, tuple[Kind, ...]] = {"run": _RUN, "study": _STUDY, "grid": _GRID}


def kind_of(subject: Subject, name: str) -> Kind:
    """The kind of this name; there must be one."""
    return next(kind for kind in KINDS[subject] if kind.name == name)
