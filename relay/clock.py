"""Time and sleep, in one place, so that tests own both.

Only this module may ask the system for the time (`ruff` holds the rule). Pure code takes `now`
as an argument instead.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What code that waits is given.

    `now` is Unix time in seconds; `monotonic` is seconds since an arbitrary start and never
    steps back; `sleep` waits for that many seconds.
    """

    def now(self) -> float: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Steady:
    """Unix time that never steps back, whatever happens to the machine's clock: a lane counts on
    that. It is the time of `clock` when this was made, and what has passed since."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = clock.now() - clock.monotonic()

    def now(self) -> float:
        return self._clock.monotonic() + self._offset
