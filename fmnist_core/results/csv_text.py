"""Tables as CSV that spreadsheets show and do not carry out."""

import csv
import unicodedata

import pandas as pd

# What a spreadsheet takes for the beginning of a formula, or skips before one.
_FORMULA_STARTS = frozenset("=+-@\t\r\n\0|")


def csv_text(table: pd.DataFrame) -> str:
    """`table` without its index as CSV: texts in quotes, numbers without, times as ISO 8601.

    A text, or a heading, that a spreadsheet would take for a formula gets an apostrophe before it, which spreadsheets
    read as "this is text". All texts are in quotes, so that none falls apart where a semicolon separates cells.
    """
    safe = table.rename(columns=_safe)
    for place, dtype in enumerate(safe.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            safe.isetitem(place, safe.iloc[:, place].map(_safe).array)
    text: str = safe.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC, date_format="%Y-%m-%dT%H:%M:%S%z")
    return text


def _safe(cell: object) -> object:
    """A cell as it may stand in a file: only texts can be formulas."""
    if not isinstance(cell, str):
        return cell
    # Some spreadsheets skip spaces before a formula, and some take wide signs, as East Asian keyboards write them.
    begins = unicodedata.normalize("NFKC", cell[:8]).lstrip(" \u200b\ufeff")[:1]
    return f"'{cell}" if cell[:1] in _FORMULA_STARTS or begins in _FORMULA_STARTS else cell
