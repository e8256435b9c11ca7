"""What the server tells browsers that they must not do, and what of Streamlit's it does not answer."""

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        # Streamlit's page has one line of script in it, and loads components' scripts from blobs. Nothing is evaluated.
        "script-src 'self' 'unsafe-inline' blob:",
        "style-src 'self' 'unsafe-inline'",  # its styles, and Plotly's, are made in the page
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "media-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "SAMEORIGIN",  # frame-ancestors, for old browsers
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # an address names runs
}
# How many sessions there are, and what they hold in memory: for whoever runs the server, who has /health and the log.
_CLOSED = ("/_stcore/metrics", "/_stcore/agent")


class SafeHeaders:
    """Middleware that gives every answer the headers above; it stands before all that answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class Closed:
    """Middleware that hides what nobody needs from outside."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and any(closed in scope["path"] for closed in _CLOSED):
            await PlainTextResponse("Not found", status_code=404)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
