"""Drawn garments: a stand-in for Fashion-MNIST that needs no network.

Ten classes with the official names, 28 x 28 grey, white on black as the official images. Every image has its own
cut, fabric, position and slant; pullovers, coats and shirts share styles, so that no network can tell them all
apart and the article's overfits within its thirty epochs. Lengths are in the coordinates of `Sheet`; the numbers
were chosen by eye, against the official images.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fmnist_core.data.pencil import SIZE, Array, Images, Sheet, inside, limb, line, through, wave

Labels = NDArray[np.int64]

# Some official images carry a wrong label. Here these pairs of classes exchange a few images, in equal numbers.
LOOKALIKES = ((0, 6), (2, 4), (2, 6), (4, 6), (0, 3), (5, 7), (7, 9))
EXCHANGED = 0.02  # of a class, for each pair that it is in


def _top(
    s: Sheet,
    *,
    sleeve: Array,
    reach: Array,
    waist: Array,
    hem: Array,
    bottom: Array,
    sleeve_width: tuple[float, float],
) -> Array:
    """Paint body and sleeves; return the neckline's height in each column.

    `sleeve` is how far the sleeves hang down, `reach` how far they spread for each unit of it.
    """
    cloth, top = s.cloth(), s.between(-0.95, -0.85)
    neck, shoulder = s.between(0.14, 0.26), s.between(0.4, 0.52)
    width = through(s.y, (top, neck), (top + 0.16, shoulder), (-0.3, waist + 0.03), (0.2, waist), (bottom, hem))
    uneven = 1 + s.between(-0.08, 0.08) * np.sign(s.x)
    start = (shoulder - 0.1, top + 0.22)
    end = (start[0] + sleeve * reach, start[1] + sleeve * uneven)
    arm = limb(s.across, s.y, start, end, (s.between(*sleeve_width), s.between(0.09, 0.15)))
    s.paint(arm, cloth * s.between(0.75, 1.05))
    body = inside(width - s.across) * inside(s.y - top) * inside(bottom - s.y)
    s.shade(line(width - s.across, 0.05) * (s.y > start[1]), s.between(0.2, 0.8))
    s.paint(body, cloth)
    pointed, depth = s.chance(0.35), s.between(0.05, 0.3)
    bow = s.across / neck
    neckline = top + depth * (1 - pointed * bow - (1 - pointed) * bow * bow)
    s.paint(inside(neckline - s.y) * body, s.chance(0.4) * s.between(0.1, 0.5))
    return neckline


def _front(s: Sheet, neckline: Array, share: float, collar_share: float) -> None:
    """An opening down the front with buttons on some, and a collar, for the given shares of the images."""
    middle, factor = s.x - s.between(-0.03, 0.03), s.between(0.15, 0.6)
    below = inside(s.y - neckline)
    opening = s.chance(share)
    s.shade(line(middle, s.between(0.03, 0.06)) * below * opening, factor)
    dots = wave(s.y / s.between(0.22, 0.4)) > np.float32(0.75)
    s.paint(line(middle - 0.06, 0.03) * dots * below * opening * s.chance(0.5) * (s.grey > 0), s.between(0, 1))
    collar = line(s.y - neckline - 0.04, s.between(0.04, 0.12)) * inside(0.32 - s.across) * (s.grey > 0)
    s.shade(collar * s.chance(collar_share), s.between(0.4, 1.5))


def _trim(s: Sheet, bottom: Array, share: float) -> None:
    """A ribbed hem for the given share of the images, and pockets on some of the rest."""
    ribbed = s.chance(share)
    s.shade(line(s.y - bottom + 0.06, 0.05) * ribbed, s.between(0.5, 1.3))
    pocket = line(s.y - s.between(0.2, 0.5), 0.03) * line(s.across - 0.25, 0.12)
    s.shade(pocket * (1 - ribbed) * s.chance(0.4), s.between(0.4, 0.8))


def _t_shirt(s: Sheet) -> None:
    bottom, waist = s.between(0.75, 0.97), s.between(0.36, 0.52)
    sleeve = s.between(0.05, 0.2) + s.between(0.2, 0.45) * s.chance(0.85)
    neckline = _top(
        s,
        sleeve=sleeve,
        reach=s.between(0.5, 1.1),
        waist=waist,
        hem=waist + s.between(-0.04, 0.08),
        bottom=bottom,
        sleeve_width=(0.14, 0.2),
    )
    _front(s, neckline, 0.08, 0.2)
    print_ = line(s.x, s.between(0.1, 0.25)) * line(s.y + s.between(0, 0.3), s.between(0.05, 0.22))
    s.paint(print_ * s.chance(0.35), s.cloth())


def _pullover(s: Sheet) -> None:
    bottom, waist = s.between(0.72, 0.95), s.between(0.36, 0.52)
    neckline = _top(
        s,
        sleeve=s.between(1.1, 1.6),
        reach=s.between(0.12, 0.34),
        waist=waist,
        hem=waist + s.between(-0.06, 0.05),
        bottom=bottom,
        sleeve_width=(0.13, 0.2),
    )
    _front(s, neckline, 0.25, 0.4)
    _trim(s, bottom, 0.6)


def _coat(s: Sheet) -> None:
    bottom, waist = s.between(0.8, 1.0), s.between(0.34, 0.5)
    neckline = _top(
        s,
        sleeve=s.between(1.15, 1.65),
        reach=s.between(0.1, 0.3),
        waist=waist,
        hem=waist + s.between(-0.02, 0.12),
        bottom=bottom,
        sleeve_width=(0.13, 0.2),
    )
    _front(s, neckline, 0.65, 0.5)
    lapel = limb(s.across, s.y, (0.2, -0.85), (0.0, s.between(-0.4, 0.0)), (0.05, 0.03))
    s.shade(lapel * s.chance(0.5), s.between(0.4, 0.9))
    _trim(s, bottom, 0.25)


def _shirt(s: Sheet) -> None:
    bottom, waist = s.between(0.75, 1.0), s.between(0.33, 0.48)
    short = s.chance(0.3)
    sleeve = short * s.between(0.3, 0.65) + (1 - short) * s.between(1.05, 1.6)
    reach = short * s.between(0.5, 1.0) + (1 - short) * s.between(0.12, 0.36)
    neckline = _top(
        s,
        sleeve=sleeve,
        reach=reach,
        waist=waist,
        hem=waist + s.between(-0.03, 0.09),
        bottom=bottom,
        sleeve_width=(0.11, 0.18),
    )
    _front(s, neckline, 0.5, 0.55)
    _trim(s, bottom, 0.3)


def _dress(s: Sheet) -> None:
    cloth, top = s.cloth(), s.between(-0.97, -0.85)
    shoulder, waist, hem = s.between(0.2, 0.36), s.between(0.16, 0.3), s.between(0.22, 0.55)
    level, bottom = s.between(-0.3, 0.05), s.between(0.85, 1.0)
    width = through(s.y, (top, shoulder - 0.08), (top + 0.15, shoulder), (level, waist), (bottom, hem))
    sleeve = s.between(0.3, 1.2)
    arm = limb(
        s.across,
        s.y,
        (shoulder - 0.08, top + 0.15),
        (shoulder + sleeve * 0.2, top + 0.15 + sleeve),
        (0.1, 0.08),
    )
    s.paint(arm * s.chance(0.4), cloth * s.between(0.7, 1.0))
    body = inside(width - s.across) * inside(s.y - top) * inside(bottom - s.y)
    s.paint(body, cloth)
    neck = s.between(0.1, 0.24)
    bow = s.across / neck
    s.paint(inside(top + s.between(0.05, 0.4) * (1 - bow * bow) - s.y), 0.0)
    s.shade(line(s.y - level, s.between(0.02, 0.07)) * s.chance(0.4), s.between(0.3, 1.4))
    s.shade(wave(s.x / s.between(0.15, 0.3)) * inside(s.y - level) * s.chance(0.4), s.between(0.4, 0.9))


def _trouser(s: Sheet) -> None:
    cloth, top, bottom = s.cloth(), s.between(-0.97, -0.88), s.between(0.85, 1.0)
    hip, crotch = s.between(0.24, 0.38), s.between(-0.5, -0.2)
    foot, ankle = s.between(0.14, 0.42), s.between(0.07, 0.15)
    outer = through(s.y, (top, hip - s.between(0.02, 0.08)), (crotch, hip), (bottom, foot + ankle))
    inner = through(s.y, (crotch, -0.03), (bottom, np.maximum(foot - ankle, 0.02)))
    legs = inside(outer - s.across) * inside(s.across - inner) * inside(s.y - top) * inside(bottom - s.y)
    s.paint(legs, cloth)
    s.shade(line(s.across, 0.03) * inside(s.y - top) * inside(crotch + 0.1 - s.y), s.between(0.4, 0.9))
    s.shade(line(s.y - top - 0.08, 0.05) * s.chance(0.6), s.between(0.4, 1.4))


def _shoe(s: Sheet, *, toe: Array, instep: Array, ankle: Array, heel: Array) -> tuple[Array, Array]:
    """Paint a closed shoe that points left; return the heights of its upper edge and its floor in each column.

    `toe`, `instep` and `ankle` are heights above the floor; `heel` is how far the back of the foot is lifted.
    """
    background, front, back = s.between(0.45, 0.65), s.between(-0.98, -0.88), s.between(0.8, 0.95)
    floor = background - heel * np.clip((s.x + 0.1) / 0.5, 0, 1)
    tongue = s.between(-0.1, 0.25)
    upper = background - through(
        s.x,
        (front, toe * 0.5),
        (front + 0.2, toe),
        (tongue - 0.25, instep),
        (tongue, ankle),
        (0.5 * (tongue + back), ankle - s.between(0, 0.12)),
        (back, ankle * s.between(0.92, 1.05)),
    )
    whole = inside(s.y - upper) * inside(floor - s.y) * inside(s.x - front) * inside(back - s.x)
    s.paint(whole, s.cloth())
    return upper, floor


def _sneaker(s: Sheet) -> None:
    toe = s.between(0.2, 0.32)
    instep = toe + s.between(0.08, 0.22)
    ankle = instep + s.between(0.1, 0.4)
    upper, floor = _shoe(s, toe=toe, instep=instep, ankle=ankle, heel=s.between(0, 0.08))
    s.paint(line(floor - s.y - 0.05, s.between(0.03, 0.08)) * (s.grey > 0), s.between(0.2, 1.0))
    middle = inside(0.25 - np.abs(s.x + 0.15)) * inside(s.y - upper) * inside(floor - s.y)
    s.shade(wave(s.x / s.between(0.12, 0.2)) * middle * s.chance(0.5), s.between(0.3, 1.4))
    s.shade(line(s.x - s.y - s.between(0, 0.6), s.between(0.05, 0.15)) * s.chance(0.5), s.between(0.3, 1.6))


def _boot(s: Sheet) -> None:
    toe = s.between(0.2, 0.35)
    instep = toe + s.between(0.1, 0.35)
    ankle = s.between(0.7, 1.45)
    heel = s.between(0, 0.3) * s.chance(0.6)
    upper, floor = _shoe(s, toe=toe, instep=np.minimum(instep, ankle), ankle=ankle, heel=heel)
    block = inside(s.x - 0.45) * inside(0.9 - s.x) * inside(s.y - floor) * inside(floor + heel - s.y)
    s.paint(block * (heel > 0), s.between(0.2, 0.8))
    s.paint(line(floor - s.y - 0.04, 0.04) * (s.grey > 0) * s.chance(0.5), s.between(0.2, 1.0))
    s.shade(line(s.y - upper - 0.1, 0.06) * s.chance(0.4), s.between(0.4, 1.5))
    s.shade(line(s.x - s.between(0.2, 0.6), 0.04) * (s.y < floor - toe) * s.chance(0.4), s.between(0.3, 0.8))


def _sandal(s: Sheet) -> None:
    background, heel = s.between(0.35, 0.6), s.between(0, 0.55) * s.chance(0.7)
    rise = heel * np.clip((s.x + 0.4) / 0.9, 0, 1)
    floor, thick = background - rise, s.between(0.04, 0.14)
    within = inside(s.x + s.between(0.85, 0.97)) * inside(s.between(0.8, 0.95) - s.x)
    s.paint(line(s.y - floor, thick) * within, s.between(0.3, 1.0))
    block = inside(s.x - s.between(0.4, 0.75)) * inside(s.y - floor) * inside(background + thick - s.y)
    s.paint(block * within * (heel > 0), s.between(0.3, 1.0))
    leather, height = s.cloth(), s.between(0.25, 0.5)
    strap = s.between(0.03, 0.09)
    straps = ((-0.75, 0.3, 0.7), (-0.35, -0.25, 0.8), (-0.35, 0.3, 1.0), (0.1, 0.3, 1.2), (0.8, -0.02, 1.6))
    for foot, lean, tall in straps:
        place = foot + s.between(-0.06, 0.06)
        base = background - heel * np.clip((place + 0.4) / 0.9, 0, 1)
        tip = (place + lean + s.between(-0.1, 0.1), base - tall * height)
        s.paint(limb(s.x, s.y, (place, base), tip, (strap, strap)) * s.chance(0.75), leather)
    ankle = background - heel - 1.5 * height
    s.paint(line(s.y - ankle, strap) * line(s.x - 0.58, 0.24) * s.chance(0.6), leather)


def _bag(s: Sheet) -> None:
    cloth, top, bottom = s.cloth(), s.between(-0.5, 0.1), s.between(0.6, 0.9)
    wide, lid = s.between(0.6, 0.95), s.between(0.15, 0.5)
    width = through(s.y, (top, wide - s.between(0, 0.25)), (bottom, wide - s.between(0, 0.1)))
    lift, span, thick = s.between(0.1, 0.6), s.between(0.2, 0.6), s.between(0.03, 0.07)
    bow = s.across / span
    # A flat-topped arc: its height above the bag, then the strip around it.
    arc = top - lift * (1 - bow * bow * bow * bow)
    handle = line(s.y - arc, thick * (1 + 2 * bow * bow)) * inside(span + thick - s.across) * inside(top + 0.05 - s.y)
    s.paint(handle * s.chance(0.85), cloth * s.between(0.6, 1.0))
    s.paint(inside(width - s.across) * inside(s.y - top) * inside(bottom - s.y), cloth)
    s.shade(line(s.y - top - lid, 0.03) * s.chance(0.6), s.between(0.2, 0.8))
    s.paint(line(s.x, s.between(0.05, 0.12)) * line(s.y - top - lid, 0.07) * s.chance(0.5), s.between(0, 1))


# In the order of the official labels.
_PAINTERS: tuple[Callable[[Sheet], None], ...] = (
    _t_shirt,
    _trouser,
    _pullover,
    _dress,
    _coat,
    _sandal,
    _shirt,
    _sneaker,
    _bag,
    _boot,
)


def draw_garments(
    seed: int = 0, train_per_class: int = 1200, test_per_class: int = 200
) -> tuple[Images, Labels, Images, Labels]:
    """Draw a data set: training images and labels, then test images and labels, in mixed order.

    Images are uint8 (n, 28, 28), labels int64 (n,) in Fashion-MNIST's numbering, every class equally often.
    """
    drawn = []
    for label, painter in enumerate(_PAINTERS):
        sheet = Sheet(np.random.default_rng([seed, label]), train_per_class + test_per_class)
        painter(sheet)
        drawn.append(sheet.developed())
    rng = np.random.default_rng([seed, len(_PAINTERS)])
    train = _shuffled([images[:train_per_class] for images in drawn], rng)
    test = _shuffled([images[train_per_class:] for images in drawn], rng)
    return *train, *test


def _shuffled(drawn: list[Images], rng: np.random.Generator) -> tuple[Images, Labels]:
    """Put equally many images of each class together, some under a lookalike's label, in random order."""
    per_class = len(drawn[0])
    images = np.stack(drawn)
    some = round(EXCHANGED * per_class)
    for number, pair in enumerate(LOOKALIKES):
        few = slice(number * some, (number + 1) * some)  # no image is exchanged twice
        images[pair, few] = images[pair[::-1], few]
    order = rng.permutation(len(drawn) * per_class)
    return images.reshape(-1, SIZE, SIZE)[order], np.repeat(np.arange(len(drawn)), per_class)[order]
