"""What a comparison across a second setting may say."""

import math
from dataclasses import replace

import pandas as pd
import pytest

from fmnist_core.comparison.arms import ArmRun
from fmnist_core.comparison.evidence import weigh
from fmnist_core.comparison.grid import Grid
from fmnist_core.comparison.grid_results import grid_sentences, grid_table, grid_words, weigh_grid
from fmnist_core.comparison.measures import MEASURES
from fmnist_core.comparison.study import Study
from fmnist_core.config import RunConfig

NOISE = (-0.010, 0.004, 0.012, -0.002, -0.004)
BASE = RunConfig(epochs=30)
TWO = Grid(study=Study(base=BASE, levels=(0.0, 0.5), seeds=5), across="training_images", values=(500, 2000, None))
THREE = replace(TWO, study=replace(TWO.study, levels=(0.0, 0.2, 0.5)))


def finished(config, level, *, gap=0.2, loss=0.4, accuracy=0.88, steadiness=1):
    """A finished run whose last epoch has these figures, with noise that another level of its seed does not share."""
    noise = NOISE[(config.seed + {0.0: 0, 0.2: 2, 0.5: 3}[level]) % 5]
    epochs = pd.DataFrame(
        {
            "epoch": [30],
            "evaluated_training_loss": [loss - gap + noise],
            "validation_loss": [loss + noise / 2],
            "validation_accuracy": [accuracy - noise / steadiness],
        }
    )
    run = type("Run", (), {"status": "finished", "config": config})()
    return ArmRun(level, config.seed, run, epochs, {})


def runs_of(grid, change):
    """All runs of a grid, finished; `change(value, level)` gives what is other than in `finished`."""
    return [
        [finished(config, config.dropout, **change(value, config.dropout)) for config in study.configs()]
        for study, value in zip(grid.studies, grid.values, strict=True)
    ]


def unlike(value, level):
    """Half of the units dropped: better with 500 images, open with 2,000, worse with all."""
    if level != 0.5:
        return {}
    return {500: {"loss": 0.3}, 2000: {}, None: {"accuracy": 0.80}}[value]


def test_each_value_has_the_evidence_of_its_own_comparison():
    results = weigh_grid(TWO, runs_of(TWO, unlike))
    assert [(cell.value, cell.level, cell.effect.helps) for cell in results.cells] == [
        (500, 0.5, True),
        (2000, 0.5, None),
        (None, 0.5, False),
    ]
    arms = [
        {
            one.seed: {
                "gap": one.epochs["validation_loss"].item() - one.epochs["evaluated_training_loss"].item(),
                "validation_loss": one.epochs["validation_loss"].item(),
                "validation_accuracy": one.epochs["validation_accuracy"].item(),
            }
            for one in runs_of(TWO, unlike)[0]
            if one.level == level
        }
        for level in (0.0, 0.5)
    ]
    assert results.cells[0].evidence == weigh(*arms, rivals=3)


def test_claims_are_shared_among_all_cells():
    """A difference that one comparison settles is a hint among the most that a grid has."""

    def slight(value, level):
        return {"loss": 0.379} if (value, level) == (500, 0.5) else {}

    alone = weigh_grid(replace(TWO, values=(500, 2000)), runs_of(replace(TWO, values=(500, 2000)), slight))
    among = weigh_grid(grid := replace(THREE, values=(500, 600, 700, 800, 900, 1000)), runs_of(grid, slight))
    assert alone.cells[0].evidence.level == pytest.approx(0.05 / 2)
    assert among.cells[0].evidence.level == pytest.approx(0.05 / 12)
    first, second = alone.cells[0].evidence, among.cells_of(0.5)[0].evidence
    assert first.p_values == second.p_values


