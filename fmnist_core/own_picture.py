"""A visitor's own picture, step by step to what the network sees: checked, read as plain grey, and made 28 x 28."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from fmnist_core.pictures import SIDE, Pixels

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
BYTE_LIMIT = 5_000_000  # 5 MB
PIXEL_LIMIT = 4_000_000
WEBP_PIXEL_LIMIT = 2_000_000  # its decoder keeps up to five copies of the picture, four bytes a pixel each
SHORTEST_SIDE = 8  # pixels
FAINTEST = 20  # grey levels between the ground and a garment; less is noise

_BLOCK_LIMIT = 10_000  # parts of a file; a camera's has hundreds, and each costs time, however small
# A progressive JPEG refines the same pixels in ten scans or so. A scan of a few bytes can be for the whole picture, so
# a small file with many of them keeps the decoder busy for minutes.
_SCAN_LIMIT = 32
# WebP without loss, also that of an alpha channel, may bring code tables for every 16 pixels, in 5 bytes that become
# 5,600: a file of 0.3 MB takes 360 MB. Only the size of the picture bounds them.
_WEBP_CODES_LIMIT = 100_000  # pixels
_WORKING_SIDE = 1024  # pixels, the most that a garment's edges are looked for in
_SHOWN_SIDE = 256  # pixels, the most that a step keeps
_UNEVEN = 40  # grey levels; where the ground differs by more, it is not the light but something that lies there
_STANDS_OUT = 0.04  # of the brightest; enough for the faint hems of Fashion-MNIST, too much for a JPEG's ripples

_REMEDY = "save it as PNG or JPEG, and try again"


class PictureError(ValueError):
    """The picture cannot be used; the message says why and what to do."""


# --- reading


class _Header(NamedTuple):
    """What a file says of its picture, and the file without all that reading the pixels does not need."""

    width: int
    height: int
    essential: bytes
    exif: bytes = b""


def read_picture(content: bytes) -> Pixels:
    """The file's picture, upright, in plain grey (height, width), 0 for black.

    What is transparent becomes black where the rest is mostly bright, else white; of an animation only the first
    picture counts. The file's content decides on its format, not its name. Raises PictureError.
    """
    if not content:
        raise PictureError("the file is empty. Choose another one")
    if len(content) > BYTE_LIMIT:
        raise PictureError(
            f"the file must have at most {BYTE_LIMIT // 10**6} MB, and has {len(content) / 10**6:.1f} MB. "
            "Make the picture smaller, and try again"
        )
    format_name = _format(content)
    try:
        header = _HEADERS[format_name](content)
    except (IndexError, struct.error) as error:
        raise _broken(format_name) from error
    _check_size(header.width, header.height, WEBP_PIXEL_LIMIT if format_name == "WEBP" else PIXEL_LIMIT)
    # Pillow lets through whatever goes wrong in its decoders, and has no common class for it.
    try:
        with Image.open(BytesIO(header.essential), formats=FORMATS) as image:
            if image.size != (header.width, header.height):
                raise _broken(format_name)
            if image.mode == "RGB" and not image.has_transparency_data:
                image.draft("L", image.size)  # lets JPEG leave colours out from the start
            image.load()
            exif = header.exif or image.info.get("exif", b"")
            grey = _plain_grey(image)
    except PictureError:
        raise
    except Exception as error:
        raise _broken(format_name) from error
    turn = _TURNS.get(_orientation(exif))
    return np.array(grey if turn is None else grey.transpose(turn))


def _format(content: bytes) -> str:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "WEBP"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if content.startswith(b"BM"):
        return "BMP"
    raise PictureError(f"the file must be a PNG, JPEG, WebP, GIF or BMP picture. If it is another kind, {_REMEDY}")


def _broken(format_name: str) -> PictureError:
    spoken = "WebP" if format_name == "WEBP" else format_name
    return PictureError(
        f"the {spoken} file cannot be read: it is damaged, incomplete or of a rare kind. "
        f"Open it in another program, {_REMEDY}"
    )


def _check_size(width: int, height: int, limit: int) -> None:
    if min(width, height) < SHORTEST_SIDE:
        raise PictureError(
            f"the picture must be at least {SHORTEST_SIDE} pixels wide and high, and is {width} x {height}. "
            "Choose a larger one"
        )
    if width * height > limit:
        raise PictureError(
            f"the picture must have at most {limit / 10**6:.0f} megapixels, and is {width:,} x {height:,} pixels. "
            "Make it smaller, and try again"
        )


# Pillow reads everything that comes before the pixels when it opens a file, before the size can be judged: a short file
# can hold texts, comments or EXIF entries for gigabytes and minutes. So each format's size is read here, and Pillow
# gets only what it needs for the pixels.


def _png(content: bytes) -> _Header:
    width, height = struct.unpack_from(">II", content, 16)
    kept, seen, exif = [content[:8]], set(), b""
    for name, start, end in _png_chunks(content):
        if name == b"eXIf":
            exif = content[start + 8 : end - 4]
        elif name == b"IDAT" or (name in (b"IHDR", b"PLTE", b"tRNS", b"IEND") and name not in seen):
            kept.append(content[start:end])
            seen.add(name)
    if content[12:16] != b"IHDR" or b"IDAT" not in seen:
        raise _broken("PNG")
    return _Header(width, height, b"".join(kept), exif)


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of each chunk, a cut one included."""
    start = 8
    for _ in range(_BLOCK_LIMIT):
        if start + 8 > len(content):
            return
        length, name = struct.unpack_from(">I4s", content, start)
        yield name, start, start + length + 12
        start += length + 12
    raise _broken("PNG")


