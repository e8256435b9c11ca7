"""Curves against seconds of training."""

from dataclasses import replace

import pytest

from fmnist_core.charts.seconds_axis import clock_of, put_on_seconds
from tests.charts.test_arm_curves import TWO, TWO_PUBLISHED, arm, bands, lines, overlaid, panels

FAST, SLOW = (
    replace(one, runs=tuple(run.assign(seconds=[seconds] * len(run)) for run in one.runs))
    for one, seconds in zip(TWO, (0.5, 2.0), strict=True)
)


def test_the_clock_is_the_mean_of_the_runs_that_have_the_epoch():
    first, second = (run.assign(seconds=seconds) for run, seconds in zip(SLOW.runs, (1.0, 3.0), strict=True))
    assert clock_of([first, second]) == {1: 2, 2: 4, 3: 6, 4: 8, 5: 5, 6: 6}
    assert clock_of([]) == {}


def test_panels_stand_at_the_seconds_of_their_own_arm_and_share_an_axis():
    figures = panels((FAST, SLOW))
    put_on_seconds(figures, (FAST, SLOW))
    fast, slow = (lines(figure)["Validation"] for figure in figures)
    assert list(fast.x) == [0.5, 1, 1.5, 2, 2.5, 3]
    assert list(slow.x) == [2, 4, 6, 8, 10, 12]
    assert figures[0].layout.xaxis.range == figures[1].layout.xaxis.range
    assert figures[0].layout.xaxis.range[1] > 12
    assert [shape.x0 for shape in figures[0].layout.shapes] == [1.5], "the best epoch, 3"
    assert [note.x for note in figures[0].layout.annotations if note.text == "best epoch 3"] == [1.5]
    assert bands(figures[0])[0].x[0] == 0.5
    assert figures[0].layout.xaxis.title.text == "Seconds of training"


def test_an_overlay_has_every_arm_at_its_own_seconds():
    figure = overlaid((FAST, SLOW))
    put_on_seconds([figure], (FAST, SLOW))
    shown = lines(figure)
    assert list(shown["No dropout, validation"].x) == [0.5, 1, 1.5, 2, 2.5, 3]
    assert list(shown["Dropout 0.2, validation"].x) == [2, 4, 6, 8, 10, 12]


@pytest.mark.parametrize("draw", [panels, lambda arms: [overlaid(arms)]])
def test_published_curves_have_no_seconds(draw):
    arms = [replace(one, runs=other.runs) for one, other in zip(TWO_PUBLISHED, (FAST, SLOW), strict=True)]
    figures = draw(arms)
    put_on_seconds(figures, arms)
    published = [trace for figure in figures for trace in figure.data if (trace.name or "").startswith("Article")]
    assert published
    assert not any(trace.x or trace.y for trace in published)


def test_before_the_first_epoch_the_axis_is_there_all_the_same():
    arms = [arm(0.0), arm(0.2, position=1)]
    figures = panels(arms)
    put_on_seconds(figures, arms)
    assert figures[0].layout.xaxis.range[0] == 0
