"""Fetching against mirrors that are right, wrong, slow or dead."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from fmnist_core.data import download, receive
from fmnist_core.data.download import Progress, fetch
from fmnist_core.data.official_files import EXTRACTED_MD5, read_extracted
from fmnist_core.data.receive import SourceError
from tests.miniature import Mirror, make_official, served, write_extracted, write_packed

IMAGES = "train-images-idx3-ubyte.gz"
LABELS = "t10k-labels-idx1-ubyte.gz"


@pytest.fixture(autouse=True)
def official(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    return make_official(monkeypatch, mirrors=[])


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with served() as mirror:
        yield mirror


def assert_whole(folder: Path) -> None:
    """All four files are there and good."""
    _, faults = read_extracted(folder, EXTRACTED_MD5)
    assert faults == {}


@pytest.mark.parametrize("slash", ["", "/"])
def test_http_mirror(mirror, tmp_path, slash):
    assert fetch(mirror.address + slash, tmp_path) == []
    assert_whole(tmp_path)
    assert set(mirror.requests.values()) == {1}


def test_file_mirror_with_a_blank_in_its_path(tmp_path):
    folder = write_packed(tmp_path / "a mirror")
    target = tmp_path / "target"
    target.mkdir()
    fetch(folder.as_uri(), target)
    assert_whole(target)


def test_only_the_files_that_lack_are_fetched(mirror, tmp_path):
    write_extracted(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    fetch(mirror.address, tmp_path)
    assert mirror.requests == {LABELS: 1}


def test_progress_counts_every_byte(mirror, tmp_path, official, monkeypatch):
    monkeypatch.setattr(receive, "CHUNK", 1000)
    seen: list[Progress] = []
    fetch(mirror.address, tmp_path, seen.append)
    of_images = [step for step in seen if step.file == IMAGES]
    size = len(official[IMAGES])
    assert [step.done for step in of_images] == [*range(1000, size, 1000), size]
    assert {(step.total, step.source) for step in of_images} == {(size, mirror.address)}
    assert {step.file for step in seen} == set(official)


def test_only_the_files_asked_for_are_fetched(mirror, tmp_path):
    fetch(mirror.address, tmp_path, names=["t10k-labels-idx1-ubyte"])
    assert mirror.requests == {LABELS: 1}


def test_a_mirror_may_pack_the_files_with_another_gzip(mirror, tmp_path, official):
    mirror.files = {name: gzip.compress(gzip.decompress(packed), 1, mtime=7) for name, packed in official.items()}
    assert all(mirror.files[name] != packed for name, packed in official.items())
    assert fetch(mirror.address, tmp_path) == []
    assert_whole(tmp_path)


def test_altered_file_is_fetched_again_once(mirror, tmp_path, official):
    mirror.wrong_once[IMAGES] = [b"x" + official[IMAGES][1:]]
    (note,) = fetch(mirror.address, tmp_path)
    assert note.startswith(f"{IMAGES} from {mirror.address} is damaged")
    assert note.endswith("it was fetched again and is now good.")
    assert mirror.requests[IMAGES] == 2
    assert_whole(tmp_path)


def test_file_that_breaks_off_is_fetched_again_once(mirror, tmp_path):
    mirror.shortened.add(IMAGES)
    (note,) = fetch(mirror.address, tmp_path)
    assert note.startswith(f"{IMAGES} from {mirror.address} broke off on the way")
    assert mirror.requests[IMAGES] == 2
    assert_whole(tmp_path)


def test_file_that_stays_damaged_is_an_error_that_names_it(mirror, tmp_path):
    mirror.files[LABELS] = gzip.compress(b"something else")
    with pytest.raises(SourceError, match=f"{LABELS} from {mirror.address} is damaged"):
        fetch(mirror.address, tmp_path)
    assert mirror.requests[LABELS] == 2
    assert list(read_extracted(tmp_path, EXTRACTED_MD5)[1]) == [
        "t10k-labels-idx1-ubyte"
    ]  # the good ones stay, for the next source
    assert not list(tmp_path.glob(".fetching-*"))


def test_missing_file_is_asked_for_once(mirror, tmp_path):
    del mirror.files[IMAGES]
    with pytest.raises(SourceError, match=f"{mirror.address}/{IMAGES} answers 404 Not Found"):
        fetch(mirror.address, tmp_path)
    assert mirror.requests == {IMAGES: 1}


def test_missing_folder_of_a_file_mirror(tmp_path):
    address = (tmp_path / "none").as_uri()
    with pytest.raises(SourceError, match=f"{address}/{IMAGES} cannot be read .No such file or directory."):
        fetch(address, tmp_path)


def test_hanging_mirror_leaves_nothing(mirror, tmp_path, monkeypatch):
    monkeypatch.setattr(receive, "STALL_SECONDS", 0.2)
    mirror.hangs = True
    with pytest.raises(SourceError):
        fetch(mirror.address, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_endless_file_is_cut_off(mirror, tmp_path, official, monkeypatch):
    monkeypatch.setattr(download, "SIZE_LIMIT", len(official[IMAGES]) - 1)
    with pytest.raises(SourceError, match=f"{IMAGES} from {mirror.address} is longer than"):
        fetch(mirror.address, tmp_path)


def test_leftovers_of_a_killed_process_are_cleared(mirror, tmp_path):
    leftover = tmp_path / ".fetching-abc"
    leftover.mkdir()
    (leftover / IMAGES).write_bytes(b"half")
    fetch(mirror.address, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(EXTRACTED_MD5)


def test_folder_that_cannot_be_written_is_not_blamed_on_the_mirror(mirror, tmp_path):
    with pytest.raises(FileNotFoundError):
        fetch(mirror.address, Path(tmp_path, "none"))
