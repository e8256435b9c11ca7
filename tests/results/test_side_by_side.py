from dataclasses import replace

import pytest

from fmnist_core.charts.colours import arm_colour, colours_of, run_colour
from fmnist_core.config import RunConfig
from fmnist_core.results import side_by_side
from fmnist_core.store.run import Run

BASE = RunConfig(epochs=5)


def run(number, best_epoch=3, data="f" * 16, **changes):
    return Run(
        number=number,
        key=f"{number:016x}",
        config=replace(BASE, **changes),
        data_name="Fashion-MNIST",
        data_fingerprint=data,
        status="finished",
        cancel_requested=False,
        epochs_done=5,
        epoch_share=0.0,
        best_epoch=best_epoch,
        best_validation_loss=0.3,
        best_validation_accuracy=0.9,
        error=None,
        created_at=0.0,
        ended_at=1.0,
    )


PLAIN, DROPOUT = run(1), run(2, dropout=0.2)


def test_dropout_and_no_dropout_of_one_seed_belong_together():
    runs = [run(5, dropout=0.2, seed=1), run(4, dropout=0.2, epochs=6), DROPOUT, PLAIN]
    assert side_by_side.counterpart(PLAIN, runs) == DROPOUT
    assert side_by_side.counterpart(DROPOUT, runs) == PLAIN


def test_of_several_rates_the_articles_is_next():
    runs = [PLAIN, run(3, dropout=0.5), run(4, dropout=0.1), run(5, dropout=0.25)]
    assert side_by_side.counterpart(PLAIN, runs).number == 5


@pytest.mark.parametrize(
    "other",
    [run(3, dropout=0.2, seed=1), run(3, dropout=0.2, best_epoch=None), run(3, dropout=0.2, data="0" * 16), run(3)],
    ids=["another seed", "no network yet", "other data", "no dropout either"],
)
def test_what_differs_in_more_is_no_counterpart(other):
    assert side_by_side.counterpart(PLAIN, [PLAIN, other]) is None


def test_a_pair_is_fair_where_only_dropout_differs():
    assert side_by_side.is_fair(PLAIN, DROPOUT)
    assert side_by_side.is_fair(run(3, dropout=0.5), DROPOUT)
    assert not side_by_side.is_fair(PLAIN, run(3, dropout=0.2, epochs=6))
    assert not side_by_side.is_fair(PLAIN, run(3, dropout=0.2, data="0" * 16))
    assert not side_by_side.is_fair(PLAIN, PLAIN)


def test_the_run_with_less_dropout_is_the_baseline():
    assert side_by_side.less_dropout_first(DROPOUT, PLAIN) == (PLAIN, DROPOUT)
    assert side_by_side.less_dropout_first(PLAIN, DROPOUT) == (PLAIN, DROPOUT)
    same = run(3, seed=1)
    assert side_by_side.less_dropout_first(same, PLAIN) == (same, PLAIN)


def test_dropout_is_the_cause_only_where_nothing_else_differs():
    assert side_by_side.cause(PLAIN, DROPOUT) == "Dropout"
    assert side_by_side.cause(DROPOUT, run(3, dropout=0.5)) == "More dropout"
    assert side_by_side.cause(PLAIN, run(4, dropout=0.2, epochs=6)) == "Run 4"
    assert side_by_side.cause(PLAIN, run(5, seed=1)) == "Run 5"


def test_a_name_says_what_the_lab_is_about():
    assert side_by_side.run_name(PLAIN) == "Run 1 · no dropout"
    assert side_by_side.run_name(run(12, dropout=0.35)) == "Run 12 · dropout 0.35"


def test_a_run_keeps_its_colour_and_two_have_those_of_a_comparison():
    assert colours_of([run(7)]) == [run_colour(7)]
    assert colours_of([run(7), run(8, dropout=0.2)]) == [arm_colour(0), arm_colour(1)]
    assert colours_of([run(8, dropout=0.2), run(7)]) == [arm_colour(1), arm_colour(0)]
    assert colours_of([run(7), run(17)]) == [arm_colour(0), arm_colour(1)]
