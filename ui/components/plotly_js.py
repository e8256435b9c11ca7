"""Serves the plotly.min.js of the installed plotly package; no page needs a network beyond this server."""

import gzip
from functools import cache
from importlib.metadata import version
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ui.components.addresses import asset_address, asset_path


def plotly_address() -> str:
    """Where the browser finds the file; the version in its name lets caches keep it for good."""
    return asset_address(_name())


def plotly_route() -> Route:
    """The route for `st.App(routes=[...])`; make it after Streamlit has read its settings."""
    return Route(asset_path(_name()), _respond)


def _name() -> str:
    return f"plotly-{_version()}.min.js"


@cache
def _version() -> str:
    return version("plotly")  # looks through all that is installed, and every chart asks


def _respond(request: Request) -> Response:
    # Not async, so that Starlette reads and compresses in a thread and other sessions do not wait.
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        return Response(_source(), headers=headers, media_type="text/javascript")
    headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(_compressed(), headers=headers, media_type="text/javascript")


def _source() -> bytes:
    return files("plotly").joinpath("package_data", "plotly.min.js").read_bytes()


@cache
def _compressed() -> bytes:
    # 4.8 MB become 1.4 MB; once for all, where Streamlit's own middleware would compress for each visitor.
    return gzip.compress(_source(), mtime=0)
