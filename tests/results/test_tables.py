import math

import pandas as pd
import pytest

from fmnist_core.comparison.factors import FACTORS
from fmnist_core.comparison.tables import study_table
from fmnist_core.network.figures import Evaluation
from fmnist_core.results.tables import epoch_table, epoch_table_words

EPOCHS = pd.DataFrame(
    {
        "epoch": [1, 2, 3],
        "training_loss": [0.9, 0.7, 0.6],
        "evaluated_training_loss": [0.80, 0.60, 0.50],
        "evaluated_training_accuracy": [0.70, 0.80, 0.85],
        "validation_loss": [0.85, 0.64, 0.66],
        "validation_accuracy": [0.68, 0.79, 0.78],
    }
)


def test_the_best_and_the_last_epoch_have_a_row_each():
    table = epoch_table(EPOCHS)
    assert table["which"].tolist() == ["Best epoch (2)", "Last epoch (3)"]
    assert table["validation_loss"].tolist() == [0.64, 0.66]
    assert table["evaluated_training_loss"].tolist() == [0.60, 0.50]
    assert table["validation_accuracy"].tolist() == [0.79, 0.78]
    assert table["evaluated_training_accuracy"].tolist() == [0.80, 0.85]


def test_the_gap_is_validation_minus_evaluated_training_loss():
    assert epoch_table(EPOCHS)["gap"].tolist() == pytest.approx([0.04, 0.16])


def test_both_rows_stand_where_the_last_epoch_is_the_best():
    table = epoch_table(EPOCHS.head(2))
    assert table["which"].tolist() == ["Best epoch (2)", "Last epoch (2)"]
    assert table["validation_loss"].tolist() == [0.64, 0.64]


@pytest.mark.parametrize("tests", [None, {}])
def test_there_are_no_test_columns_before_there_are_test_figures(tests):
    columns = ["which", "evaluated_training_loss", "validation_loss", "gap"]
    accuracies = ["evaluated_training_accuracy", "validation_accuracy"]
    assert list(epoch_table(EPOCHS, tests)) == columns + accuracies


def test_test_figures_stand_in_the_row_of_their_weights():
    tests = {
        "last": Evaluation(loss=0.7, accuracy=0.77, calibration_error=0.05),
        "best": Evaluation(loss=0.65, accuracy=0.78, calibration_error=0.05),
    }
    table = epoch_table(EPOCHS, tests)
    assert table["test_loss"].tolist() == [0.65, 0.7]
    assert table["test_accuracy"].tolist() == [0.78, 0.77]


def test_a_missing_test_figure_leaves_its_place_empty():
    table = epoch_table(EPOCHS, {"last": Evaluation(loss=0.7, accuracy=0.77, calibration_error=0.05)})
    assert table["test_loss"].isna().tolist() == [True, False]
    assert pd.api.types.is_float_dtype(table["test_loss"])  # so that the page can format it


def test_a_comparisons_figures_are_worded_with_their_spread_and_the_better_arm_is_starred():
    figures = pd.DataFrame(
        [
            {"level": 0.0, "finished": 2, "seeds": 2, "parameters": 242_762, **{
                "validation_loss_last_mean": 0.4391, "validation_loss_last_sd": 0.0079,
                "validation_accuracy_last_mean": 0.87812, "validation_accuracy_last_sd": 0.0023,
                "seconds_mean": 61.2, "seconds_sd": 1.4,
            }},
            {"level": 0.2, "finished": 1, "seeds": 2, "parameters": 242_762, **{
                "validation_loss_last_mean": 0.3761, "validation_loss_last_sd": math.nan,
                "validation_accuracy_last_mean": math.nan, "validation_accuracy_last_sd": math.nan,
                "seconds_mean": 70.0, "seconds_sd": math.nan,
            }},
        ]
    )  # fmt: skip
    table = study_table(figures, {"validation_loss_last": 1, "validation_accuracy_last": None}, FACTORS["dropout"])
    plain, dropping = table.to_dict("records")
    assert plain == {
        "Dropout": "0",
        "Seeds": "2 of 2",
        "Validation loss, last epoch": "0.439 ± 0.008",
        "Validation accuracy, last epoch": "87.81 ± 0.23%",
        "Seconds a run": "61 ± 1",
        "Parameters": "242,762",
    }
    assert dropping["Validation loss, last epoch"] == "0.376 ★"
    assert dropping["Validation accuracy, last epoch"] == "not yet"
    assert not [heading for heading in table if "Test" in heading]


def test_the_epochs_figures_in_words():
    table = pd.DataFrame(
        {"which": ["Best epoch (1)"], "gap": [-0.0125], "validation_accuracy": [0.8751], "test_loss": [None]}
    )
    words = epoch_table_words(table)
    assert words.index.tolist() == ["Best epoch (1)"]
    assert words.iloc[0].to_dict() == {
        "Gap": "\N{MINUS SIGN}0.013",
        "Validation accuracy": "87.51%",
        "Test loss": "not known",
    }
