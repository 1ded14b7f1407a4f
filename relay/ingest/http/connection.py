"""HTTP, by way of aiohttp: its parser and its connection, with a request and an answer of our own.

Why not aiohttp's: they cost half of a whole single-event request (`relay.ingest` has the numbers).
What is used instead are the places aiohttp leaves open: `request_factory` of `web.Server`, the
methods of `RequestHandler`, and what a handler returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiohttp import StreamReader, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import HttpVersion11, RawRequestMessage

from relay.ingest.answers import CANONICAL, Answer
from relay.ingest.http.watch import Phase, Watch
from relay.ingest.refusals import CROWDED, FAILED, MALFORMED, UNREAD

#: An idle connection is kept longer than the load balancers in front keep theirs (Google's: 600 s,
#: nginx, AWS: 60-75 s), so that none sends a request into a connection that is being closed.
_IDLE_S = 630.0

#: After an answer that did not wait for the body, so long is read on and thrown away: a sender
#: that is cut off while it writes never sees the answer.
_LINGER_S = 5.0

#: Twice this is buffered of a body before its sender has to wait for us.
_READ_BYTES = 64 * 1024


class Call:
    """One request: what `web.Server` makes instead of a `web.BaseRequest`."""

    __slots__ = ("_task", "connection", "content", "message", "writer")

    def __init__(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: Connection,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> None:
        self.message = message
        self.content = payload
        self.connection = protocol
        self.writer = writer
        self._task = task
        protocol.phase = Phase.ANSWERING

    @property
    def expects_continue(self) -> bool:
        """Whether the sender waits to be told that its body is wanted (RFC 9110, 10.1.1)."""
        expected = self.message.headers.get(hdrs.EXPECT, "")
        return expected.lower() == "100-continue" and self.message.version >= HttpVersion11

    # What aiohttp's `RequestHandler` asks of a request.

    def _finish(self) -> None:
        """There is nothing to give back."""

    def _cancel(self, exc: BaseException) -> None:
        self.content.set_exception(exc)


class Sent(web.StreamResponse):
    """An answer that is already on its way; aiohttp learns from it whether to go on."""

    def __init__(self, *, keep_alive: bool) -> None:
        self._keep_alive = keep_alive

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        return None


_GO_ON = Sent(keep_alive=True)
_CLOSE = Sent(keep_alive=False)

#: Handles a call; whatever happens it comes back with what `Connection.send` returned.
Handle = Callable[[Call], Awaitable[web.StreamResponse]]


class Connection(web.RequestHandler):
    """One connection of a sender, watched."""

    __slots__ = ("_unread", "_watch", "phase", "since")

    def __init__(self, server: Server, watch: Watch, loop: asyncio.AbstractEventLoop) -> None:
        # access_log is None without an Optional in aiohttp's signature.
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=_IDLE_S,
            access_log=cast(Any, None),
            lingering_time=_LINGER_S,
            read_bufsize=_READ_BYTES,
            auto_decompress=False,
        )
        self._watch = watch
        self._unread: StreamReader | None = None
        self.phase = Phase.HEAD
        self.since = watch.now

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._watch.admit(self):
            super().connection_made(transport)
            return
        answer = CANONICAL.refused(CROWDED).message(date=self._watch.date, close=True)
        cast(asyncio.Transport, transport).write(answer)
        transport.close()
        self.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._watch.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.phase is Phase.IDLE:
            self.phase = Phase.HEAD
            self.since = self._watch.now
        super().data_received(data)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What aiohttp could not parse, or what escaped the handler: told without detail."""
        refused = MALFORMED if status == 400 else FAILED
        self._watch.refused(refused)
        self._write(CANONICAL.refused(refused).message(date=self._watch.date, close=True))
        return _CLOSE

    async def shutdown(
        self,
        timeout: float | None = 15.0,  # noqa: ASYNC109  # aiohttp's signature
    ) -> None:
        """Let a request under way end. What an answered sender still writes is not waited for."""
        if self._unread is not None:
            self._unread.set_exception(asyncio.CancelledError())
        await super().shutdown(timeout)

    async def send(self, call: Call, answer: Answer, *, close: bool) -> web.StreamResponse:
        """Send the answer. Where not all of the body was read, or the sender does not want to go
        on, the connection ends with it in any case."""
        if not call.content.is_eof():
            self._unread = call.content
        close = close or call.message.should_close or self._unread is not None
        with_body = call.message.method != "HEAD"
        date = self._watch.date
        self._write(answer.message(date=date, close=close, with_body=with_body))
        if self.writing_paused:
            await self._written(call)
        self.phase = Phase.IDLE
        self.since = self._watch.now
        return _CLOSE if close else _GO_ON

    def ask_for_body(self) -> None:
        """Tell a sender that waits for it to send the body."""
        self._write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def gone(self) -> web.StreamResponse:
        """The sender left: nothing can be answered."""
        return _CLOSE

    def _write(self, data: bytes) -> None:
        transport = self.transport
        if transport is not None and not transport.is_closing():
            transport.write(data)

    async def _written(self, call: Call) -> None:
        """Wait until the sender takes its answer; one that does not is cut off."""
        try:
            async with asyncio.timeout(self._watch.body_timeout_s):
                await call.writer.drain()
        except TimeoutError:
            self._watch.refused(UNREAD)
            if self.transport is not None:
                self.transport.abort()
        except ConnectionError:
            pass  # it left meanwhile


class Server(web.Server):
    """Makes a `Connection` for each sender that connects."""

    def __init__(self, handle: Handle, watch: Watch) -> None:
        # A `Call` has what aiohttp asks of a request, and is none: see above.
        super().__init__(cast(Any, handle), request_factory=cast(Any, Call))
        self._watch = watch

    def __call__(self) -> Connection:
        return Connection(self, self._watch, asyncio.get_running_loop())