def test_an_accuracy_that_changes_too_little_is_an_answer():
    def steady(value, level):
        return {"steadiness": 10} | ({"loss": 0.3} if (value, level) == (500, 0.5) else {})

    assert grid_sentences(weigh_grid(TWO, runs_of(TWO, steady))) == [
        "Dropout 0.5 helps with 500 images; with 2,000 images and all images the accuracy changes too little to matter."
    ]
    (sentence,) = grid_sentences(weigh_grid(TWO, runs_of(TWO, lambda value, level: {"steadiness": 10})))
    assert sentence.startswith("Dropout 0.5: with 500 images, 2,000 images and all images the accuracy changes too ")


def test_the_answer_says_where_it_helps_hurts_and_is_open():
    (sentence,) = grid_sentences(weigh_grid(TWO, runs_of(TWO, unlike)))
    assert sentence == (
        "Dropout 0.5 helps with 500 images and hurts with all images; with 2,000 images it is not settled."
    )


def test_each_arm_has_a_sentence():
    first, second = grid_sentences(weigh_grid(THREE, runs_of(THREE, unlike)))
    assert first == "Dropout 0.2: nothing is settled with 500 images, 2,000 images or all images."
    assert second.startswith("Dropout 0.5 helps with 500 images")


def test_better_probabilities_and_worse_choices_are_neither_help_nor_harm():
    def mixed(value, level):
        return {"loss": 0.3, "accuracy": 0.8} if level and value == 500 else {}

    results = weigh_grid(TWO, runs_of(TWO, mixed))
    assert (results.cells[0].effect.helps, results.cells[0].effect.is_mixed) == (None, True)
    (sentence,) = grid_sentences(results)
    assert sentence.startswith("Dropout 0.5 lowers the loss and the accuracy, or raises both, with 500 images;")


def test_what_has_not_finished_is_said_and_has_no_figures():
    runs = [[], runs_of(TWO, unlike)[1], []]
    waiting = [
        [ArmRun(config.dropout, config.seed, None, pd.DataFrame(), {}) for config in study.configs()]
        for study in TWO.studies
    ]
    results = weigh_grid(TWO, [some or none for some, none in zip(runs, waiting, strict=True)])
    (sentence,) = grid_sentences(results)
    assert sentence == (
        "Dropout 0.5: nothing is settled with 2,000 images; no pair has finished with 500 images or all images."
    )
    assert grid_sentences(weigh_grid(TWO, waiting)) == ["Dropout 0.5: no pair of runs has finished yet."]
    assert math.isnan(results.means["gap"][0][0].mean)
    assert grid_words(results)["Validation loss"].tolist()[::2] == ["not yet", "not yet"]
    assert grid_table(results)["finished"].tolist() == [0, 0, 5, 5, 0, 0]


def test_the_file_has_a_row_for_each_value_and_arm():
    results = weigh_grid(THREE, runs_of(THREE, unlike))
    table = grid_table(results)
    assert table["training_images"].tolist() == [value for value in ("500", "2000", "all") for _ in range(3)]
    assert table["dropout"].tolist() == ["0", "0.2", "0.5"] * 3
    for metric in MEASURES:
        assert table[f"{metric}_difference"].isna().tolist() == [True, False, False] * 3
    row = table.iloc[2]
    evidence = results.cells_of(0.5)[0].evidence
    assert row["validation_loss_difference"] == evidence.differences["validation_loss"].mean
    assert row["validation_loss_low"] == evidence.differences["validation_loss"].low
    assert bool(row["validation_loss_settled"]) is True


def test_the_words_star_what_is_settled():
    words = grid_words(weigh_grid(TWO, runs_of(TWO, unlike)))
    assert words["Training images"].tolist() == ["500", "2,000", "all"]
    assert words["Validation loss"].str.endswith(" ★").tolist() == [True, False, False]
    assert words["Validation accuracy"].str.endswith(" ★").tolist() == [False, False, True]
    assert words["Pairs"].tolist() == ["5 of 5"] * 3


@pytest.mark.parametrize("name", ["9.9", "", "0.0", "0", "1.1.1", None, 3])
def test_a_cell_that_there_is_not_is_none(name):
    results = weigh_grid(TWO, runs_of(TWO, unlike))
    assert results.cell(name) is None
    assert results.cell("2.1") is results.cells[2]
