"""How well garments are found in people's own pictures: `python -m benchmarks.own_pictures`.

Asks the preset Best (from the store, trained first where it is not there) about 300 real test images, 30 a class, as
they are and in ten disguises: scenes with light, noise and JPEG as photos have them, read and prepared as an upload is.
Before that it prints how long reading and preparing takes for photos as large as phones make them, medians of 7.
"""

import statistics
import time
from collections.abc import Callable
from functools import cache
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from fmnist_core.config import PRESETS
from fmnist_core.data.dataset import CLASSES, Dataset
from fmnist_core.data.sources import load
from fmnist_core.network.stored_network import StoredNetwork
from fmnist_core.pictures.own_picture import prepare
from fmnist_core.pictures.picture_file import PictureError, read_picture
from fmnist_core.settings import Settings
from fmnist_core.store.runs import Store

Floats = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]
Disguise = Callable[[Pixels, np.random.Generator], bytes]

INK = 0.9  # of the light, that the darkest part of a garment swallows
NOISE = 2 / 255  # of a camera


def enlarged(garment: Pixels, side: int) -> Floats:
    """The garment (28, 28) smoothly enlarged to a square, from 0 to 1."""
    return np.asarray(Image.fromarray(garment).resize((side, side), Image.Resampling.BICUBIC)) / 255


def placed(garment: Pixels, rng: np.random.Generator, share: tuple[float, float] = (0.5, 0.8)) -> Floats:
    """The garment anywhere in an empty picture, 480 high and 640 wide; `share`: of the height that it takes."""
    side = round(rng.uniform(*share) * 480)
    scene = np.zeros((480, 640))
    top, left = rng.integers(480 - side + 1), rng.integers(640 - side + 1)
    scene[top : top + side, left : left + side] = enlarged(garment, side)
    return scene


def jpeg(scene: Floats, rng: np.random.Generator, quality: int = 88, noise: float = NOISE, **options: object) -> bytes:
    """A photo of a scene, (height, width) or with three colours, from 0 to 1."""
    scene = scene + rng.normal(0, noise, scene.shape)
    file = BytesIO()
    Image.fromarray((scene.clip(0, 1) * 255).round().astype(np.uint8)).save(file, "JPEG", quality=quality, **options)
    return file.getvalue()


@cache
def _grid() -> tuple[Floats, Floats]:
    rows, columns = np.mgrid[-1:1:480j, -1:1:640j]
    return rows, columns


def slope(rng: np.random.Generator, darkest: float) -> Floats:
    """Light that falls from 1 to `darkest` across the picture, in any direction."""
    rows, columns = _grid()
    angle = rng.uniform(0, 2 * np.pi)
    across = rows * np.sin(angle) + columns * np.cos(angle)
    return 1 - (1 - darkest) * (across - across.min()) / np.ptp(across)


def smooth_noise(rng: np.random.Generator, cells: tuple[int, int]) -> Floats:
    """Bumps from -1 to 1, `cells` (down, across) of them."""
    bumps = Image.fromarray(rng.uniform(-1, 1, cells).astype(np.float32))
    return np.asarray(bumps.resize((640, 480), Image.Resampling.BICUBIC), dtype=np.float64)


def poor_jpeg(garment: Pixels, rng: np.random.Generator) -> bytes:
    return jpeg(enlarged(garment, 280), rng, quality=15)


def on_paper(garment: Pixels, rng: np.random.Generator) -> bytes:
    return jpeg(0.97 * (1 - INK * placed(garment, rng)), rng)


def light_from_one_side(garment: Pixels, rng: np.random.Generator) -> bytes:
    return jpeg((1 - INK * placed(garment, rng)) * slope(rng, 0.55), rng)


def vignette_and_shadow(garment: Pixels, rng: np.random.Generator) -> bytes:
    scene = placed(garment, rng)
    rows, columns = _grid()
    shadow = Image.fromarray((255 * (scene > 0.1)).astype(np.uint8)).resize((32, 24), Image.Resampling.BOX)
    shade = np.roll(np.asarray(shadow.resize((640, 480), Image.Resampling.BICUBIC)) / 255, (12, 12), (0, 1))
    return jpeg((1 - INK * scene) * (1 - 0.2 * (rows**2 + columns**2)) * (1 - 0.12 * shade), rng)


def in_a_frame(garment: Pixels, rng: np.random.Generator) -> bytes:
    scene = (1 - INK * placed(garment, rng)) * slope(rng, 0.8)
    wide = int(rng.integers(14, 30))
    framed = np.full(scene.shape, rng.uniform(0.1, 0.4))
    framed[wide:-wide, wide:-wide] = np.asarray(
        Image.fromarray(scene).resize((640 - 2 * wide, 480 - 2 * wide), Image.Resampling.BILINEAR)
    )
    return jpeg(framed, rng)


def between_bars(garment: Pixels, rng: np.random.Generator) -> bytes:
    scene = (1 - INK * placed(garment, rng)) * slope(rng, 0.8)
    bars = ((80, 80), (0, 0)) if rng.random() < 0.5 else ((0, 0), (100, 100))
    return jpeg(np.pad(scene, bars), rng)


def on_cloth(garment: Pixels, rng: np.random.Generator) -> bytes:
    rows, columns = _grid()
    weave = 0.03 * np.sin(rows * 150) * np.sin(columns * 200) + 0.04 * smooth_noise(rng, (24, 32))
    return jpeg((0.85 + weave) * (1 - INK * placed(garment, rng)) * slope(rng, 0.8), rng)


