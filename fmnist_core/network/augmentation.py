"""How training images are varied before each step: mirrored, and moved, while they are bytes still."""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

_SIDE = 28
_BLACK = 0  # the background, in bytes


def flip_half(images: Tensor, generator: Generator) -> Tensor:
    """Mirror about half of the images (n, 784) left to right, each with probability 1/2."""
    return flip(images, flips_of(torch.rand(len(images), generator=generator)))


def flips_of(fractions: Tensor) -> Tensor:
    """Which images are mirrored, bool, by a fraction drawn for each, 0 to 1, of any shape."""
    return fractions < 0.5


def flip(images: Tensor, chosen: Tensor) -> Tensor:
    """Mirror those of the images (n, 784) that are chosen, bool (n,), left to right."""
    mirrored = images.view(-1, _SIDE, _SIDE).flip(2).view(-1, _SIDE * _SIDE)
    return torch.where(chosen[:, None], mirrored, images)


def shift_each(images: Tensor, furthest: int, generator: Generator) -> Tensor:
    """Move each image (n, 784) by -furthest ... furthest pixels down and as many right, all equally likely.

    Black fills what becomes free.
    """
    return shift(images, furthest, shifts_of(torch.rand(len(images), 2, generator=generator), furthest))


def shifts_of(fractions: Tensor, furthest: int | Tensor) -> Tensor:
    """How far images are moved up and left, past `furthest`: int64, 0 ... 2 x furthest, by two fractions for each."""
    return (fractions * (2 * furthest + 1)).long()


def shift(images: Tensor, furthest: int, starts: Tensor) -> Tensor:
    """Move images (n, 784) as `shifts_of` tells, int64 (n, 2)."""
    padded = F.pad(images.view(-1, _SIDE, _SIDE), (furthest,) * 4, value=_BLACK)
    windows = padded.unfold(1, _SIDE, 1).unfold(2, _SIDE, 1)  # a view: only the chosen windows are copied
    each = torch.arange(len(images), device=images.device)
    return windows[each, starts[:, 0], starts[:, 1]].flatten(1)