def _jpeg(content: bytes) -> _Header:
    kept, sizes, exif, position = [content[:2]], [], b"", 2
    for _ in range(_BLOCK_LIMIT):
        if content[position] != 0xFF:
            raise _broken("JPEG")
        marker = content[position + 1]
        if marker == 0xFF:  # padding
            position += 1
            continue
        end = position + 2 + int.from_bytes(content[position + 2 : position + 4])
        if marker == 0xDA:  # the first scan
            break
        if marker in (0xC0, 0xC1, 0xC2):  # baseline, extended, progressive; the rest is as rare as it is slow
            sizes.append(struct.unpack_from(">HH", content, position + 5))
        if marker == 0xE1 and content[position + 4 : position + 10] == b"Exif\0\0":
            exif = exif or content[position + 10 : end]
        if not (0xE1 <= marker <= 0xED or marker in (0xEF, 0xFE)):  # JFIF and Adobe tell how colours are meant
            kept.append(content[position:end])
        position = end
    # Among the pixels these two bytes mean the end; what cameras append, such as a film, is left out.
    finish = content.find(b"\xff\xd9", position)
    scans = content[position:] if finish < 0 else content[position : finish + 2]
    if len(sizes) != 1 or not scans.startswith(b"\xff\xda"):
        raise _broken("JPEG")
    count = scans.count(b"\xff\xda")
    if count > _SCAN_LIMIT:
        raise PictureError(
            f"the JPEG file must tell its picture in at most {_SCAN_LIMIT} scans, and has {count:,}. "
            f"Open it in another program, {_REMEDY}"
        )
    height, width = sizes[0]
    return _Header(width, height, b"".join((*kept, scans)), exif)


def _gif(content: bytes) -> _Header:
    width, height, flags = struct.unpack_from("<HHB", content, 6)
    start = position = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    transparency = b""
    for _ in range(_BLOCK_LIMIT):
        if content[position] == 0x2C:  # the first picture
            left, top, its_width, its_height = struct.unpack_from("<4H", content, position + 1)
            essential = content[:start] + transparency + content[position:]
            return _Header(max(width, left + its_width), max(height, top + its_height), essential)
        if content[position] == 0x21:  # an extension: its kind, then blocks up to an empty one
            if content[position + 1] == 0xF9 and content[position + 3] & 1:
                transparency = b"\x21\xf9\x04\x01\x00\x00" + content[position + 6 : position + 7] + b"\x00"
            position += 2
        elif content[position] == 0x3B:  # the end
            break
        position += content[position] + 1
    raise _broken("GIF")


def _bmp(content: bytes) -> _Header:
    (header_size,) = struct.unpack_from("<I", content, 14)
    if header_size == 12:
        width, height = struct.unpack_from("<HH", content, 18)
        return _Header(width, height, content)
    width, height, _, _, compression = struct.unpack_from("<iiHHI", content, 18)
    # 1 and 2 are run lengths: hardly anybody writes them, and Pillow takes seconds for them.
    if compression not in (0, 3):
        raise PictureError(f"the BMP file must not be compressed. Open it in another program, {_REMEDY}")
    return _Header(width, abs(height), content)


