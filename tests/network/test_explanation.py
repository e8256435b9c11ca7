"""Explanations against what they claim: statistics of masks, finite differences, sums that are known."""

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import Generator

from fmnist_core.config import RunConfig
from fmnist_core.network.explanation import dropout_passes, first_layer_weights, relevance, strongest_first
from fmnist_core.network.inference import probabilities
from fmnist_core.network.model import MLP

IMAGE = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
IMAGE[:4] = 0


def network(**changes) -> MLP:
    """A network whose batch normalisation, where it has one, has seen some images."""
    model = MLP(RunConfig(**{"hidden": (24, 16), **changes})).train()
    model(torch.rand(64, 784, generator=Generator().manual_seed(1)) * 2 - 1)
    return model.eval()


def test_passes_are_probabilities_that_differ():
    answers = dropout_passes(network(dropout=0.5), IMAGE)
    assert answers.shape == (50, 10)
    assert answers.dtype == np.float32
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)
    assert len(np.unique(answers, axis=0)) > 40


def test_the_same_seed_gives_the_same_passes():
    model = network(dropout=0.5)
    first = dropout_passes(model, IMAGE, seed=3)
    assert (dropout_passes(model, IMAGE, seed=3) == first).all()
    assert (dropout_passes(model, IMAGE, seed=4) != first).any()


@pytest.mark.parametrize("batch_norm", [False, True])
def test_without_dropout_every_pass_is_the_single_answer(batch_norm):
    model = network(batch_norm=batch_norm)
    answers = dropout_passes(model, IMAGE, passes=7)
    assert (answers == probabilities(model, torch.tensor(IMAGE[np.newaxis]))).all()
    assert answers.shape == (7, 10)


def test_batch_normalisation_stays_as_in_use():
    """With statistics of the batch, which holds one image only, each hidden unit would forget the image."""
    model = network(dropout=0.01, batch_norm=True)
    single = probabilities(model, torch.tensor(IMAGE[np.newaxis]))[0]
    np.testing.assert_allclose(np.median(dropout_passes(model, IMAGE, passes=200), axis=0), single, atol=0.01)


def test_relevance_agrees_with_finite_differences():
    for changes in ({}, {"batch_norm": True}, {"hidden": (16,), "dropout": 0.3}):
        model = network(**changes)
        exact = copy.deepcopy(model).double()

        def logit(brightness, label, exact=exact):
            with torch.no_grad():
                return float(exact.logits(torch.tensor(brightness * 2 - 1).view(1, -1))[0, label])

        brightness = IMAGE / 255
        for label in (0, 7):
            shares = relevance(model, IMAGE, label)
            assert shares.shape == (28, 28)
            for row, column in ((5, 5), (12, 20), (27, 0)):
                # So small a step that no unit switches between the two, or the slope would not be one number.
                step = np.zeros((28, 28))
                step[row, column] = 1e-6
                slope = (logit(brightness + step, label) - logit(brightness - step, label)) / 2e-6
                assert shares[row, column] == pytest.approx(slope * brightness[row, column], rel=1e-3, abs=1e-6)


def test_black_pixels_count_nothing_and_others_do():
    shares = relevance(network(), IMAGE, 3)
    assert (shares[IMAGE == 0] == 0).all()
    assert (shares[IMAGE > 0] != 0).mean() > 0.9


def test_without_biases_relevance_adds_up_to_the_logit():
    """True of ReLU networks that answer black with zeros, because they are linear along the way from there."""
    model = network()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.zero_()
        first = model.hidden[0][0]
        first.bias.copy_(first.weight.sum(dim=1))  # black is -1 as input: this makes it 0
        logits = model.logits(torch.tensor(IMAGE / 127.5 - 1).float().view(1, -1))[0]
    for label in (2, 9):
        assert relevance(model, IMAGE, label).sum() == pytest.approx(float(logits[label]), rel=1e-4)


def test_relevance_works_where_gradients_are_switched_off():
    model = network()
    with torch.no_grad():
        assert (relevance(model, IMAGE, 1) == relevance(model, IMAGE, 1)).all()


def test_explaining_leaves_the_network_as_it_was():
    model = network(dropout=0.5, batch_norm=True).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    masks = model.masks.get_state()
    dropout_passes(model, IMAGE)
    relevance(model, IMAGE, 0)
    first_layer_weights(model)[:] = 0
    assert all(module.training for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(model.masks.get_state(), masks)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_sessions_may_ask_one_network_at_the_same_time():
    model = network(dropout=0.5, batch_norm=True)
    passes, shares = dropout_passes(model, IMAGE), relevance(model, IMAGE, 4)
    with ThreadPoolExecutor(4) as pool:
        others = [
            (pool.submit(dropout_passes, model, IMAGE), pool.submit(relevance, model, IMAGE, 4)) for _ in range(20)
        ]
        assert all((one.result() == passes).all() and (two.result() == shares).all() for one, two in others)


def test_weights_of_the_first_layer_are_pictures():
    model = network()
    weights = first_layer_weights(model)
    assert weights.shape == (24, 28, 28)
    assert weights[5, 2, 3] == model.hidden[0][0].weight[5, 2 * 28 + 3].item()


def test_strongest_units_come_first():
    weights = np.ones((3, 28, 28), np.float32) * np.array([1, -3, 2], np.float32)[:, np.newaxis, np.newaxis]
    assert strongest_first(weights).tolist() == [1, 2, 0]


def test_what_cannot_be_explained_is_refused():
    for image in (IMAGE.astype(np.float32), IMAGE[np.newaxis]):
        with pytest.raises(ValueError, match="must be uint8 of shape"):
            relevance(network(), image, 0)
        with pytest.raises(ValueError, match="must be uint8 of shape"):
            dropout_passes(network(), image)
    with pytest.raises(ValueError, match="label must be from 0 to 9, got 10"):
        relevance(network(), IMAGE, 10)
    with pytest.raises(ValueError, match="passes must be at least 1, got 0"):
        dropout_passes(network(), IMAGE, passes=0)
