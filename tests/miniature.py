"""Four small files in Fashion-MNIST's format, and a mirror on this machine that can misbehave."""

import gzip
import hashlib
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fmnist_core.data import sources
from fmnist_core.data.official_files import EXTRACTED_MD5

TRAIN, TEST = 120, 30  # images; each class equally often


def official_files() -> dict[str, bytes]:
    """The four packed files by name; every call gives the same bytes."""
    rng = np.random.default_rng(0)
    files = {}
    for part, count in (("train", TRAIN), ("t10k", TEST)):
        images = rng.integers(0, 256, (count, 28, 28), np.uint8)
        labels = rng.permutation(np.arange(count, dtype=np.uint8) % 10)
        for kind, values in (("images-idx3", images), ("labels-idx1", labels)):
            header = struct.pack(f">I{values.ndim}I", 0x0800 + values.ndim, *values.shape)
            files[f"{part}-{kind}-ubyte.gz"] = gzip.compress(header + values.tobytes(), mtime=0)
    return files


def make_official(patch: pytest.MonkeyPatch, mirrors: list[str]) -> dict[str, bytes]:
    """Make the program take the small files for the official ones, and `mirrors` for torchvision's."""
    files = official_files()
    patch.setattr(sources, "official_mirrors", lambda: tuple(mirrors))
    for name, packed in files.items():
        digest = hashlib.md5(gzip.decompress(packed)).hexdigest()
        patch.setitem(EXTRACTED_MD5, name.removesuffix(".gz"), digest)
    return files


def write_packed(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, packed in official_files().items():
        (folder / name).write_bytes(packed)
    return folder


def write_extracted(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, packed in official_files().items():
        (folder / name).with_suffix("").write_bytes(gzip.decompress(packed))
    return folder


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder with its bytes and time of change, to see whether anything was touched."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


@dataclass
class Mirror:
    """What the server at `address` gives, and what it was asked for."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=official_files)
    # The answers to the next requests for a file, before the true one is given.
    wrong_once: dict[str, list[bytes]] = field(default_factory=dict)
    shortened: set[str] = field(default_factory=set)  # promised in full, but broken off half way, the first time
    hangs: bool = False  # after the first bytes
    requests: Counter[str] = field(default_factory=Counter)
    may_answer: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, mirror: Mirror, closing: threading.Event, *args: Any) -> None:
        self.mirror, self.closing = mirror, closing
        super().__init__(*args)

    def do_GET(self) -> None:
        mirror, name = self.mirror, self.path.rpartition("/")[2]
        mirror.requests[name] += 1
        mirror.may_answer.wait()
        if name not in mirror.files:
            self.send_error(404)
            return
        wrong = mirror.wrong_once.get(name)
        body = wrong.pop(0) if wrong else mirror.files[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Encoding", "gzip")  # as Apache says of every .gz by default
        self.end_headers()
        if mirror.hangs:
            self.wfile.write(body[:10])
            self.closing.wait()
        elif name in mirror.shortened:
            mirror.shortened.remove(name)
            self.wfile.write(body[: len(body) // 2])
        else:
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def served(encryption: ssl.SSLContext | None = None) -> Iterator[Mirror]:
    """A mirror on a free port of this machine, for as long as the block runs; over TLS where `encryption` is given."""
    mirror, closing = Mirror(), threading.Event()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, mirror, closing)) as server:
        server.daemon_threads = False  # so that closing the server waits for every answer
        if encryption:
            server.handle_error = lambda *_: None  # a client that refuses the certificate, which is what is tested
            server.socket = encryption.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        mirror.address = f"http{'s' if encryption else ''}://127.0.0.1:{server.server_port}/files"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield mirror
        finally:
            closing.set()
            mirror.may_answer.set()
            server.shutdown()
            thread.join()
