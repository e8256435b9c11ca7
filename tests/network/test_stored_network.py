"""The numpy network against the torch one that was stored, and explanations against what they claim."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from safetensors.numpy import save as save_tensors
from safetensors.torch import save as save_torch_tensors
from torch import Generator

from fmnist_core.config import PRESETS, RunConfig
from fmnist_core.data.sources import load
from fmnist_core.data.split import Examples, split
from fmnist_core.network import batches, evaluation
from fmnist_core.network.figures import CHUNK
from fmnist_core.network.model import MLP, Dropout, model_from_bytes, model_to_bytes
from fmnist_core.network.stored_network import (
    StoredNetwork,
    evaluate_log_probabilities,
    log_softmax,
    normalise,
    strongest_first,
)
from fmnist_core.network.training import Training
from fmnist_core.settings import Settings

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (28, 28), dtype=np.uint8)
IMAGE[:4] = 0
IMAGES = RNG.integers(0, 256, (CHUNK + 7, 28, 28), dtype=np.uint8)
LABELS = RNG.integers(0, 10, len(IMAGES))
KINDS = [
    {},
    {"batch_norm": True},
    {"dropout": 0.5},
    {"dropout": 0.3, "batch_norm": True},
    {"hidden": (48,), "dropout": 0.2, "batch_norm": True},
    {"hidden": (40, 32, 24, 16, 12, 8), "batch_norm": True},
]


def model_of(config: RunConfig) -> MLP:
    """A network whose batch normalisation, where it has one, has seen some images and learnt something."""
    model = MLP(config).train()
    model(torch.rand(64, 784, generator=Generator().manual_seed(1)) * 2 - 1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.rand(parameter.shape, generator=Generator().manual_seed(2)) * parameter.std())
    return model.eval()


def network(**changes) -> StoredNetwork:
    config = RunConfig(**{"hidden": (24, 16), **changes})
    return StoredNetwork(config, model_to_bytes(model_of(config)))


def pair(**changes) -> tuple[MLP, StoredNetwork]:
    config = RunConfig(**{"hidden": (24, 16), **changes})
    model = model_of(config)
    return model, StoredNetwork(config, model_to_bytes(model))


# --- the answers


def test_images_are_scaled_bit_for_bit_as_in_training():
    assert np.array_equal(normalise(IMAGES), batches.scaled(torch.from_numpy(IMAGES)).numpy())


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_it_says_what_the_torch_network_says(kind):
    model, ours = pair(**kind)
    inputs = batches.scaled(torch.from_numpy(IMAGES))
    with torch.no_grad():
        logits, hidden, answers = model.logits(inputs), model.last_hidden(inputs), model(inputs).exp()
    assert ours.probabilities(IMAGES).dtype == np.float32
    np.testing.assert_allclose(ours.probabilities(IMAGES), answers.numpy(), atol=1e-6)
    np.testing.assert_allclose(ours.logits(IMAGES), logits.numpy(), atol=1e-5)
    np.testing.assert_allclose(ours.last_hidden(IMAGES), hidden.numpy(), atol=1e-5)


def test_every_image_gets_ten_probabilities_that_sum_to_one():
    answers = network(dropout=0.5).probabilities(IMAGES)
    assert answers.shape == (len(IMAGES), 10)
    assert answers.min() >= 0
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)


def test_the_answer_is_the_same_each_time_and_leaves_the_images_as_they_are():
    ours, before = network(dropout=0.5), IMAGES.copy()
    assert np.array_equal(ours.probabilities(IMAGES), ours.probabilities(IMAGES))
    assert np.array_equal(IMAGES, before)


def test_no_image_gets_no_row():
    assert network().probabilities(IMAGES[:0]).shape == (0, 10)


def test_large_logits_overflow_nothing():
    answers = log_softmax(np.array([[1000, 0, -1000]], dtype=np.float32))
    assert answers.tolist() == [[0, -1000, -2000]]


@pytest.fixture(scope="module")
def real_pair(real_data_mirror, tmp_path_factory):
    data = load(Settings(home=tmp_path_factory.mktemp("home"), mirror=real_data_mirror))
    quick = next(preset.config for preset in PRESETS if preset.name == "Quick")
    training = Training(quick, split(data, "held-out", quick.seed))
    training.run_epoch()
    return data, training.model, StoredNetwork(quick, model_to_bytes(training.model))


@pytest.mark.real_data
def test_a_trained_network_answers_all_test_images_alike(real_pair):
    data, model, ours = real_pair
    theirs = evaluation.log_probabilities(model, Examples.all(data.test_images, data.test_labels)).exp().numpy()
    answers = ours.probabilities(data.test_images)
    np.testing.assert_allclose(answers, theirs, atol=1e-6)
    assert np.array_equal(answers.argmax(axis=1), theirs.argmax(axis=1))


# --- what is stored


def refusal(read, config, content) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the messages are compared
        read(config, content)
    return str(caught.value)


def altered(config, **changes) -> bytes:
    """A network's file with some tensors replaced; None leaves one out."""
    tensors = {name: value.numpy() for name, value in MLP(config).state_dict().items()} | changes
    return save_tensors({name: value for name, value in tensors.items() if value is not None})


