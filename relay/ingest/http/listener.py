"""Opening and closing the public listener."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Self

from aiohttp import web

from relay.clock import Clock
from relay.config import Address, Settings
from relay.ingest.http.connection import Server
from relay.ingest.http.counter import Counter
from relay.ingest.http.watch import Watch
from relay.ingest.keys import Keys
from relay.ingest.protocol import Door
from relay.telemetry import Log, Telemetry
from relay.traces import OFF, Traces

#: Requests under way get so long, in seconds, to end when the listener closes.
_CLOSE_WITHIN_S = 5.0

#: Connections the system accepts ahead of us.
_BACKLOG = 1024


class Listener:
    """The public listener: `async with Listener(…) as listener` listens within the block.

    Entering raises OSError when the address cannot be had. Stopping has three steps: with
    `send_elsewhere` every answer ends its connection, so that senders make new ones, to others;
    with `stop_accepting` every further request is answered 503; `close`, or leaving the block,
    waits for those under way and ends all connections.
    """

    def __init__(  # noqa: PLR0913 - who is told, beside who is asked
        self,
        door: Door,
        keys: Keys,
        settings: Settings,
        *,
        clock: Clock,
        telemetry: Telemetry,
        log: Log,
        traces: Traces = OFF,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._log = log
        self._counter = Counter(
            door, keys, settings, clock=clock, telemetry=telemetry, log=log, traces=traces
        )
        self._watch = Watch(settings.limits, clock, self._counter.refused)
        self._runner: web.ServerRunner | None = None
        self._ticking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        wanted = self._settings.listen.public
        server = Server(self._counter.handle, self._watch)
        self._runner = web.ServerRunner(server, shutdown_timeout=_CLOSE_WITHIN_S)
        await self._runner.setup()
        try:
            site = web.TCPSite(self._runner, wanted.host or None, wanted.port, backlog=_BACKLOG)
            await site.start()
        except OSError:
            await self.close()
            raise
        self._ticking = asyncio.create_task(self._tick(), name="public listener")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def address(self) -> Address:
        """Where it listens, with the port it got; of several addresses the first."""
        if self._runner is None:
            return self._settings.listen.public
        host, port = self._runner.addresses[0][:2]
        return Address(host, port)

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._watch)

    def send_elsewhere(self) -> None:
        """From now on every request is served as ever, and its connection ends with the answer."""
        self._counter.leaving = True

    async def stop_accepting(self) -> None:
        """From now on: 503 with `Retry-After`, and the connection ends. Requests whose body is
        with the door already are answered as ever."""
        self._counter.draining = True

    async def close(self) -> None:
        """Stop listening, let requests under way end, close every connection. May be repeated."""
        self._counter.draining = True
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
        ticking, self._ticking = self._ticking, None
        if ticking is not None:
            ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticking

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(self._watch.step_s)
            try:
                self._watch.tick()
            except Exception as error:
                self._log.task_failed("public listener", error)
