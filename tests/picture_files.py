"""Every way of saving a picture, for the tests of reading one."""

from io import BytesIO

import numpy as np
from PIL import Image

TURNS_BACK = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def saved(image: Image.Image | np.ndarray, format_name: str, **options: object) -> bytes:
    file = BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, format_name, **options)
    return file.getvalue()


def coloured(pixels: np.ndarray, mode: str) -> Image.Image:
    return Image.fromarray(pixels).convert("RGB").convert(mode)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """The mean over pixels, in grey levels."""
    return float(np.abs(one.astype(int) - other).mean())


def held(image: Image.Image, orientation: int, format_name: str, **options: object) -> bytes:
    """The file of a camera that was held as EXIF counts it, 1 to 8: its pixels lie, and a note tells how."""
    turn = TURNS_BACK[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(image if turn is None else image.transpose(turn), format_name, exif=exif, **options)


LOSSLESS = {
    "PNG": lambda pixels: saved(pixels, "PNG"),
    "PNG in colour": lambda pixels: saved(coloured(pixels, "RGB"), "PNG"),
    "PNG with 16 bits": lambda pixels: saved(pixels.astype(np.uint16) * 257, "PNG"),
    "PNG with 16 bits, the lower 8 empty": lambda pixels: saved(pixels.astype(np.uint16) << 8, "PNG"),
    "PNG with opacity": lambda pixels: saved(coloured(pixels, "RGBA"), "PNG"),
    "PNG, grey with opacity": lambda pixels: saved(coloured(pixels, "LA"), "PNG"),
    "PNG with a palette": lambda pixels: saved(Image.fromarray(pixels).convert("P"), "PNG"),
    "animated PNG": lambda pixels: saved(
        pixels, "PNG", save_all=True, append_images=[Image.fromarray(255 - pixels)], default_image=True
    ),
    "WebP": lambda pixels: saved(coloured(pixels, "RGB"), "WEBP", lossless=True),
    "animated WebP": lambda pixels: saved(
        coloured(pixels, "RGB"), "WEBP", lossless=True, save_all=True, append_images=[coloured(255 - pixels, "RGB")]
    ),
}
LOSSY = {
    "JPEG": lambda pixels: saved(pixels, "JPEG", quality=95),
    "JPEG in colour": lambda pixels: saved(coloured(pixels, "RGB"), "JPEG", quality=95),
    "progressive JPEG": lambda pixels: saved(coloured(pixels, "RGB"), "JPEG", quality=95, progressive=True),
    "CMYK JPEG": lambda pixels: saved(coloured(pixels, "CMYK"), "JPEG", quality=95),
    "WebP": lambda pixels: saved(coloured(pixels, "RGB"), "WEBP", quality=95),
}
