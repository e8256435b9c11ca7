"""Sign-in by Streamlit's own OpenID Connect: where `[auth]` stands in .streamlit/secrets.toml, nothing is seen before.

Streamlit keeps who is signed in in a signed cookie. It checks that when a page connects, and leaves the rest to the
page: uploads and media are served to whoever asks. `Gate` checks it for all that is no page.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config
from streamlit.auth_util import (
    get_cookie_with_chunks,
    get_origin_from_redirect_uri,
    get_secrets_auth_section,
    is_authlib_installed,
)
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from fmnist_core.store.run_log import log_run
from ui.components.addresses import base_path

# What a browser needs to draw the page that asks for sign-in, and a monitor to see that the server lives. All other
# addresses below these folders are closed; what lies outside of them is Streamlit's front end, the same for everybody.
_OPEN = ("_stcore/health", "_stcore/host-config", "_stcore/bidi-components/")
_FOLDERS = ("_stcore/", "assets/", "component/", "media/")


def is_required() -> bool:
    """Whether this server asks its visitors to sign in.

    Raises ValueError for a secrets file that cannot be read: it may ask for it.
    """
    if secrets_singleton.load_if_toml_exists():
        return bool(get_secrets_auth_section())
    for file in map(Path, config.get_option("secrets.files")):
        if file.exists():
            raise ValueError(f"{file} must be a TOML file, and cannot be read as one; correct or remove it")
    return False


def is_signed_in(cookies: Mapping[str, str]) -> bool:
    """Whether the cookies hold what Streamlit gave somebody who signed in here, unchanged and not too old."""
    secret = get_cookie_secret()

    def signed(name: str) -> bytes | None:
        return decode_signed_value(secret, name, cookies.get(name, "").encode("latin-1")) if secret else None

    content = get_cookie_with_chunks(signed, USER_COOKIE_NAME)
    if content is None:
        return False
    try:
        claims: dict[str, Any] = json.loads(content)
    except ValueError:
        return False
    return claims.get("is_logged_in") is True and claims.get("origin") == get_origin_from_redirect_uri()


class Gate:
    """Middleware that answers 401 to whoever is not signed in and asks for more than the page that says so."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Sockets pass: what comes through them is a page's, and `ui/frame.py` draws none before sign-in.
        if scope["type"] == "http" and _is_closed(scope["path"]) and not _may_pass(HTTPConnection(scope).cookies):
            log_run("refusal", wish=scope["path"], reason="not signed in")
            refusal = PlainTextResponse(
                "Sign in first: open this server's page.", status_code=401, headers={"Cache-Control": "no-store"}
            )
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_closed(path: str) -> bool:
    below = path.removeprefix(base_path()).lstrip("/")
    return below.startswith(_FOLDERS) and not below.startswith(_OPEN)


def _may_pass(cookies: Mapping[str, str]) -> bool:
    try:
        return not is_required() or is_signed_in(cookies)
    except ValueError:
        return False


def ask() -> None:
    """Draw the page of somebody who is not signed in."""
    st.title("Dropout Lab", anchor=False)
    st.write("This server asks you to sign in. A link that somebody gave you works afterwards: open it again.")
    if not is_authlib_installed():
        st.error(
            "Nobody can sign in: the server lacks Authlib. Install the project's requirements again.",
            icon=":material/error:",
        )
        return
    section = get_secrets_auth_section()
    named = [name for name, value in section.items() if isinstance(value, Mapping) and "client_id" in value]
    if not named:
        st.button("Sign in", type="primary", icon=":material/login:", key="sign_in", on_click=st.login)
    for name in named:
        label = f"Sign in with {name.capitalize()}"
        st.button(label, icon=":material/login:", key=f"sign_in.{name}", on_click=st.login, args=(name,))


def account() -> None:
    """Draw who is signed in, and the way out."""
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        name = st.user.get("name") or st.user.get("email") or "Signed in"
        st.text(str(name), width="content")
        st.button("Sign out", icon=":material/logout:", type="tertiary", key="sign_out", on_click=st.logout)
