"""The parts of a report: tables, matrices, pictures and settings as its template takes them."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from fmnist_core.charts.colours import NEUTRAL, see_through
from fmnist_core.charts.style import Metric
from fmnist_core.comparison.factors import FACTORS
from fmnist_core.config import RunConfig
from fmnist_core.data.dataset import CLASSES
from fmnist_core.export.material import Answers
from fmnist_core.pictures.png import png_image
from fmnist_core.results.confusion import confusion, row_shares
from fmnist_core.results.run_names import setting_words
from fmnist_core.wording import capitalised, percentage

CURVES: tuple[Metric, ...] = ("loss", "accuracy")
NO_DATA = "Confusion matrix and mistakes are left out: the machine that made this report has other data."
SHOWN_MISTAKES = 20
_FULL_ERROR = 0.2  # the share of a class at which a cell's colour is strongest, as on the page
_STRONGEST, _RIGHT = 0.65, 0.28


class Table(NamedTuple):
    """A table of words; the first cell of each row heads it."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def tests_sentence(are_shown: bool) -> str:
    """Whether a report shows test figures, and why."""
    if are_shown:
        return "Test figures are shown: whoever made this report had revealed them."
    return "Test figures are not shown: whoever made this report had not revealed them. The test set is for the end."


def table_of(frame: pd.DataFrame) -> Table:
    """A frame of words whose first column names its rows."""
    return Table(list(map(str, frame.columns)), [list(map(str, row)) for row in frame.itertuples(index=False)])


def turned(frame: pd.DataFrame) -> Table:
    """The same with rows and columns changed, since a report is higher than wide; the corner stays."""
    corner = str(frame.columns[0])
    return table_of(frame.set_index(corner).T.rename_axis(corner).reset_index())


def settings_table(config: RunConfig, leaving_out: Sequence[str] = ()) -> Table:
    """Every setting of a run with its value, in words."""
    rows = []
    for name in [field.name for field in fields(config)]:
        if name not in leaving_out:
            value = getattr(config, name)
            factor = FACTORS.get(name)
            label = {"seed": "Seed", "protocol": "Validation"}[name] if factor is None else factor.name
            text = setting_words(name, value).removeprefix("seed ") if factor is None else factor.label(value)
            rows.append([label, capitalised(text)])
    return Table(["Setting", "Value"], rows)


def matrix_of(answers: Answers, colour: str, caption: str) -> dict[str, Any]:
    """A confusion matrix as a table: counts, tinted as on the page."""
    counts = confusion(answers.labels, answers.predicted)
    shares = np.nan_to_num(row_shares(counts))
    rows = [
        [
            {"text": f"{counts[row, column] or ''}", "colour": _tint(shares[row, column], row == column, colour)}
            for column in range(len(CLASSES))
        ]
        for row in range(len(CLASSES))
    ]
    return {"caption": caption, "rows": rows}


def _tint(share: float, is_right: bool, colour: str) -> str:
    if is_right:
        return see_through(NEUTRAL, round(_RIGHT * share, 3))
    return see_through(colour, round(_STRONGEST * min(1.0, share / _FULL_ERROR) ** 0.5, 3))


def gallery(title: str, answers: Answers, rows: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Some images with what they are and what they were taken for."""
    return {"title": title, "pictures": [_picture(answers, row) for row in map(int, rows[:SHOWN_MISTAKES])]}


def _picture(answers: Answers, row: int) -> dict[str, str]:
    said, true = CLASSES[answers.predicted[row]], CLASSES[answers.labels[row]]
    sure = percentage(float(answers.probabilities[row].max()))
    caption = f"{true}, recognised, {sure}" if said == true else f"{true}, taken for {said}, {sure}"
    return {
        "source": data_address("image/png", png_image(answers.pixels[row], scale=1)),
        "alt": f"{answers.images.name(row)}: {caption}",
        "caption": caption,
    }


def data_address(media_type: str, content: bytes) -> str:
    """An address that holds its content itself."""
    return f"data:{media_type};base64,{b64encode(content).decode()}"
