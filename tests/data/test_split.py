from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from fmnist_core.config import RunConfig
from fmnist_core.data.split import (
    TooFewImagesError,
    check_training_images,
    split,
    training_examples,
    training_image_count,
    trains_on,
)
from tests.conftest import make_tiny_dataset

PROTOCOLS = ("held-out", "article")


@pytest.fixture(scope="module")
def data():
    """2,000 images, in no order of classes, and not equally many of each."""
    tiny = make_tiny_dataset(train_per_class=240)
    order = np.random.default_rng(1).permutation(2400)[:2000]
    return replace(tiny, train_images=tiny.train_images[order], train_labels=tiny.train_labels[order])


def trained_on(data, **settings):
    config = RunConfig(**settings)
    return training_examples(config, split(data, config.protocol, config.seed).training)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_number_of_training_images_is_known_without_dividing_them(data, protocol):
    for some in (data, make_tiny_dataset(), make_tiny_dataset(train_per_class=7)):
        assert training_image_count(some, protocol) == len(split(some, protocol, 3).training)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_without_the_settings_a_run_trains_on_all_images_as_they_are(data, protocol):
    everything = split(data, protocol, 0).training
    for count in (None, len(everything)):
        examples = trained_on(data, protocol=protocol, training_images=count)
        assert np.array_equal(examples.indices, everything.indices)
        assert examples.labels is everything.labels


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("count", [100, 105, 1000])
def test_fewer_images_have_the_classes_equally_often(data, protocol, count):
    examples = trained_on(data, protocol=protocol, training_images=count)
    classes = np.bincount(data.train_labels[examples.indices], minlength=10)
    assert len(examples) == len(np.unique(examples.indices)) == count
    assert classes.max() - classes.min() == (1 if count % 10 else 0)
    assert (np.diff(examples.indices) > 0).all()
    assert np.isin(examples.indices, split(data, protocol, 0).training.indices).all()


def test_a_class_that_has_run_out_leaves_its_places_to_the_others(data):
    available = np.bincount(data.train_labels[split(data, "held-out", 0).training.indices])
    chosen = np.bincount(data.train_labels[trained_on(data, training_images=int(available.sum()) - 20).indices])
    assert available.min() < chosen.max() - 1
    assert (chosen >= np.minimum(available, chosen.max() - 1)).all()


def test_a_smaller_set_lies_in_a_larger_one_and_the_seed_chooses(data):
    sizes = [100, 101, 250, 999, 1500]
    sets = [set(trained_on(data, training_images=size).indices) for size in sizes]
    assert all(smaller < larger for smaller, larger in pairwise(sets))
    # With the article's protocol nothing else depends on the seed.
    first, other = (
        set(trained_on(data, protocol="article", training_images=100, seed=seed).indices) for seed in (0, 1)
    )
    assert len(first & other) < 30


def test_more_images_than_there_are_are_refused_with_their_number(data):
    available = training_image_count(data, "held-out")
    check_training_images(RunConfig(training_images=available), data)
    check_training_images(RunConfig(training_images=2000, protocol="article"), data)
    config = RunConfig(training_images=available + 1)
    with pytest.raises(
        TooFewImagesError, match=r"at most the 1,66\d of Tiny patterns that validation on held-out images"
    ):
        check_training_images(config, data)
    with pytest.raises(TooFewImagesError, match=r"at most the 1,66\d .* got 1,66\d; choose fewer or \"all\""):
        training_examples(config, split(data, "held-out", 0).training)


@pytest.mark.parametrize("share", [0.1, 0.4, 0.9])
def test_label_noise_replaces_its_share_by_any_of_the_nine_other_classes(data, share):
    examples = trained_on(data, protocol="article", label_noise=share)
    wrong = examples.labels != data.train_labels
    assert wrong.mean() == pytest.approx(share, abs=0.035)  # three standard deviations
    steps = np.bincount((examples.labels - data.train_labels)[wrong] % 10, minlength=10)
    assert steps[0] == 0
    expected = wrong.sum() / 9
    assert ((steps[1:] - expected) ** 2 / expected).sum() < 26.1  # chi-square, 8 degrees of freedom, 0.1 %
    assert examples.labels.min() >= 0
    assert examples.labels.max() <= 9


def test_labels_wrong_at_a_small_share_are_wrong_and_the_same_at_a_larger(data):
    small, large = (trained_on(data, label_noise=share).labels for share in (0.2, 0.4))
    wrong = small != data.train_labels
    assert (small[wrong] == large[wrong]).all()
    assert (large != data.train_labels).sum() > 1.5 * wrong.sum()


def test_an_image_has_its_label_whichever_other_images_are_there(data):
    few, many = (trained_on(data, label_noise=0.4, training_images=count) for count in (200, None))
    assert np.array_equal(few.labels, many.labels)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_a_run_is_evaluated_on_keeps_its_labels(data, protocol):
    train_labels, test_labels = data.train_labels.copy(), data.test_labels.copy()
    parts = split(data, protocol, 0)
    training_examples(RunConfig(protocol=protocol, label_noise=0.9), parts.training)
    assert np.array_equal(data.train_labels, train_labels)
    assert np.array_equal(data.test_labels, test_labels)
    assert parts.validation.labels is (data.test_labels if protocol == "article" else data.train_labels)


@pytest.mark.parametrize("settings", [{}, {"training_images": 300}, {"protocol": "article"}], ids=str)
def test_it_is_known_which_images_a_run_trains_on(data, settings):
    examples = trained_on(data, **settings)
    known = [index for index in range(2000) if index % 7 == 0 and trains_on(RunConfig(**settings), data, index)]
    assert known == [index for index in examples.indices if index % 7 == 0]