def _webp(content: bytes) -> _Header:
    kind = content[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(content[at : at + 3], "little") + 1 for at in (24, 27))
    elif kind == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", content, 26))
    else:
        raise _broken("WEBP")
    if width * height > _WEBP_CODES_LIMIT and (b"VP8L" in content or b"ALPH" in content):
        raise PictureError(
            f"a WebP picture that is lossless or transparent must have at most {_WEBP_CODES_LIMIT:,} pixels, "
            f"and is {width:,} x {height:,}. Open it in another program, {_REMEDY}"
        )
    return _Header(width, height, content)


_HEADERS = {"PNG": _png, "JPEG": _jpeg, "GIF": _gif, "BMP": _bmp, "WEBP": _webp}

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _orientation(exif: bytes) -> int:
    """1 to 8 as EXIF counts them, 1 for upright and for all that says nothing sensible."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, start)
        for entry in range(min(entries, _BLOCK_LIMIT)):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", exif, start + 2 + 12 * entry)
            if tag == 0x0112:
                return int(value)
    except struct.error:
        pass  # cut short
    return 1


def _plain_grey(image: Image.Image) -> Image.Image:
    if image.mode == "I;16":
        # The high byte is the grey level, whether 8 bits were made 16 by 256 or by 257.
        values = np.asarray(image)
        grey = Image.fromarray((values >> 8).astype(np.uint8))
        if "transparency" not in image.info:
            return grey
        return _on_ground(grey, Image.fromarray(np.uint8(255) * (values != image.info["transparency"])))
    if image.has_transparency_data:
        if image.mode not in ("LA", "RGBA"):
            image = image.convert("RGBA")
        return _on_ground(image.convert("L"), image.getchannel("A"))
    if image.mode == "CMYK":
        image = image.convert("RGB")
    return image.convert("L")


def _on_ground(grey: Image.Image, opacity: Image.Image) -> Image.Image:
    """Lay what is opaque on black where it is mostly bright, else on white, so that it stands out."""
    counts = grey.histogram(opacity.point([255 * (level >= 128) for level in range(256)]))
    if not sum(counts):
        raise PictureError("the picture is transparent all over. Choose another one, or give it a ground")
    mean = sum(level * count for level, count in enumerate(counts)) / sum(counts)
    return Image.composite(grey, Image.new("L", grey.size, 0 if mean >= 128 else 255), opacity)


# --- preparing


@dataclass(frozen=True, eq=False)
class Step:
    """One thing done to a picture: its name and reason for people, and the picture after it.

    Pixels are uint8 (height, width), made smaller where a side was over 256.
    """

    name: str
    what: str
    pixels: Pixels


@dataclass(frozen=True, eq=False)
class Prepared:
    """A picture as the network takes it, uint8 (28, 28), and the steps that led there, in their order."""

    steps: tuple[Step, ...]
    pixels: Pixels
    inverted: bool
    cropped: bool


def ground_is_bright(grey: Pixels) -> bool:
    """Whether the corners are nearer to the brightest than to the darkest pixel of the picture (height, width).

    Right for all 70,000 images of Fashion-MNIST, as they are and inverted.
    """
    deep, wide = (max(1, round(side / 14)) for side in grey.shape)
    corners = [part.ravel() for rows in (grey[:deep], grey[-deep:]) for part in (rows[:, :wide], rows[:, -wide:])]
    return bool(np.median(np.concatenate(corners)) > (int(grey.min()) + int(grey.max())) / 2)


def prepare(grey: Pixels, *, invert: bool | None = None, crop: bool | None = None) -> Prepared:
    """Treat a picture (height, width) as the makers of Fashion-MNIST did theirs; arXiv 1708.07747, figure 1.

    None decides: inverts where the ground is bright, crops what is not 28 x 28 already. What is 28 x 28 and not to be
    cropped stays as it is but for inverting. Raises PictureError where nothing stands out from the ground.
    """
    if grey.dtype != np.uint8 or grey.ndim != 2 or not grey.size:
        raise ValueError(f"a picture must be uint8 of shape (height, width), got {grey.dtype} {grey.shape}")
    as_known = grey.shape == (SIDE, SIDE)
    inverted = ground_is_bright(grey) if invert is None else invert
    cropped = not as_known if crop is None else crop
    steps = [_step("Grey", "Colours are left out: the network knows only light and dark.", grey)]
    pixels = np.array(grey)
    if inverted:
        pixels = 255 - pixels
        steps.append(_step("Inverted", "The network knows pale garments on black.", pixels))
    if as_known and not cropped:
        _check_contrast(int(pixels.max()) - int(pixels.min()))
        return Prepared(tuple(steps), pixels, inverted, cropped)

    # Where more than 1,024 pixels a side become 28, their means show all that matters, in less time and memory.
    pixels = np.array(Image.fromarray(pixels).reduce(-(-max(pixels.shape) // _WORKING_SIDE)))
    ground = _ground(pixels)
    if ground.any():
        pixels = np.clip(pixels - ground, 0, 255).round().astype(np.uint8)
        steps.append(_step("Ground made black", "A ground that is only nearly black is new to the network.", pixels))
    box = _garment(pixels)
    if cropped and pixels[box].shape != pixels.shape:
        pixels = pixels[box]
        steps.append(_step("Cropped", "A garment fills the picture from edge to edge.", pixels))
    if max(pixels.shape) != SIDE:
        pixels = _fitted(pixels)
        steps.append(_step("Resized", "The longer side becomes 28 pixels.", pixels))
    if pixels.shape != (SIDE, SIDE):
        pixels = _centred(pixels)
        steps.append(_step("Centred", "Black on both sides makes it 28 x 28.", pixels))
    brightest = int(pixels.max())
    if brightest == 0:  # so little that it is lost among the 28 x 28
        raise _nothing_stands_out()
    if brightest < 254:  # every image of Fashion-MNIST reaches 254
        pixels = (pixels * (255 / brightest)).round().astype(np.uint8)
        steps.append(_step("Brightened", "Every garment that the network knows reaches white somewhere.", pixels))
    return Prepared(tuple(steps), pixels, inverted, cropped)


def _step(name: str, what: str, pixels: Pixels) -> Step:
    shown = Image.fromarray(pixels)
    shown.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    return Step(name, what, np.array(shown))


def _check_contrast(levels: int) -> None:
    if levels < FAINTEST:
        raise _nothing_stands_out()


def _nothing_stands_out() -> PictureError:
    return PictureError("nothing stands out from the ground. Choose a picture of one garment on a plain ground")


def _ground(pixels: Pixels) -> npt.NDArray[np.float32]:
    """The level below which a pixel is ground, everywhere (height, width): even light, or light from one side.

    Judged from the darkest quarter of the border, because a garment may lie over the rest of it.
    """
    height, width = pixels.shape
    left, right = (float(np.quantile(pixels[:, column], 0.25)) for column in (0, -1))
    top, bottom = (float(np.quantile(pixels[row], 0.25)) for row in (0, -1))
    across = right - left if abs(right - left) <= _UNEVEN else 0.0
    down = bottom - top if abs(bottom - top) <= _UNEVEN else 0.0
    slope = (
        across * np.linspace(-0.5, 0.5, width, dtype=np.float32)
        + down * np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, np.newaxis]
    )
    level = pixels - slope
    rest = np.concatenate([level[0], level[-1], level[:, 0], level[:, -1]])
    darkest, dark = np.quantile(rest, [0.05, 0.25])
    # Noise and darker corners reach above the quarter about four times as far as down to the darkest.
    ground: npt.NDArray[np.float32] = np.maximum(0, slope + np.float32(dark + min(4 * (dark - darkest), _UNEVEN)))
    return ground


def _garment(pixels: Pixels) -> tuple[slice, slice]:
    """Rows and columns of all that stands out from a black ground."""
    # Of nine neighbours the third brightest: specks of one or two pixels vanish, a thin line stays.
    neighbours = np.asarray(Image.fromarray(pixels).filter(ImageFilter.RankFilter(3, 6)))
    calm = np.minimum(neighbours, pixels)  # the filter alone would widen everything by a pixel
    _check_contrast(int(calm.max()))
    lit = calm > _STANDS_OUT * calm.max()
    rows, columns = (np.flatnonzero(lit.any(axis=axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _fitted(pixels: Pixels) -> Pixels:
    """Scaled until the longer side is 28; pixels merge by their mean, and multiply smoothly."""
    longest = max(pixels.shape)
    height, width = (max(1, round(side * SIDE / longest)) for side in pixels.shape)
    method = Image.Resampling.BOX if longest >= SIDE else Image.Resampling.BICUBIC
    return np.array(Image.fromarray(pixels).resize((width, height), method))


def _centred(pixels: Pixels) -> Pixels:
    whole = np.zeros((SIDE, SIDE), dtype=np.uint8)
    top, left = ((SIDE - side + 1) // 2 for side in pixels.shape)  # an odd pixel goes where Fashion-MNIST has it
    whole[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return whole
