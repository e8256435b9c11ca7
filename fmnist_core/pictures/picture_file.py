"""A picture file from anybody, read safely as plain grey: what it says of itself is checked before it is decoded."""

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

import numpy as np
from PIL import Image

from fmnist_core.pictures.png import Pixels

FORMATS = ("PNG", "JPEG", "WEBP")
BYTE_LIMIT = 20_000_000  # 20 MB
PIXEL_LIMIT = 4_000_000
PHOTO_PIXEL_LIMIT = 52_000_000  # of a JPEG, which can be decoded small
WEBP_PIXEL_LIMIT = 2_000_000  # its decoder keeps up to five copies of the picture, four bytes a pixel each
SHORTEST_SIDE = 8  # pixels

_BLOCK_LIMIT = 10_000  # parts of a file; a camera's has hundreds, and each costs time, however small
# A progressive JPEG refines the same pixels in ten scans or so. A scan of a few bytes can be for the whole picture, so
# a small file with many of them keeps the decoder busy for minutes.
_SCAN_LIMIT = 32
# WebP without loss, also that of an alpha channel, may bring code tables for every 16 pixels, in 5 bytes that become
# 5,600: a file of 0.3 MB takes 360 MB. Only the size of the picture bounds them.
_WEBP_CODES_LIMIT = 100_000  # pixels

_STRIP_ROWS = 64
_DECODED_SIDE = 640  # pixels, the least that a large JPEG is decoded to

_REMEDY = "save it as PNG or JPEG, and try again"
HEIC_REMEDY = (
    "On the iPhone choose Settings > Camera > Formats > Most Compatible and take it again, or share it as JPEG"
)


class PictureError(ValueError):
    """The picture cannot be used; the message says why and what to do."""


class _Header(NamedTuple):
    """What a file says of its picture, and the file without all that reading the pixels does not need."""

    width: int
    height: int
    essential: bytes
    exif: bytes = b""
    pixel_limit: int = PIXEL_LIMIT


def read_picture(content: bytes) -> Pixels:
    """The file's picture, upright, in plain grey (height, width), 0 for black.

    What is transparent becomes black where the rest is mostly bright, else white; of an animation only the first
    picture counts. A large JPEG comes smaller, at least 640 pixels a side. The file's content decides on its format,
    not its name. Raises PictureError.
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
    _check_size(header.width, header.height, header.pixel_limit)
    # Pillow lets through whatever goes wrong in its decoders, and has no common class for it.
    try:
        with Image.open(BytesIO(header.essential), formats=FORMATS) as image:
            if image.size != (header.width, header.height):
                raise _broken(format_name)
            # Lets JPEG leave out colours, and of a large photo all but every second, fourth or eighth pixel.
            image.draft("L", (_DECODED_SIDE, _DECODED_SIDE))
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
    if content[4:8] == b"ftyp" and content[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"):
        raise PictureError(f"a HEIC photo cannot be read here. {HEIC_REMEDY}")
    raise PictureError(f"the file must be a JPEG, PNG or WebP picture. If it is another kind, {_REMEDY}")


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


# Pillow reads everything that comes before the pixels when it opens a file, before the size can be checked: a short
# file can hold texts, comments or EXIF entries for gigabytes and minutes. So each format's size is read here, and
# Pillow gets only what it needs for the pixels.


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
    progressive = False
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
            sizes.append(struct.unpack_from(">HHB", content, position + 5))
            progressive = marker == 0xC2
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
    height, width, components = sizes[0]
    # What comes in one scan is decoded line by line; of more than one the decoder keeps the whole picture.
    in_one_scan = count == 1 and scans[4] == components and not progressive
    return _Header(width, height, b"".join((*kept, scans)), exif, PHOTO_PIXEL_LIMIT if in_one_scan else PIXEL_LIMIT)


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
    return _Header(width, height, content, pixel_limit=WEBP_PIXEL_LIMIT)


_HEADERS = {"PNG": _png, "JPEG": _jpeg, "WEBP": _webp}

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
    """The picture in grey. Made strip by strip: whole, what lies between takes four times the result's room."""
    grey, opacity = Image.new("L", image.size), Image.new("L", image.size)
    for top in range(0, image.height, _STRIP_ROWS):
        box = (0, top, image.width, min(top + _STRIP_ROWS, image.height))
        strip, cover = _grey_and_opacity(image.crop(box))
        grey.paste(strip, box)
        opacity.paste(255 if cover is None else cover, box)
    return _on_background(grey, opacity) if image.has_transparency_data else grey


def _grey_and_opacity(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    if image.mode == "I;16":
        # The high byte is the grey level, whether 8 bits were made 16 by 256 or by 257.
        values = np.asarray(image)
        grey = Image.fromarray((values >> 8).astype(np.uint8))
        if "transparency" not in image.info:
            return grey, None
        return grey, Image.fromarray(np.uint8(255) * (values != image.info["transparency"]))
    if image.has_transparency_data:
        if image.mode not in ("LA", "RGBA"):
            image = image.convert("RGBA")
        return image.convert("L"), image.getchannel("A")
    return image.convert("L"), None


def _on_background(grey: Image.Image, opacity: Image.Image) -> Image.Image:
    """Lay what is opaque on black where it is mostly bright, else on white, so that it stands out."""
    counts = grey.histogram(opacity.point([255 * (level >= 128) for level in range(256)]))
    if not sum(counts):
        raise PictureError("the picture is transparent all over. Choose another one, or give it a background")
    mean = sum(level * count for level, count in enumerate(counts)) / sum(counts)
    return Image.composite(grey, Image.new("L", grey.size, 0 if mean >= 128 else 255), opacity)
