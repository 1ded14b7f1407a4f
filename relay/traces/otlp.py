"""From spans to a collector: the SDK's batch processor, with a bound, and an end in time."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from relay.secrets import Secret
from relay.traces.http import TIMEOUT_S, Collector, Told
from relay.traces.readable import readable, resource_of
from relay.traces.span import Offer, Span

#: So many spans wait, or are being sent; what comes on top is dropped.
MAX_WAITING: Final = 2048

#: So many are sent together, and after so long at the latest.
_BATCH: Final = 256
_DELAY_MS: Final = 1000

#: At shutdown what waits is sent within so many seconds, or counts as dropped.
FLUSH_S: Final = 2.0


class Target(NamedTuple):
    """Where spans go, and who says that they are from him."""

    endpoint: str
    authorization: Secret | None
    service_name: str
    version: str
    instance: str


@asynccontextmanager
async def exporting(target: Target, told: Told) -> AsyncIterator[Offer]:
    """Takes spans within the block. `told` is called on this loop with what became of them.

    Nothing of the SDK's is read from `OTEL_…` variables: every argument that would be is given.
    """
    spool = _Spool(target, told)
    try:
        yield spool.offer
    finally:
        await spool.close()


class _Spool:
    """Spans on their way from the loop's thread to the one that sends."""

    def __init__(self, target: Target, told: Told) -> None:
        self._loop = asyncio.get_running_loop()
        self._told = told
        self._resource = resource_of(target.service_name, target.version, target.instance)
        self._scope = InstrumentationScope("relay", target.version)
        self._collector = Collector(target.endpoint, target.authorization, self._hear)
        # Room for what it holds while it sends: the bound is ours, and it never has to drop.
        self._processor = BatchSpanProcessor(
            self._collector,
            max_queue_size=MAX_WAITING + _BATCH,
            schedule_delay_millis=_DELAY_MS,
            max_export_batch_size=_BATCH,
            export_timeout_millis=1000 * TIMEOUT_S,
            meter_provider=NoOpMeterProvider(),
        )
        self._offered = 0
        self._is_closed = False

    def offer(self, span: Span) -> None:
        """On the loop's thread; each side counts its own, so there is no lock."""
        if self._offered - self._collector.done >= MAX_WAITING:
            self._told("queue_full", 1, None)
            return
        self._offered += 1
        self._processor.on_end(readable(span, self._resource, self._scope))

    def _hear(self, result: str, spans: int, word: str | None) -> None:
        """On the thread that sends."""
        with contextlib.suppress(RuntimeError):  # the loop is gone, and with it who would listen
            self._loop.call_soon_threadsafe(self._pass_on, result, spans, word)

    def _pass_on(self, result: str, spans: int, word: str | None) -> None:
        if not self._is_closed:
            self._told(result, spans, word)

    async def close(self) -> None:
        """Send what waits, for two seconds at most."""
        ended = asyncio.Event()
        self._collector.hurry()
        threading.Thread(target=self._end, args=(ended,), name="traces", daemon=True).start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                await ended.wait()
        self._is_closed = True
        left = self._offered - self._collector.done
        if left:  # the thread still waits for the collector, and ends with the process
            self._told("stopped", left, None)

    def _end(self, ended: asyncio.Event) -> None:
        self._processor.shutdown()  # type: ignore[no-untyped-call]  # the SDK's
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(ended.set)
