"""Retries of minutes: laid aside, taken by any replica, once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import asyncpg
import pytest

from relay.journal.protocol import Parked
from relay.model import Counts, Entry, Outcome, Reason
from tests.contract.distributed import PatientJournal
from tests.contract.journals import (
    DELIVERED,
    REJECTED,
    OwnClock,
    an_attempt,
    an_event,
    arriving,
    many,
    settle,
    take,
    until,
)
from tests.servers.kafka import KafkaServer

pytestmark = [pytest.mark.needs("kafka"), pytest.mark.needs("postgres")]

STORY = b'{"attempt": 4}'
MINUTE = 60.0

Replica = Callable[[], Any]


@pytest.fixture
async def replica(
    kafka_server: KafkaServer, database: str, unique: str, clock: OwnClock
) -> AsyncIterator[Replica]:
    """Opens one more process of the same relay."""
    opened: list[PatientJournal] = []

    async def another() -> PatientJournal:
        journal = PatientJournal(kafka_server.brokers, database, unique, clock)
        opened.append(journal)
        await journal.open()
        return journal

    yield another
    for journal in opened:
        await journal.close()


async def laid_aside(journal: PatientJournal, count: int, due_at: float) -> Sequence[Entry]:
    """So many entries that were taken and parked."""
    await journal.append(many(count))
    entries = take(journal, count)
    assert await journal.park("web", Parked([each.seq for each in entries], due_at, STORY))
    return entries


async def due(*journals: PatientJournal) -> list[tuple[PatientJournal, Parked]]:
    """What comes back, and where, once somebody has looked."""
    found: list[tuple[PatientJournal, Parked]] = []

    def look() -> bool:
        found.extend((each, parked) for each in journals for parked in each.due("web"))
        return bool(found)

    await until(look)
    return found


async def test_what_is_parked_holds_neither_its_offset_nor_its_partition(
    replica: Replica, clock: OwnClock
) -> None:
    journal = await replica()
    await journal.until_caught_up()

    await laid_aside(journal, 3, clock.now() + 10 * MINUTE)

    assert journal._shares["web"].holding.progress[0].low == 3
    assert journal.counts()["web"] == Counts(3, 0, 3)
    assert take(journal) == []
    await journal.append(many(1, "later"))
    assert [entry.event_id for entry in take(journal)] == ["later-0"]


async def test_it_comes_back_when_it_is_due_and_tells_its_story(
    replica: Replica, clock: OwnClock
) -> None:
    journal = await replica()
    await journal.until_caught_up()
    before = await laid_aside(journal, 3, clock.now() + 10 * MINUTE)
    clock.advance(11 * MINUTE)

    ((_, parked),) = await due(journal)

    assert parked.story == STORY
    back = journal.read("web", parked.seqs)
    assert [entry[1:] for entry in back] == [entry[1:] for entry in before]
    assert take(journal) == []  # it is taken already
    await settle(journal, back, DELIVERED, an_attempt())
    assert journal.counts()["web"] == Counts(3, 3, 0)
    (trace,) = await journal.find("r1-1")
    assert (trace.outcome, len(trace.attempts)) == (Outcome.DELIVERED, 1)


async def test_one_replica_has_it_and_no_other(
    replica: Replica, clock: OwnClock, database: str
) -> None:
    first = await replica()
    await first.until_caught_up()
    await laid_aside(first, 50, clock.now() + MINUTE)
    second = await replica()
    clock.advance(2 * MINUTE)

    found = await due(first, second)

    await asyncio.gather(*[each._shares["web"].aside.fetch() for each in (first, second)])
    assert first.due("web") == [] == second.due("web")
    assert sum(len(parked.seqs) for _, parked in found) == 50


async def test_another_replica_takes_it_when_the_lease_has_run_out_and_the_first_settles_nothing(
    replica: Replica, clock: OwnClock, database: str
) -> None:
    first = await replica()
    await first.until_caught_up()
    await laid_aside(first, 2, clock.now() + MINUTE)
    clock.advance(2 * MINUTE)
    ((holder, parked),) = await due(first)
    connection = await asyncpg.connect(database)
    await connection.execute("update relay.parked set taken_until = now() - interval '1 second'")
    await connection.close()

    second = await replica()
    ((heir, again),) = await due(second)

    await settle(holder, holder.read("web", parked.seqs), REJECTED)
    await settle(heir, heir.read("web", again.seqs), DELIVERED)
    await heir.take_census()
    assert heir.counts()["web"] == Counts(2, 2, 0)
    assert [letter async for letter in heir.dead_letters()] == []


async def test_what_is_parked_again_waits_again_and_keeps_its_claim(
    replica: Replica, clock: OwnClock
) -> None:
    journal = await replica()
    await journal.until_caught_up()
    await laid_aside(journal, 1, clock.now() + MINUTE)
    clock.advance(2 * MINUTE)
    ((_, parked),) = await due(journal)

    assert await journal.park("web", Parked(parked.seqs, clock.now() + MINUTE, b'{"attempt": 5}'))

    (answer,) = await journal.append([arriving(an_event("r1-0"), "http:again/0")])
    assert answer.outcome is Outcome.DUPLICATE
    clock.advance(2 * MINUTE)
    ((_, back),) = await due(journal)
    assert back.story == b'{"attempt": 5}'


async def test_an_attempt_without_an_answer_is_remembered_with_it(
    replica: Replica, clock: OwnClock
) -> None:
    journal = await replica()
    await journal.until_caught_up()
    await journal.append(many(1))
    entries = take(journal)
    seqs = [entry.seq for entry in entries]
    unknown = an_attempt("one", unknown=True, code=None, error="timeout")
    await journal.settle("web", unknown, [], seqs)
    await journal.park("web", Parked(seqs, clock.now() + MINUTE, STORY))
    clock.advance(2 * MINUTE)
    ((_, parked),) = await due(journal)

    assert journal.unknown_since("web", parked.seqs) == unknown.started_at


async def test_what_is_parked_and_erased_is_withheld_when_it_is_due(
    replica: Replica, clock: OwnClock
) -> None:
    journal = await replica()
    await journal.until_caught_up()
    await laid_aside(journal, 2, clock.now() + MINUTE)
    digest = hashlib.sha256(b"someone@example.com").hexdigest()

    await journal.erase([digest])
    clock.advance(2 * MINUTE)

    await until(lambda: journal.counts()["web"] == Counts(2, 2, 0))
    assert journal.due("web") == []
    (trace,) = await journal.find("r1-0")
    assert (trace.outcome, trace.reason) == (Outcome.WITHHELD, Reason.ERASED)


async def test_tables_that_know_more_than_the_topic_hold_the_partition_and_lose_nothing(
    kafka_server: KafkaServer, database: str, unique: str, clock: OwnClock
) -> None:
    right = PatientJournal(kafka_server.brokers, database, unique, clock)
    await right.open()
    await right.until_caught_up()
    await right.append(many(3))
    await right.close()

    mistyped = PatientJournal(kafka_server.brokers, database, f"{unique}-typo", clock)
    await mistyped.open()
    await until(lambda: "crm" in held(mistyped))
    assert "web" not in held(mistyped)
    assert not mistyped.healthy
    await mistyped.close()

    corrected = PatientJournal(kafka_server.brokers, database, unique, clock)
    await corrected.open()
    await corrected.until_caught_up()
    assert [entry.event_id for entry in take(corrected)] == ["r1-0", "r1-1", "r1-2"]
    await corrected.close()


def held(journal: PatientJournal) -> set[str]:
    """The destinations of which this process has a partition."""
    return {name for name, share in journal._shares.items() if share.holding.progress}