NORMED = RunConfig(hidden=(16,), batch_norm=True)
WIDE = np.zeros((16, 784), np.float64)
NOT_FINITE = np.full(10, np.nan, np.float32)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not weights", "must be a safetensors file"),
        (
            model_to_bytes(MLP(RunConfig(hidden=(32,), batch_norm=True))),
            r"must be \(16, 784\) float32, got \(32, 784\)",
        ),
        (model_to_bytes(MLP(RunConfig(hidden=(16,)))), "'hidden.0.1.bias' is missing or unknown"),
        (altered(NORMED, **{"output.bias": None}), "'output.bias' is missing or unknown"),
        (altered(NORMED, more=NOT_FINITE), "'more' is missing or unknown"),
        (altered(NORMED, **{"hidden.0.0.weight": WIDE}), r"got \(16, 784\) float64"),
        (altered(NORMED, **{"hidden.0.1.num_batches_tracked": np.zeros((), np.int32)}), r"must be \(\) int64"),
        (altered(NORMED, **{"output.bias": NOT_FINITE}), "'output.bias' holds a value that is not finite"),
    ],
)
def test_what_does_not_fit_is_refused_in_the_words_of_the_torch_network(content, words):
    ours = refusal(StoredNetwork, NORMED, content)
    assert ours == refusal(model_from_bytes, NORMED, content)
    with pytest.raises(ValueError, match=words):
        StoredNetwork(NORMED, content)


def test_a_type_that_numpy_does_not_know_is_refused():
    half = {name: value.bfloat16() for name, value in MLP(NORMED).state_dict().items()}
    with pytest.raises(ValueError, match="of a type that numpy knows, got 'BF16'"):
        StoredNetwork(NORMED, save_torch_tensors(half))


def test_nobody_can_change_a_stored_network():
    with pytest.raises(ValueError, match="read-only"):
        network().first_layer_weights()[:] = 0


# --- asked often


def test_passes_are_probabilities_that_differ():
    answers = network(dropout=0.5).dropout_passes(IMAGE)
    assert answers.shape == (50, 10)
    assert answers.dtype == np.float32
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)
    assert len(np.unique(answers, axis=0)) > 40


def test_the_masks_depend_on_the_seed_alone():
    ours = network(dropout=0.5)
    first = ours.dropout_passes(IMAGE, seed=3)
    ours.dropout_passes(IMAGES[0], seed=8)
    assert (ours.dropout_passes(IMAGE, seed=3) == first).all()
    assert (ours.dropout_passes(IMAGE, seed=4) != first).any()


@pytest.mark.parametrize("batch_norm", [False, True])
def test_without_dropout_every_pass_is_the_single_answer(batch_norm):
    ours = network(batch_norm=batch_norm)
    answers = ours.dropout_passes(IMAGE, passes=7)
    assert (answers == ours.probabilities(IMAGE[np.newaxis])).all()
    assert answers.shape == (7, 10)


