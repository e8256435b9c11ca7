"""Words that more than one room uses."""

import math

import pytest

from fmnist_core.wording import (
    capitalised,
    counted,
    decimal,
    dropout_name,
    listed,
    number_text,
    percentage,
    shortened,
    signed_number,
)


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "<0.1%"), (0.0009, "<0.1%"), (0.001, "0.1%"), (0.9341, "93.4%"), (0.9995, ">99.9%"), (1.0, ">99.9%")],
)
def test_percentages_claim_no_false_certainty(share, words):
    assert percentage(share) == words


@pytest.mark.parametrize(("dropout", "name"), [(0.0, "no dropout"), (0.2, "dropout 0.2"), (0.35, "dropout 0.35")])
def test_an_arm_is_called_by_its_dropout(dropout, name):
    assert dropout_name(dropout) == name


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(0.125, 2, "+0.12"), (-3, 0, "\N{MINUS SIGN}3"), (-0.0004, 3, "0.000"), (0, 1, "0.0")],
)
def test_a_signed_number_has_a_true_minus_and_zero_has_no_sign(value, digits, text):
    assert signed_number(value, digits) == text


@pytest.mark.parametrize("value", [0, math.nan])
def test_nothing_to_tell_can_have_a_word_of_its_own(value):
    assert signed_number(value, 1, zero="the same") == "the same"


def test_lists_end_with_and():
    assert [listed(parts) for parts in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
    assert listed(["a", "b", "c"], last="or") == "a, b or c"


def test_a_sentence_begins_with_a_capital():
    assert capitalised("no dropout of RunConfig") == "No dropout of RunConfig"
    assert capitalised("") == ""


def test_counted_nouns_have_a_plural_only_where_there_are_several():
    assert [counted(count, "epoch") for count in (0, 1, 2, 1200)] == ["0 epochs", "1 epoch", "2 epochs", "1,200 epochs"]


def test_decimals_have_neither_a_sign_at_zero_nor_an_exponent():
    values = (-0.0004, 0.0, -0.0006, 0.25, 31_234_567_890_123.0, -2e7)
    assert [decimal(value, 3) for value in values] == [
        *("0.000", "0.000", "\N{MINUS SIGN}0.001", "0.250"),
        *("3.1 \N{MULTIPLICATION SIGN} 10¹³", "\N{MINUS SIGN}2.0 \N{MULTIPLICATION SIGN} 10⁷"),
    ]


@pytest.mark.parametrize("value", [0.0, 0.2, 1e-6, 0.1 + 0.2, 2**31 - 1, 1e-12, 1e300])
def test_the_text_of_a_number_reads_back_as_the_same(value):
    assert float(number_text(value)) == value


def test_the_text_of_a_number_has_no_exponent_that_people_can_do_without():
    assert [number_text(value) for value in (0, 1.0, 1e-6, 2**31 - 1)] == ["0", "1", "0.000001", "2147483647"]


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("", ""),
        ("abcde", "abcde"),
        ("abcdef", "abcd\N{HORIZONTAL ELLIPSIS}"),
        ("abc  defg", "abc\N{HORIZONTAL ELLIPSIS}"),
    ],
)
def test_what_is_too_long_ends_with_an_ellipsis(text, short):
    assert shortened(text, 5) == short
