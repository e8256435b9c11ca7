"""Receive a file from an http(s) or file address, or say why it cannot be had and what to do."""

import socket
import ssl
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests
import urllib3
from requests import PreparedRequest
from requests.exceptions import InvalidProxyURL, InvalidSchema, InvalidURL, ProxyError, SSLError
from requests.utils import get_environ_proxies, select_proxy

CONNECT_SECONDS = 10.0
STALL_SECONDS = 20.0  # longest wait for the next bytes of a file
CHUNK = 2**16  # bytes


class SourceError(Exception):
    """A source cannot give a file; the message says which file, why and, for the network, what to do."""


class DamagedFileError(SourceError):
    """What a source gave is not the official file; a second attempt may succeed."""


def receive(url: str) -> Generator[tuple[bytes, int | None]]:
    """Yield the file's bytes in pieces, each with the whole file's length where the source tells it.

    A generator, so that errors of whoever writes the pieces do not pass for errors of the source.
    Raises SourceError, whose message lacks the last full stop and holds no password.
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
    except requests.HTTPError as error:
        raise SourceError(f"{shown} answers {error.response.status_code} {error.response.reason}") from error
    except requests.ConnectTimeout as error:
        raise SourceError(_not_reached(url, error)) from error
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise SourceError(f"{shown} sent nothing within {STALL_SECONDS:g} s. Try again later") from error
    except requests.RequestException as error:
        raise SourceError(_not_reached(url, error)) from error
    except urllib3.exceptions.HTTPError as error:
        raise DamagedFileError(f"{name} from {shown.removesuffix(f'/{name}')} broke off on the way") from error
    except OSError as error:
        raise SourceError(f"{shown} cannot be read ({error.strerror or error})") from error


def without_password(url: str) -> str:
    """The address as it may be shown to everyone: without a user name and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _not_reached(url: str, error: requests.RequestException) -> str:
    """Why no connection came about, each fault by its own name, and the remedy."""
    asked = (error.request.url if error.request else None) or url  # another host where `url` leads on to it
    host, scheme = urlsplit(asked).hostname, urlsplit(asked).scheme
    start = f"{without_password(url)} cannot be reached"
    cause = _first_cause(error)
    match error, cause:
        case (ProxyError(), _):
            return (
                f"{start} through the proxy {_proxy(asked)} ({_reason(cause)}). Correct the proxy in "
                f"{scheme.upper()}_PROXY, or add {host} to NO_PROXY"
            )
        case (InvalidProxyURL() | InvalidSchema(), _) | (InvalidURL(request=PreparedRequest()), _):
            # Once the request is prepared its own address is valid, and no scheme of ours is unknown.
            return (
                f"{start}: the proxy in {scheme.upper()}_PROXY has an address that cannot be used "
                f"({type(error).__name__}). Write it as http://host:port, or add {host} to NO_PROXY"
            )
        case (InvalidURL(), _):
            return f"{start}: this is no valid address. Check how it is written"
        case (SSLError(), ssl.SSLCertVerificationError()):
            return (
                f"{start}: the certificate of {host} is not trusted ({cause.verify_message.rstrip('.')}). Set "
                "REQUESTS_CA_BUNDLE to a file with the certificate of the authority that signed it; where it has "
                "expired or is not valid yet, check this machine's clock"
            )
        case (SSLError(), _):
            return (
                f"{start}: {host} and this machine cannot agree on encryption ({_reason(cause)}). Check whether the "
                "address should begin with http:// instead of https://"
            )
        case (requests.ConnectTimeout(), _):
            return (
                f"{start}: {host} accepted no connection within {CONNECT_SECONDS:g} s. A firewall may be in the way; "
                f"where this network needs a proxy, set {scheme.upper()}_PROXY"
            )
        case (_, socket.gaierror()):
            return (
                f"{start}: no address is known for the host {host} ({_reason(cause)}). Check how it is spelled, and "
                "this machine's network connection"
            )
        case (_, ConnectionRefusedError()):
            port = urlsplit(asked).port or {"http": 80, "https": 443}[scheme]
            return (
                f"{start}: {host} refuses connections at port {port}. Check the port in the address, and that the "
                "server runs"
            )
    return f"{start} ({_reason(cause)}). Check the address, and this machine's network connection"


def _first_cause(error: BaseException) -> BaseException:
    """What led to the error in the end; the libraries hand it on in three ways."""
    wrapped = error.args[0] if error.args else None
    earlier = error.__cause__ or error.__context__ or (wrapped if isinstance(wrapped, BaseException) else None)
    return _first_cause(earlier) if earlier else error


def _reason(cause: BaseException) -> str:
    """The system's words; of the libraries' errors only the kind, since their words may quote a password."""
    if isinstance(cause, ssl.SSLError):
        return cause.reason.replace("_", " ").lower() if cause.reason else type(cause).__name__
    if isinstance(cause, OSError) and not isinstance(cause, requests.RequestException):
        return cause.strerror or str(cause)
    return type(cause).__name__


def _proxy(url: str) -> str:
    """The proxy that a request for `url` takes: scheme, host and port, without a user name and password."""
    scheme, _, rest = (select_proxy(url, get_environ_proxies(url)) or "").rpartition("://")
    return f"{scheme or 'http'}://{rest.rpartition('@')[2].partition('/')[0]}"
