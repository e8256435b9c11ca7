"""Charts of a comparison across a second setting, by their traces."""

import pandas as pd
import pytest

from fmnist_core.charts.colours import arm_colour
from fmnist_core.charts.grid_charts import difference_map, differences_across, means_across
from fmnist_core.comparison.arms import ArmRun
from fmnist_core.comparison.grid_results import weigh_grid
from tests.comparison.test_grid_results import THREE, TWO, runs_of, unlike


@pytest.fixture(scope="module")
def two():
    return weigh_grid(TWO, runs_of(TWO, unlike))


@pytest.fixture(scope="module")
def three():
    return weigh_grid(THREE, runs_of(THREE, unlike))


def test_a_point_and_its_interval_at_each_value_filled_where_settled(two):
    figure = differences_across(two, "validation_accuracy")
    (points,) = figure.data
    differences = [cell.evidence.differences["validation_accuracy"] for cell in two.cells]
    assert list(points.y) == pytest.approx([100 * one.mean for one in differences])
    assert list(points.error_y.array) == pytest.approx([100 * (one.high - one.mean) for one in differences])
    assert list(points.customdata) == ["0.1", "1.1", "2.1"]
    hollow = "rgba(0,0,0,0)"
    assert list(points.marker.color) == [hollow, hollow, arm_colour(1)]
    assert list(figure.layout.xaxis.ticktext) == ["500", "2,000", "all"]
    low, high = figure.layout.yaxis.range
    assert low == -high
    assert all(low < 100 * end < high for one in differences for end in (one.low, one.high))
    assert "settled, 5 of 5 pairs" in points.text[2]
    assert "not settled" in points.text[1]


def test_less_loss_and_more_accuracy_are_on_the_better_side(two):
    def better_side(metric):
        (shape,) = [shape for shape in differences_across(two, metric).layout.shapes if shape.type == "rect"]
        return shape.y0 + shape.y1

    assert better_side("validation_accuracy") > 0
    assert better_side("validation_loss") < 0
    assert better_side("gap") < 0


def test_arms_stand_beside_one_another_in_their_colours(three):
    first, second = differences_across(three, "gap").data
    assert [first.marker.line.color, second.marker.line.color] == [arm_colour(1), arm_colour(2)]
    assert all(one < other for one, other in zip(first.x, second.x, strict=True))
    assert (first.name, second.name) == ("Dropout 0.2", "Dropout 0.5")


def test_means_have_a_line_an_arm(two):
    figure = means_across(two, "validation_loss")
    assert [trace.name for trace in figure.data] == ["No dropout", "Dropout 0.5"]
    assert list(figure.data[1].y) == pytest.approx([row[1].mean for row in two.means["validation_loss"]])
    assert list(figure.data[1].error_y.array) == pytest.approx([row[1].spread for row in two.means["validation_loss"]])


def test_before_the_first_run_no_axis_shows_accuracies_or_losses_below_zero():
    waiting = [
        [ArmRun(config.dropout, config.seed, None, pd.DataFrame(), {}) for config in study.configs()]
        for study in TWO.studies
    ]
    for metric, most in (("validation_accuracy", 100), ("validation_loss", 1)):
        figure = means_across(weigh_grid(TWO, waiting), metric)
        assert list(figure.layout.yaxis.range) == [0, most]
    assert means_across(weigh_grid(TWO, runs_of(TWO, unlike)), "gap").layout.yaxis.range is None


def test_the_map_has_a_cell_for_each_arm_but_the_first_and_each_value(three):
    figure = difference_map(three, "validation_loss")
    heatmap, texts = figure.data[:2]
    assert [list(row) for row in heatmap.customdata] == [["0.1", "1.1", "2.1"], ["0.2", "1.2", "2.2"]]
    assert list(figure.layout.yaxis.ticktext) == ["0.2", "0.5"]
    cell = three.cells_of(0.5)[0]
    assert "validation_loss" in cell.evidence.settled
    assert texts.text[3].endswith(" ★")
    assert not texts.text[4].endswith("★")
    assert heatmap.z[1][0] == 1  # the largest difference, and better: blue


def test_the_maps_colours_say_what_is_better_whatever_the_figure(three):
    def sign(metric, value):
        return difference_map(three, metric).data[0].z[1][value] > 0

    assert sign("validation_loss", 0)
    assert not sign("validation_accuracy", 2)


def test_before_the_first_pair_there_is_a_note_and_no_point():
    waiting = [
        [ArmRun(config.dropout, config.seed, None, pd.DataFrame(), {}) for config in study.configs()]
        for study in TWO.studies
    ]
    nothing = weigh_grid(TWO, waiting)
    figure = differences_across(nothing, "gap")
    assert "The first pair appears here" in [note.text for note in figure.layout.annotations]
    assert not figure.data[0].x
    assert not means_across(nothing, "gap").data[0].x
    assert set(difference_map(weigh_grid(TWO, waiting), "gap").data[1].text) == {""}
