"""Faults of disks, of the store's file and of the data files, as rows for `benchmarks.faults`."""

import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import url2pathname, urlopen

from benchmarks.faulty_lab import Fault, FaultyLab, Seen
from benchmarks.server import running_server, wait_until
from fmnist_core.data.sources import load
from fmnist_core.store.database import StoreError
from fmnist_core.store.runs import Store

LOCKED_SECONDS = 60.0
FULL_SECONDS = 20.0
DISK_MEGABYTES = 16


@contextmanager
def small_disk(folder: Path, *options: str) -> Iterator[Path]:
    """A file system of DISK_MEGABYTES in memory, mounted on a folder."""
    choices = ",".join([f"size={DISK_MEGABYTES}m", *options])
    subprocess.run(["mount", "-t", "tmpfs", "-o", choices, "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def short(sentence: str, folder: Path) -> str:
    """A sentence of the store without the folder's name and without its remedy."""
    return sentence.replace(f"{folder}/", "").partition("; ")[0]


def disturb_store(lab: FaultyLab, file: Path, disturbing: Callable[[Store], None]) -> tuple[str, bool]:
    """Train a run in the store at `file`, disturb it after an epoch, and wait for its end; how it ended."""
    config = replace(lab.config, epochs=8)
    with lab.store(file) as store, lab.dispatching(store, workers=1):
        key = lab.ask(store, config)
        wait_until(lambda: lab.epochs_done(store, key) >= 1, "an epoch")
        disturbing(store)
        lab.wait_for_ends(store, [key])
        run, same = store.run(key), lab.same(store, [config])
        assert run is not None
        return f"{run.status}, {'the same' if same else f'not the same: {run.error}'}", same == 1


def fill_disk(lab: FaultyLab, _count: int) -> Seen:
    """Leave the store no byte while a run trains, then give the space back."""
    with small_disk(lab.folder()) as disk:
        told: list[str] = []

        def disturb(store: Store) -> None:
            filler = disk / "filler"
            try:
                with filler.open("wb", buffering=0) as file:
                    while True:
                        file.write(bytes(4096))
            except OSError:
                pass  # it is full
            done = lab.epochs_done(store, store.runs()[0].key)
            try:
                store.request_all([replace(lab.config, seed=seed) for seed in range(300)], "Any", "0" * 16)
            except StoreError as error:
                told.append(str(error))
            threading.Event().wait(FULL_SECONDS)
            assert lab.epochs_done(store, store.runs()[0].key) == done, "nothing could be stored"
            filler.unlink()

        words, same = disturb_store(lab, disk / "runs.sqlite", disturb)
        return Seen(
            f"full for {FULL_SECONDS:.0f} s: {words}; who asked was told “{''.join(told)}”", same and bool(told)
        )


def lock_database(lab: FaultyLab, _count: int) -> Seen:
    """Hold the write lock of the database."""
    file = lab.folder() / "runs.sqlite"

    def disturb(_store: Store) -> None:
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            threading.Event().wait(LOCKED_SECONDS)
            connection.execute("ROLLBACK")

    words, same = disturb_store(lab, file, disturb)
    return Seen(f"locked for {LOCKED_SECONDS:.0f} s: {words}", same)


def health(address: str) -> dict[str, str]:
    """What the server says of its parts."""
    try:
        with urlopen(f"{address}/health", timeout=30) as answer:
            return dict(json.load(answer))
    except HTTPError as error:
        return dict(json.load(error))


def serve_with(lab: FaultyLab, home: Path) -> tuple[str, bool]:
    """Start the real server in a home whose store fails; what it says, and whether it says it and lives."""
    (home / "data").symlink_to(lab.home / "data")
    with running_server(home, home.parent / f"{home.name}.log") as server:
        wait_until(lambda: health(server.address)["store"] != "does not answer", "the server has looked at its store")
        says = health(server.address)["store"]
        lives = server.process.is_running()
    log = (home.parent / f"{home.name}.log").read_text()
    sentence = next((line[line.index("the run store") :] for line in log.splitlines() if "the run store" in line), "")
    return f"/health: store {says}; log: “{short(sentence, home)}”", lives and says == "fails" and bool(sentence)


def forbid_writing(lab: FaultyLab, _count: int) -> Seen:
    """Start the server in a home that cannot be written, which then can."""
    folder = lab.folder()
    with small_disk(folder):
        (folder / "data").symlink_to(lab.home / "data")
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        log = folder.parent / f"{folder.name}.log"
        with running_server(folder, log) as server:
            wait_until(lambda: health(server.address)["store"] == "fails", "the server has looked at its store")
            subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
            wait_until(lambda: health(server.address)["store"] == "ok", "the store is opened")
        told = "the run store" in log.read_text()
        return Seen("told in the log and by /health; works once it can be written, without a restart", told)


def damage(doing: Callable[[Path], None], lab: FaultyLab, _count: int) -> Seen:
    """Start the server on a store that was damaged."""
    home = lab.folder()
    file = home / "runs.sqlite"
    with lab.store(file) as store, lab.dispatching(store, workers=1):
        lab.wait_for_ends(store, [lab.ask(store, lab.config)])
    doing(file)
    before = file.read_bytes()
    words, is_expected = serve_with(lab, home)
    untouched = file.read_bytes() == before
    return Seen(f"{words}{', file untouched' if untouched else ', FILE CHANGED'}", is_expected and untouched)


def truncate(file: Path) -> None:
    """Cut a file in half."""
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2)


def fill_with_garbage(file: Path) -> None:
    """Leave nothing of what a file held."""
    file.write_bytes(b"garbage " * (file.stat().st_size // 8))


def flip(file: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def make_newer(file: Path) -> None:
    """Give a store the layout of a version that is not written yet."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE schema SET version = version + 1")


def official_files(lab: FaultyLab) -> Path:
    """A folder with the four packed files."""
    mirror, folder = lab.settings.mirror, lab.folder()
    given = lab.settings.data_folder or Path(url2pathname(urlsplit(mirror or "").path))
    for file in given.glob("*.gz"):
        shutil.copy(file, folder)
    assert len(list(folder.iterdir())) == 4, "needs a folder with the packed files: DROPOUT_LAB_MIRROR=file://..."
    return folder


def damage_data(doing: Callable[[Path], None], lab: FaultyLab, count: int) -> Seen:
    """Damage each of a data folder's files in turn, while a mirror has good ones."""
    good = official_files(lab)
    told = same = 0
    for number in range(count):
        bad = official_files(lab)
        doing(sorted(bad.iterdir())[number % 4])
        data = load(replace(lab.settings, home=lab.folder(), data_folder=bad, mirror=good.as_uri()))
        same += data.fingerprint == lab.data.fingerprint
        told += any("Only what is good was taken" in note for note in data.notes)
    return Seen(f"{same} of {count} times the right data, {told} times told", same == told == count)


@contextmanager
def silent_host() -> Iterator[str]:
    """The address of a host that takes every connection, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def keep_silent(lab: FaultyLab, _count: int) -> Seen:
    """Fetch the data from a host that says nothing."""
    with silent_host() as address:
        began = time.monotonic()
        data = load(replace(lab.settings, home=lab.folder(), data_folder=None, mirror=address))
    took = time.monotonic() - began
    told = any("sent nothing within" in note for note in data.notes)
    return Seen(f"told after {took:.0f} s, then {data.name}", told and took < 120)


FETCH = """
import sys
from pathlib import Path
from fmnist_core.data.sources import load
from fmnist_core.settings import Settings
print(load(Settings(home=Path(sys.argv[1]), mirror=sys.argv[2])).fingerprint)
"""


@contextmanager
def counting_mirror(folder: Path, asked: Counter[str]) -> Iterator[str]:
    """The address of a mirror of a folder, which counts what it is asked for."""

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            asked[self.path] += 1
            super().do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def fetch_at_once(lab: FaultyLab, count: int) -> Seen:
    """Have several processes fetch the data into one empty home at the same time."""
    asked: Counter[str] = Counter()
    home = lab.folder()
    with counting_mirror(official_files(lab), asked) as address:
        command = [sys.executable, "-c", FETCH, str(home), address]
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
        found = [process.communicate(timeout=300)[0].strip() for process in processes]
    right = found.count(lab.data.fingerprint)
    times = max(asked.values())
    return Seen(
        f"{right} of {count} have the right data; each file fetched {times} time(s)", right == count and times == 1
    )


FAULTS = (
    Fault("the disk is full, and has space again", 1, "waits, a sentence, then ends the same", fill_disk),
    Fault("the home folder cannot be written, then can", 1, "a sentence, then works", forbid_writing),
    Fault("the database is locked", 1, "waits, then ends the same", lock_database),
    Fault("the database is cut in half", 1, "a sentence, left as it is", partial(damage, truncate)),
    Fault("the database is garbage", 1, "a sentence, left as it is", partial(damage, fill_with_garbage)),
    Fault("the database is of a newer version", 1, "a sentence, left as it is", partial(damage, make_newer)),
    Fault("a data file is cut in half", 4, "told, fetched from the mirror", partial(damage_data, truncate)),
    Fault("one bit of a data file is flipped", 4, "told, fetched from the mirror", partial(damage_data, flip)),
    Fault("the mirror takes connections and is silent", 1, "told, drawn garments", keep_silent),
    Fault("processes fetch the data at once", 4, "each file fetched once", fetch_at_once),
)
