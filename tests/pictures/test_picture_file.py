"""A picture file: every format arrives the same, and nothing hostile gets far."""

import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fmnist_core.data.sources import draw
from fmnist_core.pictures.own_picture import background_is_bright, prepare
from fmnist_core.pictures.picture_file import BYTE_LIMIT, FORMATS, PIXEL_LIMIT, PictureError, read_picture
from tests.picture_files import LOSSLESS, LOSSY, TURNS_BACK, difference, held, saved

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def garments() -> np.ndarray:
    return draw().test_images[:20]


def refusal(content: bytes) -> str:
    with pytest.raises(PictureError) as caught:
        read_picture(content)
    return str(caught.value)


# --- formats


@pytest.mark.parametrize("kind", LOSSLESS)
def test_what_is_saved_without_loss_comes_back_exactly(kind, garments):
    for garment in garments:
        assert np.array_equal(read_picture(LOSSLESS[kind](garment)), garment)


@pytest.mark.parametrize("kind", LOSSY)
def test_what_is_saved_with_loss_comes_back_nearly(kind, garments):
    for garment in garments:
        assert difference(read_picture(LOSSY[kind](garment)), garment) < 6


def test_every_format_is_tried_here():
    assert {kind.removeprefix("animated ").split()[0].upper() for kind in LOSSLESS | LOSSY} >= set(FORMATS)


@pytest.mark.parametrize("orientation", TURNS_BACK)
@pytest.mark.parametrize(
    ("format_name", "options"), [("PNG", {}), ("JPEG", {"quality": 95}), ("WEBP", {"lossless": True})]
)
def test_a_camera_held_any_way_gives_an_upright_picture(orientation, format_name, options, garments):
    upright = Image.fromarray(garments[0]).resize((56, 40))
    content = held(upright.convert("RGB"), orientation, format_name, **options)
    assert difference(read_picture(content), np.asarray(upright)) < (3 if format_name == "JPEG" else 1e-9)


def test_a_broken_orientation_counts_as_upright(garments):
    for exif in (
        b"Exif\0\0",
        b"Exif\0\0MM\0*",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\1\x12",
    ):
        assert np.array_equal(read_picture(saved(garments[0], "PNG", exif=exif)), garments[0])


@pytest.mark.parametrize(("garment", "background"), [(230, 0), (40, 255)])
def test_a_garment_on_nothing_gets_a_ground_that_it_stands_out_from(garment, background):
    pixels = np.zeros((40, 40, 4), dtype=np.uint8)
    pixels[10:30, 15:25] = (garment, garment, garment, 255)
    palette = Image.new("P", (40, 40), 0)
    palette.putpalette([0, 0, 0, garment, garment, garment])
    palette.paste(1, (15, 10, 25, 30))
    deep = np.zeros((40, 40), dtype=np.uint16)
    deep[10:30, 15:25] = garment * 257
    for content in (
        saved(pixels, "PNG"),
        saved(pixels, "WEBP", lossless=True),
        saved(palette, "PNG", transparency=0),
        saved(pixels[..., :3].copy(), "PNG", transparency=(0, 0, 0)),
        saved(deep, "PNG", transparency=0),
    ):
        grey = read_picture(content)
        assert set(np.unique(grey)) == {garment, background}
        assert np.all(grey[10:30, 15:25] == garment)
        assert background_is_bright(grey) == (background == 255)


def test_half_transparent_pixels_are_mixed_with_the_ground():
    pixels = np.full((10, 10, 2), 255, dtype=np.uint8)
    pixels[0, 0] = (200, 128)
    assert read_picture(saved(pixels, "PNG"))[0, 0] == 100


# --- hostile files


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def png_header(width: int, height: int) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)


def zeros(count: int) -> tuple[bytes, bytes]:
    return b"IDAT", zlib.compress(bytes(count))


