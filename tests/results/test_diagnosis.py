import pandas as pd
import pytest

from fmnist_core.results.diagnosis import best_epoch, diagnose

# Printed in the article "pytorch - fashion MNIST 분류 실습", 2019, which this lab grew out of: its run
# without dropout and its run with dropout 0.2, loss at epochs 1 to 30. Its validation set is the test set.
ARTICLE_TRAINING = (
    *(0.521, 0.395, 0.357, 0.334, 0.318, 0.303, 0.292, 0.285, 0.274, 0.274),
    *(0.261, 0.255, 0.251, 0.248, 0.240, 0.232, 0.230, 0.229, 0.221, 0.217),
    *(0.217, 0.212, 0.209, 0.209, 0.202, 0.200, 0.194, 0.195, 0.193, 0.187),
)
ARTICLE_VALIDATION = (
    *(0.461, 0.429, 0.393, 0.388, 0.380, 0.367, 0.386, 0.371, 0.357, 0.377),
    *(0.369, 0.357, 0.385, 0.405, 0.368, 0.364, 0.413, 0.384, 0.376, 0.443),
    *(0.382, 0.403, 0.403, 0.398, 0.406, 0.390, 0.405, 0.415, 0.418, 0.412),
)
ARTICLE_TRAINING_WITH_DROPOUT = (
    *(0.602, 0.482, 0.450, 0.434, 0.416, 0.413, 0.405, 0.397, 0.392, 0.388),
    *(0.383, 0.375, 0.380, 0.374, 0.368, 0.371, 0.358, 0.354, 0.354, 0.353),
    *(0.361, 0.350, 0.353, 0.343, 0.351, 0.339, 0.351, 0.350, 0.353, 0.340),
)
ARTICLE_VALIDATION_WITH_DROPOUT = (
    *(0.508, 0.454, 0.429, 0.418, 0.431, 0.399, 0.394, 0.386, 0.412, 0.380),
    *(0.376, 0.392, 0.382, 0.370, 0.385, 0.371, 0.392, 0.371, 0.373, 0.386),
    *(0.388, 0.385, 0.371, 0.368, 0.378, 0.371, 0.372, 0.375, 0.391, 0.385),
)


def curves(validation, training, accuracy=0.85):
    return pd.DataFrame(
        {
            "epoch": range(1, len(validation) + 1),
            "validation_loss": validation,
            "evaluated_training_loss": training,
            "validation_accuracy": accuracy,
        }
    )


def falling(count, start=0.6, step=0.03):
    return [start - step * place for place in range(count)]


@pytest.mark.parametrize(("done", "counted"), [(1, "1 is"), (5, "5 are")])
def test_a_run_of_few_epochs_is_not_diagnosed(done, counted):
    diagnosis = diagnose(curves(falling(done), falling(done)))
    assert diagnosis.finding == "too early"
    assert diagnosis.sentence == f"Too early to tell: a diagnosis needs 6 epochs, and {counted} done."


def test_six_epochs_are_enough_for_a_finding():
    assert diagnose(curves(falling(6), falling(6))).finding == "still learning"


def test_a_loss_that_keeps_falling_is_still_learning():
    diagnosis = diagnose(curves([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3], falling(8)))
    assert diagnosis.finding == "still learning"
    assert "validation loss fell by 0.300 over the last 3 epochs" in diagnosis.sentence


def test_a_loss_that_fell_long_ago_is_not_still_learning():
    diagnosis = diagnose(curves([1.0, 0.8, 0.6, *[0.4] * 8], [0.9, 0.7, 0.5, *[0.3] * 8]))
    assert diagnosis.finding == "fits well"


def test_a_loss_that_comes_back_from_a_bump_is_not_still_learning():
    diagnosis = diagnose(curves([1.0, 0.8, 0.64, *[0.6] * 8, *[0.66] * 4, *[0.6] * 3], falling(18)))
    assert diagnosis.finding == "fits well"


@pytest.mark.parametrize(("training", "side"), [(0.30, "above"), (0.40, "below")])
def test_a_loss_that_levels_off_fits_well_and_the_gap_is_named(training, side):
    diagnosis = diagnose(curves([0.8, 0.6, 0.5, 0.4, *[0.35] * 8], [0.7, 0.6, 0.5, *[training] * 9]))
    assert diagnosis.finding == "fits well"
    assert "levelled off at 0.350" in diagnosis.sentence
    assert f"ends 0.050 {side} training loss" in diagnosis.sentence


