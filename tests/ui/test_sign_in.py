"""Who is let in without a browser to show; the way in itself is tested in tests/browser."""

import asyncio
import logging

import pytest
from starlette.responses import PlainTextResponse
from streamlit import config
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from ui import sign_in


@pytest.fixture
def secrets_file(tmp_path):
    before = config.get_option("secrets.files")
    config.set_option("secrets.files", [str(tmp_path / "secrets.toml")])
    secrets_singleton._reset()
    yield tmp_path / "secrets.toml"
    config.set_option("secrets.files", before)
    secrets_singleton._reset()


def test_without_secrets_nobody_is_asked(secrets_file):
    assert not sign_in.is_required()
    assert sign_in._may_pass({})


def test_secrets_that_cannot_be_read_close_the_server(secrets_file):
    secrets_file.write_text("[auth\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"secrets\.toml must be a TOML file"):
        sign_in.is_required()
    assert not sign_in._may_pass({})


@pytest.mark.parametrize(
    ("path", "closed"),
    [
        ("/", False),
        ("/compare", False),
        ("/static/js/index.js", False),
        ("/auth/login", False),
        ("/_stcore/health", False),
        ("/_stcore/upload_file/a/b", True),
        ("/_stcore/anything", True),
        ("/media/a.png", True),
        ("//media/a.png", True),
        ("/assets/news/a", True),
    ],
)
def test_what_is_no_front_end_is_closed(path, closed):
    assert sign_in._is_closed(path) is closed


def test_a_cookie_signed_by_somebody_else_lets_nobody_in(secrets_file):
    secrets_file.write_text('[auth]\nredirect_uri="http://a/oauth2callback"\ncookie_secret="mine"\n', encoding="utf-8")
    claims = '{"is_logged_in": true, "origin": "http://a", "sub": "1"}'

    def cookie(secret, claims=claims):
        return {sign_in.USER_COOKIE_NAME: create_signed_value(secret, sign_in.USER_COOKIE_NAME, claims).decode()}

    assert sign_in._may_pass(cookie("mine"))
    assert not sign_in._may_pass(cookie("theirs"))
    assert not sign_in._may_pass(cookie("mine", claims.replace("http://a", "http://b")))
    assert not sign_in._may_pass({sign_in.USER_COOKIE_NAME: claims})


def test_who_is_not_signed_in_is_refused_and_that_is_logged(secrets_file, caplog):
    secrets_file.write_text('[auth]\ncookie_secret="mine"\n', encoding="utf-8")
    caplog.set_level(logging.INFO, logger="fmnist_core")
    sent = []

    async def send(message):
        sent.append(message)

    headers = [(b"cookie", b"who=secret")]
    for path in ("/media/a b.png", "/_stcore/health"):
        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"token=secret", "headers": headers}
        asyncio.run(sign_in.Gate(PlainTextResponse("a picture"))(scope, None, send))
    assert [message["status"] for message in sent if "status" in message] == [401, 200]
    assert caplog.messages == ['event=refusal wish="/media/a b.png" reason="not signed in"']
