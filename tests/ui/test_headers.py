"""What every answer of the server carries, and what it does not answer."""

import pytest
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.http import fetch
from ui.headers import Closed, SafeHeaders


def ask(path):
    middleware = [Middleware(SafeHeaders), Middleware(Closed)]
    route = Route("/{path:path}", lambda request: PlainTextResponse("here"), middleware=middleware)
    return fetch(route, path)


@pytest.mark.parametrize("path", ["/", "/compare", "/_stcore/health", "/_stcore/metrics"])
def test_every_answer_forbids_what_nobody_needs(path):
    headers = ask(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == "'self'"
    assert "'unsafe-eval'" not in headers["content-security-policy"]
    assert "http" not in headers["content-security-policy"]  # no other site
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/class/lab/_stcore/metrics", "/_stcore/agent/openapi.json"])
def test_what_nobody_needs_from_outside_is_not_answered(path):
    assert ask(path).status == 404
    assert ask("/_stcore/health").status == 200
