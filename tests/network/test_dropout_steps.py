"""What is shown of a training step is what training drew in it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fmnist_core.config import RunConfig
from fmnist_core.data.split import split, training_examples
from fmnist_core.network import training as loop
from fmnist_core.network.batches import scale_into
from fmnist_core.network.draws import Draws, batch_bounds, derived_seed
from fmnist_core.network.dropout_steps import MOST_STEPS, dropout_step, shown_batches
from fmnist_core.network.model import model_to_bytes
from fmnist_core.network.stored_network import StoredNetwork
from fmnist_core.network.training import Training, derived_generator

CONFIG = RunConfig(hidden=(32, 17), dropout=0.3, epochs=2, batch_size=64, learning_rate=0.001, seed=5)


def trained(config, data):
    """A run's stored network, and of each step of its last epoch the batch's labels and the masks of its layers."""
    training = Training(config, split(data, config.protocol, config.seed))
    bounds = batch_bounds(len(training.examples), config.batch_size)
    seen, pixels = [], []

    def scale(values, images):
        pixels[:] = [images.numpy().copy()]
        return scale_into(values, images)

    def remember(share):
        if share <= 0.9 and training.epochs_done == config.epochs - 1 and len(seen) < len(bounds):
            start, stop = bounds[len(seen)]
            step = training._fast_steps[stop - start]
            masks = [mask.kept.copy() for mask in step._masks.layers] if step._masks else [None] * len(config.hidden)
            pixel_mask = step._pixel_masks.layers[0].kept.copy() if step._pixel_masks else None
            seen.append((pixels[0], masks, pixel_mask))

    training.pulse = remember
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "scale_into", scale)
        list(training)
    return StoredNetwork(config, model_to_bytes(training.model)), seen


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dropout": 0.5},
        {"input_dropout": 0.2},
        {"dropout": 0.0, "input_dropout": 0.4},
        {"batch_norm": True},
        {"batch_size": 33},  # odd layers of odd batches are drawn another way
        {"training_images": 130, "batch_size": 43},  # 43, 43 and 44: a lone last image joins the batch before it
        {"label_noise": 0.3, "training_images": 200},
        {"protocol": "article"},
    ],
    ids=str,
)
def test_batches_and_masks_are_those_that_training_drew(tiny_dataset, changes):
    config = replace(CONFIG, **changes)
    network, seen = trained(config, tiny_dataset)
    assert len(seen) > 1
    for place, (pixels, masks, pixel_mask) in enumerate(seen[:MOST_STEPS]):
        step = dropout_step(network, tiny_dataset, config.epochs, place)
        assert np.array_equal(step.images.reshape(len(pixels), -1), pixels)
        for kept, mask in zip(step.kept, masks, strict=True):
            assert kept.all() if mask is None else np.array_equal(kept, mask)
        assert step.kept_pixels.all() if pixel_mask is None else np.array_equal(step.kept_pixels, pixel_mask)


def test_the_labels_are_those_that_it_trained_on(tiny_dataset):
    config = replace(CONFIG, label_noise=0.5)
    network, _ = trained(config, tiny_dataset)
    step = dropout_step(network, tiny_dataset, 2, 1)
    examples = training_examples(config, split(tiny_dataset, "held-out", config.seed).training)
    order = torch.randperm(len(examples), generator=derived_generator(config.seed, "order", 2)).numpy()[64:128]
    assert np.array_equal(step.labels, examples.labels[examples.indices[order]])


def test_losses_are_those_of_the_thinned_and_of_the_whole_network(tiny_dataset):
    network, _ = trained(CONFIG, tiny_dataset)
    step = dropout_step(network, tiny_dataset, 2, 0)
    answers = network.probabilities(step.images)[np.arange(64), step.labels]
    assert step.whole_losses == pytest.approx(-np.log(answers), rel=1e-4)
    units = np.where(step.kept[-1], step.units[-1], 0)
    assert np.array_equal(units, step.units[-1]), "what was dropped hands nothing on"
    everything = [np.ones_like(layer) for layer in step.kept]
    plain = StoredNetwork(replace(CONFIG, dropout=0.0), model_bytes(network))
    _, whole = plain.thinned(step.images, everything, np.ones_like(step.kept_pixels))
    assert -whole[np.arange(64), step.labels] == pytest.approx(step.whole_losses, rel=1e-4)
    assert not np.allclose(step.thinned_losses, step.whole_losses)


def model_bytes(network):
    from safetensors.numpy import save

    tensors = {}
    for layer, (linear, _) in enumerate(network._hidden):
        tensors |= {f"hidden.{layer}.0.weight": linear.weight, f"hidden.{layer}.0.bias": linear.bias}
    return save(tensors | {"output.weight": network._output.weight, "output.bias": network._output.bias})


def test_a_step_that_is_not_shown_is_refused(tiny_dataset):
    network, _ = trained(CONFIG, tiny_dataset)
    batches = shown_batches(CONFIG, 500)
    assert len(batches) == 8
    for step in (-1, 8):
        with pytest.raises(IndexError, match=f"step must be from 0 to 7, got {step}"):
            dropout_step(network, tiny_dataset, 2, step)
    assert len(shown_batches(CONFIG, 50_000)) == MOST_STEPS


def test_the_seed_of_each_purpose_is_what_training_seeds_with():
    assert derived_generator(7, "masks", 3).initial_seed() == derived_seed(7, "masks", 3)


@pytest.mark.parametrize("total", [2, 100, 50_000])
def test_the_beginning_of_a_permutation_is_torchs(total):
    count = min(total, 1000)
    order = torch.randperm(total, generator=derived_generator(3, "order", 9)).numpy()[:count]
    assert np.array_equal(Draws(3, "order", 9).first_of_permutation(total, count), order)
