"""What is unlike the training images is told, and garments of their own kind hardly ever."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from fmnist_core.data.dataset import Dataset
from fmnist_core.data.novelty import FALSE_ALARMS, NoveltyDetector
from fmnist_core.data.sources import draw
from fmnist_core.pictures.own_picture import prepare


def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)


def gradient() -> np.ndarray:
    """Light as a photo of a wall has it, brightest in the middle."""
    rows, columns = np.mgrid[-1:1:28j, -1:1:28j]
    return (230 - 60 * (rows**2 + columns**2) - 40 * rows).round().astype(np.uint8)


def letter() -> np.ndarray:
    """A printed letter as it comes from an upload."""
    page = Image.new("L", (400, 400), 255)
    ImageDraw.Draw(page).text((100, 60), "R", fill=0, font=ImageFont.load_default(240))
    return prepare(np.array(page)).pixels


STRANGE = {"noise": noise, "gradient": gradient, "letter": letter}


@pytest.fixture(scope="module")
def drawn() -> Dataset:
    return draw()


@pytest.mark.real_data
def test_what_is_no_garment_is_novel_to_the_real_images(fashion_mnist):
    detector = NoveltyDetector(fashion_mnist.train_images)
    assert {kind: bool(detector.novel(make()[np.newaxis])[0]) for kind, make in STRANGE.items()} == dict.fromkeys(
        STRANGE, True
    )
    assert detector.novel(255 - fashion_mnist.test_images[:200]).mean() > 0.9


@pytest.mark.real_data
def test_real_test_images_are_hardly_ever_novel(fashion_mnist):
    detector = NoveltyDetector(fashion_mnist.train_images)
    assert 0 < detector.novel(fashion_mnist.test_images).mean() <= FALSE_ALARMS


def test_drawn_garments_are_known_to_a_detector_of_drawn_garments_and_noise_is_not(drawn):
    detector = NoveltyDetector(drawn.train_images)
    assert detector.novel(drawn.test_images).mean() <= FALSE_ALARMS
    assert detector.novel(noise()[np.newaxis]).all()


def test_few_images_are_enough_to_compare_with():
    known = np.zeros((6, 28, 28), np.uint8)
    detector = NoveltyDetector(known)
    assert detector.novel(np.stack([known[0], noise()])).tolist() == [False, True]
