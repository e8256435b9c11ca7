from dataclasses import replace

import numpy as np
import pytest

from fmnist_core.data.summary import class_samples, summarise


@pytest.fixture(scope="module")
def summary(tiny_dataset):
    return summarise(tiny_dataset)


def test_every_image_is_counted_once_in_its_class(summary):
    assert summary.class_counts == {"Training": [50] * 10, "Validation": [10] * 10, "Test": [20] * 10}


def test_classes_of_different_sizes_are_counted_as_they_are(tiny_dataset):
    keep = np.ones(len(tiny_dataset.test_labels), dtype=bool)
    keep[np.flatnonzero(tiny_dataset.test_labels == 9)] = False
    keep[np.flatnonzero(tiny_dataset.test_labels == 3)[:5]] = False
    fewer = replace(
        tiny_dataset, test_images=tiny_dataset.test_images[keep], test_labels=tiny_dataset.test_labels[keep]
    )
    assert summarise(fewer).class_counts["Test"] == [20, 20, 20, 15, 20, 20, 20, 20, 20, 0]


def test_a_mean_image_is_the_rounded_average_of_its_class(summary, tiny_dataset):
    images, labels = tiny_dataset.train_images, tiny_dataset.train_labels
    assert summary.mean_images.shape == (10, 28, 28)
    assert summary.mean_images.dtype == np.uint8
    for label in range(10):
        expected = images[labels == label].astype(np.float64).mean(axis=0)
        assert np.abs(summary.mean_images[label] - expected).max() <= 0.5 + 1e-4


def test_every_pixel_is_counted_at_its_value(summary, tiny_dataset):
    assert len(summary.pixel_counts) == 256
    assert summary.pixel_counts == np.bincount(tiny_dataset.train_images.ravel(), minlength=256).tolist()


@pytest.mark.parametrize("label", [0, 7])
def test_samples_are_different_images_of_the_class(tiny_dataset, label):
    samples = class_samples(tiny_dataset.train_images, tiny_dataset.train_labels, label, count=14, seed=0)
    assert samples.shape == (14, 28, 28)
    own = {image.tobytes() for image in tiny_dataset.train_images[tiny_dataset.train_labels == label]}
    drawn = {sample.tobytes() for sample in samples}
    assert len(drawn) == 14
    assert drawn <= own


def test_all_samples_are_given_where_there_are_fewer(tiny_dataset):
    assert len(class_samples(tiny_dataset.test_images, tiny_dataset.test_labels, 4, count=99, seed=0)) == 20


def test_the_seed_picks_the_samples(tiny_dataset):
    first, same, other = (
        class_samples(tiny_dataset.train_images, tiny_dataset.train_labels, 2, count=14, seed=seed)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)
