"""Garments and what networks make of them as PNG pictures, enlarged without smoothing.

Garments are pale on black, as the data set stores them. Signed values are orange above zero and blue below it, two
colours that every kind of colour vision tells apart, and black at zero: a sheet looks the same on every page.
"""

from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 28  # pixels
FOR_COLOUR = (255, 150, 40)  # orange
AGAINST_COLOUR = (60, 150, 255)  # blue, as bright as the orange
_DIMMED = 0.3  # of a garment's brightness, where colours lie over it

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.floating]


def png_image(pixels: Pixels, scale: int) -> bytes:
    """Enlarge one garment, (28, 28), by a whole number; each pixel becomes a sharp square."""
    return contact_sheet(pixels[np.newaxis], columns=1, scale=scale)


def png_thumbnail(pixels: Pixels, side: int) -> bytes:
    """Any grey picture, (height, width), in the middle of a transparent square, as large as it fits.

    Small ones are enlarged by a whole number, so that each pixel stays a sharp square.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 2 or not pixels.size:
        raise ValueError(f"the picture must be uint8 (height, width), got {pixels.dtype} {pixels.shape}")
    picture = Image.fromarray(pixels)
    if max(pixels.shape) > side:
        picture.thumbnail((side, side))
    else:
        scale = side // max(pixels.shape)
        picture = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
    square = Image.new("LA", (side, side))
    place = ((side - picture.width) // 2, (side - picture.height) // 2)
    square.paste(Image.merge("LA", (picture, Image.new("L", picture.size, 255))), place)
    file = BytesIO()
    square.save(file, format="PNG")
    return file.getvalue()


def contact_sheet(images: Pixels, columns: int, scale: int) -> bytes:
    """Lay garments, (n, 28, 28), out in rows, with transparent gaps and transparent places at the end.

    The gap between neighbours is one enlarged pixel; there is none around the sheet.
    """
    _check_garments(images)
    return _sheet(images[..., np.newaxis], columns, scale)


def diverging_sheet(images: Floats, columns: int, scale: int) -> bytes:
    """Lay signed values, (n, 28, 28), out as `contact_sheet` does, all with the same scale of colours.

    The hundredth part of the values that is furthest from zero has the full colour: a few must not darken the rest.
    """
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE) or not len(images):
        raise ValueError(f"images must have shape (n, 28, 28), got {images.shape}")
    largest = float(np.quantile(np.abs(images), 0.99))
    return _sheet(_tinted(np.zeros(images.shape), images, largest), columns, scale)


def relevance_overlay(pixels: Pixels, relevance: Floats, scale: int, *, largest: float | None = None) -> bytes:
    """Enlarge one garment, (28, 28), dimmed, with its pixels' relevance (28, 28) in colour over it.

    Orange speaks for a class, blue against it; the full colour stands for `largest`, by default the largest relevance
    of this garment. Give two pictures the same `largest` to compare them.
    """
    _check_garments(pixels[np.newaxis])
    if relevance.shape != (SIDE, SIDE):
        raise ValueError(f"relevance must have shape (28, 28), got {relevance.shape}")
    if largest is not None and not largest > 0:
        raise ValueError(f"largest must be above 0, got {largest}")
    return _sheet(_tinted(_DIMMED * pixels, relevance, largest)[np.newaxis], 1, scale)


def _check_garments(images: Pixels) -> None:
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (SIDE, SIDE) or not len(images):
        raise ValueError(f"images must be uint8 of shape (n, 28, 28), got {images.dtype} {images.shape}")


def _tinted(grey: Floats, values: Floats, largest: float | None) -> Pixels:
    """Grey levels with a signed colour over each, (..., 3); its opacity is the value's share of `largest`."""
    size = np.abs(values)
    reach = largest or size.max() or 1.0
    opacity = np.minimum(size / reach, 1)[..., np.newaxis]
    colour = np.where(values[..., np.newaxis] > 0, FOR_COLOUR, AGAINST_COLOUR)
    tinted: Pixels = np.rint((1 - opacity) * grey[..., np.newaxis] + opacity * colour).astype(np.uint8)
    return tinted


def _sheet(cells: Pixels, columns: int, scale: int) -> bytes:
    """Cells, (n, 28, 28, channels), in rows; an opacity is added as the last channel."""
    if columns < 1 or scale < 1:
        raise ValueError(f"columns and scale must be at least 1, got {columns} and {scale}")
    rows, channels = -(-len(cells) // columns), cells.shape[-1]
    step = SIDE + 1
    sheet = np.zeros((rows * step - 1, columns * step - 1, channels + 1), dtype=np.uint8)
    for position, cell in enumerate(cells):
        top, left = position // columns * step, position % columns * step
        sheet[top : top + SIDE, left : left + SIDE, :channels] = cell
        sheet[top : top + SIDE, left : left + SIDE, channels] = 255
    file = BytesIO()
    Image.fromarray(sheet.repeat(scale, axis=0).repeat(scale, axis=1)).save(file, format="PNG")
    return file.getvalue()
