import math

from fmnist_core.charts.colours import RUN_COLOURS
from fmnist_core.charts.parallel_axes import axes_height, parallel_axes
from fmnist_core.comparison.run_settings import Axis

AXES = [
    Axis("Dropout", (0.0, 1.0), ("0", "0.5"), ((0.0, "0"), (1.0, "0.5"))),
    Axis("Lowest loss", (1.0, math.nan), ("0.400", "not known"), ((0.5, "0.400"),)),
]


def test_each_run_is_a_line_in_its_colour_that_says_what_it_crosses():
    figure = parallel_axes(AXES, [3, 11], ["Run 3", "Run 11 <b>"])
    first, second = figure.data
    assert (list(first.x), list(first.y)) == ([0.0, 1.0], [0, -1])
    assert list(second.x) == [1.0, None]
    assert (first.line.color, second.line.color) == (RUN_COLOURS[2], RUN_COLOURS[0])
    assert second.name == "Run 11 &lt;b&gt;"
    assert list(second.customdata) == ["Dropout: 0.5", "Lowest loss: not known"]


def test_each_axis_has_its_name_its_values_and_room():
    figure = parallel_axes(AXES, [1, 2], ["a", "b"])
    words = [note.text for note in figure.layout.annotations]
    assert words == ["<b>Dropout</b>", "0", "0.5", "<b>Lowest loss</b>", "0.400"]
    assert len(figure.layout.shapes) == 2
    assert axes_height(3) - axes_height(2) == axes_height(2) - axes_height(1) > 40


def test_of_very_many_values_some_are_written():
    ticks = tuple((place / 20, str(place)) for place in range(21))
    figure = parallel_axes([Axis("Seed", (0.0,), ("0",), ticks)], [1], ["a"])
    assert 2 <= len(figure.layout.annotations) - 1 <= 5
