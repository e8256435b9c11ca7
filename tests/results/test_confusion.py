"""Figures of mistakes and confidence, by hand and against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.calibration import calibration_curve
from sklearn.metrics import f1_score, precision_score, recall_score

from fmnist_core.data.dataset import CLASSES
from fmnist_core.network.evaluation import expected_calibration_error
from fmnist_core.network.figures import CONFIDENCE_BINS
from fmnist_core.results.calibration import better_calibrated, calibration_table, reliability
from fmnist_core.results.confusion import (
    cell_images,
    cell_name,
    class_table,
    class_table_words,
    confused_pairs,
    confusion,
    parse_cell,
    row_shares,
)

RNG = np.random.default_rng(0)
LABELS = RNG.integers(10, size=3000)


def guesses(labels, share_right, seed):
    """Predictions that are right in about this share of cases, and anything otherwise."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(labels)) < share_right, labels, rng.integers(10, size=len(labels)))


def probabilities_of(*confidences):
    """Probabilities whose predicted class is 0, with these values; the rest is spread evenly."""
    return np.array([[c] + [(1 - c) / 9] * 9 for c in confidences], dtype=np.float32)


def random_probabilities(n=3000, seed=1):
    """Probabilities of all degrees of confidence, somewhat in favour of LABELS."""
    rng = np.random.default_rng(seed)
    probabilities = rng.normal(size=(n, 10)) * rng.uniform(0, 4, size=(n, 1))
    probabilities[np.arange(n), LABELS[:n]] += 1.5
    return torch.from_numpy(probabilities).log_softmax(dim=1).exp().float().numpy()


def test_confusion_has_true_classes_in_rows():
    matrix = confusion(np.array([6, 6, 0]), np.array([0, 6, 0]))
    assert matrix.shape == (10, 10)
    assert matrix.dtype == np.int64
    assert (matrix[6, 0], matrix[6, 6], matrix[0, 0], matrix.sum()) == (1, 1, 1, 3)


def test_shares_are_of_the_row_and_unknown_without_images():
    shares = row_shares(confusion(np.array([6, 6, 6, 6, 0]), np.array([0, 6, 6, 6, 0])))
    assert (shares[6, 0], shares[6, 6], shares[0, 0]) == (0.25, 0.75, 1)
    assert np.isnan(shares[1:6]).all()
    assert not np.isnan(shares[[0, 6]]).any()


@pytest.mark.parametrize(
    ("measure", "score"), [("precision", precision_score), ("recall", recall_score), ("F1", f1_score)]
)
def test_the_class_table_has_each_runs_figures(measure, score):
    predictions = {"Run 3": guesses(LABELS, 0.9, 1), "Run 5": guesses(LABELS, 0.6, 2)}
    table = class_table(LABELS, predictions).set_index("class")
    for name, predicted in predictions.items():
        expected = score(LABELS, predicted, average=None)
        assert table[f"{name}: {measure}"].loc[list(CLASSES)].tolist() == pytest.approx(expected.tolist())
    assert table["images"].loc[list(CLASSES)].tolist() == np.bincount(LABELS).tolist()


def test_the_class_that_both_runs_together_know_least_comes_first():
    labels = np.arange(10).repeat(10)
    first, second = labels.copy(), labels.copy()
    first[0:4] = 1  # T-shirts: bad in one run
    second[60:66] = 2  # shirts: worse in the other
    table = class_table(labels, {"Run 1": first, "Run 2": second})
    assert table["class"].tolist()[:2] == ["Shirt", "T-shirt/top"]
    assert table["class"].tolist()[4:] == [
        CLASSES[place] for place in (3, 4, 5, 7, 8, 9)
    ]  # equal ones keep their order


