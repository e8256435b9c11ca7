"""Where the data come from, what happens when a source fails, and how they are divided."""

import gzip
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from fmnist_core.data import receive, sources
from fmnist_core.data.dataset import CLASSES, DataError, Dataset
from fmnist_core.data.download import Progress, official_mirrors
from fmnist_core.data.official_files import EXTRACTED_MD5
from fmnist_core.data.sources import draw, load, load_matching
from fmnist_core.data.split import Examples, Split, split
from fmnist_core.data.torchvision_import import FashionMNIST
from fmnist_core.settings import Settings
from tests.miniature import Mirror, contents, make_official, served, write_extracted, write_packed

ROOT = Path(__file__).parents[2]
IMAGES = "train-images-idx3-ubyte.gz"


@pytest.fixture
def official(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Small files pass for the official ones, and torchvision's mirrors are gone."""
    return make_official(monkeypatch, mirrors=[])


@pytest.fixture
def mirror(official: dict[str, bytes]) -> Iterator[Mirror]:
    with served() as mirror:
        yield mirror


@pytest.fixture(autouse=True)
def forget_loaded_data() -> Iterator[None]:
    yield
    load_matching.cache_clear()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(scope="module")
def drawn() -> Dataset:
    return draw()


def assert_is_miniature(data: Dataset, files: dict[str, bytes]) -> None:
    assert data.is_real
    assert data.name == "Fashion-MNIST"
    assert data.train_images.tobytes() == gzip.decompress(files[IMAGES])[16:]
    assert bytes(data.test_labels.tolist()) == gzip.decompress(files["t10k-labels-idx1-ubyte.gz"])[8:]


# --- sources


@pytest.mark.parametrize("write", [write_packed, write_extracted])
@pytest.mark.parametrize("below", ["", "FashionMNIST/raw"])
def test_folder_is_read_and_never_written(official, home, tmp_path, write, below):
    folder = tmp_path / "given"
    write(folder / below)
    before = contents(folder)
    data = load(Settings(home=home, data_folder=folder))
    assert_is_miniature(data, official)
    assert data.source == "the data folder"
    assert data.notes == ()
    assert contents(folder) == before
    assert {path.name for path in (home / "data").iterdir()} <= {data.fingerprint, ".mapped.lock"}


def test_relative_folder(official, home, tmp_path, monkeypatch):
    write_packed(tmp_path / "given")
    monkeypatch.chdir(tmp_path)
    assert load(Settings(home=home, data_folder=Path("given"))).is_real


def test_packed_files_stand_in_for_damaged_extracted_ones(official, home, tmp_path):
    folder = write_extracted(write_packed(tmp_path / "given"))
    (folder / "train-images-idx3-ubyte").write_bytes(b"half")
    data = load(Settings(home=home, data_folder=folder))
    assert_is_miniature(data, official)
    (note,) = data.notes
    assert "a good copy stood in for a faulty one: train-images-idx3-ubyte is damaged" in note


def test_each_file_is_taken_from_where_it_lies_in_the_folder_and_however_it_was_packed(official, home, tmp_path):
    folder = tmp_path / "given"
    below = folder / "FashionMNIST" / "raw"
    below.mkdir(parents=True)
    content = {name: gzip.decompress(packed) for name, packed in official.items()}
    (folder / "train-images-idx3-ubyte").write_bytes(content[IMAGES])
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(content["train-labels-idx1-ubyte.gz"], 1))
    (below / "t10k-images-idx3-ubyte").write_bytes(content["t10k-images-idx3-ubyte.gz"])
    (below / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(content["t10k-labels-idx1-ubyte.gz"], 1, mtime=7))
    data = load(Settings(home=home, data_folder=folder))
    assert_is_miniature(data, official)
    assert (data.source, data.notes) == ("the data folder", ())


def test_what_is_right_in_the_folder_is_taken_and_only_the_rest_fetched(mirror, home, tmp_path, official):
    folder = write_packed(tmp_path / "given")
    (folder / IMAGES).write_bytes(official[IMAGES][:1000])
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    data = load(Settings(home=home, data_folder=folder, mirror=mirror.address))
    assert_is_miniature(data, official)
    assert mirror.requests == {IMAGES: 1, "t10k-labels-idx1-ubyte.gz": 1}
    assert data.source == f"the data folder and the mirror {mirror.address}"
    assert data.notes == (
        f"The data folder {folder} has 2 of the four official files, packed or extracted: {IMAGES} is damaged and "
        "cannot be unpacked (Compressed file ended before the end-of-stream marker was reached); "
        "t10k-labels-idx1-ubyte is missing. Only what is good was taken. Put the rest there, or unset "
        "DROPOUT_LAB_DATA.",
    )


