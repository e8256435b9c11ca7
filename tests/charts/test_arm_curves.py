"""Panels and overlay of several arms, by their traces and axes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fmnist_core.charts.arm_curves import ArmCurves, arm_panels, line_legend, overlay
from fmnist_core.charts.colours import RUN_COLOURS, arm_colour
from fmnist_core.charts.mean_curves import best_mean_epoch
from fmnist_core.comparison.article_curves import article_curves


def run(epochs: int, shift: float = 0.0) -> pd.DataFrame:
    epoch = np.arange(1, epochs + 1)
    columns = {"epoch": epoch}
    for place, name in enumerate(("training", "evaluated_training", "validation")):
        columns[f"{name}_loss"] = 0.5 / epoch + 0.1 * place + shift
        columns[f"{name}_accuracy"] = 0.9 - 0.2 / epoch - 0.02 * place - shift / 10
    columns["validation_loss"] = 0.3 + 0.01 * (epoch - 3) ** 2 + shift
    return pd.DataFrame(columns)


def arm(dropout: float, *runs: pd.DataFrame, position: int = 0, published: pd.DataFrame | None = None) -> ArmCurves:
    return ArmCurves(f"Dropout {dropout:g}" if dropout else "No dropout", arm_colour(position), runs, published)


def published(dropout: float) -> pd.DataFrame:
    curves = article_curves()
    return curves[curves["dropout"] == dropout]


TWO = (arm(0.0, run(6), run(6, 0.2)), arm(0.2, run(6, 0.1), run(4, 0.3), position=1))
TWO_PUBLISHED = tuple(replace(one, published=published(dropout)) for one, dropout in zip(TWO, (0.0, 0.2), strict=True))


def panels(arms=TWO, **changes):
    return arm_panels(arms, **{"metric": "loss", "total_epochs": 30, **changes})


def overlaid(arms=TWO, **changes):
    return overlay(arms, **{"metric": "loss", "total_epochs": 30, **changes})


def lines(figure):
    """The traces that a reader can point at."""
    return {trace.name: trace for trace in figure.data if trace.hoverinfo != "skip" and trace.x != (None,)}


def bands(figure):
    return [trace for trace in figure.data if trace.fill == "toself"]


def notes(figure):
    return [note.text for note in figure.layout.annotations]


def test_arms_take_the_runs_colours():
    assert [arm_colour(place) for place in (0, 1, 10)] == [RUN_COLOURS[0], RUN_COLOURS[1], RUN_COLOURS[0]]


def test_every_arm_has_a_panel_with_its_name_and_colour():
    first, second = panels()
    assert notes(first)[0] == "<b>No dropout</b><br>Loss (nats), mean of 2 seeds"
    assert notes(second)[0].startswith("<b>Dropout 0.2</b>")
    assert {trace.line.color for trace in lines(second).values()} == {RUN_COLOURS[1]}


def test_an_arm_that_diverges_does_not_flatten_the_others():
    wild = run(6, 0.1)
    wild.loc[4:, "validation_loss"] = 3e13
    calm, diverging = panels([arm(0.0, run(6), run(6, 0.2)), arm(0.2, wild, run(6, 0.3), position=1)])
    assert calm.layout.yaxis.range == diverging.layout.yaxis.range
    assert calm.layout.yaxis.range[1] < 5
    assert calm.layout.yaxis.autorangeoptions.maxallowed == diverging.layout.yaxis.autorangeoptions.maxallowed > 3e13
    assert [any("up to" in text for text in notes(figure)) for figure in (calm, diverging)] == [False, True]
    assert ["left_out" in figure.layout.meta for figure in (calm, diverging)] == [False, True]


@pytest.mark.parametrize("metric", ["loss", "accuracy"])
def test_lines_are_means_and_bands_a_standard_deviation(metric):
    figure = panels(metric=metric)[0]
    columns = {"As trained": "training", "Evaluated": "evaluated_training", "Validation": "validation"}
    assert list(lines(figure)) == list(columns)
    for (name, data), band in zip(columns.items(), bands(figure), strict=True):
        values = np.array([frame[f"{data}_{metric}"] for frame in TWO[0].runs])
        assert list(lines(figure)[name].y) == pytest.approx(values.mean(axis=0))
        assert list(band.y[:6]) == pytest.approx(values.mean(axis=0) + values.std(axis=0, ddof=1))
        assert list(band.y[:5:-1]) == pytest.approx(values.mean(axis=0) - values.std(axis=0, ddof=1))


def test_curves_are_apart_without_colour():
    assert [trace.line.dash for trace in lines(panels()[0]).values()] == ["dot", "dash", "solid"]


def test_a_band_ends_where_one_run_goes_on_alone():
    figure = panels()[1]
    assert set(bands(figure)[0].x) == {1, 2, 3, 4}
    assert list(lines(figure)["Validation"].x) == [1, 2, 3, 4, 5, 6]
    spread = lines(figure)["Validation"].customdata
    assert spread[3] == " ± 0.141"
    assert spread[4] == " (1 of 2 seeds)"


def test_one_seed_has_no_band_and_no_seeds_in_its_title():
    figure = panels([arm(0.0, run(6)), arm(0.2, run(6))])[0]
    assert all(len(band.x) == 0 for band in bands(figure))
    assert notes(figure)[0] == "<b>No dropout</b><br>Loss (nats)"


@pytest.mark.parametrize("metric", ["loss", "accuracy"])
def test_panels_share_their_axes_while_arms_grow(metric):
    arms = [arm(0.0, run(6)), arm(0.2, run(2, 0.5)), arm(0.5)]
    figures = panels(arms, metric=metric)
    for name in ("xaxis", "yaxis"):
        assert len({str(figure.layout[name]) for figure in figures}) == 1
    assert {tuple(figure.layout.xaxis.range) for figure in figures} == {(0.4, 30.6)}
    ends = figures[0].layout.yaxis.autorangeoptions
    values = [value for figure in figures for trace in figure.data for value in trace.y]
    assert ends.minallowed < min(values) < max(values) < ends.maxallowed


def test_zoom_lasts_until_another_metric_is_shown():
    assert {figure.layout.uirevision for figure in (*panels(), *panels([arm(0.0), arm(0.2)]))} == {"loss"}
    assert overlaid(metric="gap").layout.uirevision != overlaid().layout.uirevision


def test_best_epoch_of_the_mean_is_marked():
    figure = panels()[0]
    validation = lines(figure)["Validation"]
    assert [x for x, symbol in zip(validation.x, validation.marker.symbol, strict=True) if symbol == "diamond"] == [3]
    assert "best epoch 3" in notes(figure)


def test_best_epoch_is_one_that_all_begun_runs_have_reached():
    assert best_mean_epoch([run(6), run(2), run(0)]) == 2
    assert best_mean_epoch([run(0)]) is None
    assert best_mean_epoch([]) is None


def test_an_arm_without_epochs_has_axes_and_a_note():
    for figure in panels([arm(0.0), arm(0.2, run(0))]):
        assert notes(figure)[1:] == ["The first epoch appears here"]
        assert list(figure.layout.yaxis.range) == [0, 1]


def test_first_epoch_is_visible():
    assert all(trace.mode == "lines+markers" for trace in lines(panels([arm(0.0, run(1))])[0]).values())
    assert all(trace.mode == "lines+markers" for trace in lines(overlaid([arm(0.0, run(1))])).values())


def test_reference_is_drawn_in_the_panels_that_have_one():
    arms = [arm(0.2, run(6), published=published(0.2)), arm(0.5, run(6), published=published(0.5))]
    known, unknown = panels(arms)
    assert list(lines(known)["Article, test"].y) == published(0.2)["test_loss"].tolist()
    assert lines(known)["Article, test"].line.dash == "longdash"
    assert lines(known)["Article, train"].line.dash == "dot"
    assert len(lines(unknown)) == 3
    assert "Article, train" not in lines(panels(arms, metric="accuracy")[0])


def test_overlay_shows_validation_and_evaluated_training_of_every_arm():
    shown = lines(overlaid())
    assert list(shown) == [
        "No dropout, training",
        "No dropout, validation",
        "Dropout 0.2, training",
        "Dropout 0.2, validation",
    ]
    assert [trace.line.dash for trace in shown.values()] == ["dash", "solid"] * 2
    assert [trace.line.color for trace in shown.values()] == [arm_colour(0)] * 2 + [arm_colour(1)] * 2


def test_overlaid_arms_have_a_legend_entry_and_a_symbol_each():
    arms = [arm(place / 10, run(6), position=place) for place in range(8)]
    entries = [trace for trace in overlaid(arms).data if trace.showlegend is not False]
    assert [trace.name for trace in entries] == [one.name for one in arms]
    assert len({trace.marker.symbol for trace in entries}) == len({trace.line.color for trace in entries}) == 8


def test_the_last_point_of_an_overlaid_arm_has_its_symbol():
    marks = [trace for trace in overlaid().data if trace.mode == "markers"]
    assert [trace.x[-1] for trace in marks] == [6, 6]
    assert [trace.marker.symbol[-1] for trace in marks] == ["circle", "square"]
    assert ["diamond" in trace.marker.symbol for trace in marks] == [True, True]


def test_traces_keep_their_places_while_arms_grow_and_the_reference_comes():
    def places(figure):
        return [(trace.legendgroup, trace.mode) for trace in figure.data]

    empty = [arm(0.0), arm(0.2, position=1)]
    assert places(overlaid(empty)) == places(overlaid())
    more = places(overlaid(TWO_PUBLISHED))
    assert len(more) > len(places(overlaid()))
    assert more[: len(places(overlaid()))] == places(overlaid())


def test_gap_is_validation_minus_evaluated_training_with_a_zero_line():
    figure = overlaid(TWO_PUBLISHED, metric="gap")
    shown = lines(figure)
    assert list(shown) == ["No dropout, gap", "Dropout 0.2, gap"]
    frame = TWO[0].runs[0]  # both runs of the arm have the same gap
    expected = frame["validation_loss"] - frame["evaluated_training_loss"]
    assert list(shown["No dropout, gap"].y) == pytest.approx(expected.tolist())
    assert [shape.y0 for shape in figure.layout.shapes] == [0]
    assert not any("diamond" in (trace.marker.symbol or ()) for trace in figure.data if trace.mode == "markers")


def test_an_overlay_without_epochs_has_a_legend_and_a_note():
    figure = overlaid([arm(0.0), arm(0.2)])
    assert notes(figure) == ["The first epoch appears here"]
    assert len([trace for trace in figure.data if trace.showlegend is not False]) == 2


def test_a_loss_that_left_all_bounds_leaves_the_axes_alone():
    diverged = run(3).assign(training_loss=[0.5, np.inf, np.nan])
    ends = panels([arm(0.0, diverged)])[0].layout.yaxis.autorangeoptions
    assert np.isfinite([ends.minallowed, ends.maxallowed]).all()


def test_line_legend_names_what_is_drawn_and_nothing_else():
    def legend(**changes):
        arguments = {"metric": "loss", "overlaid": False, "several_seeds": False, "with_reference": False}
        return line_legend(**{**arguments, **changes})

    assert "as trained" in legend()
    assert "as trained" not in legend(overlaid=True)
    assert "standard deviation" in legend(several_seeds=True)
    assert "Article, training" in legend(with_reference=True)
    assert "Article, training" not in legend(with_reference=True, metric="accuracy")
    assert "Article" not in legend(with_reference=True, metric="gap", overlaid=True)
    assert "dropout" in legend()
    assert "dropout" not in legend(with_dropout=False)
    assert "Test &lt;set&gt;" in legend(validation_name="Test <set>")
