"""What the tests of the client share: the strict sandbox over real HTTP, and a clock that is
theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest

from relay.clock import Clock
from relay.management import Client, Patience
from relay.sandbox.ads.model import Advertiser
from relay.sandbox.ads.still import StillWorld, small_account
from relay.sandbox.http import running
from relay.sandbox.settings import SandboxSettings
from relay.sandbox.world import World

TOKEN = "a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b8c9d0"
ACCOUNT = "7106541027904733185"
PIXEL = "7291000000000000077"

#: 2026-11-22, 10:00 UTC.
START = datetime(2026, 11, 22, 10, tzinfo=UTC).timestamp()
TODAY = date(2026, 11, 22)


class HandClock:
    """Sleeping costs no time; it moves the clock. Whoever sleeps longest wakes last."""

    def __init__(self, now: float = START) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        until = self.time + seconds
        await asyncio.sleep(0)
        self.time = max(self.time, until)


@dataclass
class Stage:
    """A sandbox with a client in front."""

    world: World
    tiktok: Client
    clock: Clock
    base_url: str

    def calls(self, path: str) -> int:
        """How often an endpoint was called."""
        return self.world.desk.limits.calls[f"/open_api/v1.3{path}"]


Play = Callable[..., AbstractAsyncContextManager[Stage]]


@asynccontextmanager
async def playing(
    *faults: dict[str, Any],
    account: Advertiser | None = None,
    client: dict[str, Any] | None = None,
    clock: Clock | None = None,
    **settings: Any,
) -> AsyncIterator[Stage]:
    """The sandbox with these faults and settings, and a client with these arguments; both have the
    same clock."""
    clock = clock or HandClock()
    plan = {"faults": {"faults": list(faults)}, "seed": 1, **settings}
    ads = StillWorld(START, account or small_account(START))
    async with running(SandboxSettings.model_validate(plan), clock, ads=ads) as sandbox:
        given = {"clock": clock, "roll": lambda: 0.5, **(client or {})}
        token = given.pop("token", TOKEN)
        async with Client(token, base_url=sandbox.base_url, **given) as tiktok:
            yield Stage(sandbox.world, tiktok, clock, sandbox.base_url)


@pytest.fixture
def play() -> Play:
    return playing


#: Short waits for what really takes time.
HASTY = Patience(answer_s=0.3)
