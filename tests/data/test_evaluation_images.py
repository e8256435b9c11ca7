from dataclasses import replace

import numpy as np
import pytest

from fmnist_core.config import RunConfig
from fmnist_core.data.evaluation_images import common_images, evaluation_images
from fmnist_core.data.image_name import ImageName
from fmnist_core.data.split import split

HELD_OUT = RunConfig()
ARTICLE = replace(HELD_OUT, protocol="article")


@pytest.mark.parametrize("seed", [0, 1])
def test_validation_images_are_those_that_the_run_was_validated_on(tiny_dataset, seed):
    images = evaluation_images(tiny_dataset, replace(HELD_OUT, seed=seed), "validation")
    parts = split(tiny_dataset, "held-out", seed)
    assert images.source == "train"
    assert images.positions.tolist() == parts.validation.indices.tolist()
    assert images.labels(tiny_dataset).tolist() == parts.validation.labels[parts.validation.indices].tolist()
    assert np.array_equal(images.pixels(tiny_dataset), parts.validation.images[parts.validation.indices])


@pytest.mark.parametrize(("config", "part"), [(ARTICLE, "validation"), (ARTICLE, "test"), (HELD_OUT, "test")])
def test_the_article_validates_on_the_test_images(tiny_dataset, config, part):
    images = evaluation_images(tiny_dataset, config, part)
    assert (images.source, len(images)) == ("test", 200)
    assert images.labels(tiny_dataset).tolist() == tiny_dataset.test_labels.tolist()


def test_runs_of_one_seed_are_evaluated_on_the_same_images(tiny_dataset):
    first = evaluation_images(tiny_dataset, HELD_OUT, "validation")
    second = evaluation_images(tiny_dataset, replace(HELD_OUT, dropout=0.5), "validation")
    assert common_images(first, second).positions.tolist() == first.positions.tolist()


def test_runs_of_two_seeds_are_evaluated_on_what_neither_has_seen(tiny_dataset):
    seeds = [replace(HELD_OUT, seed=seed) for seed in (0, 1)]
    first, second = (evaluation_images(tiny_dataset, config, "validation") for config in seeds)
    common = common_images(first, second)
    assert 0 < len(common) < len(first)
    for config in seeds:
        assert not set(common.positions) & set(split(tiny_dataset, "held-out", config.seed).training.indices.tolist())
    rows = first.rows_of(common)
    assert (first.positions[rows] == common.positions).all()


def test_held_out_and_article_have_only_the_test_images_in_common(tiny_dataset):
    held_out = evaluation_images(tiny_dataset, HELD_OUT, "validation")
    assert common_images(held_out, evaluation_images(tiny_dataset, ARTICLE, "validation")) is None


def test_an_image_is_found_by_its_name(tiny_dataset):
    images = evaluation_images(tiny_dataset, HELD_OUT, "validation")
    for row in (0, 7, len(images) - 1):
        assert images.row(images.name(row)) == row
    trained_on = next(index for index in range(600) if index not in images.positions)
    assert images.row(ImageName("train", trained_on)) is None
    assert images.row(ImageName("test", int(images.positions[0]))) is None
    assert images.row(ImageName("train", 10**6)) is None
