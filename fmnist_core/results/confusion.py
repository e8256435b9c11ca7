"""What runs get wrong, class by class, and how sure they are: the figures behind tables and charts.

Throughout, `probabilities` are class probabilities float32 (n, 10), `labels` and `predicted` classes int64 (n,), and
`predictions` maps a run's name, such as "Run 3", to what it predicts for the same images.
"""

import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from fmnist_core.data.dataset import CLASSES

Probabilities = npt.NDArray[np.float32]
Classes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MEASURES = ("precision", "recall", "F1")
NOTHING_TO_COUNT = "\N{EN DASH}"


def confusion(labels: Classes, predicted: Classes) -> npt.NDArray[np.int64]:
    """Count images, int64 (10, 10): rows are true classes, columns predicted ones."""
    # Scikit-learn's own gives the same, and takes a second to import, which is most of what a report takes.
    cells = np.bincount(len(CLASSES) * labels + predicted, minlength=len(CLASSES) ** 2)
    return cells.reshape(len(CLASSES), len(CLASSES)).astype(np.int64)


def row_shares(matrix: npt.NDArray[np.int64]) -> Floats:
    """Each count as a share of its row's images; NaN in the row of a class without images: nothing is known of it."""
    support = matrix.sum(axis=1, keepdims=True)
    shares: Floats = np.divide(matrix, support, out=np.full(matrix.shape, np.nan), where=support > 0)
    return shares


def class_table(labels: Classes, predictions: Mapping[str, Classes]) -> pd.DataFrame:
    """One row a class, the lowest mean F1 over the runs first; equal ones stay in the classes' order.

    The columns are `class`, `images` and, measure by measure, "<run>: precision", "<run>: recall" and "<run>: F1", as
    shares. A measure that has nothing to count is NaN: precision where the run never names the class, recall where the
    class has no images, F1 where both hold.
    """
    from sklearn.metrics import precision_recall_fscore_support

    figures = {
        name: precision_recall_fscore_support(
            labels, predicted, labels=range(len(CLASSES)), average=None, zero_division=np.nan
        )
        for name, predicted in predictions.items()
    }
    table = pd.DataFrame({"class": CLASSES, "images": np.bincount(labels, minlength=len(CLASSES))})
    for place, measure in enumerate(MEASURES):
        for name in predictions:
            table[f"{name}: {measure}"] = figures[name][place]
    overall = table[[f"{name}: F1" for name in predictions]].mean(axis=1)
    return table.loc[overall.sort_values(kind="stable").index].reset_index(drop=True)


def class_table_words(table: pd.DataFrame) -> pd.DataFrame:
    """`class_table` as a page shows it: percent with one decimal, and a dash where there is nothing to count."""
    words = pd.DataFrame({"Class": table["class"], "Images": [f"{images:,}" for images in table["images"]]})
    for heading in table.columns[2:]:
        words[heading] = [NOTHING_TO_COUNT if pd.isna(share) else f"{100 * share:.1f}%" for share in table[heading]]
    return words


def confused_pairs(labels: Classes, predictions: Mapping[str, Classes], limit: int = 10) -> pd.DataFrame:
    """The pairs of classes that the runs confuse most, summed over the runs; at most `limit`, none without an image.

    The columns are `cell` (as from `cell_name`), `true` and `taken_for` (names), and a count for each run under its
    name. Equal pairs are in the order of the true class, then of the predicted one.
    """
    matrices = {name: confusion(labels, predicted) for name, predicted in predictions.items()}
    total = sum(matrices.values(), np.zeros((len(CLASSES), len(CLASSES)), dtype=np.int64))
    np.fill_diagonal(total, 0)
    order = np.argsort(-total, axis=None, kind="stable")[: min(limit, np.count_nonzero(total))]
    true, predicted = np.unravel_index(order, total.shape)
    return pd.DataFrame(
        {
            "cell": [cell_name(*pair) for pair in zip(true, predicted, strict=True)],
            "true": [CLASSES[place] for place in true],
            "taken_for": [CLASSES[place] for place in predicted],
            **{name: matrix[true, predicted] for name, matrix in matrices.items()},
        }
    )


def cell_name(true_class: int, predicted_class: int) -> str:
    """How a confusion matrix's cell is called in addresses and clicks: "6-0" is class 6 taken for class 0."""
    return f"{true_class}-{predicted_class}"


def parse_cell(text: str) -> tuple[int, int]:
    """`cell_name`'s inverse: the true and the predicted class. Raises ValueError for anything else."""
    match = re.fullmatch(r"([0-9])-([0-9])", text, re.ASCII)
    if match is None:
        raise ValueError(f"a cell must be two class numbers from 0 to {len(CLASSES) - 1} like 6-0, got {text!r}")
    return int(match[1]), int(match[2])


def cell_images(
    labels: Classes, predicted: Classes, true_class: int, predicted_class: int, probabilities: Probabilities
) -> npt.NDArray[np.int64]:
    """Positions of the images of `true_class` that were predicted as `predicted_class`, the surest prediction first."""
    positions = np.flatnonzero((labels == true_class) & (predicted == predicted_class))
    return positions[np.argsort(-probabilities[positions, predicted_class], kind="stable")]
