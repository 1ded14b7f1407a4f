"""What the journal's tests share: a clock of their own, and arrivals as the pipeline makes them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Sequence
from decimal import Decimal
from typing import Any, Protocol

from relay.journal import protocol
from relay.journal.protocol import End, Outlet, Records
from relay.journal.rocksdb import RocksJournal
from relay.model import (
    Arrival,
    Attempt,
    Entry,
    Event,
    FieldIssue,
    MatchKey,
    Outcome,
    Reason,
    Refusal,
    Settlement,
)

#: A Monday, 09:00 UTC.
NOW = 1_789_981_200.0
HOUR = 3600.0
DAY = 86400.0

DELIVERED = (Outcome.DELIVERED, Reason.ACCEPTED)
REJECTED = (Outcome.REJECTED, Reason.INVALID_PARAMS)
EXPIRED = (Outcome.EXPIRED, Reason.WAITED_TOO_LONG)


class Journal(protocol.Journal, Protocol):
    """A journal that can be closed."""

    async def close(self) -> None: ...


class OpenJournal(Protocol):
    """Opens the test's one journal; again after it was closed, with what is stored."""

    def __call__(self, **settings: Any) -> Coroutine[Any, Any, Journal]: ...


class OwnClock:
    """A clock that stands still until the test moves it; who sleeps is woken by that."""

    def __init__(self, now: float = NOW) -> None:
        self._now = now
        self._moved = asyncio.Event()

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        until = self._now + seconds
        while self._now < until:
            await self._moved.wait()

    def advance(self, seconds: float) -> None:
        self._now += seconds
        self._moved.set()
        self._moved = asyncio.Event()


def an_event(
    event_id: str = "order-1",
    *,
    name: str = "Purchase",
    value: str | None = "19.99",
    at: float = NOW,
    test_event_code: str | None = None,
    size: int = 0,
    person: str = "someone@example.com",
) -> Event:
    """An event as normalizing makes it; `size` makes its body about that long."""
    digest = hashlib.sha256(person.encode()).hexdigest()
    filler = "x" * max(0, size - 120)
    return Event(
        name,
        event_id,
        int(at),
        f'{{"event_id":"{event_id}","user":{{"email":"{digest}"}},"x":"{filler}"}}'.encode(),
        hashlib.blake2b(f"{name}\0{event_id}".encode(), digest_size=16).digest(),
        f"no-{event_id}",
        test_event_code,
        None if value is None else Decimal(value),
        None if value is None else "EUR",
        int(MatchKey.EMAIL | MatchKey.TTCLID),
        (),
        (event_id.encode(), f"no-{event_id}".encode(), digest.encode()),
    )


def a_refusal(
    event_id: str | None = "order-1", outcome: Outcome = Outcome.INVALID, *, at: float | None = NOW
) -> Refusal:
    reason = {
        Outcome.INVALID: Reason.MISSING_FIELD,
        Outcome.EXPIRED: Reason.TOO_OLD,
        Outcome.WITHHELD: Reason.CONSENT_DENIED,
    }[outcome]
    errors = [FieldIssue("event_time", "missing")] if outcome is Outcome.INVALID else []
    moment = None if at is None else int(at)
    return Refusal(outcome, reason, "Purchase", event_id, None, moment, errors)


def arriving(
    result: Event | Refusal, receipt: str = "http:r1/0", destination: str = "web"
) -> Arrival:
    return Arrival(receipt, "shop", destination, result)


def many(count: int, request: str = "r1", destination: str = "web", **event: Any) -> list[Arrival]:
    """The arrivals of one request."""
    return [
        arriving(an_event(f"{request}-{at}", **event), f"http:{request}/{at}", destination)
        for at in range(count)
    ]


def at_most(count: int) -> Callable[[Entry], bool]:
    left = count

    def fits(entry: Entry) -> bool:
        nonlocal left
        left -= 1
        return left >= 0

    return fits


def take(
    journal: Outlet, count: int = 1000, end: End = End.OLDEST, destination: str = "web"
) -> Sequence[Entry]:
    return journal.take(destination, end, at_most(count))


async def settle(
    journal: Outlet,
    entries: Sequence[Entry],
    ended: tuple[Outcome, Reason] = DELIVERED,
    attempt: Attempt | None = None,
    destination: str = "web",
) -> None:
    await journal.settle(
        destination, attempt, [Settlement(entries, *ended)], [entry.seq for entry in entries]
    )


async def upkeep(journal: Journal) -> None:
    """Let it forget what is past its time; in a folder without the pauses, whose clock stands."""
    if not isinstance(journal, RocksJournal):
        await journal.tidy()
        return
    while journal.upkeep():
        pass


async def until(holds: Callable[[], bool], clock: OwnClock | None = None) -> None:
    """Wait until it holds: no event tells what a journal does in its threads. The clock, if there
    is one, goes on meanwhile."""
    async with asyncio.timeout(20):
        while not holds():
            if clock is not None:
                clock.advance(0.1)
            await asyncio.sleep(0.001)


async def until_found(journal: Records, token: str, count: int) -> None:
    """Wait until so many traces are found."""
    async with asyncio.timeout(20):
        while len(await journal.find(token)) != count:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)


def an_attempt(attempt_id: str = "attempt-1", *, at: float = NOW, **facts: Any) -> Attempt:
    known: dict[str, Any] = {
        "destination": "web", "number": 1, "seconds": 0.25, "events": 1, "size_bytes": 100,
        "verdict": "delivered", "status": 200, "code": 0, "message": "OK", "request_id": "tt-1",
    }  # fmt: skip
    return Attempt(attempt_id=attempt_id, started_at=at, **known | facts)
