"""Fetch Fashion-MNIST's official files from a mirror into a folder: each arrives checked and whole, or not at all."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fmnist_core.data.official_files import EXTRACTED_MD5, SIZE_LIMIT, FaultyFileError, read_extracted, read_official
from fmnist_core.data.receive import DamagedFileError, SourceError, receive, without_password

_ROOT = Path(__file__).parents[2]  # where a child process finds this package


@dataclass(frozen=True)
class Progress:
    """How far the fetching of one file has come."""

    file: str
    done: int  # bytes
    total: int | None  # bytes; None where the source does not say
    source: str  # the mirror's address


@cache
def official_mirrors() -> tuple[str, ...]:
    """The addresses of the folders that torchvision has Fashion-MNIST from. Raises SourceError where it is broken.

    Asked in a process of its own: importing it takes seconds and 300 MB, which a web server would keep for good.
    """
    command = [sys.executable, "-m", "fmnist_core.data.torchvision_import"]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise SourceError(f"torchvision, which knows the official mirrors, cannot be imported ({reason})")
    return tuple(json.loads(done.stdout))


def fetch(
    address: str,
    folder: Path,
    report: Callable[[Progress], None] = lambda progress: None,
    names: Iterable[str] = EXTRACTED_MD5,
) -> list[str]:
    """Bring those of the official files `names` that `folder` lacks or holds damaged from the mirror, extracted.

    A file that arrives damaged is fetched once more; the sentences returned say so. Each good file is renamed into
    place as soon as it is whole, so that a reader sees the old file or the new one, and a later source need only
    give the rest. The caller makes sure that nobody else fetches into `folder` meanwhile.

    Raises SourceError when the mirror cannot give a file, OSError when `folder` cannot be written.
    """
    for leftover in folder.glob(".fetching-*"):  # of a process that was killed
        shutil.rmtree(leftover)
    notes = []
    _, faults = read_extracted(folder, names)
    for name in faults:
        url = f"{address.rstrip('/')}/{name}.gz"
        try:
            _fetch_file(url, folder, report)
        except DamagedFileError as error:
            _fetch_file(url, folder, report)
            notes.append(f"{error}; it was fetched again and is now good.")
    return notes


def _fetch_file(url: str, folder: Path, report: Callable[[Progress], None]) -> None:
    """Receive, extract, check, and only then rename into `folder`."""
    name = url.rpartition("/")[2]
    source = without_password(url.removesuffix(f"/{name}"))
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetching-") as work:
        packed = Path(work, name)
        done = 0
        with packed.open("wb") as file, closing(receive(url)) as chunks:
            for chunk, total in chunks:
                file.write(chunk)
                done += len(chunk)
                if done > SIZE_LIMIT:
                    raise SourceError(
                        f"{name} from {source} is longer than {SIZE_LIMIT:,} bytes: not the official file"
                    )
                report(Progress(name, done, total, source))
        try:
            content = read_official(packed)
        except FaultyFileError as error:
            raise DamagedFileError(f"{name} from {source} {error}") from error
        extracted = packed.with_suffix("")
        extracted.write_bytes(content)
        extracted.replace(folder / extracted.name)
