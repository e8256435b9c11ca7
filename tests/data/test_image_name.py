import numpy as np
import pytest

from fmnist_core.data.image_name import ImageName


@pytest.mark.parametrize("text", ["test-0", "train-59999", "test-123"])
def test_a_name_is_read_as_it_is_written(text):
    assert str(ImageName.parse(text)) == text


def test_people_read_a_title():
    assert ImageName("test", 1234).title == "Test image 1,234"
    assert ImageName("train", 0).title == "Training image 0"


@pytest.mark.parametrize(
    "text", ["", "test", "test-", "test-01", "test--1", "valid-3", "test-1\n", "test-\u0661", "TEST-1", "test-12345678"]
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="like test-123"):
        ImageName.parse(text)


def test_finds_the_image_and_its_label(tiny_dataset):
    image, label = ImageName("test", 25).find(tiny_dataset)
    assert np.array_equal(image, tiny_dataset.test_images[25])
    assert label == int(tiny_dataset.test_labels[25])
    image, label = ImageName("train", 599).find(tiny_dataset)
    assert np.array_equal(image, tiny_dataset.train_images[599])


def test_an_image_that_is_not_there_is_named(tiny_dataset):
    with pytest.raises(ValueError, match="test images 0 to 199, and no test-200"):
        ImageName("test", 200).find(tiny_dataset)
