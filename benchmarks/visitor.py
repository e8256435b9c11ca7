"""A visitor without a browser: speaks to the server as Streamlit's page does, over a WebSocket, and draws nothing.

What is played is what loads the server: the session, reruns after a click, fragments that run again by the clock, and
components whose key ends in "watch", which ask an address of the server for news, and run their fragment again where
that says so. Pictures, style sheets and scripts are not fetched.
"""

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit
from urllib.request import urlopen

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NewSession_pb2 import NewSession
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

ANSWER_SECONDS = 60.0  # a visitor who waits longer has given up


class PageFailedError(RuntimeError):
    """The page shows an error, or its script could not be run."""


@dataclass(frozen=True, kw_only=True)
class Tick:
    """One time that a page's clock struck: when (by `time.monotonic`), and how long until the page was up to date."""

    began: float
    seconds: float
    ran_script: bool
    brought: bool  # False where there was nothing new


@dataclass(frozen=True, kw_only=True)
class _Element:
    identity: str
    fragment_id: str
    content: Any  # the element's own protobuf message


@dataclass(kw_only=True)
class _Clock:
    """What a page does again and again: run a fragment, or first ask `url` whether there is a reason to."""

    every_seconds: float
    fragment_id: str
    identity: str = ""  # of the component that asks
    url: str | None = None
    version: str = ""
    known: str = ""  # what the address is told that the page knows
    urgent_seconds: float = 0.0
    is_urgent: bool = False

    @property
    def pause_seconds(self) -> float:
        """Until it strikes again."""
        return self.urgent_seconds if self.is_urgent else self.every_seconds


@dataclass(kw_only=True)
class _Kept:
    delta: Delta
    last_run: int  # by the count of script runs


