"""What the tests of the door share: a door and a clock we own, and senders on real sockets."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

import pytest
import uvloop

from relay.config import Address, Limits, Listen, Settings, Source
from relay.ingest.http import Listener
from relay.ingest.keys import Keys
from relay.ingest.protocol import Mismatch, Nothing, Taken
from relay.telemetry import Log, Telemetry, open_log
from relay.traces import Visit

ANYWHERE = Address("127.0.0.1", 0)

#: What every door says until it is told otherwise.
ONE = Taken("r1", total=1, accepted=1)


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Sockets are tried on both loops: the one everybody has, and the one the relay runs on."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class OwnClock:
    """A clock that stands still until it is told to move."""

    def __init__(self) -> None:
        self._now = 1_780_000_000.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        waking = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now + seconds, waking))
        await waking

    async def advance(self, seconds: float) -> None:
        """Let time pass, and those who slept do what they woke for."""
        until = self._now + seconds
        while due := [each for each in self._sleepers if each[0] <= until and not each[1].done()]:
            at, waking = min(due, key=lambda each: each[0])
            self._now = max(self._now, at)
            self._sleepers.remove((at, waking))
            waking.set_result(None)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        self._now = until


class OwnDoor:
    """Says what it was told to say, keeps what it was asked, and waits while it is held."""

    def __init__(self) -> None:
        self.says: Any = ONE
        self.asked: list[tuple[Any, ...]] = []
        self.news = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def conversions(self, source: str, body: bytes, visit: Visit | None = None) -> Taken:
        taken: Taken = await self._answer("conversions", source, body)
        return taken

    async def event_track(
        self, source: str, body: bytes, visit: Visit | None = None
    ) -> Taken | Mismatch:
        result: Taken | Mismatch = await self._answer("event_track", source, body)
        return result

    async def webhook(
        self,
        source: str,
        body: bytes,
        headers: Mapping[str, str],
        visit: Visit | None = None,
    ) -> Taken | Nothing:
        result: Taken | Nothing = await self._answer("webhook", source, body, headers)
        return result

    async def _answer(self, *asked: Any) -> Any:
        self.asked.append(asked)
        self.news.set()
        await self.open.wait()
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


class Heard(NamedTuple):
    """An answer as it came over the wire; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Sender:
    """One connection to a listener."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self) -> Heard:
        """The next answer."""
        async with asyncio.timeout(20):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:-2])
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Heard(int(head[0].split(" ")[1]), headers, body)

    async def ask(self, data: bytes) -> Heard:
        await self.send(data)
        return await self.hear()

    async def is_closed(self) -> bool:
        """Wait for the end of the connection; False if something comes instead."""
        async with asyncio.timeout(20):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True


class House:
    """A listener with its door, its clock and all it counted and logged."""

    def __init__(self, address: Address = ANYWHERE, **limits: Any) -> None:
        self.door = OwnDoor()
        self.clock = OwnClock()
        self.telemetry = Telemetry(version="1", now=self.clock.now)
        self.lines = io.BytesIO()
        self.log: Log = open_log("debug", "json", monotonic=self.clock.monotonic, stream=self.lines)
        # What is read from a file is written with units; here sizes and times are numbers already.
        self.settings = Settings(
            listen=Listen.model_construct(public=address, operator=ANYWHERE),
            limits=Limits.model_construct(**{**dict(Limits()), **limits}),
            sources=(
                Source(name="backend", kind="canonical", destination="web"),
                Source(name="shop", kind="shopify", destination="web"),
            ),
        )
        self.keys = Keys({"backend": ["key-of-backend"]})
        self.listener = Listener(
            self.door,
            self.keys,
            self.settings,
            clock=self.clock,
            telemetry=self.telemetry,
            log=self.log,
        )
        self._senders = AsyncExitStack()

    async def sender(self) -> Sender:
        """Somebody who has just connected."""
        reader, writer = await asyncio.open_connection(*self.listener.address)
        self._senders.push_async_callback(_hang_up, writer)
        return Sender(reader, writer)

    async def ask(self, data: bytes) -> Heard:
        """The answer to a request on a connection of its own."""
        return await (await self.sender()).ask(data)

    def refused(self) -> dict[str, int]:
        """How often the door refused, by reason."""
        counted = {}
        for line in self.telemetry.scraped().decode().splitlines():
            if line.startswith("relay_door_refusals_total{"):
                counted[line.split('"')[1]] = int(float(line.split(" ")[-1]))
        return counted

    def accepted(self) -> int:
        """How many requests were timed."""
        for line in self.telemetry.scraped().decode().splitlines():
            if line.startswith("relay_accept_seconds_count"):
                return int(float(line.split(" ")[-1]))
        return 0

    async def connected(self, count: int) -> None:
        """Wait until so many connections are open."""
        async with asyncio.timeout(20):
            while self.listener.connections != count:  # noqa: ASYNC110  # sockets tell nobody
                await asyncio.sleep(0.001)

    async def asked(self, count: int = 1) -> None:
        """Wait until the door was asked so often."""
        async with asyncio.timeout(20):
            while len(self.door.asked) < count:
                self.door.news.clear()
                await self.door.news.wait()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[House]:
        async with self.listener, self._senders:
            yield self


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.fixture
async def houses() -> AsyncIterator[Callable[..., Awaitable[House]]]:
    """`await houses(max_body_bytes=…)`: a house whose listener is open, with these limits."""
    async with AsyncExitStack() as stack:

        async def build(address: Address = ANYWHERE, **limits: Any) -> House:
            return await stack.enter_async_context(House(address, **limits).open())

        yield build


@pytest.fixture
async def house(houses: Callable[..., Awaitable[House]]) -> House:
    """A house with the limits that a relay has unless told otherwise."""
    return await houses()


@pytest.fixture
def post() -> Callable[..., bytes]:
    """`post("/v1/events", body, Authorization="…")`: a request as it travels."""

    def make(path: str, body: bytes = b"{}", method: str = "POST", **headers: str) -> bytes:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if "Transfer-Encoding" not in given:
            given.setdefault("Content-Length", str(len(body)))
        lines = [f"{method} {path} HTTP/1.1", "Host: relay.example"]
        lines += [f"{name}: {value}" for name, value in given.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    return make


@pytest.fixture
def event(post: Callable[..., bytes]) -> Callable[..., bytes]:
    """`event(body)`: a request to `/v1/events` that shows the backend's key."""

    def make(body: bytes = b"{}", **headers: str) -> bytes:
        return post("/v1/events", body, Authorization="Bearer key-of-backend", **headers)

    return make
