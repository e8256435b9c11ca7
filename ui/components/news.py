"""News of what still trains: the browser asks for it, and gets the charts and tables that are other by now.

A page that ran anew twice a second for each visitor would keep a core busy with twenty of them (75 ms a tick), mostly
to draw what is drawn already. Asking costs the server less than a millisecond and reads nothing of its own: all
visitors share one look at the store. What an epoch changes is worked out once, and sent as it is; the script runs again
only where the page gets other parts, at a run's first epoch and at its end.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ui.components.addresses import asset_address, asset_path

_KEPT_TOPICS = 1024
_QUIET_SECONDS = 5.0
_URGENT_SECONDS = 0.15


@dataclass(frozen=True)
class News:
    """How far something is: `share` is drawn as a bar, from 0 to 1, below `text`.

    Where `version` is another than that of the page, its script has to run again. Where `edition` is another, charts
    and tables look different by now: `contents` gives what they show, under their keys, and is asked only then. Where
    it `is_urgent`, somebody waits for the next news, and the browser asks for them sooner.
    """

    version: str
    share: float
    text: str
    edition: str
    contents: Callable[[], Mapping[str, str]] = field(repr=False)
    is_urgent: bool = False

    @property
    def tag(self) -> str:
        """A short name for all of it."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]

    def as_data(self) -> dict[str, Any]:
        """What the browser is told, without the contents."""
        told = {name: getattr(self, name) for name in ("version", "share", "text", "edition", "is_urgent")}
        return {"tag": self.tag, **told}


_topics: OrderedDict[str, Callable[[], News]] = OrderedDict()
_lock = threading.Lock()

_HTML = """
<p class="text"></p>
<div class="track" role="progressbar" aria-valuemin="0" aria-valuemax="100"><div></div></div>
"""

_component = st.components.v2.component(
    "news",
    html=_HTML,
    css=Path(__file__).with_suffix(".css").read_text(encoding="utf-8"),
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
)


def news_bar(
    topic: str,
    tell: Callable[[], News],
    *,
    key: str,
    seconds: float,
    is_quiet: bool = False,
    quiet_seconds: float | None = None,
    version: str | None = None,
    edition: str | None = None,
) -> None:
    """Draw how far something is, and keep that and what else the news tells of up to date.

    This fragment runs again when the version is another. The browser asks every so many `seconds`. `topic` names what
    it is about: for all visitors of one topic, the newest `tell` answers, on a thread of its own and without a session.
    It may raise StoreError. `version` and `edition` are those of what the page has drawn, which may be older than what
    `tell` finds by now: the browser then learns of it when it asks. A quiet one shows nothing and asks seldom, or every
    so many `quiet_seconds`: it is for what has ended and may go on from elsewhere.
    """
    token = hashlib.sha256(topic.encode()).hexdigest()[:16]
    with _lock:
        _topics[token] = tell
        _topics.move_to_end(token)
        while len(_topics) > _KEPT_TOPICS:
            _topics.popitem(last=False)
    now = tell()
    now = replace(
        now,
        version=now.version if version is None else version,
        edition=now.edition if edition is None else edition,
    )
    _component(
        key=key,
        data={
            "url": asset_address(f"news/{token}"),
            "seconds": (quiet_seconds or _QUIET_SECONDS) if is_quiet else seconds,
            "urgent_seconds": _URGENT_SECONDS,
            "is_quiet": is_quiet,
            **now.as_data(),
        },
        on_news_change=lambda: None,  # that the fragment runs again is all that is wanted
    )


def news_route() -> Route:
    """The route for `st.App(routes=[...])`; make it after Streamlit has read its settings."""
    return Route(asset_path("news/{token}"), _respond)


def _respond(request: Request) -> Response:
    """Nothing (204) where the news is what `since` names; with contents where their edition is not `edition`.

    404 for what this server was never asked to draw.
    """
    # Not async, so that Starlette answers in a thread: who looks at the store first may have to wait for it.
    from fmnist_core.store.database import StoreError  # the route is there before the server answers; SQLAlchemy waits

    headers = {"Cache-Control": "no-store"}
    with _lock:
        tell = _topics.get(request.path_params["token"])
    if tell is None:
        return PlainTextResponse("Nobody looks at this any more. Reload the page.", status_code=404, headers=headers)
    try:
        now = tell()
        if now.tag == request.query_params.get("since"):
            return Response(status_code=204, headers=headers)
        is_new = now.edition != request.query_params.get("edition")
        told = now.as_data() | ({"contents": now.contents()} if is_new else {})
    except StoreError as error:
        return PlainTextResponse(f"{error}.", status_code=503, headers=headers)
    return JSONResponse(told, headers=headers)