def test_measures_without_anything_to_count_are_a_dash():
    labels, predicted = np.array([0, 0, 1, 3]), np.array([0, 0, 0, 2])
    table = class_table(labels, {"Run 3": predicted})
    figures = table.set_index("class")
    assert np.isnan(figures.loc["Trouser", "Run 3: precision"])
    assert figures.loc["Trouser", "Run 3: recall"] == figures.loc["Trouser", "Run 3: F1"] == 0
    assert np.isnan(figures.loc["Pullover", "Run 3: recall"])
    assert figures.loc["Bag", ["Run 3: precision", "Run 3: recall", "Run 3: F1"]].isna().all()
    words = class_table_words(table)
    assert list(words) == ["Class", "Images", "Run 3: precision", "Run 3: recall", "Run 3: F1"]
    shown = words.set_index("Class")
    assert shown.loc["T-shirt/top"].tolist() == ["2", "66.7%", "100.0%", "80.0%"]
    assert shown.loc["Trouser"].tolist() == ["1", "\N{EN DASH}", "0.0%", "0.0%"]


def test_two_runs_stand_side_by_side_measure_by_measure():
    table = class_table(LABELS, {"Run 3": LABELS, "Run 5": LABELS})
    assert list(table)[2:6] == ["Run 3: precision", "Run 5: precision", "Run 3: recall", "Run 5: recall"]


def test_confused_pairs_are_summed_over_runs_and_leave_out_what_is_right():
    labels = np.array([6] * 10 + [0] * 10)
    first, second = labels.copy(), labels.copy()
    first[:3], second[:1] = 0, 0  # shirts as T-shirts: 3 and 1
    second[10:15] = 6  # T-shirts as shirts: 0 and 5
    first[19] = 8
    pairs = confused_pairs(labels, {"Run 3": first, "Run 5": second})
    assert pairs.to_dict("list") == {
        "cell": ["0-6", "6-0", "0-8"],
        "true": ["T-shirt/top", "Shirt", "T-shirt/top"],
        "taken_for": ["Shirt", "T-shirt/top", "Bag"],
        "Run 3": [0, 3, 1],
        "Run 5": [5, 1, 0],
    }
    assert len(confused_pairs(labels, {"Run 3": first, "Run 5": second}, limit=2)) == 2
    assert confused_pairs(labels, {"Run 3": labels}).empty


def test_equally_confused_pairs_are_in_the_classes_order():
    labels, predicted = np.array([9, 2, 2]), np.array([5, 6, 4])
    assert confused_pairs(labels, {"Run 1": predicted})["cell"].tolist() == ["2-4", "2-6", "9-5"]


def test_cells_are_read_as_they_are_named():
    assert cell_name(6, 0) == "6-0"
    assert parse_cell("6-0") == (6, 0)


@pytest.mark.parametrize("text", ["", "6", "6-10", "-1-0", "6-0\n", "٦-0", "6 - 0"])
def test_what_names_no_cell_is_refused(text):
    with pytest.raises(ValueError, match="a cell must be two class numbers"):
        parse_cell(text)


def test_a_cells_images_come_surest_first():
    probabilities = probabilities_of(0.5, 0.9, 0.7, 0.9, 0.8)
    labels, predicted = np.array([6, 6, 6, 6, 0]), probabilities.argmax(axis=1)
    assert cell_images(labels, predicted, 6, 0, probabilities).tolist() == [1, 3, 2, 0]
    assert cell_images(labels, predicted, 0, 0, probabilities).tolist() == [4]
    assert cell_images(labels, predicted, 1, 0, probabilities).tolist() == []


def test_reliability_is_scikit_learns_curve():
    probabilities, curve = random_probabilities(), reliability(random_probabilities(), LABELS)
    right = probabilities.argmax(axis=1) == LABELS
    accuracy, confidence = calibration_curve(right, probabilities.max(axis=1).astype(float), n_bins=CONFIDENCE_BINS)
    filled = curve.count > 0
    assert curve.accuracy[filled] == pytest.approx(accuracy)
    assert curve.confidence[filled] == pytest.approx(confidence)
    assert np.isnan(curve.accuracy[~filled]).all()
    assert np.isnan(curve.confidence[~filled]).all()
    assert curve.count.sum() == len(LABELS)
    assert ((curve.confidence >= curve.lower) & (curve.confidence <= curve.upper))[filled].all()