def jpeg_of_many_scans(scans: int) -> bytes:
    """Four megapixels, the last of their scans again and again."""
    content = saved(Image.new("L", (2000, 2000), 77), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * (scans - content.count(b"\xff\xda") + 1) + content[-2:]


def jpeg_with_exif_bomb() -> bytes:
    """5,000 EXIF entries that all mean the same 60,000 bytes."""
    entries = b"".join(struct.pack(">HHII", number, 7, 60_000, 8) for number in range(5_000))
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", 5_000) + entries
    content = saved(Image.new("L", (40, 40), 77), "JPEG")
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + content[2:]


def webp_with_many_codes(side: int) -> bytes:
    """Lossless WebP with five code tables for every 4 x 4 pixels, in 20 bits each time."""
    bits: list[int] = []

    def put(value: int, count: int) -> None:
        bits.extend(value >> place & 1 for place in range(count))

    def put_code_of_eight_bits() -> None:
        put(0, 1)
        put(8, 4)  # twelve lengths of codes for lengths, of which only the length 8 has one
        for length in (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8):
            put(length == 8, 3)
        put(1, 1)
        put(3, 3)
        put(254, 8)  # for 256 symbols

    def put_code_of_one_symbol() -> None:
        put(0b0001, 4)

    put(side - 1, 14)
    put(side - 1, 14)
    put(0, 1 + 3 + 1 + 1)  # no alpha, version 0, no transform, no cache
    put(1, 1)  # many codes
    put(0, 3 + 1)  # one for every 4 x 4 pixels; no cache
    put_code_of_eight_bits()
    put_code_of_eight_bits()
    for _ in range(3):
        put_code_of_one_symbol()
    groups = (-(-side // 4)) ** 2
    for group in range(groups):
        for byte in (group & 255, group >> 8):
            put(int(f"{byte:08b}"[::-1], 2), 8)
    for _ in range(groups * 5):
        put_code_of_one_symbol()
    data = b"\x2f" + np.packbits(np.array(bits + [0] * 64, dtype=np.uint8), bitorder="little").tobytes()
    data += bytes(len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(data) + 12) + b"WEBPVP8L" + struct.pack("<I", len(data)) + data


UNKNOWN = "the file must be a JPEG, PNG or WebP picture. If it is another kind, save it as PNG or JPEG"
BROKEN = "file cannot be read: it is damaged, incomplete or of a rare kind. Open it in another program"
HOSTILE = {
    "empty": (lambda: b"", "the file is empty. Choose another one"),
    "too many bytes": (lambda: bytes(BYTE_LIMIT + 1), "the file must have at most 20 MB, and has 20.0 MB. Make the"),
    "text": (lambda: b"hello\n", UNKNOWN),
    "SVG": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>', UNKNOWN),
    "HTML": (lambda: b"<!doctype html><script>alert(1)</script>", UNKNOWN),
    "PDF": (lambda: b"%PDF-1.7\n%", UNKNOWN),
    "GIF": (lambda: saved(Image.new("L", (40, 40)), "GIF"), UNKNOWN),
    "HEIC": (lambda: b"\0\0\0\x18ftypheic\0\0\0\0", "Settings > Camera > Formats > Most Compatible"),
    "TIFF": (lambda: saved(Image.new("L", (40, 40)), "TIFF"), UNKNOWN),
    "PNG of giant size": (lambda: png(png_header(30_000, 30_000), zeros(9)), "4 megapixels, and is 30,000 x 30,000 p"),
    "PNG just too large": (
        lambda: png(png_header(2_000, 2_001), zeros(2_001 * 2_001), (b"IEND", b"")),
        "the picture must have at most 4 megapixels, and is 2,000 x 2,001 pixels. Make it smaller, and try again",
    ),
    "PNG whose header lies": (lambda: png(png_header(2_000, 2_000), zeros(9), (b"IEND", b"")), f"the PNG {BROKEN}"),
    "PNG of no pixels": (lambda: png(png_header(0, 0), zeros(9)), "at least 8 pixels wide and high, and is 0 x 0"),
    "PNG too flat": (
        lambda: saved(Image.new("L", (300, 7)), "PNG"),
        "the picture must be at least 8 pixels wide and high, and is 300 x 7. Choose a larger one",
    ),
    "PNG without pixels": (lambda: png(png_header(40, 40), (b"IEND", b"")), f"the PNG {BROKEN}"),
    "PNG of countless chunks": (lambda: png(png_header(40, 40), *[(b"abCd", b"")] * 400_000), f"the PNG {BROKEN}"),
    "JPEG of giant size": (
        lambda: saved(Image.new("L", (40, 40)), "JPEG").replace(struct.pack(">HH", 40, 40), b"\xff\xff" * 2),
        "52 megapixels, and is 65,535 x 65,535 pixels",
    ),
    "JPEG of many scans": (
        lambda: jpeg_of_many_scans(5_000),
        "the JPEG file must tell its picture in at most 32 scans, and has 5,000. Open it in another program",
    ),
    "JPEG of countless segments": (
        lambda: b"\xff\xd8" + b"\xff\xfe\x00\x02" * 1_000_000,
        f"the JPEG {BROKEN}",
    ),
    "WebP of giant size": (
        lambda: saved(Image.new("RGB", (1_500, 1_500)), "WEBP"),
        "the picture must have at most 2 megapixels, and is 1,500 x 1,500 pixels",
    ),
    "WebP of many codes": (
        lambda: webp_with_many_codes(1_024),
        "a WebP picture that is lossless or transparent must have at most 100,000 pixels, and is 1,024 x 1,024. Open",
    ),
    "WebP cut short": (lambda: saved(Image.new("RGB", (40, 40)), "WEBP")[:-4], f"the WebP {BROKEN}"),
    "transparent all over": (
        lambda: saved(Image.new("RGBA", (2_000, 2_000)), "PNG"),
        "the picture is transparent all over. Choose another one, or give it a background",
    ),
}
# These are good pictures with a load on their back that must not be taken up.
LOADED = {
    "PNG with texts for 64 MB": lambda: png(
        png_header(40, 40),
        *[(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000)))] * 60,
        *[(b"iCCP", b"a\0\0" + zlib.compress(bytes(1_000_000)))] * 3,
        zeros(41 * 40),
        *[(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000)))] * 60,
        (b"IEND", b""),
    ),
    "PNG with a second, giant header": lambda: png(
        png_header(40, 40), png_header(9_000, 9_000), zeros(41 * 40), (b"IEND", b"")
    ),
    "PNG with pixels for gigabytes": lambda: png(png_header(40, 40), zeros(1_000_000_000 // 10), (b"IEND", b"")),
    "JPEG with EXIF entries for 300 MB": jpeg_with_exif_bomb,
    "JPEG with a film behind": lambda: saved(Image.new("L", (40, 40)), "JPEG") + b"\xff\xda" * 2_000_000,
    "JPEG of as many scans as allowed": lambda: jpeg_of_many_scans(32),
    "WebP of as many codes as allowed": lambda: webp_with_many_codes(316),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_cannot_be_used_is_refused_at_once_with_a_sentence(kind):
    make, sentence = HOSTILE[kind]
    content = make()
    started = time.process_time()
    message = refusal(content)
    assert time.process_time() - started < 0.2
    assert sentence in message
    assert not message.endswith(".")
    assert "\n" not in message


@pytest.mark.parametrize("kind", LOADED)
def test_a_load_on_the_back_of_a_picture_costs_nothing(kind):
    content = LOADED[kind]()
    assert len(content) <= BYTE_LIMIT
    started = time.process_time()
    assert read_picture(content).size >= 1600
    assert time.process_time() - started < 0.4


def large_pictures() -> dict[str, bytes]:
    """Good pictures of as many pixels as each kind may have, and of many colours."""
    rows, columns = np.mgrid[:2_000, :2_000]
    grey = ((rows // 7) * (columns // 5) % 256).astype(np.uint8)
    colours = Image.fromarray(np.stack([grey, grey.T, 255 - grey], axis=2))
    smooth = colours.resize((100, 100)).resize((2_000, 2_000))
    opaque = colours.copy()
    opaque.putalpha(Image.fromarray(grey))
    assert colours.width * colours.height == PIXEL_LIMIT
    return {
        "PNG": saved(colours, "PNG", compress_level=1),
        "PNG with opacity": saved(opaque, "PNG", compress_level=1),
        "PNG with a transparent colour": saved(colours, "PNG", transparency=(1, 2, 3), compress_level=1),
        "PNG with 16 bits": saved(grey.astype(np.uint16) * 257, "PNG", transparency=3, compress_level=1),
        "JPEG": saved(smooth, "JPEG", quality=90, progressive=True, subsampling=0),
        "CMYK JPEG": saved(smooth.convert("CMYK"), "JPEG", progressive=True),
        "WebP": saved(smooth.resize((1_414, 1_414)), "WEBP", method=0),
    }


def phone_photo(megapixels: int, **options: object) -> bytes:
    """As phones save them: baseline JPEG, with a camera's noise."""
    width, height = {12: (4032, 3024), 24: (6048, 4032), 50: (8160, 6144)}[megapixels]
    noise = np.random.default_rng(0).integers(0, 40, (height // 4, width // 4), dtype=np.uint8)
    picture = Image.fromarray(np.tile(noise, (4, 4))).convert("RGB")
    picture.paste((20, 30, 200), (width // 4, height // 4, width // 2, height // 2))
    return saved(picture, "JPEG", quality=90, **options)


# Processor time, and twice what it should be: a busy machine stretches that as well.
@pytest.mark.parametrize("megapixels", [12, 24, 50])
def test_a_phones_photo_is_read_and_prepared_at_once(megapixels):
    content = phone_photo(megapixels)
    assert len(content) > 2_500_000
    times = []
    for _ in range(3):
        started = time.process_time()
        prepare(read_picture(content))
        times.append(time.process_time() - started)
    assert min(times) < 0.6


@pytest.mark.parametrize("orientation", TURNS_BACK)
def test_a_large_photo_is_turned_upright(orientation):
    upright = Image.new("RGB", (4032, 3024), "white")
    upright.paste((20, 30, 60), (400, 300, 1600, 800))
    grey = read_picture(held(upright, orientation, "JPEG"))
    assert grey.shape == (756, 1008)
    assert grey[80:195, 105:395].max() < 60
    assert grey[210:].min() > 240


MEASURE = """
import os, sys
from io import BytesIO
from pathlib import Path
from PIL import Image
from fmnist_core.pictures.own_picture import prepare
from fmnist_core.pictures.picture_file import FORMATS, PictureError, read_picture

def kilobytes(name):
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if name in line)

for name in FORMATS:  # import everything
    file = BytesIO()
    picture = Image.new("L", (100, 100))
    picture.paste(255, (20, 40, 80, 60))
    picture.save(file, name)
    prepare(read_picture(file.getvalue()))
for path in Path(sys.argv[1]).iterdir():
    name, content = path.name, path.read_bytes()
    child = os.fork()  # a process each: none finds room that an earlier one has left
    if child:
        assert os.waitpid(child, 0)[1] == 0, name
        continue
    Path("/proc/self/clear_refs").write_text("5")  # the highest becomes the present
    before = kilobytes("VmRSS")
    try:
        prepare(read_picture(content))
    except PictureError:
        pass
    print(kilobytes("VmHWM") - before, name, flush=True)
    os._exit(0)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measures memory as Linux counts it")
def test_no_file_takes_more_than_50_mb(tmp_path):
    contents = {kind: make() for kind, (make, _) in HOSTILE.items()}
    contents |= {kind: make() for kind, make in LOADED.items()} | large_pictures()
    contents |= {f"a photo of {megapixels} megapixels": phone_photo(megapixels) for megapixels in (12, 24, 50)}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    # Not getrusage: what it calls the highest begins with that of the process that started this one.
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", MEASURE, tmp_path],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    taken = {
        name: int(kilobytes) for kilobytes, name in (line.split(" ", 1) for line in done.stdout.decode().splitlines())
    }
    assert taken.keys() == contents.keys()
    assert max(taken.values()) > 10_000, "a large picture cannot take nothing"
    assert {name: size for name, size in taken.items() if size > 50_000} == {}


def test_only_picture_errors_come_out_of_damaged_files(garments):
    generator = np.random.default_rng(0)
    refused = 0
    contents = [make(garments[0]) for make in (LOSSLESS | LOSSY).values()]
    for _ in range(60):
        for content in contents:
            damaged = bytearray(content)
            place = int(generator.integers(len(damaged)))
            damage = generator.integers(4)
            if damage == 0:
                del damaged[place:]
            elif damage == 1:
                del damaged[place : place + int(generator.integers(1, 40))]
            else:
                early = len(damaged) if damage == 2 else min(100, len(damaged))
                for _ in range(3):
                    damaged[int(generator.integers(early))] = int(generator.choice([0, 1, 127, 128, 255]))
            try:
                prepare(read_picture(bytes(damaged)))
            except PictureError:
                refused += 1
    assert 300 < refused < 60 * len(contents)
