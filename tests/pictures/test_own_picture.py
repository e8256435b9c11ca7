"""A visitor's picture: the steps are the data set's, and the network answers as for the image itself."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fmnist_core.config import PRESETS
from fmnist_core.data.dataset import Dataset
from fmnist_core.data.sources import draw
from fmnist_core.data.split import split
from fmnist_core.network.model import model_to_bytes
from fmnist_core.network.stored_network import StoredNetwork
from fmnist_core.network.training import Training
from fmnist_core.pictures.own_picture import background_is_bright, prepare
from fmnist_core.pictures.picture_file import PictureError, read_picture
from tests.picture_files import LOSSLESS, LOSSY, TURNS_BACK, difference, held, saved


@pytest.fixture(scope="module")
def garments() -> np.ndarray:
    return draw().test_images[:20]


@pytest.fixture(scope="module")
def real(fashion_mnist: Dataset) -> np.ndarray:
    return np.concatenate([fashion_mnist.train_images, fashion_mnist.test_images])


def photo(garment: np.ndarray, top: int = 300, left: int = 37) -> np.ndarray:
    """The garment ten times larger, dark on white, off the centre of a picture 500 wide and 700 high."""
    pixels = np.full((700, 500), 255, dtype=np.uint8)
    pixels[top : top + 280, left : left + 280] = 255 - garment.repeat(10, axis=0).repeat(10, axis=1)
    return pixels


# --- from file to network

LOSSLESS_TURNED = {
    f"PNG turned as EXIF's {turn}": lambda pixels, turn=turn: held(Image.fromarray(pixels), turn, "PNG")
    for turn in TURNS_BACK
}
LOSSY_TURNED = {
    f"JPEG turned as EXIF's {turn}": lambda pixels, turn=turn: held(Image.fromarray(pixels), turn, "JPEG", quality=95)
    for turn in TURNS_BACK
}


@pytest.mark.parametrize("kind", LOSSLESS)
def test_what_was_saved_without_loss_is_used_as_it_is(kind, garments):
    for garment in garments:
        prepared = prepare(read_picture(LOSSLESS[kind](garment)))
        assert np.array_equal(prepared.pixels, garment)
        assert [step.name for step in prepared.steps] == ["Grey"]
        assert not prepared.inverted
        assert not prepared.cropped


@pytest.mark.parametrize("kind", LOSSY)
def test_what_was_saved_with_loss_is_used_nearly_as_it_was(kind, garments):
    for garment in garments:
        prepared = prepare(read_picture(LOSSY[kind](garment)))
        assert difference(prepared.pixels, garment) < 6
        assert not prepared.inverted


@pytest.mark.real_data
@pytest.mark.parametrize("kind", LOSSLESS)
def test_real_images_come_back_exactly(kind, real):
    for image in real[60000:60020]:
        assert np.array_equal(prepare(read_picture(LOSSLESS[kind](image))).pixels, image)


@pytest.mark.real_data
@pytest.mark.parametrize("kind", LOSSY)
def test_real_images_come_back_nearly(kind, real):
    for image in real[60000:60020]:
        assert difference(prepare(read_picture(LOSSY[kind](image))).pixels, image) < 6


@pytest.fixture(scope="module")
def network(fashion_mnist: Dataset) -> StoredNetwork:
    """The Quick preset's after one epoch."""
    quick = next(preset.config for preset in PRESETS if preset.name == "Quick")
    training = Training(replace(quick, epochs=1), split(fashion_mnist, "held-out", quick.seed))
    assert training.run_epoch().validation_accuracy > 0.8
    return StoredNetwork(training.config, model_to_bytes(training.model))


def share_of_same_answers(network: StoredNetwork, images: np.ndarray, save: Callable[[np.ndarray], bytes]) -> float:
    """Of images (n, 28, 28), those whose class the network also names after they were saved and read."""
    read = np.stack([prepare(read_picture(save(image))).pixels for image in images])
    answers = [network.probabilities(pixels).argmax(axis=1) for pixels in (images, read)]
    return float((answers[0] == answers[1]).mean())


@pytest.mark.real_data
@pytest.mark.parametrize("kind", LOSSLESS | LOSSLESS_TURNED)
def test_what_is_saved_without_loss_gets_the_images_own_answer(kind, network, fashion_mnist):
    save = (LOSSLESS | LOSSLESS_TURNED)[kind]
    assert share_of_same_answers(network, fashion_mnist.test_images[:200], save) == 1


@pytest.mark.real_data
@pytest.mark.parametrize("kind", LOSSY | LOSSY_TURNED)
def test_what_is_saved_with_loss_nearly_always_gets_the_images_own_answer(kind, network, fashion_mnist):
    save = (LOSSY | LOSSY_TURNED)[kind]
    # Measured with three networks on 4,000 images: of each 1,000 at most 6 changed their answer.
    assert share_of_same_answers(network, fashion_mnist.test_images[:1_000], save) >= 0.99


