import numpy as np
import pytest
import torch
from torch import Generator

from fmnist_core.config import RunConfig
from fmnist_core.inference import candidates, new_order, probabilities, shuffled
from fmnist_core.model import MLP

LABELS = np.array([0, 1, 2, 1, 0])
PREDICTED = np.array([0, 2, 2, 1, 1])


@pytest.fixture
def images(tiny_dataset):
    return tiny_dataset.test_images


@pytest.fixture
def model():
    return MLP(RunConfig(hidden=(32, 16), dropout=0.5), weights=Generator().manual_seed(0))


def test_every_image_gets_ten_probabilities_that_sum_to_one(model, images):
    scores = probabilities(model, images)
    assert scores.shape == (len(images), 10)
    assert scores.dtype == np.float32
    assert scores.min() >= 0
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)


def test_dropout_is_off_and_the_answer_the_same_each_time(model, images):
    model.train()
    np.testing.assert_array_equal(probabilities(model, images), probabilities(model, images))


def test_images_are_scaled_as_in_training(model, images):
    expected = model.eval()(images.flatten(1).float() / 127.5 - 1).exp().detach().numpy()
    np.testing.assert_allclose(probabilities(model, images), expected, rtol=1e-5, atol=1e-7)


def test_probabilities_leave_the_images_as_they_are(model, images):
    before = images.clone()
    probabilities(model, images)
    assert torch.equal(images, before)


@pytest.mark.parametrize(
    ("choice", "label", "expected"),
    [("random", 0, [0, 1, 2, 3, 4]), ("class", 1, [1, 3]), ("class", 9, []), ("mistakes", 0, [1, 4])],
)
def test_a_choice_admits_all_or_one_class_or_the_mistakes(choice, label, expected):
    assert candidates(choice, LABELS, PREDICTED, label).tolist() == expected


def test_a_shuffled_round_holds_every_image_once():
    order = shuffled(np.arange(10, 60), seed=3)
    assert sorted(order) == list(range(10, 60))
    assert order.tolist() != list(range(10, 60))


def test_the_order_depends_on_the_seed_alone():
    positions = np.arange(50)
    np.testing.assert_array_equal(shuffled(positions, seed=3), shuffled(positions, seed=3))
    assert shuffled(positions, seed=3).tolist() != shuffled(positions, seed=4).tolist()
    assert positions.tolist() == list(range(50))


def test_nothing_can_be_shuffled():
    assert shuffled(np.array([], dtype=np.int64), seed=0).tolist() == []


def test_each_order_is_new():
    assert len({new_order() for _ in range(8)}) > 1
