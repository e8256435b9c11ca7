"""Paired differences as drawn: sides, scales, intervals that are missing."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest

from fmnist_core.charts.difference_chart import paired_differences
from fmnist_core.comparison.differences import difference_text
from fmnist_core.comparison.paired_statistics import PairedDifference

GAP = PairedDifference("gap", -0.17, -0.19, -0.15, 5, 0.001, 0.02)
LOSS = PairedDifference("validation_loss", -0.021, -0.043, 0.001, 5, 0.06, 0.02)
ACCURACY = PairedDifference("validation_accuracy", 0.0042, 0.001, 0.0074, 5, 0.02, 0.003)
SINGLE = PairedDifference("validation_loss", -0.02, -math.inf, math.inf, 1, 1.0, math.nan)


def drawn(*differences, settled=(), protocol="held-out", margin=None):
    return paired_differences(differences, settled=settled, arm="dropout 0.2", protocol=protocol, margin=margin)


def words(figure):
    return [note.text for note in figure.layout.annotations]


def test_a_row_holds_the_interval_and_the_point():
    interval, point = drawn(GAP).data
    assert list(interval.x) == [-0.19, -0.15]
    assert list(point.x) == [-0.17]


def test_accuracies_are_in_percentage_points():
    interval, point = drawn(ACCURACY).data
    assert list(interval.x) == pytest.approx([0.1, 0.74])
    assert list(point.x) == pytest.approx([0.42])
    assert difference_text(ACCURACY) == "+0.42 percentage points (+0.10 to +0.74)"


def test_minus_signs_are_true_ones_and_zero_has_no_sign():
    minus = "\N{MINUS SIGN}"
    assert difference_text(GAP) == f"{minus}0.170 nats ({minus}0.190 to {minus}0.150)"
    assert difference_text(PairedDifference("gap", -1e-5, -0.1, 0.1, 5, 0.9, 0.1)).startswith("0.000 nats")


def test_one_seed_gives_a_point_only():
    figure = drawn(SINGLE)
    (point,) = figure.data
    assert list(point.x) == [-0.02]
    assert all(math.isfinite(end) for end in figure.layout.xaxis.range)
    assert any("too few seeds" in text for text in words(figure))


def test_the_better_side_is_shaded_and_named_row_by_row():
    figure = drawn(LOSS, ACCURACY)
    shaded = [(shape.x0, shape.x1) for shape in figure.layout.shapes if shape.type == "rect"]
    assert shaded[0][0] < 0 == shaded[0][1]
    assert shaded[1][0] == 0 < shaded[1][1]
    sides = [text for text in words(figure) if "better" in text or "worse" in text]
    assert sorted(sides) == sorted(["← dropout 0.2 better", "worse →", "← worse", "dropout 0.2 better →"])


def test_zero_is_drawn_in_the_middle_of_every_row():
    figure = drawn(GAP, LOSS, ACCURACY)
    assert [shape.x0 for shape in figure.layout.shapes if shape.type == "line"] == [0, 0, 0]
    for axis in figure.select_xaxes():
        assert axis.range[0] == -axis.range[1]


def test_no_difference_at_all_still_has_an_axis():
    figure = drawn(PairedDifference("gap", 0.0, 0.0, 0.0, 5, 1.0, 0.0))
    assert list(figure.layout.xaxis.range) == [-1, 1]


def test_only_what_is_settled_is_filled():
    figure = drawn(GAP, LOSS, settled={"gap"})
    assert [trace.marker.symbol for trace in figure.data if len(trace.x) == 1] == ["circle", "circle-open"]


def test_rows_are_called_as_in_the_verdict():
    assert "<b>Overfitting gap</b>" in words(drawn(GAP))
    assert "<b>Validation loss</b>" in words(drawn(LOSS))
    assert "<b>Test loss</b>" in words(drawn(LOSS, protocol="article"))


def test_rows_do_not_overlap_and_make_the_figure_taller():
    figure = drawn(GAP, LOSS, ACCURACY)
    domains = [axis.domain for axis in figure.select_yaxes()]
    assert all(lower[1] < upper[0] for upper, lower in pairwise(domains))
    assert figure.layout.height > drawn(GAP).layout.height


def test_below_the_last_row_there_is_room_for_its_axis_and_no_gap():
    for figure in (drawn(GAP), drawn(GAP, LOSS, ACCURACY)):
        lowest = min(axis.domain[0] for axis in figure.select_yaxes())
        below = lowest * (figure.layout.height - figure.layout.margin.b) + figure.layout.margin.b
        assert 24 <= below <= 40  # pixels; a line of tick labels takes about twenty


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="at least one difference"):
        drawn()


def test_each_pair_has_a_tick_that_lies_within_the_axis():
    figure = drawn(replace(ACCURACY, each=(0.001, 0.0042, 0.02)))
    *_, ticks = figure.data
    assert list(ticks.x) == pytest.approx([0.1, 0.42, 2.0])
    assert figure.layout.xaxis.range[1] > 2
    assert list(ticks.customdata)[2] == "one pair: +2.00 percentage points"


def test_the_margin_is_drawn_on_accuracies_alone():
    def dotted(figure):
        return [(shape.xref, shape.x0) for shape in figure.layout.shapes if shape.line.dash == "dot"]

    assert dotted(drawn(LOSS, ACCURACY, margin=0.005)) == [("x2", -0.5), ("x2", 0.5)]
    assert dotted(drawn(LOSS, ACCURACY, margin=0.2)) == []  # farther out than the axis reaches
    assert dotted(drawn(LOSS, ACCURACY)) == []