# --- the background


def test_the_background_is_told_by_the_corners():
    grey = np.full((28, 28), 100, dtype=np.uint8)
    grey[10:20, 10:20] = 200
    assert not background_is_bright(grey)
    grey[10:20, 10:20] = 20
    assert background_is_bright(grey)
    grey[0:2, 0:2] = 20  # one corner covered
    assert background_is_bright(grey)
    assert not background_is_bright(255 - grey)


def test_the_ground_of_drawn_garments_is_black(garments):
    assert not any(background_is_bright(garment) for garment in garments)
    assert all(background_is_bright(255 - garment) for garment in garments)


@pytest.mark.real_data
def test_the_background_is_told_right_for_all_real_images(real):
    assert sum(background_is_bright(image) for image in real) == 0
    assert sum(not background_is_bright(255 - image) for image in real) == 0


@pytest.mark.parametrize("background", [0, 25, 60])
def test_an_uneven_noisy_ground_becomes_black(background, garments):
    generator = np.random.default_rng(0)
    slope = np.linspace(0, 30, 500)
    noise = generator.normal(0, 4, (700, 500))
    dark = (255 - photo(garments[0])) * 0.6 + background + slope + noise
    prepared = prepare(dark.clip(0, 255).round().astype(np.uint8), crop=False)
    assert not prepared.inverted
    shown = next(step for step in prepared.steps if step.name == "Background made black").pixels
    assert (shown[:90] < 6).all()  # above the garment
    assert np.median(shown[:90]) == 0


def test_a_printed_shirt_stays_a_shirt_and_is_in_doubt():
    grey = np.full((300, 300), 140, dtype=np.uint8)
    grey[50:250, 80:220] = 240
    grey[100:180, 120:180] = 20
    prepared = prepare(grey)
    assert not prepared.inverted
    assert prepared.in_doubt
    assert prepared.pixels.astype(bool).any(axis=1).all()  # from hem to collar, not the print alone
    other = prepare(grey, invert=True)
    assert other.pixels[1, 14] > 40
    assert other.pixels[13, 14] == 255


@pytest.mark.parametrize("level", [0, 60, 255])
def test_bars_and_frames_are_left_out(level):
    inside = np.full((200, 200), 180, dtype=np.uint8)
    inside[50:150, 80:120] = 30
    expected = prepare(inside).pixels
    for around in ((20, 0), (0, 20), (16, 16)):
        grey = np.pad(inside, [(side, side) for side in around], constant_values=level)
        assert difference(prepare(grey).pixels, expected) < 2


def test_a_background_with_straight_edges_is_no_frame():
    grey = np.full((160, 160), 140, dtype=np.uint8)
    grey[20:140, 40:120] = 240
    assert "Frame left out" not in [step.name for step in prepare(grey).steps]
    assert not prepare(grey).inverted


# --- crop, size and place


def test_a_tall_garment_is_cropped_made_small_and_centred():
    grey = np.full((300, 200), 255, dtype=np.uint8)
    grey[100:240, 20:70] = 0  # 140 x 50 is 28 x 10
    prepared = prepare(grey)
    names = [step.name for step in prepared.steps]
    assert names == ["Grey", "Inverted", "Cropped", "Resized", "Centred"]
    shapes = [step.pixels.shape for step in prepared.steps]
    assert shapes == [(256, 171), (256, 171), (140, 50), (28, 10), (28, 28)]
    expected = np.zeros((28, 28), dtype=np.uint8)
    expected[:, 9:19] = 255
    assert np.array_equal(prepared.pixels, expected)
    assert prepared.inverted
    assert prepared.cropped


def test_an_odd_pixel_goes_above_and_left_as_in_fashion_mnist():
    grey = np.zeros((100, 100), dtype=np.uint8)
    grey[10:66, 30:40] = 255  # 56 x 10 is 28 x 5
    assert np.flatnonzero(prepare(grey).pixels.any(axis=0)).tolist() == [12, 13, 14, 15, 16]
    assert np.flatnonzero(prepare(grey.T).pixels.any(axis=1)).tolist() == [12, 13, 14, 15, 16]


def test_specks_do_not_widen_the_crop_but_thin_lines_do():
    grey = np.zeros((400, 400), dtype=np.uint8)
    grey[100:200, 100:200] = 200
    grey[3, 3] = grey[390, 390] = grey[390, 391] = 255
    assert next(step for step in prepare(grey).steps if step.name == "Cropped").pixels.shape == (100, 100)
    grey[50:250, 300] = 200
    assert next(step for step in prepare(grey).steps if step.name == "Cropped").pixels.shape == (198, 201)


