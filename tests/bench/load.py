"""The sender: connections that each send a request, wait for its answer, and send the next.

A plain protocol on uvloop with requests that were made before: it shares its core with the
stand-in for TikTok and must not be what is measured.
"""

from __future__ import annotations

import asyncio
from array import array
from collections import Counter
from collections.abc import Iterator
from time import perf_counter
from typing import cast

import orjson

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Load:
    """Sends `requests` over `connections` within an `async with` block, until they run out.

    Leaving the block stops sending and waits for the answers under way. `statuses`, `accepted`
    (events), `odd` (answers that do not say `accepted`) and `broken` (connections closed before
    their answer) count everything; `latencies` (seconds) and `timed_events` what was answered
    while timing, which took `seconds`.
    """

    def __init__(self, port: int, requests: Iterator[bytes], *, connections: int) -> None:
        self._port = port
        self._requests = requests
        self._open = connections
        self._stopping = self._timing = False
        self._done = asyncio.Event()
        self._started_at = 0.0
        self.seconds = 0.0
        self.latencies = array("d")
        self.timed_events = self.accepted = self.odd = self.broken = 0
        self.statuses: Counter[int] = Counter()
        self.ran_out = asyncio.Event()

    async def __aenter__(self) -> Load:
        loop = asyncio.get_running_loop()
        for _ in range(self._open):
            await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping = True
        async with asyncio.timeout(60):
            await self._done.wait()

    def start_timing(self) -> None:
        self._timing, self._started_at = True, perf_counter()

    def stop_timing(self) -> None:
        if self._timing:
            self._timing, self.seconds = False, perf_counter() - self._started_at

    async def last(self, seconds: float) -> None:
        """Go on for so long, or until the requests run out; then timing stops as well."""
        try:
            async with asyncio.timeout(seconds):
                await self.ran_out.wait()
            self.stop_timing()
        except TimeoutError:
            pass

    def next_request(self) -> bytes | None:
        """What a connection sends next; None: nothing, it is done."""
        request = None if self._stopping else next(self._requests, None)
        if request is None:
            if not self._stopping:
                self.ran_out.set()
            self.leave()
        return request

    def leave(self) -> None:
        """A connection is done."""
        self._open -= 1
        if self._open == 0:
            self._done.set()

    def answered(self, status: int, body: bytes, seconds: float) -> None:
        """One answer, `seconds` after its request."""
        try:
            events = int(orjson.loads(body)["accepted"])
        except (ValueError, TypeError, KeyError):
            self.odd += 1
            events = 0
        self.statuses[status] += 1
        self.accepted += events
        if self._timing:
            self.latencies.append(seconds)
            self.timed_events += events


class _Connection(asyncio.Protocol):
    """One connection: never more than one request under way."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._seen = b""
        self._sent_at = 0.0
        self._waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        request = self._load.next_request()
        self._waiting = request is not None
        if request is None:
            self._transport.close()
            return
        self._sent_at = perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._seen += data
        answer = split_answer(self._seen)
        if answer is not None:
            self._seen = b""
            self._load.answered(*answer, perf_counter() - self._sent_at)
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting:
            self._load.broken += 1
            self._load.leave()


def split_answer(data: bytes) -> tuple[int, bytes] | None:
    """Status and body of a whole HTTP/1.1 answer with a length; None while some is missing."""
    head, end, body = data.partition(_END)
    if not end:
        return None
    length = int(head.lower().partition(_LENGTH)[2].partition(b"\r\n")[0])
    return (int(data[9:12]), body) if len(body) >= length else None
