"""A table in words as papers print it: LaTeX with the rules of booktabs."""

import pandas as pd

_WRITTEN = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "★": r"$^\star$",
    "\N{MINUS SIGN}": "$-$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "·": r"$\cdot$",
    "<": "$<$",
    ">": "$>$",
    **{raised: f"$^{digit}$" for digit, raised in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
}


def latex_table(table: pd.DataFrame, caption: str) -> str:
    """A table environment that needs the booktabs package alone; the table's first column names its rows.

    Rows and columns change places: a comparison has more figures than arms, and a page is higher than wide.
    """
    first, *figures = table.columns
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{in_latex(caption)}}}",
        rf"\begin{{tabular}}{{l{'r' * len(table)}}}",
        r"\toprule",
        _row([first, *table[first]]),
        r"\midrule",
        *(_row([figure, *table[figure]]) for figure in figures),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _row(cells: list[str]) -> str:
    return " & ".join(map(in_latex, cells)) + r" \\"


def in_latex(text: str) -> str:
    """Text with all that LaTeX would read as its own, or does not know, written in its way."""
    return "".join(_WRITTEN.get(character, character) for character in text)
