import csv
import io
from datetime import UTC, datetime

import pandas as pd
import pytest

from fmnist_core.results.csv_text import csv_text


def rows(table):
    return list(csv.reader(io.StringIO(csv_text(table), newline="")))


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://example.org";"click")',
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "  =1+1",
        "\ufeff=1+1",
        "\N{FULLWIDTH EQUALS SIGN}1+1",
        "\N{FULLWIDTH COMMERCIAL AT}SUM(A1)",
        "|calc",
    ],
)
def test_what_a_spreadsheet_would_carry_out_is_marked_as_text_and_nothing_of_it_is_lost(text):
    heading, row = rows(pd.DataFrame({text: [text], "loss": [0.5]}))
    assert heading == [f"'{text}", "loss"]
    assert row == [f"'{text}", "0.5"]


@pytest.mark.parametrize(
    "text", ["", "a plain name", "1=1", 'say "so"', "a;=1+1", "a,b", "two\nlines", "\u05e9\u05dc\u05d5\u05dd", "0.2"]
)
def test_other_texts_stay_as_they_are_and_in_one_cell(text):
    _, row = rows(pd.DataFrame({"name": [text], "loss": [0.5]}))
    assert row == [text, "0.5"]


def test_a_text_is_in_quotes_so_that_a_semicolon_separates_nothing():
    assert '"a;=1+1"' in csv_text(pd.DataFrame({"name": ["a;=1+1"]}))


def test_numbers_stay_numbers_and_what_is_missing_stays_empty():
    table = pd.DataFrame(
        {
            "gap": [-0.25, None],
            "best_epoch": pd.array([3, None], dtype="Int64"),
            "mixed": [-1, "-1"],
            "started": [datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), None],
        }
    )
    assert rows(table)[1:] == [["-0.25", "3", "-1", "2026-01-02T03:04:05+0000"], ["", "", "'-1", ""]]


def test_the_table_itself_is_left_alone():
    table = pd.DataFrame({"name": ["=1"]})
    csv_text(table)
    assert table["name"].tolist() == ["=1"]
