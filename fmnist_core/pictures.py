"""Garments as PNG pictures: enlarged without smoothing, pale on black as the data set stores them."""

from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 28  # pixels
Pixels = npt.NDArray[np.uint8]


def png_image(pixels: Pixels, scale: int) -> bytes:
    """Enlarge one garment, (28, 28), by a whole number; each pixel becomes a sharp square."""
    return contact_sheet(pixels[np.newaxis], columns=1, scale=scale)


def contact_sheet(images: Pixels, columns: int, scale: int) -> bytes:
    """Lay garments, (n, 28, 28), out in rows, with transparent gaps and transparent places at the end.

    The gap between neighbours is one enlarged pixel; there is none around the sheet.
    """
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (SIDE, SIDE) or not len(images):
        raise ValueError(f"images must be uint8 of shape (n, 28, 28), got {images.dtype} {images.shape}")
    if columns < 1 or scale < 1:
        raise ValueError(f"columns and scale must be at least 1, got {columns} and {scale}")
    rows = -(-len(images) // columns)
    cell = SIDE + 1
    sheet = np.zeros((rows * cell - 1, columns * cell - 1, 2), dtype=np.uint8)  # grey level, opacity
    for position, pixels in enumerate(images):
        top, left = position // columns * cell, position % columns * cell
        sheet[top : top + SIDE, left : left + SIDE, 0] = pixels
        sheet[top : top + SIDE, left : left + SIDE, 1] = 255
    file = BytesIO()
    Image.fromarray(sheet.repeat(scale, axis=0).repeat(scale, axis=1)).save(file, format="PNG")
    return file.getvalue()
