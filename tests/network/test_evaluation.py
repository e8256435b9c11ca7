import math

import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss
from torch import Generator

from fmnist_core.config import RunConfig
from fmnist_core.network.evaluation import (
    CHUNK,
    evaluate,
    evaluate_with_training_mode_left_on,
    expected_calibration_error,
    log_probabilities,
)
from fmnist_core.network.model import MLP


def test_figures_are_scikit_learns():
    model = MLP(RunConfig(hidden=(32,)))
    images = torch.rand(2 * CHUNK + 7, 784, generator=Generator().manual_seed(0))
    labels = torch.randint(10, (len(images),), generator=Generator().manual_seed(1))
    ours = evaluate(model, images, labels)
    probabilities = log_probabilities(model, images).double().exp().numpy()
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    assert ours.loss == pytest.approx(log_loss(labels, probabilities, labels=range(10)), rel=1e-6)
    assert ours.accuracy == accuracy_score(labels, probabilities.argmax(axis=1))


def test_a_network_that_knows_nothing_loses_ln_ten():
    model = MLP(RunConfig(hidden=(8,)))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert evaluate(model, torch.zeros(20, 784), torch.zeros(20).long()).loss == pytest.approx(math.log(10))


def test_the_pulse_is_given_for_each_chunk():
    beats = []
    log_probabilities(MLP(RunConfig(hidden=(8,))), torch.zeros(2 * CHUNK + 1, 784), lambda: beats.append(1))
    assert len(beats) == 3


@pytest.mark.parametrize(("images", "labels"), [(0, 0), (3, 2)])
def test_nothing_to_average_over_is_refused(images, labels):
    with pytest.raises(ValueError, match="as many labels as images"):
        evaluate(MLP(RunConfig(hidden=(8,))), torch.zeros(images, 784), torch.zeros(labels).long())


def scores_of(*confidences):
    """Log-probabilities whose predicted class is 0, with these probabilities; the rest is spread evenly."""
    probabilities = torch.tensor([[c] + [(1 - c) / 9] * 9 for c in confidences], dtype=torch.float64)
    return probabilities.log()


def test_calibration_error_by_hand():
    # Four images at 0.8, three of them right: |0.8 - 0.75| weighs 4/6. Two at 0.5, both wrong: 0.5 weighs 2/6.
    labels = torch.tensor([0, 0, 0, 1, 1, 1])
    error = expected_calibration_error(scores_of(0.8, 0.8, 0.8, 0.8, 0.5, 0.5), labels)
    assert error == pytest.approx(0.05 * 4 / 6 + 0.5 * 2 / 6)


def test_calibration_error_at_the_ends():
    certain = torch.full((1, 10), -torch.inf)
    certain[0, 3] = 0.0
    assert expected_calibration_error(certain, torch.tensor([3])) == 0
    assert expected_calibration_error(certain, torch.tensor([4])) == 1


def test_errors_of_opposite_sign_in_one_bin_cancel():
    """Bins, not images, are compared: 0.62 right and 0.64 wrong give |0.63 - 0.5|."""
    assert expected_calibration_error(scores_of(0.62, 0.64), torch.tensor([0, 1])) == pytest.approx(0.13)


def test_forgetting_evaluation_mode_costs_a_dropout_network_and_leaves_it_as_it_was():
    model = MLP(RunConfig(hidden=(64,), dropout=0.5, batch_norm=True))
    images = torch.rand(500, 784, generator=Generator().manual_seed(0))
    labels = model.eval()(images).argmax(dim=1)  # what the network says with dropout off counts as true
    before = {name: value.clone() for name, value in model.state_dict().items()}
    forgotten = evaluate_with_training_mode_left_on(model, images, labels)
    assert forgotten == evaluate_with_training_mode_left_on(model, images, labels)
    assert forgotten.accuracy < evaluate(model, images, labels).accuracy == 1
    assert not model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_without_dropout_and_batch_norm_there_is_nothing_to_forget():
    model = MLP(RunConfig(hidden=(16,)))
    images = torch.rand(50, 784, generator=Generator().manual_seed(0))
    labels = torch.zeros(50).long()
    assert evaluate_with_training_mode_left_on(model, images, labels) == evaluate(model, images, labels)
