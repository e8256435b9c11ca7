import numpy as np
import pytest

from fmnist_core.results.selection import new_order, select

LABELS = np.array([0, 1, 2, 1, 0, 2])


def certain(classes, confidence):
    """Probabilities whose likeliest class and its probability are given."""
    probabilities = np.repeat((1 - np.array(confidence, np.float32)[:, None]) / 9, 10, axis=1)
    probabilities[np.arange(len(classes)), classes] = confidence
    return probabilities


FIRST = certain([0, 2, 2, 2, 1, 2], [0.9, 0.6, 0.5, 0.8, 0.7, 0.4])  # wrong: 1, 3, 4
SECOND = certain([0, 1, 0, 2, 0, 2], [0.9] * 6)  # wrong: 2, 3


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("all", {0, 1, 2, 3, 4, 5}),
        ("mistakes", {1, 3, 4}),
        ("fixed", {1, 4}),
        ("broke", {2}),
        ("both wrong", {3}),
    ],
)
def test_a_choice_admits_what_its_name_says(choice, expected):
    assert set(select(choice, LABELS, FIRST, SECOND)) == expected


def test_the_most_confident_mistake_comes_first():
    assert select("confident mistakes", LABELS, FIRST).tolist() == [3, 4, 1]


def test_the_least_certain_image_comes_first():
    assert select("least certain", LABELS, FIRST).tolist() == [5, 2, 1, 4, 3, 0]


def test_a_choice_can_be_narrowed_to_a_class():
    assert set(select("all", LABELS, FIRST, label=1)) == {1, 3}
    assert select("confident mistakes", LABELS, FIRST, label=1).tolist() == [3, 1]
    assert select("fixed", LABELS, FIRST, SECOND, label=0).tolist() == [4]
    assert select("all", LABELS, FIRST, label=9).tolist() == []


def test_to_compare_needs_something_to_compare_with():
    with pytest.raises(ValueError, match="'fixed' two runs are needed"):
        select("fixed", LABELS, FIRST)


@pytest.mark.parametrize("choice", ["all", "mistakes"])
def test_the_order_depends_on_the_seed_alone(choice):
    labels = np.zeros(200, np.int64)
    probabilities = certain([1] * 200, [0.5] * 200)
    once = select(choice, labels, probabilities, seed=3)
    assert sorted(once) == list(range(200))
    assert once.tolist() == select(choice, labels, probabilities, seed=3).tolist()
    assert once.tolist() != select(choice, labels, probabilities, seed=4).tolist()


def test_each_order_is_new():
    assert len({new_order() for _ in range(8)}) > 1