def test_a_shadow_apart_does_not_widen_the_crop_but_a_faint_hem_does(garments):
    plain = photo(garments[0])
    shaded = plain.copy()
    shaded[:40, :300] = 235  # as dark as a shadow
    assert np.array_equal(prepare(shaded).pixels, prepare(plain).pixels)
    hemmed = np.full((200, 200), 255, dtype=np.uint8)
    hemmed[40:140, 60:140] = 60
    hemmed[140:160, 60:140] = 235
    assert prepare(hemmed).pixels[-1].any()
    assert prepare(hemmed).pixels[-1].max() < 40


def test_without_a_crop_the_whole_picture_is_made_a_square():
    grey = np.zeros((280, 140), dtype=np.uint8)
    grey[100:200, 50:100] = 255
    prepared = prepare(grey, crop=False)
    assert [step.name for step in prepared.steps] == ["Grey", "Resized", "Centred"]
    expected = np.zeros((28, 28), dtype=np.uint8)
    expected[10:20, 12:17] = 255
    assert np.array_equal(prepared.pixels, expected)
    assert not prepared.cropped


def test_a_faint_garment_is_brightened():
    grey = np.full((280, 280), 250, dtype=np.uint8)
    grey[70:210, 70:210] = 220
    prepared = prepare(grey)
    assert prepared.steps[-1].name == "Brightened"
    assert prepared.pixels.max() == 255


def test_choices_are_obeyed(garments):
    assert np.array_equal(prepare(garments[0], invert=True).pixels, 255 - garments[0])
    assert np.array_equal(prepare(255 - garments[0]).pixels, garments[0])
    assert [step.name for step in prepare(255 - garments[0]).steps] == ["Grey", "Inverted"]
    assert not prepare(255 - garments[0], invert=False).inverted
    small = np.zeros((28, 28), dtype=np.uint8)
    small[10:17, 10:17] = 255
    assert np.array_equal(prepare(small).pixels, small)
    assert (prepare(small, crop=True).pixels == 255).all()


@pytest.mark.parametrize("options", [{}, {"quality": 95}, {"quality": 80}])
def test_a_garment_in_a_photo_comes_back_nearly(options, garments):
    for garment in garments:
        whole = prepare(garment, crop=True).pixels  # drawn garments do not all fill the picture
        whole[whole < 40] = 0  # a faint hem may be cut off, and all would move
        whole[[0, 27], 14] = whole[14, [0, 27]] = 255
        prepared = prepare(read_picture(saved(photo(whole), "JPEG" if options else "PNG", **options)))
        assert prepared.inverted
        assert prepared.cropped
        assert difference(prepared.pixels, whole) < (4 if options else 1e-9)


@pytest.mark.real_data
def test_real_images_in_photos_come_back_nearly(real):
    differences = [difference(prepare(photo(image)).pixels, image) for image in real[60000:60100]]
    assert np.median(differences) < 0.1
    assert np.mean([size < 1 for size in differences]) > 0.85  # the rest have fainter edges than what counts as garment
    assert max(differences) < 50


@pytest.mark.parametrize("shape", [(28, 28), (100, 80), (8, 8), (3, 900)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_picture_is_refused(shape, level):
    noise = np.random.default_rng(0).integers(0, 5, shape)
    for grey in (np.full(shape, level, dtype=np.uint8), (level * 0.9 + noise).astype(np.uint8)):
        with pytest.raises(
            PictureError, match=r"^nothing stands out from the background\. Choose a picture of one garment"
        ):
            prepare(grey)


@pytest.mark.parametrize("pixels", [np.zeros((28, 28)), np.zeros((2, 28, 28), np.uint8), np.zeros((0, 28), np.uint8)])
def test_only_grey_pictures_are_prepared(pixels):
    with pytest.raises(ValueError, match="must be uint8 of shape"):
        prepare(pixels)


def test_steps_are_small_enough_to_show_and_end_with_the_result(garments):
    large = np.asarray(Image.fromarray(photo(garments[0])).resize((1_400, 2_000)))
    prepared = prepare(large)
    for step in prepared.steps:
        assert step.pixels.dtype == np.uint8
        assert max(step.pixels.shape) <= 256
        assert step.what.endswith(".")
    assert np.array_equal(prepared.steps[-1].pixels, prepared.pixels)
    assert prepared.pixels.shape == (28, 28)


def test_results_are_copies_that_may_be_written_to(garments):
    grey = read_picture(saved(garments[0], "PNG"))
    for pixels in (grey, prepare(grey).pixels, prepare(grey, invert=True).pixels, prepare(grey, crop=True).pixels):
        assert pixels.flags.writeable
    prepare(grey).pixels[:] = 0
    assert np.array_equal(grey, garments[0])
