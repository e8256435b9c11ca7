"""Pictures are checked by their pixels."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from fmnist_core.pictures.png import (
    AGAINST_COLOUR,
    FOR_COLOUR,
    contact_sheet,
    diverging_sheet,
    png_image,
    png_thumbnail,
    relevance_overlay,
)

GARMENT = np.full((28, 28), 200, np.uint8)


def decode(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png))).astype(int)


def signed(*values: float) -> np.ndarray:
    """Zero but for the first pixels."""
    picture = np.zeros((28, 28), np.float32)
    picture[0, : len(values)] = values
    return picture


def test_png_image_enlarges_each_pixel_to_a_sharp_square():
    pixels = np.arange(784, dtype=np.uint16).reshape(28, 28).astype(np.uint8)
    grey, opacity = np.moveaxis(decode(png_image(pixels, 3)), -1, 0)
    assert (grey == np.kron(pixels, np.ones((3, 3), np.uint8))).all()
    assert (opacity == 255).all()


def test_contact_sheet_fills_rows_and_leaves_gaps_transparent():
    images = np.stack([np.full((28, 28), level, np.uint8) for level in (10, 20, 30)])
    sheet = decode(contact_sheet(images, columns=2, scale=2))
    assert sheet.shape == (114, 114, 2)
    assert [sheet[y, x, 0] for y, x in ((0, 0), (0, 113), (113, 0))] == [10, 20, 30]
    opacity = sheet[..., 1]
    assert (opacity[:, 56:58] == 0).all()  # the gap between the columns
    assert (opacity[56:58] == 0).all()
    assert (opacity[58:, 58:] == 0).all()  # the place of a fourth image
    assert (opacity == 255).sum() == 3 * 56 * 56


@pytest.mark.parametrize(
    ("images", "columns", "scale"),
    [
        (np.zeros((2, 28, 28)), 1, 1),
        (np.zeros((28, 28), np.uint8), 1, 1),
        (np.zeros((0, 28, 28), np.uint8), 1, 1),
        (np.zeros((1, 28, 28), np.uint8), 0, 1),
        (np.zeros((1, 28, 28), np.uint8), 1, 0),
    ],
)
def test_contact_sheet_refuses_what_it_cannot_draw(images, columns, scale):
    with pytest.raises(ValueError, match="must be"):
        contact_sheet(images, columns, scale)


def test_a_small_picture_is_enlarged_by_a_whole_number_and_centred():
    pixels = np.random.default_rng(0).integers(0, 256, (10, 30), np.uint8)
    picture = decode(png_thumbnail(pixels, 100))
    assert picture.shape == (100, 100, 2)
    assert (picture[35:65, 5:95, 0] == np.kron(pixels, np.ones((3, 3), np.uint8))).all()
    assert (picture[35:65, 5:95, 1] == 255).all()
    assert (picture[..., 1] == 255).sum() == 30 * 90


def test_a_large_picture_is_made_to_fit():
    picture = decode(png_thumbnail(np.full((400, 200), 90, np.uint8), 100))
    assert (picture[:, 25:75, 0] == 90).all()
    assert (picture[..., 1] == 255).sum() == 100 * 50


@pytest.mark.parametrize("pixels", [np.zeros((2, 2)), np.zeros((1, 2, 2), np.uint8), np.zeros((0, 2), np.uint8)])
def test_what_is_no_grey_picture_is_refused(pixels):
    with pytest.raises(ValueError, match="must be uint8"):
        png_thumbnail(pixels, 10)


def test_pixels_for_a_class_are_orange_and_those_against_it_blue():
    picture = decode(relevance_overlay(GARMENT, signed(2.0, -2.0, 1.0), 1))
    assert picture.shape == (28, 28, 4)
    assert tuple(picture[0, 0]) == (*FOR_COLOUR, 255)
    assert tuple(picture[0, 1]) == (*AGAINST_COLOUR, 255)
    dimmed = picture[5, 5]
    assert dimmed[0] == dimmed[1] == dimmed[2]
    assert 0 < dimmed[0] < 100
    np.testing.assert_allclose(picture[0, 2], (picture[0, 0] + dimmed) / 2, atol=1)  # half as much, half the opacity


def test_pictures_with_the_same_largest_can_be_compared():
    own, shared, beyond = (
        decode(relevance_overlay(GARMENT, signed(2.0, 1.0), 1, largest=largest)) for largest in (None, 4.0, 1.0)
    )
    assert (shared[0, 0] == own[0, 1]).all()
    assert (beyond[0, :2] == own[0, 0]).all()


def test_a_garment_without_relevance_is_only_dimmed():
    picture = decode(relevance_overlay(GARMENT, signed(), 2))
    assert picture.shape == (56, 56, 4)
    assert len(np.unique(picture[..., :3])) == 1


def test_signed_sheets_are_laid_out_like_sheets_of_garments():
    sheet = decode(diverging_sheet(np.random.default_rng(0).standard_normal((3, 28, 28)), columns=2, scale=2))
    garments = decode(contact_sheet(np.stack([GARMENT] * 3), columns=2, scale=2))
    assert (sheet[..., -1] == garments[..., -1]).all()


def test_signed_sheets_have_one_scale_and_black_at_zero():
    images = np.zeros((2, 28, 28))
    images[0], images[1, :14] = 4, -2
    sheet = decode(diverging_sheet(images, columns=2, scale=1))
    assert tuple(sheet[0, 0]) == (*FOR_COLOUR, 255)
    np.testing.assert_allclose(sheet[0, 29, :3], np.array(AGAINST_COLOUR) / 2, atol=1)
    assert tuple(sheet[20, 29]) == (0, 0, 0, 255)


def test_one_outlier_does_not_darken_a_signed_sheet():
    images = np.ones((1, 28, 28))
    images[0, 0, 0] = 1000
    assert tuple(decode(diverging_sheet(images, columns=1, scale=1))[5, 5]) == (*FOR_COLOUR, 255)


def test_what_cannot_be_coloured_is_refused():
    with pytest.raises(ValueError, match=r"relevance must have shape \(28, 28\)"):
        relevance_overlay(GARMENT, np.zeros((1, 28, 28)), 1)
    with pytest.raises(ValueError, match="images must be uint8"):
        relevance_overlay(GARMENT.astype(float), signed(), 1)
    with pytest.raises(ValueError, match="largest must be above 0, got 0"):
        relevance_overlay(GARMENT, signed(1.0), 1, largest=0)
    for images in (np.zeros((28, 28)), np.zeros((0, 28, 28))):
        with pytest.raises(ValueError, match="images must have shape"):
            diverging_sheet(images, 1, 1)
