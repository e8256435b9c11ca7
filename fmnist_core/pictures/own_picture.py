"""A visitor's own picture, step by step to what the network sees: plain grey is made 28 x 28, pale on black."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from fmnist_core.pictures.background import calm, differences, estimated_background, framed
from fmnist_core.pictures.picture_file import PictureError
from fmnist_core.pictures.png import SIDE, Pixels

FAINTEST = 20  # grey levels between the background and a garment; less is noise

_WORKING_SIDE = 1024  # pixels, the most that a garment's edges are looked for in
_SHOWN_SIDE = 256  # pixels, the most that a step keeps
_TELLS = 8  # grey levels to the background, the least that tells whether a garment is dark or pale
_DOUBT = 0.08  # of what stands out; where dark or pale parts have less, the others are the garment
_STANDS_OUT = 0.04  # of the brightest; enough for the faint hems of Fashion-MNIST, too much for a JPEG's ripples
_CLEAR = 0.15  # of the brightest, which no shadow reaches
_CLOTH = 0.3  # of the print's brightness, for what it is printed on


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
    """A picture as the network takes it, uint8 (28, 28), and the steps that led there, in their order.

    `in_doubt`: much of it is darker than the background, and much is paler, so that either may be the garment.
    """

    steps: tuple[Step, ...]
    pixels: Pixels
    inverted: bool
    cropped: bool
    in_doubt: bool


def background_is_bright(grey: Pixels) -> bool:
    """Whether the corners are nearer to the brightest than to the darkest pixel of the picture (height, width).

    Right for all 70,000 images of Fashion-MNIST, as they are and inverted.
    """
    deep, wide = (max(1, round(side / 14)) for side in grey.shape)
    corners = [part.ravel() for rows in (grey[:deep], grey[-deep:]) for part in (rows[:, :wide], rows[:, -wide:])]
    return bool(np.median(np.concatenate(corners)) > (int(grey.min()) + int(grey.max())) / 2)


def prepare(grey: Pixels, *, invert: bool | None = None, crop: bool | None = None) -> Prepared:
    """Treat a picture (height, width) as the makers of Fashion-MNIST did theirs; arXiv 1708.07747, figure 1.

    None decides: inverts where more of the picture is darker than its background than paler, crops what is not
    28 x 28 already. What is 28 x 28 and not to be cropped stays as it is but for inverting, by its corners. Raises
    PictureError where nothing stands out from the background.
    """
    if grey.dtype != np.uint8 or grey.ndim != 2 or not grey.size:
        raise ValueError(f"a picture must be uint8 of shape (height, width), got {grey.dtype} {grey.shape}")
    as_known = grey.shape == (SIDE, SIDE)
    cropped = not as_known if crop is None else crop
    steps = [_step("Grey", "Colours are left out: the network knows only light and dark.", grey)]
    if as_known and not cropped:
        inverted = background_is_bright(grey) if invert is None else invert
        pixels = 255 - grey if inverted else np.array(grey)
        if inverted:
            steps.append(_inverted(pixels))
        _check_contrast(int(pixels.max()) - int(pixels.min()))
        return Prepared(tuple(steps), pixels, inverted, cropped, in_doubt=False)

    # Where more than 1,024 pixels a side become 28, their means show all that matters, in less time and memory.
    pixels = np.array(Image.fromarray(grey).reduce(-(-max(grey.shape) // _WORKING_SIDE)))
    inside = framed(pixels)
    if pixels[inside].shape != pixels.shape:
        pixels = pixels[inside]
        steps.append(_step("Frame left out", "Bars or a frame around the picture are no garment.", pixels))
    darker, paler = differences(pixels, estimated_background(pixels))
    parts = {True: calm(darker) > _TELLS, False: calm(paler) > _TELLS}
    areas = {is_dark: int(part.sum()) for is_dark, part in parts.items()}
    inverted = areas[True] > areas[False] if invert is None else invert
    in_doubt = min(areas.values()) > _DOUBT * sum(areas.values())
    if inverted:
        pixels = 255 - pixels
        steps.append(_inverted(pixels))
    found = darker if inverted else paler
    if in_doubt and areas[inverted] < areas[not inverted]:
        # The print alone would be another garment: what it is printed on stays visible.
        found = np.maximum(found, np.float32(_CLOTH * found.max()) * parts[not inverted])
    found_pixels = found.round().astype(np.uint8)
    if not np.array_equal(found_pixels, pixels):
        pixels = found_pixels
        steps.append(
            _step("Background made black", "A background that is only nearly black is new to the network.", pixels)
        )
    box = _garment(pixels)
    if cropped and pixels[box].shape != pixels.shape:
        pixels = pixels[box]
        steps.append(_step("Cropped", "A garment fills the picture from edge to edge.", pixels))
    if max(pixels.shape) != SIDE:
        pixels = _fitted(pixels)
        steps.append(_step("Resized", "The longer side becomes 28 pixels.", pixels))
    if pixels.shape != (SIDE, SIDE):
        pixels = _centred(pixels)
        steps.append(_step("Centred", "Black on both sides makes it 28 by 28.", pixels))
    brightest = int(pixels.max())
    if brightest == 0:  # so little that it is lost among the 28 x 28
        raise _nothing_stands_out()
    if brightest < 254:  # every image of Fashion-MNIST reaches 254
        pixels = (pixels * (255 / brightest)).round().astype(np.uint8)
        steps.append(_step("Brightened", "Every garment that the network knows reaches white somewhere.", pixels))
    return Prepared(tuple(steps), pixels, inverted, cropped, in_doubt)


def _inverted(pixels: Pixels) -> Step:
    return _step("Inverted", "The network knows pale garments on black.", pixels)


def _step(name: str, what: str, pixels: Pixels) -> Step:
    shown = Image.fromarray(pixels)
    shown.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    return Step(name, what, np.array(shown))


def _check_contrast(levels: int) -> None:
    if levels < FAINTEST:
        raise _nothing_stands_out()


def _nothing_stands_out() -> PictureError:
    return PictureError("nothing stands out from the background. Choose a picture of one garment on a plain background")


def _garment(pixels: Pixels) -> tuple[slice, slice]:
    """Rows and columns of all that stands out from a black background: of each part that is clear somewhere.

    What is faint counts where it hangs together with something clear, as a hem does; alone, it is a shadow or dirt.
    """
    from scipy import ndimage  # where a picture came: most pages do without

    quiet = calm(pixels)
    _check_contrast(int(quiet.max()))
    parts, count = ndimage.label(quiet > _STANDS_OUT * quiet.max(), structure=np.ones((3, 3)))
    brightest = ndimage.maximum(quiet, parts, range(1, count + 1))
    boxes = zip(ndimage.find_objects(parts), brightest, strict=True)
    clear = [box for box, level in boxes if level > _CLEAR * quiet.max()]
    rows, columns = (
        slice(min(box[axis].start for box in clear), max(box[axis].stop for box in clear)) for axis in (0, 1)
    )
    return rows, columns


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
