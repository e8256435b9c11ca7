"""Who a page is drawn for, and which runs are theirs to stop and to delete.

With sign-in a visitor is the account. Without it a visitor is a browser: Streamlit gives each a random cookie (its XSRF
token), which a reload keeps and the end of the browser does not. Whoever sits at the server's own machine may change
every run there. What the store remembers of a visitor is a digest, from which nobody can become that visitor.
"""

import hashlib
from ipaddress import ip_address
from urllib.parse import urlsplit

import streamlit as st
from streamlit.web.server.starlette.starlette_app_utils import decode_xsrf_token_string
from streamlit.web.server.starlette.starlette_server_config import XSRF_COOKIE_NAME

from fmnist_core.store.run import Run
from fmnist_core.store.visitor import Visitor
from ui import handles, sign_in

# A proxy on this machine connects from it as well; these say that it passes somebody on.
_FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip")


def visitor() -> Visitor:
    """Who this page is drawn for."""
    if sign_in.is_required():
        mail = str(st.user.get("email") or "").lower()
        is_admin = mail in handles.settings().admins and st.user.get("email_verified") is not False
        return Visitor(_digest(f"account {st.user.get('iss')} {st.user.get('sub')}"), may_change_all=is_admin)
    token, _ = decode_xsrf_token_string(st.context.cookies.get(XSRF_COOKIE_NAME, ""))
    return Visitor(None if token is None else _digest(f"browser {token.hex()}"), may_change_all=_is_on_this_machine())


def may_stop(run: Run) -> bool:
    """Whether this visitor may stop and delete a run."""
    return visitor().may_change(run.asked_by)


def why_not(run: Run) -> str | None:
    """Why this visitor may not stop or delete a run, for the help of what is disabled; None where they may."""
    if may_stop(run):
        return None
    if run.asked_by is None:
        return f"Nobody knows who asked for run {run.number}: only an admin may stop or delete it."
    return f"Run {run.number} was first asked for by somebody else: only they, or an admin, may stop or delete it."


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _is_on_this_machine() -> bool:
    """Whether the browser runs on the server's machine, as far as that can be known.

    It connects from there, and calls the server by a name that only works there; a proxy would betray itself by one of
    its headers, or by the name in the address that its visitors type.
    """
    if st.context.ip_address is not None or any(name in st.context.headers for name in _FORWARDED):
        return False
    names = [urlsplit(f"//{st.context.headers.get('Host', 'localhost')}").hostname]
    if origin := st.context.headers.get("Origin"):
        names.append(urlsplit(origin).hostname)
    return all(map(_is_loopback, names))


def _is_loopback(name: str | None) -> bool:
    if name is None:
        return False
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
