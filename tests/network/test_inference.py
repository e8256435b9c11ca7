import numpy as np
import pytest
import torch
from torch import Generator

from fmnist_core.config import RunConfig
from fmnist_core.network.inference import probabilities
from fmnist_core.network.model import MLP


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
