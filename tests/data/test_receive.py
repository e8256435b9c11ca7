"""Every way in which a connection fails is called by its name, with what to do; all of it on this machine."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from fmnist_core.data import receive as receiving
from fmnist_core.data.receive import SourceError, receive
from tests.miniature import Mirror, served

FILE = "train-images-idx3-ubyte.gz"
CERTIFICATE = Path(__file__).parent / "self_signed.pem"


@pytest.fixture(autouse=True)
def no_proxy_and_little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(receiving, "CONNECT_SECONDS", 0.3)
    monkeypatch.setattr(receiving, "STALL_SECONDS", 0.2)


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with served() as mirror:
        yield mirror


@pytest.fixture
def closed_port() -> int:
    """A port of this machine at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def complaint(url: str) -> str:
    with pytest.raises(SourceError) as caught:
        list(receive(url))
    return str(caught.value)


@pytest.fixture
def secure_mirror() -> Iterator[Mirror]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with served(context) as mirror:
        yield mirror


def test_a_certificate_that_is_not_trusted(secure_mirror):
    url = f"{secure_mirror.address}/{FILE}"
    assert complaint(url) == (
        f"{url} cannot be reached: the certificate of 127.0.0.1 is not trusted (self-signed certificate). Set "
        "REQUESTS_CA_BUNDLE to a file with the certificate of the authority that signed it; where it has expired or "
        "is not valid yet, check this machine's clock"
    )
    assert secure_mirror.requests == {}


def test_the_remedy_for_a_certificate_helps(secure_mirror, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    content = b"".join(piece for piece, _ in receive(f"{secure_mirror.address}/{FILE}"))
    assert content == secure_mirror.files[FILE]


def test_a_server_without_encryption(mirror):
    url = f"{mirror.address.replace('http:', 'https:')}/{FILE}"
    words = complaint(url)
    assert words.startswith(f"{url} cannot be reached: 127.0.0.1 and this machine cannot agree on encryption (")
    assert words.endswith("Check whether the address should begin with http:// instead of https://")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_dead_proxy_is_named_without_its_password(closed_port, monkeypatch, scheme):
    monkeypatch.setenv(f"{scheme.upper()}_PROXY", f"http://ada:secret@127.0.0.1:{closed_port}/")
    assert complaint(f"{scheme}://files.example/{FILE}") == (
        f"{scheme}://files.example/{FILE} cannot be reached through the proxy http://127.0.0.1:{closed_port} "
        f"(Connection refused). Correct the proxy in {scheme.upper()}_PROXY, or add files.example to NO_PROXY"
    )


@pytest.mark.parametrize("proxy", ["ada:secret@127.0.0.1:9", "http://ada:se/cret@127.0.0.1:9", "socks9://127.0.0.1:9"])
def test_a_proxy_that_is_no_address(monkeypatch, proxy):
    monkeypatch.setenv("HTTP_PROXY", proxy)
    words = complaint(f"http://files.example/{FILE}")
    assert "the proxy in HTTP_PROXY has an address that cannot be used" in words
    assert "ada" not in words
    assert "cret" not in words


def test_a_host_without_an_address(monkeypatch):
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert complaint(f"http://files.example/{FILE}") == (
        f"http://files.example/{FILE} cannot be reached: no address is known for the host files.example (Name or "
        "service not known). Check how it is spelled, and this machine's network connection"
    )


def test_a_port_where_nobody_listens(closed_port):
    url = f"http://127.0.0.1:{closed_port}/{FILE}"
    assert complaint(url) == (
        f"{url} cannot be reached: 127.0.0.1 refuses connections at port {closed_port}. Check the port in the "
        "address, and that the server runs"
    )


def test_a_host_that_accepts_no_connection():
    with ExitStack() as opened:
        full = opened.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # as many as wait to be accepted, and more
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/{FILE}"
        assert complaint(url) == (
            f"{url} cannot be reached: 127.0.0.1 accepted no connection within 0.3 s. A firewall may be in the way; "
            "where this network needs a proxy, set HTTP_PROXY"
        )


@pytest.mark.parametrize("answers", [True, False])
def test_a_server_that_falls_silent(mirror, answers):
    mirror.hangs = answers
    if not answers:
        mirror.may_answer.clear()
    url = f"{mirror.address}/{FILE}"
    assert complaint(url) == f"{url} sent nothing within 0.2 s. Try again later"


def test_an_address_that_is_none():
    words = complaint(f"http://ada:secret@no host/{FILE}")
    assert words == f"http://no host/{FILE} cannot be reached: this is no valid address. Check how it is written"


def test_time_limits_are_those_that_we_promise(monkeypatch):
    monkeypatch.undo()

    def get(url: str, **options: object) -> None:
        assert options["timeout"] == (10, 20)
        raise requests.ConnectionError

    monkeypatch.setattr(requests, "get", get)
    assert "cannot be reached" in complaint(f"http://files.example/{FILE}")


def test_a_password_in_the_address_is_not_shown(closed_port):
    words = complaint(f"http://ada:secret@127.0.0.1:{closed_port}/{FILE}")
    assert words.startswith(f"http://127.0.0.1:{closed_port}/{FILE} cannot be reached")
    assert "secret" not in words
