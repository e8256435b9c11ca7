"""Static charts: what a figure shows is in the picture, at its place, and told in words."""

import re
from xml.etree import ElementTree

import plotly.graph_objects as go
import pytest

from fmnist_core.charts.learning_curves import learning_curves
from fmnist_core.export.svg_chart import svg_chart
from fmnist_core.export.svg_scale import Scale, axis_ends, ticks

SVG = "{http://www.w3.org/2000/svg}"


def drawn(figure, **more):
    return ElementTree.fromstring(svg_chart(figure, **{"alt": "A chart", **more}))


def texts(picture):
    return [element.text for element in picture.iter(f"{SVG}text")]


def line_of(picture, place=0):
    paths = [element.get("d") for element in picture.iter(f"{SVG}path")]
    return [tuple(map(float, point.split())) for point in re.split("[ML]", paths[place]) if point]


@pytest.mark.parametrize(
    ("low", "high", "axis", "expected"),
    [
        (0.0, 1.0, {}, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (0.21, 0.52, {}, ["0.25", "0.3", "0.35", "0.4", "0.45", "0.5"]),
        (-0.3, 0.3, {}, ["\N{MINUS SIGN}0.3", "\N{MINUS SIGN}0.2", "\N{MINUS SIGN}0.1", "0", "0.1", "0.2", "0.3"]),
        (0.845, 0.905, {"tickformat": "~%"}, ["85%", "86%", "87%", "88%", "89%", "90%"]),
        (0, 1300, {}, ["0", "200", "400", "600", "800", "1000", "1200"]),
        (0.4, 30.6, {"title": {"text": "Epoch"}}, ["5", "10", "15", "20", "25", "30"]),
        (0.5, 2.5, {"title": {"text": "Epoch"}}, ["1", "2"]),
        (-0.5, 1.5, {"tickvals": [0, 1, 2], "ticktext": ["a", "b", "c"]}, ["a", "b"]),
    ],
)
def test_ticks_are_round_numbers(low, high, axis, expected):
    assert [text for _, text in ticks(axis, Scale(low, high, 0, 100), 6)] == expected


def test_an_axis_ends_where_the_figure_says_or_around_its_values():
    assert axis_ends({"range": [1, 9]}, [3]) == (1, 9)
    assert axis_ends({"autorangeoptions": {"minallowed": 0, "maxallowed": 5}}, [3, float("nan")]) == (0, 5)
    low, high = axis_ends({}, [2.0, 4.0])
    assert low < 2 < 4 < high
    assert axis_ends({}, []) == (0, 1)


def test_a_line_runs_through_its_points_and_breaks_where_one_is_missing():
    figure = go.Figure(go.Scatter(x=[0, 1, 2, 3], y=[0.0, 1.0, None, 0.5], mode="lines"))
    figure.update_xaxes(range=[0, 3])
    figure.update_yaxes(range=[0, 1])
    picture = drawn(figure, width=400, height=300)
    (left, foot), (next_one, top), (right, middle) = line_of(picture)
    assert right - left == pytest.approx(3 * (next_one - left), abs=0.2)
    assert middle == pytest.approx((top + foot) / 2, abs=0.1)
    assert next(picture.iter(f"{SVG}path")).get("d").count("M") == 2


def test_a_runs_curves_are_all_there(trained):
    epochs = trained.store.epochs(trained.keys[0])
    figure = learning_curves(epochs, metric="loss", colour="#3f72d8", total_epochs=6, best_epoch=4)
    picture = drawn(figure, alt="Losses & more")
    assert picture.find(f"{SVG}title").text == "Losses & more"
    assert picture.get("role") == "img"
    assert len(list(picture.iter(f"{SVG}path"))) == 3
    assert all(len(line_of(picture, place)) == 6 for place in range(3))
    assert {"Validation", "Training, as trained", "Training, evaluated", "best epoch 4", "Epoch"} <= set(texts(picture))
    below = [one.text for one in picture.iter(f"{SVG}text") if one.get("text-anchor") == "middle"]
    assert [text for text in below if text.isdigit()] == ["1", "2", "3", "4", "5", "6"]


def test_what_lies_outside_of_the_frame_is_cut_off():
    figure = go.Figure(go.Scatter(x=[0, 1], y=[0, 100], mode="lines"))
    figure.update_yaxes(range=[0, 1])
    picture = drawn(figure)
    clip = picture.find(f"{SVG}clipPath").get("id")
    (group,) = picture.iter(f"{SVG}g")
    assert group.get("clip-path") == f"url(#{clip})"
    assert list(group.iter(f"{SVG}path"))


def test_names_are_text_whatever_they_hold():
    figure = go.Figure([go.Scatter(x=[0], y=[0], name=name) for name in ("<script>", "a & b")])
    figure.add_annotation(text="<b>bold</b><br><i>not</i>", x=0, y=0, showarrow=False)
    assert {"<script>", "a & b", "bold", "<i>not</i>"} <= set(texts(drawn(figure)))
