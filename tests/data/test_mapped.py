"""Data sets as files: what they hold, that all share them, and that damage is noticed."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fmnist_core.data import mapped as mapped_module
from fmnist_core.data.mapped import mapped, open_mapped
from tests.conftest import make_tiny_dataset
from tests.miniature import contents

ROOT = Path(__file__).parents[2]
ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")
DATA = replace(make_tiny_dataset(), name="Drawn garments", notes=("a note",))


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "home" / "data"


def folder_of(cache):
    return cache / DATA.fingerprint


def is_mapped(array):
    return isinstance(array.base, np.memmap)


def test_a_mapped_data_set_is_the_same(cache):
    data = mapped(DATA, cache)
    assert (data.name, data.source, data.notes) == (DATA.name, DATA.source, DATA.notes)
    assert data.fingerprint == DATA.fingerprint
    for name in ARRAYS:
        assert is_mapped(getattr(data, name))
        assert np.array_equal(getattr(data, name), getattr(DATA, name))
    assert {path.name for path in folder_of(cache).iterdir()} == {*(f"{name}.npy" for name in ARRAYS), "name.txt"}


def test_what_is_there_is_opened_by_its_fingerprint_and_not_written_again(cache):
    mapped(DATA, cache)
    before = contents(cache)
    data = open_mapped(cache, DATA.fingerprint)
    assert (data.name, data.source, data.notes) == ("Drawn garments", "the data cache", ())
    assert is_mapped(mapped(DATA, cache).train_images)
    assert contents(cache) == before


def test_torch_takes_the_memory_as_it_is(cache):
    """torch warns of arrays that may not be written, and in these tests a warning is an error."""
    images = mapped(DATA, cache).train_images
    assert torch.from_numpy(images).data_ptr() == images.ctypes.data


def test_whoever_writes_to_the_memory_changes_no_file(cache):
    data = mapped(DATA, cache)
    data.train_images[0] = 7
    assert open_mapped(cache, DATA.fingerprint).fingerprint == DATA.fingerprint


def test_nothing_there_is_no_data_set(cache):
    assert open_mapped(cache, DATA.fingerprint) is None


def flipped(content):
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize("file", ["train_images.npy", "test_labels.npy", "name.txt"])
@pytest.mark.parametrize(
    "alter",
    [
        flipped,
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: b"x" + content[1:],
        None,
    ],
    ids=["one bit", "half", "empty", "first byte", "missing"],
)
def test_damage_is_noticed_and_mended(cache, file, alter):
    mapped(DATA, cache)
    path = folder_of(cache) / file
    if alter is None:
        path.unlink()
    else:
        path.write_bytes(alter(path.read_bytes()))
    assert open_mapped(cache, DATA.fingerprint) is None
    assert is_mapped(mapped(DATA, cache).train_images)
    assert open_mapped(cache, DATA.fingerprint) is not None


@pytest.mark.parametrize("position", range(0, 128, 3))
def test_a_damaged_header_makes_no_trouble(cache, position):
    mapped(DATA, cache)
    path = folder_of(cache) / "train_labels.npy"
    content = bytearray(path.read_bytes())
    content[position] ^= 0x15
    path.write_bytes(content)
    found = open_mapped(cache, DATA.fingerprint)
    assert found is None or found.fingerprint == DATA.fingerprint


def test_another_name_is_corrected(cache):
    mapped(DATA, cache)
    (folder_of(cache) / "name.txt").write_text("Fashion-MNIST")
    assert mapped(DATA, cache).name == "Drawn garments"
    assert open_mapped(cache, DATA.fingerprint).name == "Drawn garments"


def test_who_maps_the_damaged_files_keeps_what_was_mapped(cache):
    """Files are renamed into place and never written to."""
    first = mapped(DATA, cache)
    (folder_of(cache) / "name.txt").unlink()
    mapped(DATA, cache)
    assert np.array_equal(first.train_images, DATA.train_images)


def test_a_cache_that_cannot_be_written_leaves_the_data_in_memory(tmp_path):
    (tmp_path / "file").touch()
    assert mapped(DATA, tmp_path / "file" / "data") is DATA


def test_a_full_disk_leaves_the_data_in_memory_and_nothing_behind(cache, monkeypatch):
    def full(file, array):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mapped_module.np, "save", full)
    assert mapped(DATA, cache) is DATA
    assert list(folder_of(cache).iterdir()) == []


def test_leftovers_of_a_killed_writer_do_no_harm(cache):
    folder_of(cache).mkdir(parents=True)
    (folder_of(cache) / "train_images.part").write_bytes(b"half")
    (cache / ".mapped.lock").touch()
    assert is_mapped(mapped(DATA, cache).train_images)
    assert not list(cache.rglob("*.part"))


def test_many_at_once_write_one_data_set(cache):
    with ThreadPoolExecutor(6) as pool:
        found = [task.result() for task in [pool.submit(mapped, DATA, cache) for _ in range(6)]]
    assert all(is_mapped(data.train_images) and data.fingerprint == DATA.fingerprint for data in found)


def test_a_data_set_that_is_removed_stays_while_it_is_mapped(cache):
    data = mapped(DATA, cache)
    shutil.rmtree(cache)
    assert np.array_equal(data.test_images, DATA.test_images)


SHARED_BYTES = """
import re, sys
from pathlib import Path
from fmnist_core.data.mapped import open_mapped
data = open_mapped(Path(sys.argv[1]), sys.argv[2])
for entry in re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", Path("/proc/self/smaps").read_text()):
    if "train_images.npy" in entry:
        print(*(re.search(rf"{kind}: +([0-9]+) kB", entry)[1] for kind in ("Rss", "Anonymous")))
"""


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux tells of each mapping")
def test_an_open_data_set_takes_no_memory_of_the_process(cache):
    mapped(DATA, cache)
    command = [sys.executable, "-c", SHARED_BYTES, str(cache), DATA.fingerprint]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    resident, own = map(int, done.stdout.split())
    assert resident > 400
    assert own == 0