def test_the_cache_gives_what_the_folder_lacks(official, home, tmp_path):
    folder = write_extracted(tmp_path / "given")
    (folder / "train-images-idx3-ubyte").unlink()
    settings = Settings(home=home, data_folder=folder)
    write_extracted(settings.data_cache)
    data = load(settings)
    assert_is_miniature(data, official)
    assert data.source == "the data folder and the data cache"


def test_matching_data_are_completed_from_a_mirror(mirror, home, tmp_path):
    folder = write_extracted(tmp_path / "given")
    fingerprint = load(Settings(home=tmp_path / "elsewhere", data_folder=folder)).fingerprint
    (folder / "train-images-idx3-ubyte").unlink()
    data = load_matching(Settings(home=home, data_folder=folder, mirror=mirror.address), fingerprint)
    assert data.is_real
    assert mirror.requests == {IMAGES: 1}


def test_an_own_mirror_needs_no_torchvision(mirror, home, monkeypatch):
    def refuse() -> None:
        raise AssertionError("asking torchvision takes seconds")

    monkeypatch.setattr(sources, "official_mirrors", refuse)
    assert load(Settings(home=home, mirror=mirror.address)).is_real


def test_second_load_comes_from_the_cache_without_network(mirror, home, official):
    settings = Settings(home=home, mirror=mirror.address)
    first = load(settings)
    asked = mirror.requests.copy()
    second = load(settings)
    assert_is_miniature(first, official)
    assert first.source == f"the mirror {mirror.address}"
    assert second.source == "the data cache"
    assert second.fingerprint == first.fingerprint
    assert mirror.requests == asked
    assert not list(settings.data_cache.glob(".fetching-*"))


def test_cache_that_cannot_be_written_is_still_read(official, home, monkeypatch):
    settings = Settings(home=home)
    write_extracted(settings.data_cache)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a cache hit must neither lock nor write")

    def read_only(*_: object, **__: object) -> None:
        raise PermissionError("read-only file system")

    monkeypatch.setattr(sources, "FileLock", refuse)
    monkeypatch.setattr(Path, "mkdir", read_only)
    assert load(settings).is_real


def test_file_mirror(official, home, tmp_path):
    address = write_packed(tmp_path / "mirror").as_uri()
    assert_is_miniature(load(Settings(home=home, mirror=address)), official)


