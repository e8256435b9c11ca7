"""What pages ask for, from whom, and that they work behind a proxy that serves them below a path of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.conftest import wait_until

PAGES = ("", "compare", "predict", "inspect", "data")
PREFIX = "/user/ada/proxy/8501"


@contextmanager
def stripping_proxy(target: str) -> Iterator[str]:
    """Serve `target` below PREFIX, as jupyter-server-proxy does; yields the address. HTTP and WebSockets alike."""
    loop, port = asyncio.new_event_loop(), urlsplit(target).port

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(2**16):
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Cancelled at the end: it is over then, and nobody waits for its answer.
        with closing(writer), suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            method, path, rest = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)
            if not path.startswith(PREFIX.encode()):
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                await writer.drain()
                return
            if b"upgrade: websocket" not in rest.lower():  # one request a connection: only its first line is read here
                rest = rest.replace(b"\r\nConnection: keep-alive", b"\r\nConnection: close")
            from_server, to_server = await asyncio.open_connection("127.0.0.1", port)
            with closing(to_server):
                to_server.write(b" ".join((method, path.removeprefix(PREFIX.encode()) or b"/", rest)))
                await asyncio.gather(pipe(reader, to_server), pipe(from_server, writer))

    async def start() -> asyncio.Server:
        return await asyncio.start_server(serve, "127.0.0.1", 0)

    async def stop(server: asyncio.Server) -> None:
        server.close()
        connections = asyncio.all_tasks() - {asyncio.current_task()}
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    thread = threading.Thread(target=loop.run_forever, daemon=True)  # Playwright has a loop in the main one
    thread.start()
    server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{PREFIX}"
    finally:
        asyncio.run_coroutine_threadsafe(stop(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def test_pages_ask_nobody_but_this_server(lab, open_page):
    """Icons, fonts, Plotly and Streamlit's own news included; the console is clean under the security policy."""
    asked = []
    page = open_page("about:blank")
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    for path in PAGES:
        page.goto(f"{lab}/{path}", wait_until="commit", timeout=240_000)
        expect(page.get_by_role("heading").first).to_be_visible(timeout=240_000)
        page.wait_for_load_state("networkidle")
    assert any(url.startswith("ws") for url in asked)
    assert [url for url in asked if not url.startswith((lab, lab.replace("http", "ws"), "data:", "blob:"))] == []


def test_behind_a_proxy_that_strips_its_path_charts_and_pictures_arrive(lab, open_page):
    with stripping_proxy(lab) as address:
        page = open_page(address + "/")
        page.locator("label").filter(has_text="Quick").click()
        page.get_by_role("button", name="Train", exact=True).click()
        page.wait_for_url("**run=*")
        page.wait_for_selector(".js-plotly-plot .nsewdrag", timeout=240_000)
        expect(page.locator(".stMarkdownBadge", has_text="Finished")).to_be_visible(timeout=240_000)
        page.get_by_role("link", name="See what it predicts").click()
        grid = page.locator("ul.grid img")
        expect(grid.first).to_be_visible()
        wait_until(
            lambda: grid.first.evaluate("image => image.complete && image.naturalWidth") == 28, "a picture arrives"
        )
        assert page.url.startswith(address)
        page.close()  # before the proxy is: it would go on asking for pictures
