"""Time that is set: nobody waits for it, whoever sleeps sets it forward."""

from __future__ import annotations

import asyncio


class SimulatedClock:
    """`now` is Unix time. Sleeping moves it, so that back-off and polling take no real time."""

    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += max(0.0, seconds)
        await asyncio.sleep(0)

    def set(self, now: float) -> None:
        """Never back."""
        self._now = max(self._now, now)
