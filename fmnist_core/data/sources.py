"""Find Fashion-MNIST, or fetch it, or draw a stand-in; then let all processes of the machine share its memory."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from filelock import FileLock

from fmnist_core.data.dataset import DataError, Dataset
from fmnist_core.data.download import Progress, fetch, official_mirrors
from fmnist_core.data.drawn_garments import draw_garments
from fmnist_core.data.idx import read_idx
from fmnist_core.data.mapped import mapped, open_mapped
from fmnist_core.data.official_files import EXTRACTED_MD5, Contents, MissingFileError, read_extracted, read_given
from fmnist_core.data.receive import SourceError, without_password
from fmnist_core.settings import Settings

_PARTS = ("train", "t10k")


@dataclass
class _Found:
    """The official files that have been had so far, and from where."""

    contents: Contents = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)

    @property
    def lacking(self) -> list[str]:
        return [name for name in EXTRACTED_MD5 if name not in self.contents]

    def take(self, contents: Contents, source: str) -> None:
        if contents:
            self.contents |= contents
            self.sources.append(source)

    def dataset(self, notes: Sequence[str]) -> Dataset | None:
        """The data set, once all four files are there."""
        if self.lacking:
            return None
        train_images, test_images = (read_idx(self.contents[f"{part}-images-idx3-ubyte"], 3) for part in _PARTS)
        train_labels, test_labels = (
            read_idx(self.contents[f"{part}-labels-idx1-ubyte"], 1).astype(np.int64) for part in _PARTS
        )
        source = " and ".join(self.sources)
        return Dataset("Fashion-MNIST", source, train_images, train_labels, test_images, test_labels, tuple(notes))


def load(settings: Settings, progress: Callable[[Progress], None] | None = None) -> Dataset:
    """Find or fetch Fashion-MNIST; where it cannot be had, draw the stand-in.

    Takes each file from the first that has it good: `settings.data_folder`, the cache, `settings.mirror`, and
    torchvision's mirrors. Never raises for lack of data: the result's `name` says what it is, its `notes` why earlier
    sources failed. `progress` is called for every piece that arrives.
    """
    notes: list[str] = []
    found = _local(settings, notes)
    data = found.dataset(notes) or _fetched(settings, found, notes, progress or (lambda _: None))
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
    local = _local(settings, notes)
    seen = []
    sources: tuple[Callable[[], Dataset | None], ...] = (
        lambda: local.dataset(notes),
        lambda: draw(notes),
        lambda: _fetched(settings, local, notes, lambda _: None) if local.lacking else None,
    )
    for source in sources:
        data = source()
        if data is not None and data.fingerprint == fingerprint:
            return mapped(data, settings.data_cache)
        if data is not None:
            seen.append(f"{data.name} ({data.fingerprint})")
    raise DataError(
        f"this run needs the data set with fingerprint {fingerprint}; this machine has {' and '.join(seen)}. "
        "Give every machine the same data and the same version of Dropout Lab: point DROPOUT_LAB_DATA to a folder "
        f"with the official files, or DROPOUT_LAB_MIRROR to their address. {' '.join(notes)}".rstrip()
    )


def _local(settings: Settings, notes: list[str]) -> _Found:
    """What the given folder has of the official files, and then the cache of the rest."""
    found = _Found()
    if settings.data_folder is not None:
        found.take(_given(settings.data_folder, notes), "the data folder")
    cached, faults = read_extracted(settings.data_cache, found.lacking)
    found.take(cached, "the data cache")
    for name, fault in faults.items():
        if not isinstance(fault, MissingFileError):
            notes.append(f"{name} in the data cache {settings.data_cache} {fault}; it has to be fetched again.")
    return found


def _given(folder: Path, notes: list[str]) -> Contents:
    """The good files of a folder that belongs to the user, and is only read; a note names what is wrong in it."""
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        notes.append(
            f"The data folder {folder} cannot be read ({error.strerror or error}). Correct or unset DROPOUT_LAB_DATA."
        )
        return {}
    contents, faults = read_given(folder, EXTRACTED_MD5)
    lacking = len(EXTRACTED_MD5) - len(contents)
    if lacking:
        notes.append(
            f"The data folder {folder} has {len(contents)} of the four official files, packed or extracted: "
            f"{'; '.join(faults)}. Only what is good was taken. Put the rest there, or unset DROPOUT_LAB_DATA."
        )
    elif faults:
        notes.append(
            f"In the data folder {folder} a good copy stood in for a faulty one: {'; '.join(faults)}. Remove the "
            "faulty one."
        )
    return contents


def _fetched(settings: Settings, found: _Found, notes: list[str], report: Callable[[Progress], None]) -> Dataset | None:
    """The data set with what `found` lacks from mirrors; what they give is kept in the cache if it can be written."""
    folder = settings.data_cache
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Whoever comes second waits here, and then finds the files.
        with FileLock(folder / ".lock"):
            return _from_mirrors(folder, settings.mirror, found, notes, report)
    except OSError as error:
        notes.append(
            f"The data cache {folder} cannot be written ({error.strerror or error}), so nothing fetched is kept. "
            "Make it writable, or set DROPOUT_LAB_HOME to a folder that is."
        )
    try:
        with tempfile.TemporaryDirectory() as scratch:
            return _from_mirrors(Path(scratch), settings.mirror, found, notes, report)
    except OSError as error:
        notes.append(
            f"The temporary folder cannot be written ({error.strerror or error}). Free space there, or set TMPDIR."
        )
    return None


def _from_mirrors(
    folder: Path, mirror: str | None, found: _Found, notes: list[str], report: Callable[[Progress], None]
) -> Dataset | None:
    for address in _mirrors(mirror, notes):
        try:
            notes += fetch(address, folder, report, found.lacking)
        except SourceError as error:
            remedy = " Correct DROPOUT_LAB_MIRROR, or unset it." if address == mirror else ""
            notes.append(f"{error}.{remedy}")
        else:
            contents, _ = read_extracted(folder, found.lacking)
            found.take(contents, _mirror_words(address))
            return found.dataset(notes)
    return None


def _mirrors(own: str | None, notes: list[str]) -> Iterator[str]:
    """The addresses to try, each looked up when its turn comes: torchvision takes seconds to say its own."""
    if own:
        yield own
    try:
        yield from official_mirrors()
    except SourceError as error:
        notes.append(f"{error}. Install it as requirements.txt says.")


def _mirror_words(address: str) -> str:
    """What visitors are told of a mirror: its address, but nothing of where files lie on the server."""
    return "a mirror on the server" if address.startswith("file:") else f"the mirror {without_password(address)}"


def draw(notes: Sequence[str] = ()) -> Dataset:
    """The drawn garments, the same every time; `notes` say why they stand in for the official images."""
    return Dataset("Drawn garments", "drawn by this program", *draw_garments(), tuple(notes))
