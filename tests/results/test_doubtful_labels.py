"""Which labels runs doubt, by hand."""

import numpy as np
import pytest

from fmnist_core.results.doubtful_labels import HeldOutAnswers, doubtful_labels


def answers(by_position):
    """One run's: position -> {class: probability}."""
    probabilities = np.zeros((len(by_position), 10), dtype=np.float32)
    for row, classes in enumerate(by_position.values()):
        for place, probability in classes.items():
            probabilities[row, place] = probability
    return HeldOutAnswers(np.array(list(by_position), dtype=np.int64), probabilities)


def doubtful(held_out_answers, labels, limit=10):
    return doubtful_labels(held_out_answers, np.array(labels), limit)


def test_the_figures_of_a_doubtful_label_are_means_over_the_runs_that_answered():
    runs = [
        answers({0: {3: 0.75, 6: 0.25}, 1: {1: 1.0}}),
        answers({0: {3: 0.5, 6: 0.25, 2: 0.25}}),
        answers({1: {1: 1.0}, 0: {6: 1.0}}),
        answers({1: {1: 1.0}}),  # trained on image 0
    ]
    (row,) = doubtful(runs[:2] + runs[3:], [6, 1]).to_dict("records")
    assert row == {
        "position": 0,
        "label": 6,
        "consensus": 3,
        "label_probability": 0.25,
        "consensus_probability": 0.625,
        "margin": 0.375,
        "runs": 2,
        "agreeing": 2,
    }
    assert doubtful(runs, [6, 1]).empty  # the third run's certainty turns the mean


def test_the_consensus_is_that_of_the_mean_not_of_the_majority():
    runs = [answers({0: {3: 0.5, 6: 0.25, 2: 0.25}})] * 2 + [answers({0: {2: 1.0}})]
    (row,) = doubtful(runs, [6]).to_dict("records")
    assert (row["consensus"], row["agreeing"], row["runs"]) == (2, 1, 3)


def test_the_most_doubted_come_first_and_equal_ones_in_order():
    weak, strong = {1: 0.5, 0: 0.25}, {1: 1.0}
    found = doubtful([answers({4: weak, 2: weak, 3: strong, 1: {0: 1.0}})], [0] * 5)
    assert found["position"].tolist() == [3, 2, 4]
    assert found["margin"].tolist() == [1.0, 0.25, 0.25]
    assert doubtful([answers({4: weak, 2: weak, 3: strong})], [0] * 5, limit=2)["position"].tolist() == [3, 2]


def test_equal_classes_count_in_the_order_of_their_numbers():
    (row,) = doubtful([answers({0: {7: 0.5, 5: 0.5}})], [9]).to_dict("records")
    assert row["consensus"] == 5


def test_images_that_no_run_answered_for_are_not_doubtful():
    assert doubtful([answers({0: {0: 1.0}})], [0, 5]).empty
    assert doubtful([], [3, 4]).empty
    assert list(doubtful([], [3])) == list(doubtful([answers({0: {1: 1.0}})], [3]))


def test_held_out_answers_may_come_one_at_a_time():
    assert len(doubtful((answers({place: {1: 1.0}}) for place in range(3)), [0] * 3)) == 3


@pytest.mark.parametrize("position", [-1, 2])
def test_a_position_without_a_label_is_refused(position):
    with pytest.raises(ValueError, match="positions must be from 0 to 1"):
        doubtful([answers({position: {1: 1.0}})], [0, 0])


def test_held_out_answers_have_a_row_of_probabilities_for_each_position_once():
    with pytest.raises(ValueError, match="a row for each position"):
        HeldOutAnswers(np.arange(3), np.zeros((2, 10), dtype=np.float32))
    with pytest.raises(ValueError, match="an image once"):
        HeldOutAnswers(np.array([1, 1]), np.zeros((2, 10), dtype=np.float32))