class Visitor:
    """One open page. Not made by hand: see `visiting`."""

    def __init__(self, socket: ClientConnection, address: str, page: str, query: str) -> None:
        self.cookie = ""  # what the browser sends along
        self.query = query  # of the address that the browser would show now
        self._socket, self._address, self._page = socket, address, page
        self._polls = _KeptConnection(address)
        self._script_hash = ""
        self._elements: dict[str, _Element] = {}  # by the key that the script gave
        self._clocks: dict[str, _Clock] = {}
        self._due: dict[str, float] = {}  # when each clock strikes next, by time.monotonic
        self._contents: dict[str, str] = {}  # what news brought for charts and tables since the script drew them
        self._kept: dict[str, _Kept] = {}  # large messages, by hash: the server does not send these again
        self._kept_for_runs = self._runs = 0

    @property
    def run_key(self) -> str | None:
        """The run that the address names."""
        return parse_qs(self.query).get("run", [None])[0]

    def shows(self, key: str) -> bool:
        """Whether the page has an element with this key."""
        return key in self._elements

    def component_data(self, key: str) -> dict[str, Any]:
        """What the script sent to a component last."""
        data: dict[str, Any] = json.loads(self._elements[key].content.json)
        return data

    def figure(self, key: str) -> dict[str, Any]:
        """What a chart shows: as the script drew it, or as news has changed it since."""
        figure: dict[str, Any] = json.loads(self._contents.get(key) or self.component_data(key)["figure"])
        return figure

    async def press(self, key: str) -> None:
        """Press a button, and wait for the page."""
        await self._change(key, trigger_value=True)

    async def choose(self, key: str, option: str) -> None:
        """Choose from radio buttons, or fill a text field, and wait for the page."""
        await self._change(key, string_value=option)

    async def tick(self, until: float) -> Tick | None:
        """Wait for the clock that strikes next and do what it asks for; None where none strikes before `until`."""
        while True:
            name = min(self._due, key=self._due.__getitem__, default="")
            due = self._due.get(name, math.inf)
            await self._listen(min(due, until))
            if due >= until:
                return None
            if name in self._due:  # unless what came meanwhile has removed it
                return await self._strike(name)

    async def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Let the page's clocks run until `condition` holds. Raises TimeoutError that says `what` was awaited."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while not condition():
            if await self.tick(deadline) is None:
                raise TimeoutError(f"{what}: not within {ANSWER_SECONDS:.0f} s")

    async def rerun(self, *states: WidgetState, fragment_id: str = "", by_clock: bool = False) -> None:
        """Ask for the script, or for one of its fragments, and wait until the page is whole again.

        Only changed widgets are sent; the server remembers the others. Raises PageFailedError, TimeoutError or, when
        the server hangs up, websockets' ConnectionClosed.
        """
        message = BackMsg()
        wanted = message.rerun_script
        wanted.query_string, wanted.page_script_hash = self.query, self._script_hash
        if not self._script_hash:
            wanted.page_name = self._page
        wanted.fragment_id, wanted.is_auto_rerun = fragment_id, by_clock
        wanted.widget_states.SetInParent()
        wanted.widget_states.widgets.extend(states)
        wanted.cached_message_hashes.extend(self._kept)
        wanted.context_info.url = f"{self._address}/{self._page}"
        wanted.context_info.timezone, wanted.context_info.locale = "UTC", "en-US"
        wanted.context_info.color_scheme = "light"
        ended = self._runs
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._socket.send(message.SerializeToString())
            while self._runs == ended:
                self._take(await self._receive())

    def close(self) -> None:
        """Close what the polls go through; the WebSocket is closed by whoever opened it."""
        self._polls.close()

    async def _change(self, key: str, **value: Any) -> None:
        element = self._elements[key]
        await self.rerun(WidgetState(id=element.identity, **value), fragment_id=element.fragment_id)

    async def _strike(self, name: str) -> Tick:
        clock, began, ran_script, brought = self._clocks[name], time.monotonic(), True, True
        if clock.url is None:
            await self.rerun(fragment_id=clock.fragment_id, by_clock=True)
        else:
            news = await self._news(clock.url, clock.known)
            ran_script, brought = news is not None and news["version"] != clock.version, news is not None
            if news is not None:
                clock.known, clock.version = _known(news), news["version"]
                clock.is_urgent = news["is_urgent"]
                self._contents |= news.get("contents", {})
            if ran_script:
                trigger = json.dumps([{"event": "news", "value": clock.version}])
                identity = f"$$STREAMLIT_INTERNAL_KEY_{clock.identity}__events"
                await self.rerun(WidgetState(id=identity, json_trigger_value=trigger), fragment_id=clock.fragment_id)
        now = time.monotonic()
        if name in self._clocks:
            self._due[name] = max(began + clock.pause_seconds, now)  # one at a time, however slow the server
        return Tick(began=began, seconds=now - began, ran_script=ran_script, brought=brought)

    async def _news(self, url: str, known: str) -> dict[str, Any] | None:
        """What `url` tells, or None where it says that there is nothing new."""
        parts = urlsplit(urljoin(f"{self._address}/{self._page}", url))
        query = f"{parts.query}&" if parts.query else ""
        async with asyncio.timeout(ANSWER_SECONDS):
            status, body = await self._polls.get(f"{parts.path}?{query}{known}")
        if status == 204:
            return None
        if status != 200:
            raise PageFailedError(f"asking for news was answered with {status}")
        news: dict[str, Any] = json.loads(body)
        return news

    async def _listen(self, until: float) -> None:
        """Take what comes until then: a closed connection must not go unseen."""
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                while True:
                    self._take(await self._receive())
        except TimeoutError:
            return

    async def _receive(self) -> ForwardMsg:
        content = await self._socket.recv()
        assert isinstance(content, bytes), content
        return ForwardMsg.FromString(content)

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "delta":
            if message.metadata.cacheable:
                self._kept[message.hash] = _Kept(delta=message.delta, last_run=self._runs)
            self._draw(message.delta)
        elif kind == "ref_hash":
            kept = self._kept[message.ref_hash]
            kept.last_run = self._runs
            self._draw(kept.delta)
        elif kind == "new_session":
            self._begin(message.new_session, set(message.metadata.run.fragment_ids))
        elif kind == "navigation":
            self._script_hash = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            timer = message.auto_rerun
            self._set_clock(timer.fragment_id, _Clock(every_seconds=timer.interval, fragment_id=timer.fragment_id))
        elif kind == "stop_auto_rerun":
            for fragment_id in message.stop_auto_rerun.fragment_ids:
                self._clocks.pop(fragment_id, None)
                self._due.pop(fragment_id, None)
        elif kind == "session_event" and message.session_event.HasField("script_compilation_exception"):
            raise PageFailedError(message.session_event.script_compilation_exception.message)
        elif kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            self._end(set(message.metadata.run.fragment_ids))

    def _begin(self, session: NewSession, fragment_ids: set[str]) -> None:
        """A run draws its part of the page anew: all of it, or the given fragments."""
        if fragment_ids:
            for key in [key for key, element in self._elements.items() if element.fragment_id in fragment_ids]:
                del self._elements[key]
            # A fragment's timer was set by the script around it, and stays.
            watches = [name for name, clock in self._clocks.items() if clock.url and clock.fragment_id in fragment_ids]
            for name in watches:
                del self._clocks[name]
        else:
            self._elements, self._clocks, self._due = {}, {}, {}
            self._script_hash = session.page_script_hash
        self._kept_for_runs = session.config.max_cached_message_age

    def _end(self, fragment_ids: set[str]) -> None:
        self._runs += 1
        self._due = {name: due for name, due in self._due.items() if name in self._clocks}
        for name, kept in list(self._kept.items()):
            # What a run did not draw is no sign of age.
            is_concerned = not fragment_ids or kept.delta.fragment_id in fragment_ids
            if is_concerned and self._runs - kept.last_run > self._kept_for_runs:
                del self._kept[name]

    def _draw(self, delta: Delta) -> None:
        if delta.WhichOneof("type") != "new_element":
            return
        kind = delta.new_element.WhichOneof("type")
        content = getattr(delta.new_element, kind)
        # A cross is Predict's: there the network is wrong about an image, not the page about anything.
        is_error = kind == "alert" and content.format == Alert.ERROR and content.icon != ":material/close:"
        if kind == "exception" or is_error:
            raise PageFailedError(content.message if kind == "exception" else content.body)
        identity = getattr(content, "id", "")
        if identity.count("-") < 2:
            return
        key = identity.split("-", 2)[2]  # after a fixed word and a hash
        self._elements[key] = _Element(identity=identity, fragment_id=delta.fragment_id, content=content)
        self._contents.pop(key, None)
        if kind == "bidi_component" and key.endswith("watch"):
            data = self.component_data(key)
            watch = _Clock(
                every_seconds=data["seconds"],
                fragment_id=delta.fragment_id,
                identity=identity,
                url=data["url"],
                version=data["version"],
                known=_known(data),
                urgent_seconds=data["urgent_seconds"],
                is_urgent=data["is_urgent"],
            )
            self._set_clock(identity, watch)

    def _set_clock(self, name: str, clock: _Clock) -> None:
        self._clocks[name] = clock
        # One that runs is not set back.
        self._due[name] = min(self._due.get(name, math.inf), time.monotonic() + clock.pause_seconds)


