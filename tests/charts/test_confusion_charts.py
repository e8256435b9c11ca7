"""Confusion, reliability and class maps, by their traces and axes."""

import json

import numpy as np
import pytest

from fmnist_core.charts.class_map import class_map
from fmnist_core.charts.colours import RUN_COLOURS
from fmnist_core.charts.confusion_charts import BETTER, WORSE, confusion_difference, confusion_heatmap
from fmnist_core.charts.reliability_chart import reliability_diagram
from fmnist_core.data.dataset import CLASSES
from fmnist_core.results.calibration import reliability

MINUS = "\N{MINUS SIGN}"


def matrix(**cells):
    """1,000 images a class, all right but for those that `cells` moves: c60=97 takes 97 shirts for T-shirts."""
    counts = np.diag(np.full(10, 1000))
    for name, count in cells.items():
        true, predicted = int(name[1]), int(name[2])
        counts[true, predicted] += count
        counts[true, true] -= count
    return counts


def heatmap(counts, **changes):
    return confusion_heatmap(counts, CLASSES, **{"shares": False, "colour": RUN_COLOURS[0], **changes})


def difference(first, second, **changes):
    return confusion_difference(first, second, CLASSES, **{"shares": False, "names": ("Run 3", "Run 5"), **changes})


def texts(figure):
    """What the cells say, (10, 10)."""
    return np.array(figure.data[1].text).reshape(10, 10)


def test_cells_say_what_they_count_in_numbers_and_words():
    figure = heatmap(matrix(c60=97))
    cells = texts(figure)
    assert (cells[6, 0], cells[6, 6], cells[0, 6]) == ("97", "903", "")
    words = figure.data[0].text
    assert words[6][0] == "Shirt taken for T-shirt/top:<br>97 of 1,000 images, 9.7%"
    assert words[6][6] == "Shirt recognised:<br>903 of 1,000 images, 90.3%"


def test_shares_are_percent_in_three_characters():
    cells = texts(heatmap(matrix(c60=97, c62=1, c98=100), shares=True))
    assert (cells[6, 0], cells[6, 2], cells[6, 6], cells[9, 8], cells[0, 0], cells[0, 6]) == (
        "9.7",
        "0.1",
        "90",
        "10",
        "100",
        "",
    )
    assert texts(heatmap(matrix(c60=1) + np.diag([9000] * 10), shares=True))[6, 0] == "<.1"


def test_every_cell_can_be_told_from_a_click():
    for figure in (heatmap(matrix()), difference(matrix(), matrix(c60=3))):
        assert figure.data[0].customdata[6][0] == "6-0"
        assert figure.data[0].customdata[0][9] == "0-9"
        assert figure.data[1].hoverinfo == "skip"  # the text must not take the click


def test_the_first_class_is_on_top_and_first_on_the_left():
    figure = heatmap(matrix())
    bottom, top = figure.layout.yaxis.range
    assert bottom > top
    assert list(figure.layout.xaxis.ticktext) == list(figure.layout.yaxis.ticktext) == list(CLASSES)


def test_mistakes_have_the_runs_colour_and_the_diagonal_the_neutral_one():
    figure = heatmap(matrix(c60=97, c62=10, c04=500, c05=300))
    shade = np.array(figure.data[0].z)
    assert (np.diag(shade) <= 0).all()
    assert shade[6, 0] == pytest.approx((0.097 / 0.2) ** 0.5, abs=1e-4)
    assert 0 < shade[6, 2] < shade[6, 0] < shade[0, 4] == shade[0, 5] == 1
    (_, worst), (_, none) = figure.data[0].colorscale[0], figure.data[0].colorscale[1]
    assert (worst, none) == ("rgba(128,138,151,0.28)", "rgba(128,138,151,0)")
    assert figure.data[0].colorscale[-1][1] == "rgba(63,114,216,0.65)"


def test_colours_mean_the_same_in_every_matrix():
    assert heatmap(matrix(c60=1)).data[0].z[6][0] == heatmap(matrix(c60=1, c04=900)).data[0].z[6][0]


def test_texts_are_left_to_the_pages_colour():
    assert heatmap(matrix()).data[1].textfont.color is None
    assert heatmap(matrix()).data[0].texttemplate is None


def test_a_class_without_images_leaves_its_row_empty():
    counts = matrix()
    counts[4] = 0
    figure = heatmap(counts, shares=True)
    assert not texts(figure)[4].any()
    assert figure.data[0].text[4][4] == "Coat recognised:<br>0 of 0 images"
    assert not np.array(figure.data[0].z)[4].any()
    assert "NaN" not in json.dumps(difference(counts, counts).to_plotly_json()["data"][0]["z"])


def test_a_difference_is_the_second_minus_the_first():
    figure = difference(matrix(c60=97, c24=1), matrix(c60=80, c24=14))
    cells = texts(figure)
    assert (cells[6, 0], cells[6, 6], cells[2, 4], cells[0, 0]) == (f"{MINUS}17", "+17", "+13", "")
    words = figure.data[0].text
    assert words[6][0] == (f"Shirt taken for T-shirt/top, of 1,000 images:<br>Run 3: 97<br>Run 5: 80 ({MINUS}17)")
    assert words[0][0].endswith("Run 3: 1,000<br>Run 5: 1,000 (the same)")


