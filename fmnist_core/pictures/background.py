"""What in a picture is background: a frame or bars around it, and behind the garment a smooth surface of light."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from fmnist_core.pictures.png import Pixels

Floats = npt.NDArray[np.float32]

_BAR = 0.3  # of a side, the most that a bar takes
_FRAME = 0.12  # of a side; what is wider all around is the background of a garment with straight edges
_FRAME_EVEN = 8  # grey levels around its own, mean over a line of a frame
_FRAME_EDGE = 25  # grey levels to what it frames
_FIT_SIDE = 96  # pixels, enough for a surface of six numbers
_NOISE = 2.5  # standard deviations of the background that still count as background


@dataclass(frozen=True, eq=False)
class Background:
    """The background's level everywhere, float32 (height, width), and its noise, in grey levels."""

    level: Floats
    noise: float


def framed(pixels: Pixels) -> tuple[slice, slice]:
    """Rows and columns of a picture (height, width) without even bars or a frame around it.

    Bars come in pairs, above and below or left and right: one alone may be the edge of a table, or of a garment.
    """
    height, width = pixels.shape
    (top, bottom), (left, right) = _bars(pixels, _BAR), (0, 0)
    if not top:
        left, right = _bars(pixels.T, _BAR)
    if not top and not left:  # of a frame, each side ends at its neighbours
        inner_columns, inner_rows = (slice(side // 8, side - side // 8) for side in (width, height))
        above, beside = _bars(pixels[:, inner_columns], _FRAME), _bars(pixels[inner_rows].T, _FRAME)
        if above[0] and beside[0]:
            (top, bottom), (left, right) = above, beside
    return slice(top, height - bottom), slice(left, width - right)


def _bars(pixels: Pixels, most: float) -> tuple[int, int]:
    """How many of the first and of the last rows are bars, each at most a share of all rows; 0 and 0 for no pair."""
    one, other = _bar(pixels, most), _bar(pixels[::-1], most)
    return (one, other) if one and other else (0, 0)


def _bar(pixels: Pixels, most: float) -> int:
    height, width = pixels.shape
    first_rows = pixels[: int(height * most) + 4].astype(np.float32)
    off = np.abs(first_rows - np.median(first_rows[0]))
    even = off.mean(axis=1) < _FRAME_EVEN
    first = len(even) if even.all() else int(np.argmin(even))
    inside = first + 3  # compression and scaling blur the edge
    if not 2 <= first <= height * most or inside >= len(even):
        return 0
    # The edge is straight: most of a line changes at once, up to both ends. A garment leaves background at its sides.
    changed, end = off[inside] > _FRAME_EDGE, max(1, width // 50)
    ends = min(changed[:end].mean(), changed[-end:].mean())
    return inside if changed.mean() > 0.6 and ends > 0.8 else 0


def estimated_background(pixels: Pixels) -> Background:
    """The smooth surface (quadratic in place) that most of the border and, from there, of the background lies on."""
    rows, columns = (np.linspace(-1, 1, side, dtype=np.float32) for side in pixels.shape)
    strides = tuple(max(1, side // _FIT_SIDE) for side in pixels.shape)
    small_rows, small_columns = (places[::stride] for places, stride in zip((rows, columns), strides, strict=True))
    # Means, not single pixels: a texture is not the light.
    small = np.asarray(
        Image.fromarray(pixels).resize((len(small_columns), len(small_rows)), Image.Resampling.BOX), dtype=np.float32
    )
    terms = _terms(small_rows, small_columns)
    border = np.maximum(np.abs(small_rows)[:, np.newaxis], np.abs(small_columns)) > 0.92
    surface = _start(small, small_rows, small_columns, border)
    tolerance = max(10.0, 0.1 * float(np.ptp(small)))
    inside = border
    for turn in range(8):
        if turn == 4:  # the border has told enough to know background further in
            inside = np.ones_like(border)
        off = np.abs(small - terms @ surface)
        near = inside & (off < tolerance)
        if near.sum() < 12:
            break
        surface = _fit(terms[near], small[near], surface)
        spread = 1.4826 * float(np.median(np.abs(small - terms @ surface)[near]))
        tolerance = max(3.0, min(tolerance, 4 * spread))
    level = _level(surface, rows, columns)
    still = np.abs(pixels - level)
    near_level = still[still < max(12.0, 4 * tolerance)]
    noise = 1.4826 * float(np.median(near_level)) if near_level.size else 0.0
    return Background(level, min(noise, 20.0))


def _terms(rows: Floats, columns: Floats) -> Floats:
    """The surface's terms everywhere, (height, width, 6)."""
    across, down = np.meshgrid(columns, rows)
    return np.stack([np.ones_like(across), across, down, across * down, across**2, down**2], axis=2)


def _level(surface: Floats, rows: Floats, columns: Floats) -> Floats:
    """The surface everywhere, (height, width); its terms one by one would take six times the room."""
    even, across, down, both, across_squared, down_squared = surface.astype(np.float32)
    level = np.outer(rows, both * columns)
    level += even + across * columns + across_squared * columns**2
    level += (down * rows + down_squared * rows**2)[:, np.newaxis]
    clipped: Floats = level.clip(0, 255)
    return clipped


def _start(small: Floats, rows: Floats, columns: Floats, border: npt.NDArray[np.bool_]) -> Floats:
    """The even level or the plane through three corners that most of the border is near to."""
    deep, wide = (max(1, round(side / 14)) for side in small.shape)
    corners = [
        (x, y, float(np.median(part)))
        for y, band in ((-1, small[:deep]), (1, small[-deep:]))
        for x, part in ((-1, band[:, :wide]), (1, band[:, -wide:]))
    ]
    everywhere = np.concatenate(
        [
            band[:, side].ravel()
            for band in (small[:deep], small[-deep:])
            for side in (slice(None, wide), slice(-wide, None))
        ]
    )
    starts = [np.array([np.median(everywhere), 0, 0, 0, 0, 0])]
    for left_out in range(4):
        three = np.array([corner for place, corner in enumerate(corners) if place != left_out])
        plane = np.linalg.solve(np.column_stack([np.ones(3), three[:, :2]]), three[:, 2])
        if np.abs(plane[1:]).sum() < 0.5 * plane[0]:
            starts.append(np.array([*plane, 0, 0, 0]))
    terms = _terms(rows, columns)[border]
    near = [float((np.abs(small[border] - terms @ start) < 12).mean()) for start in starts]
    near[0] += 0.05  # even light, where it explains about as much
    return starts[int(np.argmax(near))].astype(np.float32)


def _fit(terms: Floats, levels: Floats, before: Floats) -> Floats:
    """Least squares; what the pixels do not tell stays as it was."""
    ridge = np.diag([1e-6, 1e-3, 1e-3, 1e-2, 1e-2, 1e-2]).astype(np.float32) * len(levels)
    change: Floats = np.linalg.solve(terms.T @ terms + ridge, terms.T @ (levels - terms @ before))
    return before + change


def calm(values: Floats | Pixels) -> Pixels:
    """Values without what stands out in one or two pixels alone; thin lines stay."""
    pixels = values.clip(0, 255).astype(np.uint8)
    # Of nine neighbours the third brightest; the filter alone would widen everything by a pixel.
    quiet: Pixels = np.minimum(np.asarray(Image.fromarray(pixels).filter(ImageFilter.RankFilter(3, 6))), pixels)
    return quiet


def differences(pixels: Pixels, background: Background) -> tuple[Floats, Floats]:
    """How much darker than the background each pixel is, and how much paler, from 0 to 255 without the noise.

    Darker is a share of the light that falls there, so that light from one side makes no difference.
    """
    over = pixels - background.level
    margin = np.float32(_NOISE * background.noise)
    darker = (-over - margin).clip(0) * (255 / np.maximum(background.level - margin, 30))
    return darker.clip(0, 255), (over - margin).clip(0)
