"""The stand-in for TikTok, a process of its own: how far the events are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from pathlib import Path
from time import perf_counter
from typing import Any

import aiohttp

from tests.bench.machine import Child, free_port

EVENT_SOURCE_ID = "C0BENCH0000000000000"

#: How often the sandbox is asked how far it is.
_LOOK_EVERY_S = 0.02
_PATIENCE_S = 20.0


class Sink:
    """`relay sandbox --light`. Start it before anything else is asked."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.port = free_port()
        self.process: Child | None = None

    async def start(self, log: Path, *, core: int | None) -> None:
        arguments = ["-m", "relay", "sandbox", "--light", "--port", str(self.port)]
        self.process = await Child.start(arguments, core=core, log=log)
        await self.process.until_answers(self.port, "/sandbox")

    async def stop(self) -> None:
        if self.process is not None:
            await self.process.stop()

    async def effects(self) -> int:
        """Events that reached the sandbox and were new to it."""
        return int((await self._summary())["effects"])

    async def unequal(self, total: int) -> list[str]:
        """What is wrong, unless the sandbox got `total` events and none of them twice."""
        summary = await self._summary()
        effects, repeats = summary["effects"], summary["repeats"]
        if effects == total and not repeats:
            return []
        return [f"{total} were accepted, {effects} arrived, and {repeats} repeats"]

    async def until_effects(
        self, total: int | Callable[[], int], *, every_s: float = _LOOK_EVERY_S
    ) -> list[tuple[float, int]]:
        """Wait until the sandbox has so many; gives samples of (time, effects) on the way.

        It gives up when none came for twenty seconds: then the samples end below `total`.
        """
        wanted = total if callable(total) else lambda: total
        samples = [(perf_counter(), await self.effects())]
        grown_at = samples[0][0]
        while samples[-1][1] < wanted() and perf_counter() < grown_at + _PATIENCE_S:
            await asyncio.sleep(every_s)
            samples.append((perf_counter(), await self.effects()))
            if samples[-1][1] > samples[-2][1]:
                grown_at = samples[-1][0]
        return samples

    async def missing(self, event: str, event_ids: Collection[str]) -> set[str]:
        """Which of these had no effect yet."""
        wanted = {"event_source_id": EVENT_SOURCE_ID, "event": event, "event_ids": [*event_ids]}
        url = f"http://127.0.0.1:{self.port}/sandbox/missing"
        async with self._session.post(url, json=wanted) as answer:
            answer.raise_for_status()
            return set((await answer.json())["missing"])

    async def pause(self) -> None:
        """The token is refused from now on: lanes pause, events wait."""
        await self._put_tokens("revoked")

    async def resume(self) -> None:
        """The token works again; lanes find out by themselves, within a second."""
        await self._put_tokens("allowed")

    async def _summary(self) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}/sandbox/summary"
        async with self._session.get(url) as answer:
            summary: dict[str, Any] = await answer.json()
            return summary

    async def _put_tokens(self, state: str) -> None:
        url = f"http://127.0.0.1:{self.port}/sandbox/tokens"
        async with self._session.put(url, json={"others": state}) as answer:
            answer.raise_for_status()