def test_a_difference_of_shares_is_in_percentage_points():
    cells = texts(difference(matrix(c60=97, c24=0), matrix(c60=80, c24=136), shares=True))
    assert (cells[6, 0], cells[2, 4], cells[2, 2], cells[0, 0]) == (f"{MINUS}1.7", "+14", f"{MINUS}14", "")


def test_better_and_worse_have_a_colour_each_on_the_diagonal_and_off_it():
    figure = difference(matrix(c60=97, c24=1), matrix(c60=80, c24=14))
    worth = np.array(figure.data[0].z)
    assert worth[6, 0] == worth[6, 6] > 0  # fewer mistakes, more right
    assert worth[2, 4] == worth[2, 2] < 0  # more mistakes, fewer right
    assert (figure.data[0].zmin, figure.data[0].zmax) == (-1, 1)
    assert np.array(difference(matrix(c60=80, c24=14), matrix(c60=97, c24=1)).data[0].z) == pytest.approx(-worth)
    legend = {trace.name: trace.marker.color for trace in figure.data if trace.showlegend}
    assert legend == {"Run 5 better": BETTER, "Run 5 worse": WORSE}
    red, green, blue = (int(BETTER[place : place + 2], 16) for place in (1, 3, 5))
    assert figure.data[0].colorscale[-1][1].startswith(f"rgba({red},{green},{blue},")


def test_a_difference_needs_the_same_images():
    with pytest.raises(ValueError, match="over the same images"):
        difference(matrix(), matrix() * 2)


def curve(*confidences, right):
    probabilities = np.array([[c] + [(1 - c) / 9] * 9 for c in confidences], dtype=np.float32)
    return reliability(probabilities, np.where(right, 0, 1))


FIRST = curve(0.78, 0.78, 0.78, 0.78, 0.5, 0.5, right=[True, True, True, False, False, False])
SECOND = curve(0.9, 0.5, right=[True, True])


def both():
    return reliability_diagram([("Run 3", RUN_COLOURS[0], FIRST), ("Run 5", RUN_COLOURS[1], SECOND)])


def test_lines_are_accuracy_over_confidence_without_empty_bins():
    line = both().data[1]
    assert list(line.x) == pytest.approx([0.5, 0.78])
    assert list(line.y) == [0, 0.75]
    assert line.marker.size[1] > line.marker.size[0]
    assert line.hovertext[1] == "Run 3<br>73 to 80% sure: 4 images, 66.7%<br>78.0% sure on average, 75.0% right"


def test_bars_are_shares_of_all_images_in_the_middle_of_their_bins():
    bar = both().data[2]
    assert bar.type == "bar"
    assert list(bar.x) == pytest.approx([7.5 / 15, 11.5 / 15])
    assert list(bar.y) == pytest.approx([2 / 6, 4 / 6])


def test_a_run_has_one_legend_entry_for_both_panels():
    figure = both()
    entries = [trace.name for trace in figure.data if trace.showlegend is not False]
    assert entries == ["Perfectly calibrated", "Run 3", "Run 5"]
    assert [trace.legendgroup for trace in figure.data[1:]] == ["Run 3", "Run 3", "Run 5", "Run 5"]
    assert {trace.marker.color for trace in figure.data[3:]} == {RUN_COLOURS[1]}


def test_both_panels_share_the_confidence_axis():
    layout = both().layout
    assert layout.xaxis.matches == "x2"
    assert tuple(layout.xaxis.range) == tuple(layout.xaxis2.range) == (0, 1)
    diagonal = both().data[0]
    assert diagonal.x == diagonal.y == (0, 1)


POINTS = np.array([[0.123456, -5.0], [10.0, 5.0], [3.14159, 2.71828]], dtype=np.float32)


def drawn_map(points=POINTS, labels=(6, 0, 6)):
    return class_map(points, np.array(labels), CLASSES, [f"test-{place}" for place in range(len(points))])


def test_every_class_is_a_trace_whose_points_tell_their_images():
    figure = drawn_map()
    assert [trace.name for trace in figure.data] == list(CLASSES)
    assert len({trace.marker.color for trace in figure.data}) == 10
    assert list(figure.data[6].customdata) == ["test-0", "test-2"]
    assert list(figure.data[0].customdata) == ["test-1"]
    assert figure.data[6].hovertemplate == "Shirt, %{customdata}<extra></extra>"


def test_coordinates_are_rounded_to_what_can_be_seen():
    assert list(drawn_map().data[6].x) == [0.123, 3.142]
    assert list(drawn_map(POINTS / 1000).data[6].x) == [0.0001235, 0.0031416]


def test_a_map_has_one_scale_and_stands_still():
    layout = drawn_map().layout
    assert layout.yaxis.scaleanchor == "x"
    assert layout.xaxis.range[0] < 0.12
    assert layout.xaxis.range[1] > 10
    assert layout.yaxis.range[0] < -5
    assert layout.yaxis.range[1] > 5
    assert not layout.xaxis.visible


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.zeros((1, 2))])
def test_a_map_of_next_to_nothing_has_a_range(points):
    layout = drawn_map(points, labels=[3] * len(points)).layout
    assert layout.xaxis.range[0] < layout.xaxis.range[1]


def test_a_map_needs_a_label_and_a_name_for_each_point():
    with pytest.raises(ValueError, match="a label and a name for each point, got 3, 2 and 3"):
        drawn_map(labels=(6, 0))


@pytest.mark.parametrize("figure", [heatmap(matrix()), difference(matrix(), matrix()), both(), drawn_map()])
def test_zoom_and_legend_choices_last(figure):
    assert figure.layout.uirevision