def test_batch_normalisation_stays_as_in_use():
    """With statistics of the batch, which holds one image only, each hidden unit would forget the image."""
    ours = network(dropout=0.01, batch_norm=True)
    single = ours.probabilities(IMAGE[np.newaxis])[0]
    np.testing.assert_allclose(np.median(ours.dropout_passes(IMAGE, passes=200), axis=0), single, atol=0.01)


@pytest.mark.parametrize(
    "settings",
    [
        {"dropout": 0.5},
        {"dropout": 0.5, "batch_norm": True},
        {"input_dropout": 0.3},
        {"dropout": 0.5, "input_dropout": 0.3},
    ],
    ids=str,
)
def test_passes_scatter_as_those_of_the_torch_network(settings):
    model, ours = pair(**settings)
    for module in model.modules():
        module.train(isinstance(module, Dropout))
    with torch.no_grad():
        theirs = model(batches.scaled(torch.from_numpy(IMAGE[None])).expand(20_000, -1)).exp().numpy()
    answers = ours.dropout_passes(IMAGE, passes=20_000)
    np.testing.assert_allclose(answers.mean(axis=0), theirs.mean(axis=0), atol=0.002)
    np.testing.assert_allclose(answers.std(axis=0), theirs.std(axis=0), atol=0.002)


# --- which pixels matter


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_relevance_is_autograds(kind):
    model, ours = pair(**kind)
    for label in (0, 7):
        inputs = batches.scaled(torch.from_numpy(IMAGE[None])).requires_grad_()
        (slopes,) = torch.autograd.grad(model.logits(inputs)[0, label], inputs)
        expected = 2 * slopes.view(28, 28).numpy() * IMAGE / 255
        shares = ours.relevance(IMAGE, label)
        assert shares.dtype == np.float32
        np.testing.assert_allclose(shares, expected, rtol=1e-4, atol=1e-6)


def test_relevance_agrees_with_finite_differences():
    for changes in ({}, {"batch_norm": True}, {"hidden": (16,), "dropout": 0.3}):
        model, ours = pair(**changes)
        exact = model.double()

        def logit(brightness, label, exact=exact):
            with torch.no_grad():
                return float(exact.logits(torch.tensor(brightness * 2 - 1).view(1, -1))[0, label])

        brightness = IMAGE / 255
        for label in (0, 7):
            shares = ours.relevance(IMAGE, label)
            for row, column in ((5, 5), (12, 20), (27, 0)):
                # So small a step that no unit switches between the two, or the slope would not be one number.
                step = np.zeros((28, 28))
                step[row, column] = 1e-6
                slope = (logit(brightness + step, label) - logit(brightness - step, label)) / 2e-6
                assert shares[row, column] == pytest.approx(slope * brightness[row, column], rel=1e-3, abs=1e-6)


def test_black_pixels_count_nothing_and_others_do():
    shares = network().relevance(IMAGE, 3)
    assert (shares[IMAGE == 0] == 0).all()
    assert (shares[IMAGE > 0] != 0).mean() > 0.9


def test_without_biases_relevance_adds_up_to_the_logit():
    """True of ReLU networks that answer black with zeros, because they are linear along the way from there."""
    model = model_of(RunConfig(hidden=(24, 16)))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.zero_()
        first = model.hidden[0][0]
        first.bias.copy_(first.weight.sum(dim=1))  # black is -1 as input: this makes it 0
    ours = StoredNetwork(RunConfig(hidden=(24, 16)), model_to_bytes(model))
    logits = ours.logits(IMAGE[np.newaxis])[0]
    for label in (2, 9):
        assert ours.relevance(IMAGE, label).sum() == pytest.approx(float(logits[label]), rel=1e-4)


# --- model.eval() forgotten