def _known(news: dict[str, Any]) -> str:
    """What a page that was told these news says that it knows."""
    return urlencode({"since": news["tag"], "edition": news["edition"]})


class _KeptConnection:
    """Asks a server by HTTP over one connection that is kept, as a browser does."""

    def __init__(self, address: str) -> None:
        self._host, self._port = urlsplit(address).hostname or "", urlsplit(address).port or 80
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def get(self, target: str) -> tuple[int, bytes]:
        """Status and body of an answer."""
        if self._writer is not None and self._reader is not None:
            try:
                return await self._ask(self._reader, self._writer, target)
            except (ConnectionError, asyncio.IncompleteReadError):
                self.close()  # the server closes connections that rest too long
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return await self._ask(self._reader, self._writer, target)

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: str) -> tuple[int, bytes]:
        writer.write(f"GET {target} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n\r\n".encode("ascii"))
        await writer.drain()
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(first.split()[1])
        if status == 204:
            return status, b""
        if "content-length" not in headers:
            raise PageFailedError(f"an answer of unknown length to {target}")
        return status, await reader.readexactly(int(headers["content-length"]))

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


def _cookie_of(address: str) -> str:
    with urlopen(f"{address}/_stcore/health", timeout=ANSWER_SECONDS) as answer:
        return str(answer.headers["Set-Cookie"]).partition(";")[0]


@asynccontextmanager
async def visiting(address: str, page: str = "", query: str = "", cookie: str | None = None) -> AsyncIterator[Visitor]:
    """Open a page of the server at `address` in a session of its own, and leave it at the end.

    `page` is the path of the page's address, `query` what follows the question mark, `cookie` what an earlier page of
    the same browser was given (`Visitor.cookie`). Raises as `Visitor.rerun` does.
    """
    stream = f"ws{address.removeprefix('http')}/_stcore/stream"
    # As a browser: the cookie that it is given before it connects is what the server knows it by.
    cookie = await asyncio.to_thread(_cookie_of, address) if cookie is None else cookie
    async with connect(
        stream,
        additional_headers={"Cookie": cookie},
        subprotocols=[Subprotocol("streamlit")],
        max_size=None,
        ping_interval=None,  # browsers answer pings, and send none
        open_timeout=ANSWER_SECONDS,
    ) as socket:
        visitor = Visitor(socket, address, page, query)
        visitor.cookie = cookie
        try:
            await visitor.rerun()
            yield visitor
        finally:
            visitor.close()
