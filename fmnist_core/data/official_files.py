"""Fashion-MNIST's four official files: each is taken only where its content, extracted, has the right digest."""

import gzip
import hashlib
import zlib
from collections.abc import Iterable
from pathlib import Path

SIZE_LIMIT = 64 * 2**20  # bytes, packed or extracted; the largest has 47 MB, so more can only be something else
_PIECE = 2**20  # bytes

# Of what is packed no digest would do: another gzip packs the same content into other bytes.
EXTRACTED_MD5 = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}

Contents = dict[str, bytearray]  # what official files hold, extracted and checked, by their names without .gz


class FaultyFileError(Exception):
    """A file cannot be taken for the official one; the words continue a sentence that starts with its name."""


class MissingFileError(FaultyFileError):
    """There is no such file."""


def read_official(path: Path) -> bytearray:
    """What the official file at `path` holds, extracted where its name ends in .gz.

    Takes little more than `SIZE_LIMIT` bytes of memory, whatever a packed file would unpack to.
    Raises FaultyFileError.
    """
    packed = path.suffix == ".gz"
    too_long = FaultyFileError(f"is longer than {SIZE_LIMIT:,} bytes: not the official file")
    content = bytearray()
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise too_long
        if not path.is_file():  # reading a pipe would wait for ever
            raise FaultyFileError("is not a file")
        with gzip.open(path) if packed else path.open("rb") as file:
            while piece := file.read(_PIECE):
                content += piece
                if len(content) > SIZE_LIMIT:
                    raise too_long
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingFileError("is missing") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise FaultyFileError(f"is damaged and cannot be unpacked ({error})") from error
    except OSError as error:
        raise FaultyFileError(f"cannot be read ({error.strerror or error})") from error
    # A guard against accidents, and the only checksum that is published: allowed on hardened systems too.
    actual = hashlib.md5(content, usedforsecurity=False).hexdigest()
    expected = EXTRACTED_MD5[path.name.removesuffix(".gz")]
    if actual != expected:
        raise FaultyFileError(f"is damaged ({'unpacked, its ' if packed else ''}MD5 {actual} instead of {expected})")
    return content


def read_extracted(folder: Path, names: Iterable[str]) -> tuple[Contents, dict[str, FaultyFileError]]:
    """Of the files `names` those that lie in `folder`, extracted and good; and for each other one why it does not."""
    contents, faults = {}, {}
    for name in names:
        try:
            contents[name] = read_official(folder / name)
        except FaultyFileError as fault:
            faults[name] = fault
    return contents, faults


def read_given(folder: Path, names: Iterable[str]) -> tuple[Contents, list[str]]:
    """Of the files `names` those that somebody put into `folder`, or that torchvision keeps below it.

    Each may be extracted or packed. Beside them what is wrong, in words: a copy that is faulty, though another one
    may be good, and a file of which there is no copy.
    """
    torchvisions = folder / "FashionMNIST" / "raw"
    contents: Contents = {}
    faults: list[str] = []
    for name in names:
        known = len(faults)
        for path in (place / file for place in (folder, torchvisions) for file in (name, f"{name}.gz")):
            try:
                contents[name] = read_official(path)
                break
            except MissingFileError:
                pass
            except FaultyFileError as fault:
                faults.append(f"{path.relative_to(folder)} {fault}")
        if name not in contents and len(faults) == known:
            faults.append(f"{name} is missing")
    return contents, faults