def test_a_rise_over_falling_training_loss_overfits_from_its_low_on():
    validation = [0.60, 0.50, 0.42, 0.36, 0.33, 0.30, 0.32, 0.35, 0.38, 0.41, 0.44, 0.47]
    diagnosis = diagnose(curves(validation, falling(12)))
    assert diagnosis.finding == "overfits"
    # Medians of three epochs: 0.32 around epoch 6, where training loss is 0.45, and 0.44 at the end, where it is 0.30.
    assert diagnosis.sentence.startswith("Overfits since about epoch 6: ")
    assert "risen by 0.120 from its low of 0.320" in diagnosis.sentence
    assert "training loss (dropout off) fell by 0.150" in diagnosis.sentence


def test_a_single_bad_epoch_at_the_end_is_no_overfitting():
    validation = [0.60, 0.50, 0.42, 0.36, 0.35, 0.35, 0.35, 0.35, 0.60]
    assert diagnose(curves(validation, falling(9))).finding == "fits well"


def test_a_rise_of_one_hundredth_is_taken_for_noise():
    validation = [0.60, 0.50, 0.42, *[0.400] * 6, *[0.404] * 5]
    assert diagnose(curves(validation, falling(14))).finding == "fits well"


def test_a_loss_that_rises_together_with_training_loss_neither_overfits_nor_fits_well():
    """A learning rate that is too high makes both grow: nothing is learnt by heart, and nothing fits."""
    both = [0.5, 0.4, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4]
    assert diagnose(curves(both, both)).finding not in {"overfits", "fits well"}


def test_a_network_that_learns_nothing_does_not_fit_well():
    """The loss of a guess among ten classes, as when all units have died."""
    assert diagnose(curves([2.303] * 12, [2.303] * 12)).finding != "fits well"


@pytest.mark.parametrize("done", [2, 3, 12])
@pytest.mark.parametrize("loss", [2.303, 3e13])
def test_a_network_that_guesses_learns_nothing_from_the_second_epoch_on(done, loss):
    diagnosis = diagnose(curves([loss] * done, [loss] * done, accuracy=0.1))
    assert diagnosis.finding == "learns nothing"
    assert "10.0%" in diagnosis.sentence
    assert "lower learning rate" in diagnosis.sentence


def test_one_epoch_of_guessing_is_too_early_to_tell():
    assert diagnose(curves([2.303], [2.303], accuracy=0.1)).finding == "too early"


def test_a_network_that_began_by_guessing_and_learns_now_is_not_called_hopeless():
    frame = curves([2.303, 2.303, 0.8], [2.303, 2.303, 0.8], accuracy=[0.1, 0.1, 0.7])
    assert diagnose(frame).finding == "too early"


def test_the_articles_run_without_dropout_overfits():
    diagnosis = diagnose(curves(ARTICLE_VALIDATION, ARTICLE_TRAINING))
    assert diagnosis.finding == "overfits"
    since = int(diagnosis.sentence.split("epoch ")[1].split(":")[0])
    assert 9 <= since <= 16  # the lowest losses are at 9, 12, 15 and 16


def test_the_articles_run_with_dropout_does_not_overfit():
    assert diagnose(curves(ARTICLE_VALIDATION_WITH_DROPOUT, ARTICLE_TRAINING_WITH_DROPOUT)).finding != "overfits"


def test_the_articles_run_with_dropout_is_at_no_epoch_found_to_overfit():
    frame = curves(ARTICLE_VALIDATION_WITH_DROPOUT, ARTICLE_TRAINING_WITH_DROPOUT)
    wrong = [done for done in range(1, 31) if diagnose(frame.head(done)).finding == "overfits"]
    assert wrong == []


def test_the_best_epoch_has_the_lowest_validation_loss():
    assert best_epoch(curves([0.5, 0.3, 0.4], falling(3))) == 2


def test_of_equal_epochs_the_earliest_is_best():
    assert best_epoch(curves([0.5, 0.3, 0.4, 0.3], falling(4))) == 2


def test_the_best_epoch_is_a_number_and_not_a_place():
    assert best_epoch(curves([0.5, 0.2, 0.4, 0.3], falling(4)).iloc[2:]) == 4
