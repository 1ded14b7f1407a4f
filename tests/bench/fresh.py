"""Single events, a few each second, and how long each is on its way."""

from __future__ import annotations

import asyncio
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING

from tests.bench.corpus import Corpus
from tests.bench.load import Load

if TYPE_CHECKING:
    from tests.bench.fleet import Fleet

#: One is sent, and all that are on their way are asked for, this often.
_EVERY_S = 0.2

_PATIENCE_S = 60.0


class Fresh:
    """Sends within an `async with` block; leaving it waits until all have arrived.

    `seconds` are those from an event's acceptance until it was seen, to a fifth of a second;
    `sent` counts them.
    """

    def __init__(self, fleet: Fleet, corpus: Corpus) -> None:
        self._fleet = fleet
        self._corpus = corpus
        self._under_way: dict[str, float] = {}
        self._stopping = False
        self.sent = 0
        self.seconds: list[float] = []

    async def __aenter__(self) -> Fresh:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping = True
        async with asyncio.timeout(_PATIENCE_S):
            await self._task

    async def _run(self) -> None:
        while not self._stopping or self._under_way:
            if not self._stopping:
                await self._send()
            await asyncio.sleep(_EVERY_S)
            await self._look()

    async def _send(self) -> None:
        event_id, request = self._corpus.single()
        async with Load(self._fleet.port, iter([request]), connections=1) as load:
            await load.ran_out.wait()
        if load.accepted:
            self.sent += 1
            self._under_way[event_id] = perf_counter()

    async def _look(self) -> None:
        if not self._under_way:
            return
        missing = await self._fleet.sink.missing("Purchase", self._under_way)
        now = perf_counter()
        for event_id in [each for each in self._under_way if each not in missing]:
            self.seconds.append(now - self._under_way.pop(event_id))
