"""Figures are checked by their traces and axes."""

import numpy as np
import pandas as pd
import pytest

from fmnist_core.charts.learning_curves import learning_curves


def history(count: int) -> pd.DataFrame:
    epoch = np.arange(1, count + 1)
    return pd.DataFrame(
        {
            "epoch": epoch,
            "training_loss": 0.6 / epoch,
            "training_accuracy": 1 - 0.2 / epoch,
            "evaluated_training_loss": 0.5 / epoch,
            "evaluated_training_accuracy": 1 - 0.18 / epoch,
            "validation_loss": 0.3 + 0.01 * (epoch - 3) ** 2,
            "validation_accuracy": 0.9 - 0.01 * (epoch - 3) ** 2,
            "learning_rate": 0.003,
            "seconds": 1.0,
        }
    )


def curves(count: int = 5, **changes):
    arguments = {"metric": "loss", "colour": "#3f72d8", "total_epochs": 30, "best_epoch": None, **changes}
    return learning_curves(history(count), **arguments)


def test_learning_curves_show_three_curves_apart_without_colour():
    figure = curves()
    assert [trace.name for trace in figure.data] == ["Training, as trained", "Training, evaluated", "Validation"]
    assert [trace.line.dash for trace in figure.data] == ["dot", "dash", "solid"]
    widths = [trace.line.width for trace in figure.data]
    assert widths == sorted(set(widths))
    assert {trace.line.color for trace in figure.data} == {"#3f72d8"}


def test_learning_curves_draw_the_metric_that_was_asked_for():
    frame = history(5)
    for metric in ("loss", "accuracy"):
        drawn = [list(trace.y) for trace in curves(metric=metric).data]
        columns = [f"training_{metric}", f"evaluated_training_{metric}", f"validation_{metric}"]
        assert drawn == [frame[column].tolist() for column in columns]


def test_dropout_and_the_validation_set_are_named_in_the_legend():
    names = [trace.name for trace in curves(dropout=0.2, validation_name="Test set").data]
    assert names == ["Training, as trained (dropout on)", "Training, evaluated (dropout off)", "Test set"]


def diverging(metric="loss"):
    frame = history(5)
    frame.loc[3:, "validation_loss"] = [3e13, 7.5]
    return frame, learning_curves(frame, metric=metric, colour="#3f72d8", total_epochs=30, best_epoch=3)


def test_losses_of_a_run_that_diverges_do_not_flatten_what_came_before():
    frame, figure = diverging()
    low, high = figure.layout.yaxis.range
    ordinary = frame.drop(columns=["epoch", "seconds"]).filter(like="loss").head(3).to_numpy()
    assert low < ordinary.min() < ordinary.max() < high < 1
    assert "up to 3.0 \N{MULTIPLICATION SIGN} 10¹³" in " ".join(note.text for note in figure.layout.annotations)


def test_all_of_a_run_that_diverges_can_still_be_seen():
    frame, figure = diverging()
    assert list(figure.data[2].y) == frame["validation_loss"].tolist()
    whole = figure.layout.yaxis.autorangeoptions
    assert whole.minallowed < frame["training_loss"].min()
    assert whole.maxallowed > 3e13
    assert figure.layout.xaxis.autorangeoptions.maxallowed == figure.layout.xaxis.range[1]
    assert figure.layout.meta == {"doubleClick": "reset+autosize", "left_out": True}


def test_nothing_is_left_out_where_nothing_diverges():
    for figure in (curves(), diverging("accuracy")[1]):
        assert figure.layout.yaxis.range is None
        assert not any("up to" in note.text for note in figure.layout.annotations)
        assert "left_out" not in figure.layout.meta


@pytest.mark.parametrize("total", [1, 5, 30, 200])
def test_epoch_axis_stands_still_while_the_run_grows(total):
    ranges = {tuple(curves(count, total_epochs=total).layout.xaxis.range) for count in range(min(total, 4) + 1)}
    assert len(ranges) == 1
    low, high = ranges.pop()
    assert low < 1
    assert high > total


def test_growing_figures_share_a_revision():
    assert curves(1).layout.uirevision == curves(2).layout.uirevision is not None