@pytest.mark.parametrize("alter", [lambda b: b[: len(b) // 2], lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b""])
def test_damaged_cache_is_noticed_and_only_that_file_fetched(mirror, home, official, alter):
    settings = Settings(home=home, mirror=mirror.address)
    write_extracted(settings.data_cache)
    damaged = settings.data_cache / "train-images-idx3-ubyte"
    damaged.write_bytes(alter(damaged.read_bytes()))
    data = load(settings)
    assert_is_miniature(data, official)
    (note,) = data.notes
    assert note.startswith(f"{damaged.name} in the data cache {settings.data_cache} is damaged")
    assert mirror.requests == {IMAGES: 1}


def test_a_later_mirror_gives_only_what_the_first_could_not(monkeypatch, home):
    with served() as poor, served() as rich:
        files = make_official(monkeypatch, mirrors=[rich.address])
        del poor.files["t10k-images-idx3-ubyte.gz"]
        data = load(Settings(home=home, mirror=poor.address))
        assert_is_miniature(data, files)
        assert rich.requests == {"t10k-images-idx3-ubyte.gz": 1, "t10k-labels-idx1-ubyte.gz": 1}
        (note,) = data.notes
        assert "answers 404 Not Found" in note
        assert note.endswith("Correct DROPOUT_LAB_MIRROR, or unset it.")


def test_hanging_and_dead_mirrors_lead_on(monkeypatch, home):
    monkeypatch.setattr(receive, "STALL_SECONDS", 0.2)
    with served() as hanging, served() as good:
        hanging.hangs = True
        make_official(monkeypatch, mirrors=["http://127.0.0.1:9/", good.address])
        data = load(Settings(home=home, mirror=hanging.address))
    assert data.is_real
    assert "sent nothing within 0.2 s" in data.notes[0]
    assert "cannot be reached" in data.notes[1]


def test_cache_that_cannot_be_written_does_not_keep_the_data_away(mirror, tmp_path, official):
    (tmp_path / "file").touch()
    settings = Settings(home=tmp_path / "file" / "home", mirror=mirror.address)
    data = load(settings)
    assert_is_miniature(data, official)
    (note,) = data.notes
    assert note.startswith(f"The data cache {settings.data_cache} cannot be written (Not a directory)")
    assert "set DROPOUT_LAB_HOME" in note


def test_nothing_to_be_had_gives_drawn_garments_that_say_why(official, home, tmp_path):
    settings = Settings(home=home, data_folder=tmp_path / "none", mirror=(tmp_path / "nowhere").as_uri())
    data = load(settings)
    assert data.name == "Drawn garments"
    assert not data.is_real
    assert len(data.notes) == 3
    assert data.notes[0].startswith(f"The data folder {tmp_path / 'none'} cannot be read (No such file or directory)")
    assert "cannot be read (No such file or directory)" in data.notes[1]
    assert "the images are drawn garments" in data.notes[2]


def test_progress_tells_of_every_file(mirror, home):
    seen: list[Progress] = []
    load(Settings(home=home, mirror=mirror.address), seen.append)
    assert {step.file for step in seen if step.done == step.total} == set(mirror.files)


def test_leftovers_of_a_killed_download_do_no_harm(mirror, home):
    settings = Settings(home=home, mirror=mirror.address)
    leftover = settings.data_cache / ".fetching-abc"
    leftover.mkdir(parents=True)
    (leftover / IMAGES).write_bytes(b"half")
    (settings.data_cache / ".lock").touch()
    assert load(settings).is_real
    assert not leftover.exists()


# --- many at once


def test_threads_that_start_together_download_once(mirror, home):
    settings = Settings(home=home, mirror=mirror.address)
    mirror.may_answer.clear()
    with ThreadPoolExecutor(6) as pool:
        loads = [pool.submit(load, settings) for _ in range(6)]
        mirror.may_answer.set()
        fingerprints = {loaded.result().fingerprint for loaded in loads}
    assert len(fingerprints) == 1
    assert set(mirror.requests.values()) == {1}


STARTER = """
import sys
from pathlib import Path
import pytest
from fmnist_core.data.sources import load
from fmnist_core.settings import Settings
from tests.miniature import make_official

make_official(pytest.MonkeyPatch(), mirrors=[])
print("ready", flush=True)
input()
print("loading", flush=True)
data = load(Settings(home=Path(sys.argv[1]), mirror=sys.argv[2]))
print(data.name, data.fingerprint, data.notes, sep=";")
"""


def test_processes_that_start_together_download_once(mirror, home):
    mirror.may_answer.clear()
    command = [sys.executable, "-c", STARTER, str(home), mirror.address]
    started = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    try:
        assert {process.stdout.readline() for process in started} == {"ready\n"}
        for process in started:
            process.stdin.write("\n")
            process.stdin.flush()
        assert {process.stdout.readline() for process in started} == {"loading\n"}
        mirror.may_answer.set()
        results = {process.communicate()[0] for process in started}
    finally:
        for process in started:
            process.kill()
            process.communicate()
    expected = load(Settings(home=home))
    assert results == {f"Fashion-MNIST;{expected.fingerprint};()\n"}
    assert set(mirror.requests.values()) == {1}


# --- the data set that a run names


def test_matching_real_data_come_from_the_cache_and_stay_in_memory(mirror, home):
    settings = Settings(home=home, mirror=mirror.address)
    fingerprint = load(settings).fingerprint
    data = load_matching(settings, fingerprint)
    assert data.fingerprint == fingerprint
    assert load_matching(settings, fingerprint) is data


def test_matching_real_data_are_fetched_where_they_lack(mirror, home):
    fingerprint = load(Settings(home=home, mirror=mirror.address)).fingerprint
    shutil.rmtree(home)
    assert load_matching(Settings(home=home, mirror=mirror.address), fingerprint).is_real


def test_matching_drawn_garments_need_no_network(mirror, home, drawn):
    data = load_matching(Settings(home=home, mirror=mirror.address), drawn.fingerprint)
    assert data.name == "Drawn garments"
    assert mirror.requests == {}


def test_matching_drawn_garments_though_the_real_data_are_there(official, home, drawn):
    settings = Settings(home=home)
    write_extracted(settings.data_cache)
    assert not load_matching(settings, drawn.fingerprint).is_real


def test_unknown_fingerprint_says_what_was_found_and_what_to_do(official, home, drawn):
    settings = Settings(home=home)
    write_extracted(settings.data_cache)
    real = load(settings)
    with pytest.raises(DataError) as caught:
        load_matching(settings, "0123456789abcdef")
    message = str(caught.value)
    assert "needs the data set with fingerprint 0123456789abcdef" in message
    assert f"this machine has Fashion-MNIST ({real.fingerprint}) and Drawn garments ({drawn.fingerprint})" in message
    assert "DROPOUT_LAB_DATA" in message


# --- the arrays


def test_fingerprint_covers_every_array_and_not_the_source(drawn):
    def changed(**parts: object) -> str:
        return Dataset(**{**{name: getattr(drawn, name) for name in Dataset.__dataclass_fields__}, **parts}).fingerprint

    assert changed(source="elsewhere", notes=("a note",)) == drawn.fingerprint
    for name in ("train_images", "train_labels", "test_images", "test_labels"):
        other = getattr(drawn, name).copy()
        other[0] = (other[0] + 1) % 10
        assert changed(**{name: other}) != drawn.fingerprint
    assert len(drawn.fingerprint) == 16
    assert int(drawn.fingerprint, 16)


@pytest.mark.parametrize(
    ("name", "wrong", "rule"),
    [
        ("train_images", np.zeros((3, 28, 28)), "train_images must be uint8"),
        ("test_images", np.zeros((3, 784), np.uint8), r"test_images must be uint8 \(n, 28, 28\)"),
        ("train_labels", np.zeros(2, np.int64), "train_labels must be int64, one for each"),
        ("test_labels", np.zeros(3, np.int32), "test_labels must be int64"),
        ("test_labels", np.array([0, 10, 1]), "test_labels must be from 0 to 9, got 0 to 10"),
    ],
)
def test_wrong_arrays_are_refused(name, wrong, rule):
    images, labels = np.zeros((3, 28, 28), np.uint8), np.zeros(3, np.int64)
    parts = {"train_images": images, "train_labels": labels, "test_images": images, "test_labels": labels, name: wrong}
    with pytest.raises(ValueError, match=rule):
        Dataset("Drawn garments", "a test", **parts)


def test_class_names_are_torchvisions_in_the_order_of_the_labels():
    assert list(CLASSES) == FashionMNIST.classes


# --- the split


def same(a: Split, b: Split) -> bool:
    return all(
        np.array_equal(getattr(ours, name), getattr(theirs, name))
        for ours, theirs in ((a.training, b.training), (a.validation, b.validation))
        for name in ("images", "labels", "indices")
    )


def counts(examples: Examples) -> list[int]:
    """How many of the examples are of each class."""
    return np.bincount(examples.labels[examples.indices], minlength=10).tolist()


def test_held_out_split_is_disjoint_complete_and_exact_in_every_class(drawn):
    parts = split(drawn, "held-out", seed=3)
    assert counts(parts.validation) == [200] * 10
    assert counts(parts.training) == [1000] * 10
    for examples in (parts.training, parts.validation):
        assert (np.diff(examples.indices) > 0).all()
        assert examples.indices.dtype == np.int64
    together = np.sort(np.concatenate([parts.training.indices, parts.validation.indices]))
    assert np.array_equal(together, np.arange(12000))


def test_a_split_copies_no_image(drawn):
    for protocol in ("held-out", "article"):
        parts = split(drawn, protocol, seed=3)
        assert parts.training.images is drawn.train_images
        assert parts.training.labels is drawn.train_labels
        assert parts.training.first(10).images is drawn.train_images
        validation = drawn.test_images if protocol == "article" else drawn.train_images
        assert parts.validation.images is validation


def test_held_out_split_depends_on_the_seed_alone(drawn):
    assert same(split(drawn, "held-out", seed=3), split(drawn, "held-out", seed=3))
    a, b = (set(split(drawn, "held-out", seed).validation.indices.tolist()) for seed in (3, 4))
    assert 200 < len(a & b) < 500  # 2,000 of 12,000 each: 333 by chance


@pytest.mark.parametrize(
    ("seed", "digest"),
    [
        (0, "f8e061eba53f33e6"),
        (3, "bd167b16ea38f0e4"),
    ],
)
def test_a_seeds_split_never_changes(drawn, seed, digest):
    """Stored runs, and links to validation images, rely on it."""
    indices = split(drawn, "held-out", seed).validation.indices
    assert hashlib.sha256(indices.astype("<i8").tobytes()).hexdigest()[:16] == digest


def test_unbalanced_classes_are_held_out_as_evenly_as_can_be():
    labels = np.array([0] * 61 + [1] * 7 + [2] * 30)
    images = np.zeros((len(labels), 28, 28), np.uint8)
    parts = split(Dataset("Drawn garments", "a test", images, labels, images, labels), "held-out", seed=0)
    held_out = counts(parts.validation)
    assert sum(held_out) in (16, 17)
    assert all(abs(count - whole / 6) < 1 for count, whole in zip(held_out, (61, 7, 30), strict=False))


def test_article_protocol_trains_on_everything_and_validates_on_the_test_images(drawn):
    parts = split(drawn, "article", seed=3)
    assert np.array_equal(parts.training.indices, np.arange(12000))
    assert parts.validation.labels is drawn.test_labels
    assert np.array_equal(parts.validation.indices, np.arange(2000))
    assert same(parts, split(drawn, "article", seed=4))


# --- importing torchvision

# Each stands in for an installed torchvision, in a fresh process.
MISMATCHED = """
import torch
for name in ("nms", "qnms"):
    torch.library.register_fake(f"torchvision::{name}", lambda dets, scores, iou_threshold: dets)
"""
MATCHED = """
import torch
def refuse(*_, **__): raise AssertionError("nothing may be declared where the wheels match")
torch.library.define = refuse
"""
BROKEN = "raise RuntimeError('another reason')"


def import_beside(torchvision: str, folder: Path) -> subprocess.CompletedProcess[str]:
    package = folder / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(
        torchvision + "\nclass datasets:\n    class FashionMNIST: pass\nprint('imported')"
    )
    command = (
        f"import sys; sys.path[:0] = [{str(folder)!r}, {str(ROOT)!r}]\n"
        "import fmnist_core.data.torchvision_import as done; print(done.FashionMNIST)"
    )
    return subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("torchvision", [MISMATCHED, MATCHED])
def test_torchvision_imports_whether_or_not_its_operators_load(torchvision, tmp_path):
    done = import_beside(torchvision, tmp_path)
    assert done.stdout == "imported\n<class 'torchvision.datasets.FashionMNIST'>\n", done.stderr


def test_a_mirror_among_the_servers_files_is_told_without_its_path(home, tmp_path, monkeypatch):
    make_official(monkeypatch, mirrors=[])
    data = load(Settings(home=home, mirror=write_packed(tmp_path / "secret").as_uri()))
    assert (data.is_real, data.source) == (True, "a mirror on the server")


def test_another_process_says_where_the_official_files_are():
    assert list(official_mirrors()) == FashionMNIST.mirrors


def test_the_official_files_are_those_of_torchvision():
    assert [f"{name}.gz" for name in EXTRACTED_MD5] == [name for name, _ in FashionMNIST.resources]


def test_a_torchvision_that_cannot_be_imported_leads_to_drawn_garments_that_say_so(home, tmp_path, monkeypatch):
    (tmp_path / "torchvision.py").write_text("raise ImportError('no such operator')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(sources, "official_mirrors", official_mirrors.__wrapped__)
    data = load(Settings(home=home))
    assert not data.is_real
    assert data.notes[0] == (
        "torchvision, which knows the official mirrors, cannot be imported (ImportError: no such operator). "
        "Install it as requirements.txt says."
    )


def test_other_reasons_why_torchvision_fails_are_not_hidden(tmp_path):
    done = import_beside(BROKEN, tmp_path)
    assert done.returncode
    assert "RuntimeError: another reason" in done.stderr


# --- the official files


@pytest.fixture(scope="module")
def real(real_data_mirror: str, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return load(Settings(home=tmp_path_factory.mktemp("home"), mirror=real_data_mirror))


@pytest.mark.real_data
def test_official_files_are_what_the_paper_describes(real):
    assert real.is_real
    assert real.notes == ()
    assert real.train_images.shape == (60000, 28, 28)
    assert real.test_images.shape == (10000, 28, 28)
    assert np.bincount(real.train_labels).tolist() == [6000] * 10
    assert np.bincount(real.test_labels).tolist() == [1000] * 10
    assert real.fingerprint == "5b22a816b4ddd488"
    assert real.train_images.mean() / 255 == pytest.approx(0.2860, abs=1e-4)
    assert real.train_images.std() / 255 == pytest.approx(0.3530, abs=1e-4)


@pytest.mark.real_data
def test_official_split_holds_out_a_thousand_of_each_class(real):
    parts = split(real, "held-out", seed=0)
    assert len(parts.training) == 50000
    assert counts(parts.validation) == [1000] * 10