@pytest.mark.parametrize("kind", [{}, {"batch_norm": True}], ids=str)
def test_without_dropout_training_mode_does_what_the_torch_network_does_in_it(kind):
    model, ours = pair(**kind)
    with torch.no_grad():
        answers = [model.train()(chunk) for chunk in batches.scaled(torch.from_numpy(IMAGES)).split(CHUNK)]
    expected = evaluation.evaluate_log_probabilities(torch.cat(answers), torch.from_numpy(LABELS))
    wrong = ours.evaluate_with_training_mode_left_on(IMAGES, LABELS)
    assert wrong.loss == pytest.approx(expected.loss, abs=1e-5)
    assert wrong.accuracy == pytest.approx(expected.accuracy, abs=0.002)
    assert wrong.calibration_error == pytest.approx(expected.calibration_error, abs=0.002)


def test_forgetting_evaluation_mode_costs_a_dropout_network():
    ours = network(hidden=(64,), dropout=0.5, batch_norm=True)
    labels = ours.probabilities(IMAGES).argmax(axis=1)  # what the network says with dropout off counts as true
    forgotten = ours.evaluate_with_training_mode_left_on(IMAGES, labels)
    assert forgotten == ours.evaluate_with_training_mode_left_on(IMAGES, labels)
    assert forgotten.accuracy < 0.99


def test_nothing_to_average_over_is_refused():
    with pytest.raises(ValueError, match="as many labels as images and at least one, got 3, 2"):
        network().evaluate_with_training_mode_left_on(IMAGES[:3], LABELS[:2])


def test_figures_of_log_probabilities_are_those_that_training_stores():
    answers = torch.randn(3000, 10, generator=Generator().manual_seed(0)).mul(3).log_softmax(dim=1)
    labels = torch.randint(10, (3000,), generator=Generator().manual_seed(1))
    theirs = evaluation.evaluate_log_probabilities(answers, labels)
    ours = evaluate_log_probabilities(answers.numpy(), labels.numpy())
    assert (ours.loss, ours.accuracy) == (pytest.approx(theirs.loss, rel=1e-12), theirs.accuracy)
    assert ours.calibration_error == pytest.approx(theirs.calibration_error, abs=1e-12)


# --- all of it


def test_sessions_may_ask_one_network_at_the_same_time():
    ours = network(dropout=0.5, batch_norm=True)
    passes, shares = ours.dropout_passes(IMAGE), ours.relevance(IMAGE, 4)
    with ThreadPoolExecutor(4) as pool:
        others = [(pool.submit(ours.dropout_passes, IMAGE), pool.submit(ours.relevance, IMAGE, 4)) for _ in range(20)]
        assert all((one.result() == passes).all() and (two.result() == shares).all() for one, two in others)


def test_weights_of_the_first_layer_are_pictures():
    model, ours = pair()
    weights = ours.first_layer_weights()
    assert weights.shape == (24, 28, 28)
    assert weights[5, 2, 3] == model.hidden[0][0].weight[5, 2 * 28 + 3].item()


def test_strongest_units_come_first():
    weights = np.ones((3, 28, 28), np.float32) * np.array([1, -3, 2], np.float32)[:, np.newaxis, np.newaxis]
    assert strongest_first(weights).tolist() == [1, 2, 0]


def test_what_cannot_be_asked_is_refused():
    for image in (IMAGE.astype(np.float32), IMAGE[np.newaxis]):
        with pytest.raises(ValueError, match="must be uint8 of shape"):
            network().relevance(image, 0)
        with pytest.raises(ValueError, match="must be uint8 of shape"):
            network().dropout_passes(image)
    for images in (IMAGES.astype(np.float32), IMAGE):
        with pytest.raises(ValueError, match=r"images must be uint8 \(n, 28, 28\)"):
            network().probabilities(images)
    with pytest.raises(ValueError, match="label must be from 0 to 9, got 10"):
        network().relevance(IMAGE, 10)
    with pytest.raises(ValueError, match="passes must be at least 1, got 0"):
        network().dropout_passes(IMAGE, passes=0)
