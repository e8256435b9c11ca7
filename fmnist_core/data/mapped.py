"""Data sets as files that every process of a machine maps into its memory, so that the machine holds them once.

A data set lies in a folder of the data cache that is called by its fingerprint: each array as an .npy file.
"""

from dataclasses import replace
from pathlib import Path
from typing import cast, get_args

import numpy as np
from filelock import FileLock

from fmnist_core.data.dataset import DataName, Dataset

_ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")
_NAME = "name.txt"


def open_mapped(cache: Path, fingerprint: str) -> Dataset | None:
    """The data set with this fingerprint from the data cache, or None where it is not there whole and undamaged.

    The memory belongs to the files: the system reads pages as they are needed, and all processes share them.
    """
    folder = cache / fingerprint
    try:
        name = (folder / _NAME).read_text(encoding="utf-8")
        # Private mappings, in which a process may write without changing the file: nobody does, but torch warns of
        # memory that may not be written. The plain array underneath is quicker to index than numpy's memmap.
        train_images, train_labels, test_images, test_labels = (
            np.asarray(np.load(folder / f"{part}.npy", mmap_mode="c")) for part in _ARRAYS
        )
        data = Dataset(cast(DataName, name), "the data cache", train_images, train_labels, test_images, test_labels)
    except Exception:  # a damaged header makes numpy raise almost anything, and whatever it is: there are no such data
        return None
    return data if name in get_args(DataName) and data.fingerprint == fingerprint else None


def mapped(data: Dataset, cache: Path) -> Dataset:
    """The same data set in mapped memory, from files in the data cache, which are written where they lack.

    Where the cache cannot be written the result is `data`, in this process's own memory.
    """
    found = open_mapped(cache, data.fingerprint)
    if found is None or found.name != data.name:
        try:
            _write(data, cache)
        except OSError:  # the data are there all the same
            return data
        found = open_mapped(cache, data.fingerprint)
    if found is None:
        return data
    return replace(found, source=data.source, notes=data.notes)


def _write(data: Dataset, cache: Path) -> None:
    """Put the files in place, each renamed when it is whole: whoever maps the old one keeps it."""
    folder = cache / data.fingerprint
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / ".mapped.lock"):  # so that the temporary names belong to one process
        for part in _ARRAYS:
            temporary = folder / f"{part}.part"
            try:
                with temporary.open("wb") as file:
                    np.save(file, getattr(data, part))
                temporary.replace(folder / f"{part}.npy")
            finally:
                temporary.unlink(missing_ok=True)
        temporary = folder / "name.part"
        temporary.write_text(data.name, encoding="utf-8")
        temporary.replace(folder / _NAME)