def small_in_the_picture(garment: Pixels, rng: np.random.Generator) -> bytes:
    return jpeg(0.95 * (1 - INK * placed(garment, rng, (0.22, 0.28))), rng, noise=3 / 255)


def coloured_and_turned(garment: Pixels, rng: np.random.Generator) -> bytes:
    swallowed = INK * rng.permutation([1.0, 0.8, 0.5])
    paper = rng.uniform(0.75, 1, 3)
    scene = (1 - placed(garment, rng)[..., np.newaxis] * swallowed) * paper
    exif = Image.Exif()
    turned, exif[0x0112] = {0: (scene, 1), 1: (np.rot90(scene, 1), 6), 2: (np.rot90(scene, 2), 3)}[rng.integers(3)]
    return jpeg(turned, rng, exif=exif)


def pale_on_dark_cloth(garment: Pixels, rng: np.random.Generator) -> bytes:
    background = (0.2 + 0.02 * smooth_noise(rng, (24, 32))) * slope(rng, 0.6)
    return jpeg(background + 0.75 * placed(garment, rng) * slope(rng, 0.8), rng)


DISGUISES: dict[str, Disguise] = {
    "enlarged, a poor JPEG": poor_jpeg,
    "dark on white paper": on_paper,
    "light from one side": light_from_one_side,
    "dark corners and a shadow": vignette_and_shadow,
    "in a frame": in_a_frame,
    "between bars": between_bars,
    "on woven cloth": on_cloth,
    "small in the picture": small_in_the_picture,
    "coloured and turned": coloured_and_turned,
    "pale on dark cloth": pale_on_dark_cloth,
}


def chosen_images(data: Dataset, per_class: int = 30) -> npt.NDArray[np.int64]:
    """Places of test images, equally many of each class, always the same."""
    rng = np.random.default_rng(0)
    places = [rng.choice(np.flatnonzero(data.test_labels == label), per_class, False) for label in range(len(CLASSES))]
    return np.concatenate(places)


def disguised(image: Pixels, disguise: Disguise, place: int) -> Pixels | None:
    """The image (28, 28) as the network sees it when it comes as a picture in disguise; None where it is refused."""
    try:
        return prepare(read_picture(disguise(image, np.random.default_rng([1, place])))).pixels
    except PictureError:
        return None


def accuracy(network: StoredNetwork, images: list[Pixels | None], labels: npt.NDArray[np.int64]) -> float:
    """The share of images that the network names rightly; a refused one counts as wrong."""
    blank = np.zeros((28, 28), np.uint8)
    answers = network.probabilities(np.stack([blank if image is None else image for image in images])).argmax(axis=1)
    refused = np.array([image is None for image in images])
    return float(((answers == labels) & ~refused).mean())


def best_network(settings: Settings, data: Dataset) -> StoredNetwork:
    """The preset Best's, as stored; trained where it is not."""
    from fmnist_core.jobs.worker import train_stored_run  # loads torch

    store = Store(settings.database_url)
    config = next(preset.config for preset in PRESETS if preset.name == "Best")
    key = store.request(config, data.name, data.fingerprint)
    weights = store.weights(key, "last")
    if weights is None:
        train_stored_run(settings, key, "benchmark")
        weights = store.weights(key, "last")
    assert weights is not None, store.run(key)
    store.close()
    return StoredNetwork(config, weights.content)


def large_photo(garment: Pixels, side: int) -> bytes:
    """A JPEG of 4 to 3, `side` pixels wide, of the garment on paper in light from one side."""
    rng = np.random.default_rng(0)
    small = Image.open(BytesIO(light_from_one_side(garment, rng)))
    scene = np.asarray(small.resize((side, side * 3 // 4), Image.Resampling.BICUBIC), np.float32)[..., np.newaxis]
    grain = rng.standard_normal((*scene.shape[:2], 3), np.float32)
    grain *= 255 * NOISE
    grain += scene
    file = BytesIO()
    Image.fromarray(grain.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=95)
    return file.getvalue()


def seconds_to_prepare(photo: bytes) -> float:
    """From the bytes of an upload to what the network takes."""
    taken = []
    for _ in range(7):
        began = time.perf_counter()
        prepare(read_picture(photo))
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main() -> None:
    """Print one Markdown row a size of photo, and one a disguise."""
    settings = Settings.from_environment()
    data = load(settings)
    assert data.is_real, data.notes
    print("| photo | file | from upload to 28 x 28 |\n|---|---|---|")
    for side in (4000, 8160):
        photo = large_photo(data.test_images[0], side)
        size = f"{side * side * 3 / 4 / 1e6:.0f} megapixels | {len(photo) / 1e6:.1f} MB"
        print(f"| {size} | {1000 * seconds_to_prepare(photo):.0f} ms |", flush=True)
    print()
    network, places = best_network(settings, data), chosen_images(data)
    labels = data.test_labels[places]
    print("| disguise | right (%) |\n|---|---|")
    print(f"| as they are | {100 * accuracy(network, list(data.test_images[places]), labels):.1f} |")
    for name, disguise in DISGUISES.items():
        images = [disguised(data.test_images[place], disguise, int(place)) for place in places]
        print(f"| {name} | {100 * accuracy(network, images, labels):.1f} |", flush=True)


if __name__ == "__main__":
    main()
