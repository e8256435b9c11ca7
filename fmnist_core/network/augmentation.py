"""How training images are varied before each step: mirrored, and moved, while they are bytes still."""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

_SIDE = 28
_BLACK = 0  # the background, in bytes


def flip_half(images: Tensor, generator: Generator) -> Tensor:
    """Mirror about half of the images (n, 784) left to right, each with probability 1/2."""
    chosen = torch.rand(len(images), 1, generator=generator) < 0.5
    mirrored = images.view(-1, _SIDE, _SIDE).flip(2).view(-1, _SIDE * _SIDE)
    return torch.where(chosen, mirrored, images)


def shift_each(images: Tensor, furthest: int, generator: Generator) -> Tensor:
    """Move each image (n, 784) by -furthest ... furthest pixels down and as many right, all equally likely.

    Black fills what becomes free.
    """
    directions = 2 * furthest + 1
    start = (torch.rand(len(images), 2, generator=generator) * directions).long()
    padded = F.pad(images.view(-1, _SIDE, _SIDE), (furthest,) * 4, value=_BLACK)
    windows = padded.unfold(1, _SIDE, 1).unfold(2, _SIDE, 1)  # a view: only the chosen windows are copied
    return windows[torch.arange(len(images)), start[:, 0], start[:, 1]].flatten(1)
