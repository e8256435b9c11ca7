"""Which labels runs doubt, by hand."""

import numpy as np
import pytest

from fmnist_core.suspects import Judgement, suspect_labels


def judgement(probabilities):
    """One run's: position -> {class: probability}."""
    scores = np.zeros((len(probabilities), 10), dtype=np.float32)
    for row, classes in enumerate(probabilities.values()):
        for place, probability in classes.items():
            scores[row, place] = probability
    return Judgement(np.array(list(probabilities), dtype=np.int64), scores)


def suspects(judgements, labels, limit=10):
    return suspect_labels(judgements, np.array(labels), limit)


def test_a_suspects_figures_are_means_over_the_runs_that_judged_it():
    runs = [
        judgement({0: {3: 0.75, 6: 0.25}, 1: {1: 1.0}}),
        judgement({0: {3: 0.5, 6: 0.25, 2: 0.25}}),
        judgement({1: {1: 1.0}, 0: {6: 1.0}}),
        judgement({1: {1: 1.0}}),  # trained on image 0
    ]
    (row,) = suspects(runs[:2] + runs[3:], [6, 1]).to_dict("records")
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
    assert suspects(runs, [6, 1]).empty  # the third run's certainty turns the mean


def test_the_consensus_is_that_of_the_mean_not_of_the_majority():
    runs = [judgement({0: {3: 0.5, 6: 0.25, 2: 0.25}})] * 2 + [judgement({0: {2: 1.0}})]
    (row,) = suspects(runs, [6]).to_dict("records")
    assert (row["consensus"], row["agreeing"], row["runs"]) == (2, 1, 3)


def test_the_most_doubted_come_first_and_equal_ones_in_order():
    weak, strong = {1: 0.5, 0: 0.25}, {1: 1.0}
    found = suspects([judgement({4: weak, 2: weak, 3: strong, 1: {0: 1.0}})], [0] * 5)
    assert found["position"].tolist() == [3, 2, 4]
    assert found["margin"].tolist() == [1.0, 0.25, 0.25]
    assert suspects([judgement({4: weak, 2: weak, 3: strong})], [0] * 5, limit=2)["position"].tolist() == [3, 2]


def test_equal_classes_count_in_the_order_of_their_numbers():
    (row,) = suspects([judgement({0: {7: 0.5, 5: 0.5}})], [9]).to_dict("records")
    assert row["consensus"] == 5


def test_images_that_no_run_judged_are_not_suspect():
    assert suspects([judgement({0: {0: 1.0}})], [0, 5]).empty
    assert suspects([], [3, 4]).empty
    assert list(suspects([], [3])) == list(suspects([judgement({0: {1: 1.0}})], [3]))


def test_judgements_may_come_one_at_a_time():
    assert len(suspects((judgement({place: {1: 1.0}}) for place in range(3)), [0] * 3)) == 3


@pytest.mark.parametrize("position", [-1, 2])
def test_a_position_without_a_label_is_refused(position):
    with pytest.raises(ValueError, match="positions must be from 0 to 1"):
        suspects([judgement({position: {1: 1.0}})], [0, 0])


def test_a_judgement_has_a_row_of_scores_for_each_position_once():
    with pytest.raises(ValueError, match="a row for each position"):
        Judgement(np.arange(3), np.zeros((2, 10), dtype=np.float32))
    with pytest.raises(ValueError, match="an image once"):
        Judgement(np.array([1, 1]), np.zeros((2, 10), dtype=np.float32))
