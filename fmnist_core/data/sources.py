"""Find Fashion-MNIST, or fetch it, or draw a stand-in; then let all processes of the machine share its memory."""

import tempfile
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from filelock import FileLock

from fmnist_core.data.dataset import DataError, Dataset
from fmnist_core.data.download import (
    EXTRACTED_MD5,
    Progress,
    SourceError,
    faults,
    fetch,
    official_places,
    without_password,
)
from fmnist_core.data.drawn_garments import draw_garments
from fmnist_core.data.idx import read_idx
from fmnist_core.data.mapped import mapped, open_mapped
from fmnist_core.settings import Settings


def load(settings: Settings, progress: Callable[[Progress], None] | None = None) -> Dataset:
    """Find or fetch Fashion-MNIST; where it cannot be had, draw the stand-in.

    Looks in `settings.data_folder`, in the cache, at `settings.mirror` and at torchvision's mirrors, in this order.
    Never raises for lack of data: the result's `name` says what it is, its `notes` why earlier sources failed.
    `progress` is called for every piece that arrives.
    """
    notes: list[str] = []
    data = _local(settings, notes) or _fetched(settings, notes, progress or (lambda _: None))
    if data is None:
        notes.append(
            "Fashion-MNIST could not be had, so the images are drawn garments. Connect to the network, set "
            "DROPOUT_LAB_DATA to a folder with the official files, or set DROPOUT_LAB_MIRROR to their address; "
            "then try again."
        )
        data = draw(notes)
    return mapped(data, settings.data_cache)


@lru_cache(maxsize=2)
def load_matching(settings: Settings, fingerprint: str) -> Dataset:
    """The data set with this fingerprint, real or drawn, kept for the next call: made for worker processes.

    What another process of this machine has looked up before is only mapped. Uses the network only when neither the
    files of this machine nor the drawn garments match.
    Raises DataError that says what was wanted, what was found and what to do.
    """
    if there := open_mapped(settings.data_cache, fingerprint):
        return there
    notes: list[str] = []
    found = []
    sources: tuple[Callable[[], Dataset | None], ...] = (
        lambda: _local(settings, notes),
        lambda: draw(notes),
        lambda: _fetched(settings, notes, lambda _: None),
    )
    for source in sources:
        data = source()
        if data is not None and data.fingerprint == fingerprint:
            return mapped(data, settings.data_cache)
        if data is not None:
            found.append(f"{data.name} ({data.fingerprint})")
    raise DataError(
        f"this run needs the data set with fingerprint {fingerprint}; this machine has {' and '.join(found)}. "
        "Give every machine the same data and the same version of Dropout Lab: point DROPOUT_LAB_DATA to a folder "
        f"with the official files, or DROPOUT_LAB_MIRROR to their address. {' '.join(notes)}".rstrip()
    )


def _local(settings: Settings, notes: list[str]) -> Dataset | None:
    """The official files from the given folder or the cache."""
    if settings.data_folder is not None and (data := _from_folder(settings.data_folder, notes)):
        return data
    found = faults(settings.data_cache)
    if not found:
        return _parse(settings.data_cache, "the data cache", notes)
    for name, fault in found.items():
        if fault != "is missing":
            notes.append(f"{name} in the data cache {settings.data_cache} {fault}; it has to be fetched again.")
    return None


def _from_folder(folder: Path, notes: list[str]) -> Dataset | None:
    """Read the official files, extracted or packed, in `folder` or where torchvision keeps them below it."""
    problems = []
    for place in (folder, folder / "FashionMNIST" / "raw"):
        found = faults(place)
        if not found:
            return _parse(place, "the data folder", notes)
        problems += [f"{place / name} {fault}" for name, fault in found.items() if fault != "is missing"]
        if any((place / f"{name}.gz").exists() for name in EXTRACTED_MD5):
            # The folder belongs to the user, so the files are extracted elsewhere.
            try:
                with tempfile.TemporaryDirectory() as scratch:
                    notes += fetch(place.absolute().as_uri(), Path(scratch))
                    return _parse(Path(scratch), "the data folder", notes)
            except (SourceError, OSError) as error:
                problems.append(str(error))
    notes.append(
        f"The data folder {folder} does not hold the four official files, packed or extracted"
        f"{': ' if problems else ''}{'; '.join(problems)}. Put them there, or unset DROPOUT_LAB_DATA."
    )
    return None


def _fetched(settings: Settings, notes: list[str], report: Callable[[Progress], None]) -> Dataset | None:
    """The official files from the first mirror that gives them; kept in the cache where that can be written."""
    folder = settings.data_cache
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Whoever comes second waits here, and then finds the files.
        with FileLock(folder / ".lock"):
            return _from_mirrors(folder, settings.mirror, notes, report)
    except OSError as error:
        notes.append(
            f"The data cache {folder} cannot be written ({error.strerror or error}), so nothing fetched is kept. "
            "Make it writable, or set DROPOUT_LAB_HOME to a folder that is."
        )
    try:
        with tempfile.TemporaryDirectory() as scratch:
            return _from_mirrors(Path(scratch), settings.mirror, notes, report)
    except OSError as error:
        notes.append(
            f"The temporary folder cannot be written ({error.strerror or error}). Free space there, or set TMPDIR."
        )
    return None


def _from_mirrors(
    folder: Path, mirror: str | None, notes: list[str], report: Callable[[Progress], None]
) -> Dataset | None:
    try:
        places = official_places()
    except SourceError as error:
        notes.append(f"{error}. Install it as requirements.txt says.")
        return None
    for address in (*([mirror] if mirror else []), *places.mirrors):
        try:
            notes += fetch(address, folder, report)
        except SourceError as error:
            remedy = " Correct DROPOUT_LAB_MIRROR, or unset it." if address == mirror else ""
            notes.append(f"{error}.{remedy}")
        else:
            return _parse(folder, _mirror_words(address), notes)
    return None


def _parse(folder: Path, source: str, notes: list[str]) -> Dataset:
    train_images, test_images = (read_idx(folder / f"{part}-images-idx3-ubyte", 3) for part in ("train", "t10k"))
    train_labels, test_labels = (
        read_idx(folder / f"{part}-labels-idx1-ubyte", 1).astype(np.int64) for part in ("train", "t10k")
    )
    return Dataset("Fashion-MNIST", source, train_images, train_labels, test_images, test_labels, tuple(notes))


def _mirror_words(address: str) -> str:
    """What visitors are told of a mirror: its address, but nothing of where files lie on the server."""
    return "a mirror on the server" if address.startswith("file:") else f"the mirror {without_password(address)}"


def draw(notes: Sequence[str] = ()) -> Dataset:
    """The drawn garments, the same every time; `notes` say why they stand in for the official images."""
    return Dataset("Drawn garments", "drawn by this program", *draw_garments(), tuple(notes))
