"""A real server on a port of its own, and a real Chromium to look at it with."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.conftest import wait_until

ROOT = Path(__file__).parent.parent.parent
SCREENSHOTS = ROOT / "screenshots"
# Two cores train, serve and draw at once, and may be shared with others: these are reached only where nothing comes.
PATIENCE_MILLISECONDS = 60_000
expect.set_options(timeout=PATIENCE_MILLISECONDS)
# Streamlit asks for its settings below a page's address before it asks at the root, and its own site for news.
# The last is said of a picture whose page was left before it had arrived.
EXPECTED_CONSOLE = ("404 (Not Found)", "ERR_NAME_NOT_RESOLVED", "Image source error")


# Where servers of this session were, and are no longer: on an address that it knows, the browser has scripts compiled.
_known_ports: list[int] = []


def expect_complete(page: Page) -> None:
    """Wait until the page is drawn to its end. While it is redrawn, what is to be clicked may move away."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(home: Path, script: str = "app.py", port: int | None = None, **environment: str) -> Iterator[str]:
    """Start `streamlit run app.py`, or another script, with a home of its own; yields its address, ends it later."""
    port = port or (_known_ports.pop() if _known_ports else free_port())
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless=true"]
    with (home / "server.log").open("ab") as log:
        server = subprocess.Popen(
            [*command, "--server.address=127.0.0.1", f"--server.port={port}"],
            cwd=ROOT,
            env={**os.environ, "DROPOUT_LAB_HOME": str(home), **environment},
            stdout=log,
            stderr=log,
        )
        address = f"http://127.0.0.1:{port}"

        def is_up() -> bool:
            assert server.poll() is None, (home / "server.log").read_text()
            try:
                with urlopen(f"{address}/_stcore/health", timeout=5) as answer:
                    return bool(answer.read() == b"ok")
            except (URLError, OSError):
                return False

        try:
            wait_until(is_up, "the server answers")
            yield address
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            _known_ports.append(port)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        message = "needs Chromium; on Debian: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not work for root, as which containers run tests. With a process for each site the
        # pages of a visitor are drawn by one, which keeps the scripts compiled: a page then costs two seconds of the
        # processor, and not six.
        launched = playwright.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--process-per-site"],
        )
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, real_data_mirror: str) -> Iterator[str]:
    """The address of a server with real data that the tests of a session share."""
    with running_server(tmp_path_factory.mktemp("lab"), DROPOUT_LAB_MIRROR=real_data_mirror) as address:
        yield address


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Start a fresh server for one test, with the given environment (and `port`); returns its address."""
    with ExitStack() as servers:
        yield lambda **choices: servers.enter_context(running_server(tmp_path / "home", **choices))


@pytest.fixture(scope="session")
def visitors(browser: Browser) -> list[BrowserContext]:
    """The visitors whom tests have brought so far, each with cookies of their own: a test's first, its second."""
    return []


def _new_visitor(browser: Browser) -> BrowserContext:
    context = browser.new_context()
    # An empty page, which is never left: without it the process would end with a test's page.
    page = context.new_page()
    page.route("**", lambda route: route.fulfill(body="", content_type="text/html"))
    page.goto("http://127.0.0.1/")
    return context


def _forget(visitor: BrowserContext) -> None:
    """Make a visitor one who was never here."""
    _, *pages = visitor.pages
    for page in pages:
        if page.url.startswith("http"):
            page.evaluate("localStorage.clear()")
        page.close()
    visitor.clear_cookies()
    visitor.clear_permissions()


@pytest.fixture
def open_page(
    browser: Browser, visitors: list[BrowserContext], start_server: Callable[..., str]
) -> Iterator[Callable[..., Page]]:
    """Open an address for a visitor of its own; at the end the console must hold no error of ours.

    It asks for `start_server` so that pages are closed before a server is.
    """
    errors: list[str] = []
    places = count()

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(known in message.text for known in EXPECTED_CONSOLE):
            errors.append(message.text)

    def opened(address: str, *, width: int = 1280, height: int = 1000, dark: bool = False) -> Page:
        if (place := next(places)) == len(visitors):
            visitors.append(_new_visitor(browser))
        page = visitors[place].new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        page.on("console", note)
        page.goto(address)
        return page

    yield opened
    for visitor in visitors:
        _forget(visitor)
    assert not errors


@pytest.fixture
def snap(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Keep a picture of a whole page under screenshots/, for whoever wants to look."""

    def take(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        size = page.viewport_size
        assert size is not None
        content = page.evaluate("document.querySelector('[data-testid=stMain]')?.scrollHeight ?? 0")
        page.set_viewport_size({"width": size["width"], "height": max(size["height"], min(content + 40, 3500))})
        page.screenshot(path=SCREENSHOTS / f"{request.node.name}-{name}.png")
        page.set_viewport_size(size)

    return take
