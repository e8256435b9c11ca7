"""Tables for papers."""

import pandas as pd
import pytest

from fmnist_core.comparison.latex import in_latex, latex_table

TABLE = pd.DataFrame(
    {
        "Dropout": ["0", "0.2"],
        "Validation accuracy": ["87.81 ± 0.23%", "not yet"],
        "Gap": ["\N{MINUS SIGN}0.010 ± 0.006 ★", "2.1 \N{MULTIPLICATION SIGN} 10⁹"],
    }
)


def test_arms_become_columns_and_figures_rows():
    lines = latex_table(TABLE, "Article · seeds 0 to 4").splitlines()
    assert lines[2] == r"\caption{Article $\cdot$ seeds 0 to 4}"
    assert lines[3] == r"\begin{tabular}{lrr}"
    assert lines[5] == r"Dropout & 0 & 0.2 \\"
    assert lines[7] == r"Validation accuracy & 87.81 $\pm$ 0.23\% & not yet \\"
    assert lines[8] == r"Gap & $-$0.010 $\pm$ 0.006 $^\star$ & 2.1 $\times$ 10$^9$ \\"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a_b & 50% of $3 {x} #1", r"a\_b \& 50\% of \$3 \{x\} \#1"),
        (r"\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
        ("~^", r"\textasciitilde{}\textasciicircum{}"),
        ("<0.1", "$<$0.1"),
    ],
)
def test_nothing_is_left_that_latex_would_obey(text, written):
    assert in_latex(text) == written


def test_all_that_is_written_is_ascii():
    assert latex_table(TABLE, "Article · seeds").isascii()
