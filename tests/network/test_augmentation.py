import pytest
import torch
from torch import Generator

from fmnist_core.network.augmentation import flip_half, shift_each


def bytes_drawn(*shape):
    return torch.randint(256, shape, dtype=torch.uint8, generator=Generator().manual_seed(1))


def test_flips_mirror_about_half_of_the_images():
    images = bytes_drawn(1000, 784)
    flipped = flip_half(images, Generator().manual_seed(0))
    mirrored = images.view(-1, 28, 28).flip(2).view(-1, 784)
    is_mirrored = (flipped == mirrored).all(dim=1)
    assert ((flipped == images).all(dim=1) | is_mirrored).all()
    assert 0.45 < is_mirrored.float().mean() < 0.55


def moved(image, down, right):
    """`image` (28, 28) moved by slicing, on black."""
    result = torch.zeros(28, 28, dtype=torch.uint8)
    rows, columns = (slice(max(0, by), 28 + min(0, by)) for by in (down, right))
    from_rows, from_columns = (slice(max(0, -by), 28 - max(0, by)) for by in (down, right))
    result[rows, columns] = image[from_rows, from_columns]
    return result


@pytest.mark.parametrize("furthest", [1, 3])
def test_shifts_move_each_image_somewhere_all_places_equally_likely(furthest):
    image = bytes_drawn(28, 28)
    count = 100 * (2 * furthest + 1) ** 2
    shifted = shift_each(image.view(1, 784).repeat(count, 1), furthest, Generator().manual_seed(0))
    reach = range(-furthest, furthest + 1)
    found = [
        int((shifted == moved(image, down, right).view(1, 784)).all(dim=1).sum()) for down in reach for right in reach
    ]
    assert sum(found) == count  # nothing else happens to an image
    assert min(found) > 50  # of 100 expected; five standard deviations
    assert max(found) < 150


def test_shifts_leave_the_given_images_alone():
    images = bytes_drawn(50, 784)
    before = images.clone()
    shifted = shift_each(images, 3, Generator().manual_seed(0))
    assert torch.equal(images, before)
    assert shifted.shape == images.shape
