"""Answers as drawn: bars, dots, frames and curves."""

import json

import numpy as np
import pytest

from fmnist_core.charts.answer_chart import Answer, answer_chart, chart_height, replay_curve

CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
SURE = [0.0002] * 9 + [0.9982]
UNSURE = [0.05] * 8 + [0.4, 0.2]
SPREAD = np.random.default_rng(0).dirichlet(np.ones(10), 50).astype(np.float32)


def answer(number=1, probabilities=SURE, spread=None) -> Answer:
    return Answer(f"Run {number}", ("#3f72d8", "#c4480c")[number - 1], probabilities, spread)


def drawn(*answers, true_class=None, replay=None):
    return answer_chart(answers, CLASSES, true_class=true_class, replay=replay)


def bars(figure):
    return [trace for trace in figure.data if trace.type == "bar"]


def scatters(figure):
    return [trace for trace in figure.data if trace.type == "scatter"]


def extent(bar) -> tuple[float, float]:
    """Where a bar begins and ends, seen from the middle of its row."""
    return bar.offset, bar.offset + bar.width


def test_bars_keep_the_classes_order_and_the_whole_axis():
    figure = drawn(answer())
    (bar,) = bars(figure)
    assert list(bar.x) == SURE
    assert list(bar.y) == list(range(10))
    assert list(figure.layout.yaxis.ticktext) == CLASSES
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]
    assert tuple(figure.layout.xaxis.range) == (0, 1)
    assert not figure.layout.shapes
    assert not figure.layout.showlegend


def test_the_likeliest_class_stands_out_and_the_true_one_has_words_and_an_outline():
    figure = drawn(answer(), true_class=2)
    (bar,) = bars(figure)
    assert figure.layout.yaxis.ticktext[2] == "<b>Pullover<br>(true)</b>"
    (outline,) = figure.layout.shapes
    assert outline.y0 < extent(bar)[0] + 2 < extent(bar)[1] + 2 < outline.y1
    assert [place for place, opacity in enumerate(bar.marker.opacity) if opacity == 1] == [9]
    assert list(bar.text) == ["<0.1%"] * 9 + ["99.8%"]


def test_two_runs_lie_side_by_side_with_a_legend():
    figure = drawn(answer(1), answer(2, UNSURE))
    first, second = bars(figure)
    assert extent(first)[1] <= extent(second)[0]  # the axis points down: the first is above
    assert [bar.marker.color for bar in (first, second)] == ["#3f72d8", "#c4480c"]
    assert figure.layout.showlegend
    assert [bar.name for bar in (first, second)] == ["Run 1", "Run 2"]
    assert chart_height(2) > chart_height(1)


def test_where_two_runs_crowd_a_row_traces_have_no_number_but_keep_their_hover():
    first, second = bars(drawn(answer(1), answer(2, UNSURE)))
    assert list(first.text) == [""] * 9 + ["99.8%"]
    assert all(second.text)
    assert first.customdata[0] == "<0.1%"


def test_single_answers_are_dots_over_their_own_bar():
    figure = drawn(answer(1, SURE, SPREAD), answer(2, UNSURE))
    bar = bars(figure)[0]
    dots, texts = scatters(figure)
    places = np.rint(np.array(dots.y) + 0.175).astype(int)
    np.testing.assert_array_equal(places, np.repeat(np.arange(10), 50))
    np.testing.assert_allclose(np.array(dots.x)[places == 4], SPREAD[:, 4])
    low, high = extent(bar)
    assert all(low < y - place < high for y, place in zip(dots.y, places, strict=True))
    assert len(set(dots.y)) == 500
    assert [text.strip() for text in texts.text] == list(bar.text)
    assert set(texts.x) == {1}
    assert bar.textposition == "none"
    assert bar.marker.opacity[9] < 1  # dots of the same colour lie over it
    assert bar.customdata[9].startswith("99.8%<br>with dropout on ")
    assert figure == drawn(answer(1, SURE, SPREAD), answer(2, UNSURE))


def test_classes_that_no_answer_considers_have_no_dots():
    spread = np.tile(np.float32([0.0] * 8 + [0.3, 0.7]), (50, 1))
    dots, _ = scatters(drawn(answer(1, SURE, spread)))
    assert set(np.rint(dots.y)) == {8, 9}


def test_a_replay_has_a_frame_an_epoch_with_what_differs():
    replay = {2: [UNSURE, SURE], 1: [SURE, None]}
    figure = drawn(answer(1), answer(2), replay=replay)
    assert [frame.name for frame in figure.frames] == ["Epoch 1", "Epoch 2"]
    early, late = figure.frames
    assert list(early.traces) == [0, 1]
    assert [figure.data[place].type for place in early.traces] == ["bar", "bar"]
    assert list(late.data[0].x) == UNSURE
    assert late.data[0].text[8] == "40.0%"
    assert max(late.data[0].marker.opacity) == late.data[0].marker.opacity[8]
    assert list(early.data[1].x) == [None] * 10  # this run had no such epoch
    assert set(late.data[0].to_plotly_json()) == {"type", "x", "text", "customdata", "marker"}
    assert set(late.data[0].to_plotly_json()["marker"]) == {"opacity"}


def test_probabilities_may_be_arrays():
    row = np.array(UNSURE, np.float32)
    figure = drawn(answer(1, row), replay={1: [row]})
    assert json.loads(figure.to_json())["data"][0]["x"] == pytest.approx(UNSURE)


def test_the_replay_curve_follows_one_class():
    replay = {3: [SURE, UNSURE], 1: [UNSURE, None], 2: [UNSURE, SURE]}
    figure = replay_curve(replay, [answer(1), answer(2)], CLASSES, 9)
    first, second = figure.data
    assert (list(first.x), list(first.y)) == ([1, 2, 3], [0.2, 0.2, 0.9982])
    assert (list(second.x), list(second.y)) == ([2, 3], [0.9982, 0.2])
    assert first.marker.symbol != second.marker.symbol
    assert figure.layout.showlegend
    assert "Ankle boot" in figure.layout.yaxis.title.text
    assert figure.layout.yaxis.range[0] < 0 < 1 < figure.layout.yaxis.range[1]
    assert figure.layout.xaxis.title.text == "Epoch"
    assert not replay_curve({1: [SURE]}, [answer()], CLASSES, 9).layout.showlegend


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="one or two answers, got 0"):
        drawn()
    with pytest.raises(ValueError, match="one or two answers, got 3"):
        drawn(answer(), answer(), answer())
    with pytest.raises(ValueError, match="9 probabilities for 10 classes"):
        drawn(answer(1, SURE[1:]))
    with pytest.raises(ValueError, match=r"spread must have shape \(passes, 10\), got \(10,\)"):
        drawn(answer(1, SURE, SPREAD[0]))
    with pytest.raises(ValueError, match="epoch 4 of the replay has 1 answers; the chart has 2"):
        drawn(answer(1), answer(2), replay={4: [SURE]})
    with pytest.raises(ValueError, match="epoch 4 of the replay has 9 probabilities"):
        drawn(answer(), replay={4: [SURE[1:]]})
    with pytest.raises(ValueError, match="belong to one epoch"):
        drawn(answer(1, SURE, SPREAD), replay={1: [SURE]})
    with pytest.raises(ValueError, match="at least one epoch"):
        replay_curve({}, [answer()], CLASSES, 0)
