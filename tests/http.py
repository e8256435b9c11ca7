"""Asking a route of the server's as a browser would, without a server."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin

from starlette.applications import Starlette
from starlette.routing import Route


@dataclass(frozen=True)
class Answer:
    """What came back; the headers have lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body's content, where it is JSON."""
        return json.loads(self.body)


def fetch(route: Route, path: str, **query: str) -> Answer:
    """GET `path`, which may be relative to a page, in an application that has this route alone."""
    path = urljoin("/", path)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": urlencode(query).encode(), "headers": []}
    asyncio.run(Starlette(routes=[route])(scope, receive, send))
    start, *bodies = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], headers, b"".join(message["body"] for message in bodies))
