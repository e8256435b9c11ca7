"""Fetching against mirrors that are right, wrong, slow or dead."""

import gzip
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from fmnist_core.data import download
from fmnist_core.data.download import Progress, SourceError, faults, fetch
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


def test_extracted_files_are_named_with_what_is_wrong(tmp_path):
    write_extracted(tmp_path)
    assert faults(tmp_path) == {}
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(b"half")
    assert faults(tmp_path) == {
        "train-labels-idx1-ubyte": "is missing",
        "t10k-images-idx3-ubyte": "is damaged (MD5 7afe399f1415b137d0962f82662fa9d4 instead of "
        f"{download.EXTRACTED_MD5['t10k-images-idx3-ubyte']})",
    }


def test_no_folder_means_that_all_files_are_missing(tmp_path):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "none", tmp_path / "file" / "below"):
        assert set(faults(folder).values()) == {"is missing"}


@pytest.mark.parametrize("slash", ["", "/"])
def test_http_mirror(mirror, tmp_path, slash):
    assert fetch(mirror.address + slash, tmp_path) == []
    assert faults(tmp_path) == {}
    assert set(mirror.requests.values()) == {1}


def test_file_mirror_with_a_blank_in_its_path(tmp_path):
    folder = write_packed(tmp_path / "a mirror")
    target = tmp_path / "target"
    target.mkdir()
    fetch(folder.as_uri(), target)
    assert faults(target) == {}


def test_only_the_files_that_lack_are_fetched(mirror, tmp_path):
    write_extracted(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    fetch(mirror.address, tmp_path)
    assert mirror.requests == {LABELS: 1}


def test_progress_counts_every_byte(mirror, tmp_path, official, monkeypatch):
    monkeypatch.setattr(download, "CHUNK", 1000)
    seen: list[Progress] = []
    fetch(mirror.address, tmp_path, seen.append)
    of_images = [step for step in seen if step.file == IMAGES]
    size = len(official[IMAGES])
    assert [step.done for step in of_images] == [*range(1000, size, 1000), size]
    assert {(step.total, step.source) for step in of_images} == {(size, mirror.address)}
    assert {step.file for step in seen} == set(official)


def test_altered_file_is_fetched_again_once(mirror, tmp_path, official):
    mirror.wrong_once[IMAGES] = [b"x" + official[IMAGES][1:]]
    (note,) = fetch(mirror.address, tmp_path)
    assert note.startswith(f"{IMAGES} from {mirror.address} arrived damaged")
    assert note.endswith("it was fetched again and is now good.")
    assert mirror.requests[IMAGES] == 2
    assert faults(tmp_path) == {}


def test_file_that_breaks_off_is_fetched_again_once(mirror, tmp_path):
    mirror.shortened.add(IMAGES)
    (note,) = fetch(mirror.address, tmp_path)
    assert note.startswith(f"{IMAGES} from {mirror.address} broke off on the way")
    assert mirror.requests[IMAGES] == 2
    assert faults(tmp_path) == {}


def test_file_that_stays_damaged_is_an_error_that_names_it(mirror, tmp_path):
    mirror.files[LABELS] = gzip.compress(b"something else")
    with pytest.raises(SourceError, match=f"{LABELS} from {mirror.address} arrived damaged"):
        fetch(mirror.address, tmp_path)
    assert mirror.requests[LABELS] == 2
    assert list(faults(tmp_path)) == ["t10k-labels-idx1-ubyte"]  # the good ones stay, for the next source
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


def test_hanging_mirror_is_given_up_after_the_time_limit(mirror, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "STALL_SECONDS", 0.2)
    mirror.hangs = True
    start = time.monotonic()
    with pytest.raises(SourceError, match=r"sent nothing within 0\.2 s"):
        fetch(mirror.address, tmp_path)
    assert time.monotonic() - start < 5
    assert list(tmp_path.iterdir()) == []


def test_mirror_that_never_answers_is_given_up_after_the_time_limit(mirror, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "STALL_SECONDS", 0.2)
    mirror.may_answer.clear()
    with pytest.raises(SourceError, match=r"sent nothing within 0\.2 s"):
        fetch(mirror.address, tmp_path)


def test_time_limits_are_those_that_we_promise(monkeypatch, tmp_path):
    def get(url: str, **options: object) -> None:
        assert options["timeout"] == (10, 20)
        raise requests.ConnectionError

    monkeypatch.setattr(requests, "get", get)
    with pytest.raises(SourceError, match=r"http://example\.invalid/files/.* cannot be reached"):
        fetch("http://example.invalid/files", tmp_path)


def test_endless_file_is_cut_off(mirror, tmp_path, official, monkeypatch):
    monkeypatch.setattr(download, "FILE_LIMIT", len(official[IMAGES]) - 1)
    with pytest.raises(SourceError, match=f"{IMAGES} from {mirror.address} is longer than"):
        fetch(mirror.address, tmp_path)


def test_password_in_the_address_is_not_shown(tmp_path):
    with pytest.raises(SourceError) as caught:
        fetch("http://ada:secret@127.0.0.1:9/files", tmp_path)
    assert "secret" not in str(caught.value)
    assert "http://127.0.0.1:9/files" in str(caught.value)


def test_leftovers_of_a_killed_process_are_cleared(mirror, tmp_path):
    leftover = tmp_path / ".fetching-abc"
    leftover.mkdir()
    (leftover / IMAGES).write_bytes(b"half")
    fetch(mirror.address, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(download.EXTRACTED_MD5)


def test_folder_that_cannot_be_written_is_not_blamed_on_the_mirror(mirror, tmp_path):
    with pytest.raises(FileNotFoundError):
        fetch(mirror.address, Path(tmp_path, "none"))
