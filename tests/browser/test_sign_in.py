"""Sign-in as a visitor meets it, against a provider on this machine."""

from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import free_port
from tests.browser.oidc_provider import CLIENT, running_provider


@pytest.fixture
def provider():
    with running_provider() as provider:
        yield provider


@pytest.fixture
def closed_lab(provider, start_server, tmp_path):
    """The address of a server that asks for sign-in."""
    port = free_port()
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(
        f"""[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "a secret of this test alone"
client_id = "{CLIENT}"
client_secret = "unused"
server_metadata_url = "{provider.address}/.well-known/openid-configuration"
""",
        encoding="utf-8",
    )
    return start_server(STREAMLIT_SECRETS_FILES=str(secrets), port=port)


def status(address, path, cookies=(), method="GET"):
    header = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in cookies)
    try:
        with urlopen(Request(address + path, headers={"Cookie": header}, method=method), timeout=20) as answer:
            return answer.status
    except HTTPError as error:
        return error.code


def test_nothing_is_seen_before_sign_in_and_after_sign_out(closed_lab, open_page, provider, snap):
    page = open_page(f"{closed_lab}/compare")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert page.get_by_role("button", name="Compare").count() == 0
    snap(page, "closed")
    before = page.context.cookies()
    closed = ("/assets/images/0/test-0.png", "/assets/news/0", "/media/0.png", "/_stcore/metrics")
    assert {status(closed_lab, path, before) for path in closed} == {401}
    assert status(closed_lab, "/_stcore/upload_file/0/0", before, method="PUT") == 401
    assert status(closed_lab, "/_stcore/health") == 200

    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Is it overfitting?")).to_be_visible()
    expect(page.get_by_text("Ada", exact=True)).to_be_visible()
    snap(page, "open")
    inside = page.context.cookies()
    assert status(closed_lab, "/assets/news/0", inside) == 404  # asked, and not known
    forged = [{**cookie, "value": cookie["value"][:-4] + "AAAA"} for cookie in inside]
    assert status(closed_lab, "/assets/news/0", forged) == 401

    with page.expect_response("**/auth/logout"):
        page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert status(closed_lab, "/assets/news/0", page.context.cookies()) == 401