def test_one_epoch_is_visible():
    assert all(trace.mode == "lines+markers" for trace in curves(1).data)


def test_best_epoch_is_marked_by_shape_line_and_words():
    figure = curves(best_epoch=3)
    validation = figure.data[2]
    assert [x for x, symbol in zip(validation.x, validation.marker.symbol, strict=True) if symbol == "diamond"] == [3]
    assert max(validation.marker.size) == validation.marker.size[2]
    assert [shape.x0 for shape in figure.layout.shapes] == [3]
    assert [note.text for note in figure.layout.annotations] == ["best epoch 3"]


def test_best_epoch_words_turn_inward_at_the_right_edge():
    assert curves(5, total_epochs=5, best_epoch=5).layout.annotations[0].xanchor == "right"
    assert curves(5, total_epochs=5, best_epoch=1).layout.annotations[0].xanchor == "left"


@pytest.mark.parametrize("best", [None, 9])
def test_no_best_epoch_is_marked_before_it_is_there(best):
    figure = curves(best_epoch=best)
    assert not figure.layout.shapes
    assert not figure.layout.annotations
    assert set(figure.data[2].marker.symbol) == {"circle"}


def test_loss_has_three_decimals_and_accuracy_is_in_per_cent():
    assert {trace.hovertemplate for trace in curves().data} == {"%{y:.3f}"}
    accuracy = curves(metric="accuracy")
    assert {trace.hovertemplate for trace in accuracy.data} == {"%{y:.1%}"}
    assert accuracy.layout.yaxis.tickformat == "~%"
    assert accuracy.layout.yaxis.title.text == "Accuracy"
    assert curves().layout.yaxis.title.text == "Loss (mean over images, nats)"


def test_before_the_first_epoch_there_are_axes_a_legend_and_a_note():
    figure = curves(0, best_epoch=None)
    assert [list(trace.y) for trace in figure.data] == [[None]] * 3
    assert [note.text for note in figure.layout.annotations] == ["The first epoch appears here"]


def test_a_run_that_ended_before_its_first_epoch_promises_none():
    figure = curves(0, best_epoch=None, has_ended=True)
    assert [note.text for note in figure.layout.annotations] == ["No epoch was finished"]
    assert figure.layout.xaxis.title.text == "Epoch"


EARLY = [(0.1, 2.0), (0.3, 1.0), (0.5, 0.8)]


@pytest.mark.parametrize("count", [0, 1])
def test_losses_within_the_first_epochs_make_a_thin_line_over_these_alone(count):
    figure = curves(count, early_losses=EARLY, dropout=0.2)
    *three, early = figure.data
    assert [trace.name for trace in three] == [trace.name for trace in curves(count, dropout=0.2).data]
    assert early.name == "Training, within the epoch (dropout on)"
    assert (list(early.x), list(early.y)) == ([0.1, 0.3, 0.5], [2.0, 1.0, 0.8])
    assert early.line.width < min(trace.line.width for trace in three)
    low, high = figure.layout.xaxis.range
    assert low < 0 < 2 < high < 3
    assert not figure.layout.annotations
    assert figure.layout.yaxis.range is None


def test_one_loss_within_an_epoch_is_visible():
    assert curves(0, early_losses=EARLY[:1]).data[-1].mode == "lines+markers"


def test_of_a_run_of_one_epoch_the_axis_ends_there():
    assert curves(0, early_losses=EARLY, total_epochs=1).layout.xaxis.range[1] < 1.2


def test_early_losses_of_a_run_that_diverges_do_not_flatten_what_came_before():
    figure = curves(0, early_losses=[*EARLY, (0.7, 1e9)])
    assert figure.layout.yaxis.range[1] < 3


def test_a_loss_that_overflows_still_makes_a_figure():
    frame = history(3)
    frame.loc[1, ["training_loss", "validation_loss"]] = [np.nan, np.inf]
    figure = learning_curves(frame, metric="loss", colour="#000000", total_epochs=3, best_epoch=1)
    assert "NaN" not in figure.to_json()


def test_grounds_are_transparent():
    layout = curves().layout.template.layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
