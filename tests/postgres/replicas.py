"""Replicas that deliver to one destination: lanes with endless entries, and one TikTok."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from relay.clock import SystemClock
from relay.deliver.breaker import LaneState
from relay.deliver.codes import VerdictKind
from relay.deliver.lane import Lane
from relay.deliver.plan import Again, Finished, Fresh, LanePolicy, Wait
from relay.deliver.shared.postgres import Sharing
from relay.deliver.verdict import Verdict
from relay.deliver.work import Work
from relay.model import Reason, Waiting
from relay.postgres.database import Database

OK = Verdict(VerdictKind.DELIVERED, "OK", 0, reason=Reason.ACCEPTED)
NO_TOKEN = Verdict(VerdictKind.PAUSE_CREDENTIAL, "INVALID_ACCESS_TOKEN", 40105, message="expired")
FAILED = Verdict(VerdictKind.RETRY, "SYS_ERROR", 50000)
NOTHING = Waiting(0, 0, None)

#: Nothing here takes so long, in seconds, unless it hangs.
LONG_S = 40.0

DESTINATION = "web"


class Request(NamedTuple):
    """One that reached TikTok, at a time of the machine's monotonic clock."""

    at: float
    replica: str


class TikTok:
    """Answers with `answer`, and remembers who asked when."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.under_way = 0
        self.most_under_way = 0
        self.answer: Callable[[str], Awaitable[Verdict]] = self.ok
        self._news = asyncio.Condition()

    async def ok(self, _: str) -> Verdict:
        return OK

    async def asked(self, replica: str) -> Verdict:
        self.requests.append(Request(SystemClock().monotonic(), replica))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        async with self._news:
            self._news.notify_all()
        try:
            return await self.answer(replica)
        finally:
            self.under_way -= 1

    async def has(self, wanted: Callable[[], bool]) -> None:
        """Wait until this is true; looked at with each request."""
        async with asyncio.timeout(LONG_S), self._news:
            await self._news.wait_for(wanted)

    def by(self, replica: str) -> int:
        return sum(each.replica == replica for each in self.requests)


class Replica:
    """One relay's lane of the destination, and its share."""

    def __init__(
        self, name: str, dsn: str, tiktok: TikTok, *, rate: float, probe_every_s: float
    ) -> None:
        self.name = name
        self.database = Database(lambda: dsn)
        self.sharing = Sharing(self.database, SystemClock(), replica=name)
        budget = self.sharing.budget(DESTINATION, "env:TOKEN", ceiling=rate, floor=0.1)
        self.lane = Lane(LanePolicy(probe_every_s=probe_every_s), budget)
        self.has_entries = True
        self._tiktok = tiktok
        self._seqs = itertools.count(1)
        self._news = asyncio.Event()
        self._awaited: list[tuple[LaneState, asyncio.Future[None]]] = []
        self.sharing.attach(DESTINATION, self.lane, self._heard)

    @property
    def now(self) -> float:
        return self.sharing.steady.now()

    @property
    def state(self) -> LaneState:
        return self.lane.status.state

    def _heard(self, _: LaneState) -> None:
        self._news.set()
        for state, awaited in self._awaited:
            if state is self.state and not awaited.done():
                awaited.set_result(None)

    def probe_now(self) -> None:
        """A person, or a renewed token."""
        self.lane.probe_now(self.now)
        self.sharing.changed(DESTINATION)
        self._news.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.sharing.run())
            while True:
                await self._step(tasks)

    async def _step(self, tasks: asyncio.TaskGroup) -> None:
        now = self.now
        waiting = Waiting(1, 700, now) if self.has_entries else NOTHING
        match self.lane.plan(now, waiting, due_at=now if self.has_entries else None):
            case Fresh() as fresh:
                work = self.lane.start(fresh, [next(self._seqs)], now)
                tasks.create_task(self._send(work))
            case Again(work=work):
                tasks.create_task(self._send(self.lane.start_again(work, now)))
            case Wait(until=until):
                await self._wait(1.0 if until is None else min(1.0, until - now))
            case Finished():
                raise AssertionError("nobody drains here")

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._news.wait()
        except TimeoutError:
            pass
        self._news.clear()

    async def _send(self, work: Work) -> None:
        verdict = await self._tiktok.asked(self.name)
        self.lane.answered(work, verdict, self.now, 0.5)
        self.sharing.changed(DESTINATION)
        self._heard(self.state)

    async def is_agreed(self) -> None:
        """Wait until the others can know what this one found."""
        async with asyncio.timeout(LONG_S):
            while not await self._is_written():  # noqa: ASYNC110  # a row tells nobody
                await asyncio.sleep(0.01)

    async def _is_written(self) -> bool:
        asked = "select 1 from lanes where state = $1"
        return bool(await self.database.fetch(asked, self.state.value))

    async def comes_to(self, state: LaneState) -> None:
        """Wait until the lane is in this state, if only for a moment."""
        if self.state is state:
            return
        awaited: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._awaited.append((state, awaited))
        async with asyncio.timeout(LONG_S):
            await awaited


@asynccontextmanager
async def running(*replicas: Replica) -> AsyncIterator[list[asyncio.Task[None]]]:
    """All of them at work; whichever still is at the end is ended. None may have failed."""
    tasks = [asyncio.create_task(each.run(), name=each.name) for each in replicas]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(each.database.close() for each in replicas))
        assert [end for end in ends if not isinstance(end, asyncio.CancelledError)] == []
