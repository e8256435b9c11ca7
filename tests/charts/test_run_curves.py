"""Figures are checked by their traces and axes."""

import pandas as pd
import pytest

from fmnist_core.charts.colours import RUN_COLOURS
from fmnist_core.charts.run_curves import RunCurve, run_curves
from fmnist_core.results.smoothing import smoothed

LOSSES = [0.6, 0.45, 0.5, 0.4]


def frame(losses, seconds=2.0):
    epochs = range(1, len(losses) + 1)
    return pd.DataFrame(
        {
            "epoch": list(epochs),
            "validation_loss": losses,
            "validation_accuracy": [1 - loss for loss in losses],
            "evaluated_training_loss": [loss / 2 for loss in losses],
            "evaluated_training_accuracy": [1 - loss / 2 for loss in losses],
            "seconds": [seconds] * len(losses),
        }
    )


def curves(*runs, **changes):
    return run_curves(list(runs), **{"metric": "loss", "total_epochs": 4, **changes})


ONE = RunCurve("Run 1 \N{MIDDLE DOT} mine", 1, frame(LOSSES))
TWO = RunCurve("Run 2", 2, frame(LOSSES[:2], seconds=3.0))


@pytest.mark.parametrize(
    ("metric", "part", "expected", "title"),
    [
        ("loss", "validation", LOSSES, "Validation loss (nats)"),
        ("loss", "training", [loss / 2 for loss in LOSSES], "Training loss (nats)"),
        ("accuracy", "validation", [1 - loss for loss in LOSSES], "Validation accuracy"),
        ("accuracy", "training", [1 - loss / 2 for loss in LOSSES], "Training accuracy"),
        ("gap", "validation", [loss / 2 for loss in LOSSES], "Validation minus training loss (nats)"),
    ],
)
def test_what_was_asked_for_is_drawn_and_named(metric, part, expected, title):
    figure = curves(ONE, metric=metric, part=part)
    (trace,) = figure.data
    assert list(trace.x) == [1, 2, 3, 4]
    assert list(trace.y) == pytest.approx(expected)
    assert figure.layout.yaxis.title.text == title


def test_smoothing_leaves_the_values_faintly_below_and_hides_with_them():
    raw, smooth = curves(ONE, smoothing=0.6).data
    assert list(raw.y) == LOSSES
    assert raw.opacity < 0.5
    assert (raw.showlegend, raw.hoverinfo) == (False, "skip")
    assert list(smooth.y) == smoothed(LOSSES, 0.6)
    assert raw.legendgroup == smooth.legendgroup
    assert raw.line.color == smooth.line.color


def test_seconds_are_those_of_each_run():
    figure = curves(ONE, TWO, over_seconds=True)
    assert [list(trace.x) for trace in figure.data] == [[2.0, 4.0, 6.0, 8.0], [3.0, 6.0]]
    assert figure.layout.xaxis.title.text == "Seconds of training"
    assert figure.layout.xaxis.range[1] >= 8


def test_a_run_has_its_own_colour_and_runs_of_one_colour_differ_in_their_line():
    later = RunCurve("Run 11", 11, frame(LOSSES))
    traces = curves(ONE, TWO, later).data
    assert [trace.line.color for trace in traces] == [RUN_COLOURS[0], RUN_COLOURS[1], RUN_COLOURS[0]]
    assert [trace.line.dash for trace in traces] == ["solid", "solid", "dash"]


def test_a_run_that_waits_stands_in_the_legend_and_one_epoch_is_a_point():
    begun, waits = curves(RunCurve("a", 1, frame([0.5])), RunCurve("b", 2, frame([]))).data
    assert begun.mode == "lines+markers"
    assert list(waits.x) == list(waits.y) == [None]
    assert curves(RunCurve("b", 2, frame([]))).layout.annotations[0].text == "The first epoch appears here"


def test_a_hostile_name_is_text():
    (trace,) = curves(RunCurve('<a href="x">%{x}</a> &lt;', 1, frame(LOSSES))).data
    assert trace.name == '&lt;a href="x"&gt;%\N{WORD JOINER}{x}&lt;/a&gt; &amp;lt;'
    assert trace.hovertemplate == "%{y:.3f}"


def test_a_run_that_diverges_does_not_flatten_the_others():
    figure = curves(ONE, RunCurve("Run 2", 2, frame([0.6, 3e13, float("inf"), 1e9])))
    assert figure.layout.yaxis.range[1] < 10
