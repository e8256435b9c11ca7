"""Fetch Fashion-MNIST's official files from a mirror into a folder: each arrives checked and whole, or not at all."""

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests
import urllib3

_ROOT = Path(__file__).parents[2]  # where a child process finds this package

CONNECT_SECONDS = 10.0
STALL_SECONDS = 20.0  # longest wait for the next bytes of a file
FILE_LIMIT = 64 * 2**20  # bytes; the largest official file has 26 MB, so more can only be something else
CHUNK = 2**16  # bytes

# torchvision knows the packed files' checksums only, and what it unpacked once it never checks again.
EXTRACTED_MD5 = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}


class SourceError(Exception):
    """A source cannot give a file; the message says which file and why."""


class DamagedFileError(SourceError):
    """What a source gave is not the official file; a second attempt may succeed."""


@dataclass(frozen=True)
class Progress:
    """How far the fetching of one file has come."""

    file: str
    done: int  # bytes
    total: int | None  # bytes; None where the source does not say
    source: str  # the mirror's address


@dataclass(frozen=True)
class OfficialPlaces:
    """Where torchvision has Fashion-MNIST from."""

    mirrors: tuple[str, ...]  # addresses of folders
    resources: tuple[tuple[str, str], ...]  # each packed file's name and MD5


@cache
def official_places() -> OfficialPlaces:
    """Ask torchvision. Raises SourceError where it cannot be imported.

    In a process of its own: the import takes seconds and 300 MB, which a web server would keep for good.
    """
    command = [sys.executable, "-m", "fmnist_core.data.torchvision_import"]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise SourceError(f"torchvision, which knows the official files, cannot be imported ({reason})")
    places = json.loads(done.stdout)
    return OfficialPlaces(tuple(places["mirrors"]), tuple((name, md5) for name, md5 in places["resources"]))


def faults(folder: Path) -> dict[str, str]:
    """Check the extracted official files in `folder`; return what is wrong with each that cannot be used.

    The words continue a sentence that starts with the file's name. An empty result means that all four are good.
    """
    found = {name: _fault(folder / name, md5) for name, md5 in EXTRACTED_MD5.items()}
    return {name: fault for name, fault in found.items() if fault}


def _fault(path: Path, md5: str) -> str | None:
    try:
        with path.open("rb") as file:
            actual = hashlib.file_digest(file, _md5).hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    return None if actual == md5 else f"is damaged (MD5 {actual} instead of {md5})"


def _md5() -> "hashlib._Hash":
    # A guard against accidents, and the only checksum that torchvision publishes: allowed on hardened systems too.
    return hashlib.md5(usedforsecurity=False)


def fetch(address: str, folder: Path, report: Callable[[Progress], None] = lambda progress: None) -> list[str]:
    """Bring the official files that `folder` lacks or holds damaged from the mirror at `address`, extracted.

    A file that arrives damaged is fetched once more; the sentences returned say so. Each good file is renamed into
    place as soon as it is whole, so that a reader sees the old file or the new one, and a later source need only
    give the rest. The caller makes sure that nobody else fetches into `folder` meanwhile.

    Raises SourceError when the mirror cannot give a file, OSError when `folder` cannot be written.
    """
    for leftover in folder.glob(".fetching-*"):  # of a process that was killed
        shutil.rmtree(leftover)
    notes = []
    wanted = faults(folder)
    for name, md5 in official_places().resources:
        if name.removesuffix(".gz") not in wanted:
            continue
        url = f"{address.rstrip('/')}/{name}"
        try:
            _fetch_file(url, md5, folder, report)
        except DamagedFileError as error:
            _fetch_file(url, md5, folder, report)
            notes.append(f"{error}; it was fetched again and is now good.")
    return notes


def _fetch_file(url: str, md5: str, folder: Path, report: Callable[[Progress], None]) -> None:
    """Receive, check, extract, check again, and only then rename into `folder`."""
    name = url.rpartition("/")[2]
    source = without_password(url.removesuffix(f"/{name}"))
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetching-") as work:
        packed = Path(work, name)
        digest, done = _md5(), 0
        with packed.open("wb") as file, closing(_receive(url)) as chunks:
            for chunk, total in chunks:
                file.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                if done > FILE_LIMIT:
                    raise SourceError(
                        f"{name} from {source} is longer than {FILE_LIMIT:,} bytes: not the official file"
                    )
                report(Progress(name, done, total, source))
        if digest.hexdigest() != md5:
            raise DamagedFileError(
                f"{name} from {source} arrived damaged ({done:,} bytes, MD5 {digest.hexdigest()} instead of {md5})"
            )
        extracted = packed.with_suffix("")
        with gzip.open(packed) as packed_file, extracted.open("wb") as file:
            shutil.copyfileobj(packed_file, file)
        if fault := _fault(extracted, EXTRACTED_MD5[extracted.name]):
            raise DamagedFileError(f"{extracted.name}, extracted from {source}, {fault}")
        extracted.replace(folder / extracted.name)


def _receive(url: str) -> Generator[tuple[bytes, int | None]]:
    """Yield the file's bytes in pieces, each with the whole file's length where the source tells it.

    A generator, so that errors of whoever writes the pieces do not pass for errors of the source.
    """
    name, shown = url.rpartition("/")[2], without_password(url)
    try:
        if url.startswith("file://"):
            path = Path(url2pathname(urlsplit(url).path))
            with path.open("rb") as file:
                size = path.stat().st_size
                while chunk := file.read(CHUNK):
                    yield chunk, size
            return
        limits = (CONNECT_SECONDS, STALL_SECONDS)
        with requests.get(url, stream=True, timeout=limits, headers={"Accept-Encoding": "identity"}) as response:
            response.raise_for_status()
            length = response.headers.get("Content-Length", "")
            total = int(length) if length.isascii() and length.isdigit() else None
            # Raw: some servers label every .gz as an encoding, and requests would then unpack it on the way.
            while chunk := response.raw.read(CHUNK, decode_content=False):
                yield chunk, total
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise SourceError(f"{shown} sent nothing within {STALL_SECONDS:g} s") from error
    except requests.HTTPError as error:
        raise SourceError(f"{shown} answers {error.response.status_code} {error.response.reason}") from error
    except requests.RequestException as error:
        raise SourceError(f"{shown} cannot be reached ({type(error).__name__}: no network, or no such host)") from error
    except urllib3.exceptions.HTTPError as error:
        raise DamagedFileError(f"{name} from {shown.removesuffix(f'/{name}')} broke off on the way") from error
    except OSError as error:
        raise SourceError(f"{shown} cannot be read ({error.strerror or error})") from error


def without_password(url: str) -> str:
    """The address as it may be shown to everyone: without a user name and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
