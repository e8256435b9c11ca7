"""Files that pass for official ones, and what is said of those that do not."""

import gzip
import os
from pathlib import Path

import pytest

from fmnist_core.data import official_files
from fmnist_core.data.official_files import (
    EXTRACTED_MD5,
    FaultyFileError,
    MissingFileError,
    read_extracted,
    read_given,
    read_official,
)
from tests.miniature import make_official, write_extracted, write_packed

LABELS = "t10k-labels-idx1-ubyte"


@pytest.fixture(autouse=True)
def official(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    return make_official(monkeypatch, mirrors=[])


def fault(path) -> str:
    with pytest.raises(FaultyFileError) as caught:
        read_official(path)
    return str(caught.value)


@pytest.mark.parametrize("level", [0, 1, 9])
def test_only_the_extracted_content_counts(tmp_path, official, level):
    content = gzip.decompress(official[f"{LABELS}.gz"])
    (tmp_path / LABELS).write_bytes(content)
    (tmp_path / f"{LABELS}.gz").write_bytes(gzip.compress(content, level))
    assert read_official(tmp_path / LABELS) == content
    assert read_official(tmp_path / f"{LABELS}.gz") == content


def test_no_folder_means_that_all_files_are_missing(tmp_path):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "none", tmp_path / "file" / "below"):
        contents, faults = read_extracted(folder, EXTRACTED_MD5)
        assert contents == {}
        assert list(faults) == list(EXTRACTED_MD5)
        assert {type(fault) for fault in faults.values()} == {MissingFileError}


def test_damaged_files_are_told_with_their_digests(tmp_path):
    words = f"MD5 7afe399f1415b137d0962f82662fa9d4 instead of {EXTRACTED_MD5[LABELS]}"
    (tmp_path / LABELS).write_bytes(b"half")
    (tmp_path / f"{LABELS}.gz").write_bytes(gzip.compress(b"half"))
    assert fault(tmp_path / LABELS) == f"is damaged ({words})"
    assert fault(tmp_path / f"{LABELS}.gz") == f"is damaged (unpacked, its {words})"


@pytest.mark.parametrize(
    "alter",
    [
        lambda packed: packed[: len(packed) // 2],
        lambda packed: b"<html>Sign in to this network</html>",
        lambda packed: packed[:-6] + b"\0\0" + packed[-4:],  # the checksum
        lambda packed: packed[:12] + b"\xff" * 8 + packed[20:],
    ],
    ids=["cut", "a page", "checksum", "stream"],
)
def test_what_cannot_be_unpacked_is_told(tmp_path, official, alter):
    path = tmp_path / f"{LABELS}.gz"
    path.write_bytes(alter(official[path.name]))
    assert fault(path).startswith("is damaged and cannot be unpacked (")


def test_what_is_too_long_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(official_files, "SIZE_LIMIT", 10_000)
    monkeypatch.setattr(official_files, "_PIECE", 1000)
    bomb = tmp_path / f"{LABELS}.gz"
    bomb.write_bytes(gzip.compress(bytes(5_000_000))[:-8])  # reading to its end would find its checksum missing
    assert bomb.stat().st_size < 10_000
    assert fault(bomb) == "is longer than 10,000 bytes: not the official file"
    with (tmp_path / LABELS).open("wb") as file:
        file.truncate(2**40)
    assert fault(tmp_path / LABELS) == "is longer than 10,000 bytes: not the official file"


def test_folders_and_pipes_are_not_files(tmp_path):
    (tmp_path / f"{LABELS}.gz").mkdir()
    assert fault(tmp_path / f"{LABELS}.gz") == "is not a file"
    os.mkfifo(tmp_path / LABELS)
    assert fault(tmp_path / LABELS) == "is not a file"


def test_every_faulty_copy_and_every_missing_file_is_named(tmp_path):
    below = tmp_path / "FashionMNIST" / "raw"
    write_packed(write_extracted(below))
    for folder in (tmp_path, below):
        (folder / f"{LABELS}.gz").write_bytes(b"")
    (below / LABELS).unlink()
    for name in ("train-labels-idx1-ubyte", "train-labels-idx1-ubyte.gz"):
        (below / name).unlink()
    contents, faults = read_given(tmp_path, EXTRACTED_MD5)
    assert set(contents) == {"train-images-idx3-ubyte", "t10k-images-idx3-ubyte"}
    assert [words.partition(" is ")[0] for words in faults] == [
        "train-labels-idx1-ubyte",
        f"{LABELS}.gz",
        str(Path("FashionMNIST", "raw", f"{LABELS}.gz")),
    ]
    assert faults[0] == "train-labels-idx1-ubyte is missing"