def test_reliabilitys_calibration_error_is_the_one_stored_with_runs():
    probabilities = random_probabilities()
    curve = reliability(probabilities, LABELS)
    stored = expected_calibration_error(torch.from_numpy(probabilities).double().log(), torch.from_numpy(LABELS))
    assert curve.calibration_error == pytest.approx(stored, abs=1e-12)
    filled = curve.count > 0
    distances = np.abs(curve.accuracy - curve.confidence)[filled]
    assert curve.calibration_error == pytest.approx(np.average(distances, weights=curve.count[filled]))


def test_reliability_by_hand():
    # Four images at 0.78, three of them right: |0.78 - 0.75| weighs 4/6. Two at 0.5, both wrong: 0.5 weighs 2/6.
    curve = reliability(probabilities_of(0.78, 0.78, 0.78, 0.78, 0.5, 0.5), np.array([0, 0, 0, 1, 1, 1]))
    assert curve.calibration_error == pytest.approx(0.03 * 4 / 6 + 0.5 * 2 / 6)
    assert np.flatnonzero(curve.count).tolist() == [7, 11]
    assert (curve.count[11], curve.accuracy[11], curve.accuracy[7]) == (4, 0.75, 0)
    assert curve.mean_confidence == pytest.approx((4 * 0.78 + 2 * 0.5) / 6)
    assert curve.mean_accuracy == 0.5


def test_certainty_belongs_to_the_last_bin():
    curve = reliability(probabilities_of(1.0), np.array([3]))
    assert curve.count[-1] == curve.calibration_error == 1


@pytest.mark.parametrize(("images", "labels"), [(0, 0), (3, 2)])
def test_reliability_of_nothing_is_refused(images, labels):
    with pytest.raises(ValueError, match="as many labels as probabilities"):
        reliability(np.full((images, 10), 0.1, dtype=np.float32), np.zeros(labels, dtype=np.int64))


def test_a_runs_calibration_in_words():
    table = calibration_table({"Run 3": reliability(probabilities_of(0.8, 0.8, 0.8, 0.8), np.array([0, 0, 0, 1]))})
    assert table.iloc[0].tolist() == ["Run 3", "80.0%", "75.0%", "5.0 points", "5.0 points"]
    shy = calibration_table({"Run 3": reliability(probabilities_of(0.7), np.array([0]))})
    assert shy.loc[0, "Over-confident by"] == "\N{MINUS SIGN}30.0 points"


def test_errors_that_cancel_are_not_called_good_calibration():
    """Sure on average as often as right, but wrong where it is sure and right where it is not."""
    table = calibration_table({"Run 3": reliability(probabilities_of(0.8, 0.2), np.array([1, 0]))})
    assert table.loc[0, ["Over-confident by", "Calibration error"]].tolist() == ["0.0 points", "80.0 points"]


def test_the_better_calibrated_of_two_runs_is_named_whatever_the_order():
    labels = np.array([0, 0, 0, 1])
    good, bad = reliability(probabilities_of(*[0.8] * 4), labels), reliability(probabilities_of(*[0.95] * 4), labels)
    for curves in ({"Run 3": good, "Run 5": bad}, {"Run 5": bad, "Run 3": good}):
        assert better_calibrated(curves) == (
            "Run 3 is better calibrated on these images: its calibration error is 15.0 points lower than that of Run 5."
        )


def test_a_hair_is_not_called_better():
    labels = np.array([0, 0, 0, 1])
    curves = {
        "Run 3": reliability(probabilities_of(*[0.8] * 4), labels),
        "Run 5": reliability(probabilities_of(*[0.804] * 4), labels),
    }
    assert better_calibrated(curves) == "Both are calibrated about equally well on these images."
