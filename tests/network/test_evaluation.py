import math

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss

from fmnist_core.config import RunConfig
from fmnist_core.data.split import Examples
from fmnist_core.network.batches import Batches, scale_into, scaled
from fmnist_core.network.evaluation import evaluate, expected_calibration_error, log_probabilities
from fmnist_core.network.figures import CHUNK
from fmnist_core.network.model import MLP


def examples(count: int, of: int | None = None) -> Examples:
    """Random images and labels: `count` of `of`, in mixed order."""
    rng = np.random.default_rng(0)
    of = of or count
    images = rng.integers(0, 256, (of, 28, 28), dtype=np.uint8)
    return Examples(images, rng.integers(10, size=of), rng.permutation(of)[:count])


def test_images_are_scaled_from_minus_one_for_black_to_one_for_white():
    images = torch.zeros(2, 28, 28, dtype=torch.uint8)
    images[1, 0, 1] = 255
    images[1, 27, 27] = 51
    normal = scaled(images)
    assert normal.shape == (2, 784)
    assert normal.dtype == torch.float32
    assert normal[0].unique().tolist() == [-1]
    assert normal[1, 1] == 1
    assert normal[1, -1] == pytest.approx(-0.6)
    assert images[1, 0, 1] == 255  # the bytes stay as they were


def test_every_byte_is_scaled_alike_in_one_pass():
    images = torch.arange(4 * 784).remainder(256).to(torch.uint8).view(4, 784)
    values = torch.empty(4, 784)
    assert scale_into(values, images) is values
    assert torch.equal(values, scaled(images))


def test_a_batch_holds_the_chosen_examples_scaled():
    given = examples(20, of=50)
    batches = Batches(given)
    assert len(batches) == 20
    assert batches.labels.tolist() == given.labels[given.indices].tolist()
    for places in (slice(3, 7), torch.tensor([4, 0, 19])):
        images, labels = batches.take(places)
        rows = given.indices[places if isinstance(places, slice) else places.numpy()]
        assert torch.equal(images, scaled(torch.from_numpy(given.images[rows])))
        assert labels.tolist() == given.labels[rows].tolist()


def test_batches_take_no_memory_of_their_own():
    given = examples(20)
    assert Batches(given)._images.data_ptr() == given.images.ctypes.data


def test_figures_are_scikit_learns():
    model = MLP(RunConfig(hidden=(32,)))
    given = examples(2 * CHUNK + 7, of=2 * CHUNK + 100)
    labels = given.labels[given.indices]
    ours = evaluate(model, given)
    probabilities = log_probabilities(model, given).double().exp().numpy()
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    assert ours.loss == pytest.approx(log_loss(labels, probabilities, labels=range(10)), rel=1e-6)
    assert ours.accuracy == accuracy_score(labels, probabilities.argmax(axis=1))


def test_a_network_that_knows_nothing_loses_ln_ten():
    model = MLP(RunConfig(hidden=(8,)))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert evaluate(model, examples(20)).loss == pytest.approx(math.log(10))


def test_dropout_is_off_and_the_mode_is_given_back():
    model = MLP(RunConfig(hidden=(64,), dropout=0.5, batch_norm=True)).train()
    given = examples(50)
    assert evaluate(model, given) == evaluate(model, given)
    assert model.training
    evaluate(model.eval(), given)
    assert not model.training


def test_the_pulse_is_given_for_each_chunk():
    beats = []
    log_probabilities(MLP(RunConfig(hidden=(8,))), examples(2 * CHUNK + 1), lambda: beats.append(1))
    assert len(beats) == 3


def test_nothing_to_average_over_is_refused():
    with pytest.raises(ValueError, match="at least one image, got none"):
        evaluate(MLP(RunConfig(hidden=(8,))), examples(0, of=3))


def log_probabilities_of(*confidences):
    """Log-probabilities whose predicted class is 0, with these probabilities; the rest is spread evenly."""
    probabilities = torch.tensor([[c] + [(1 - c) / 9] * 9 for c in confidences], dtype=torch.float64)
    return probabilities.log()


def test_calibration_error_by_hand():
    # Four images at 0.8, three of them right: |0.8 - 0.75| weighs 4/6. Two at 0.5, both wrong: 0.5 weighs 2/6.
    labels = torch.tensor([0, 0, 0, 1, 1, 1])
    error = expected_calibration_error(log_probabilities_of(0.8, 0.8, 0.8, 0.8, 0.5, 0.5), labels)
    assert error == pytest.approx(0.05 * 4 / 6 + 0.5 * 2 / 6)


def test_calibration_error_at_the_ends():
    certain = torch.full((1, 10), -torch.inf)
    certain[0, 3] = 0.0
    assert expected_calibration_error(certain, torch.tensor([3])) == 0
    assert expected_calibration_error(certain, torch.tensor([4])) == 1


def test_errors_of_opposite_sign_in_one_bin_cancel():
    """Bins, not images, are compared: 0.62 right and 0.64 wrong give |0.63 - 0.5|."""
    assert expected_calibration_error(log_probabilities_of(0.62, 0.64), torch.tensor([0, 1])) == pytest.approx(0.13)
