"""What replicas share, on a real PostgreSQL: the rate of a token, and the standing of a lane."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from relay.deliver.breaker import LaneState
from relay.deliver.codes import VerdictKind
from relay.deliver.shared.standings import LEASE_S
from relay.deliver.shared.tokens import GOOD_FOR_S
from relay.deliver.verdict import Verdict
from tests.postgres.replicas import NO_TOKEN, OK, Replica, TikTok, running
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.needs("postgres")

#: A finding of one replica is known to all within that, in seconds, on a busy machine.
KNOWN_WITHIN_S = 1.5


def crew(
    size: int, dsn: str, tiktok: TikTok, *, rate: float = 40.0, probe_every_s: float = 0.3
) -> list[Replica]:
    return [
        Replica(f"r{number}", dsn, tiktok, rate=rate, probe_every_s=probe_every_s)
        for number in range(size)
    ]


@pytest.fixture
async def tiktok() -> TikTok:
    return TikTok()


# --- the rate of a token ----------------------------------------------------------------------


async def test_four_replicas_together_keep_the_rate_and_share_it_evenly(
    database: str, tiktok: TikTok
) -> None:
    rate = 40.0
    replicas = crew(4, database, tiktok, rate=rate)

    async with running(*replicas):
        await tiktok.has(lambda: len(tiktok.requests) >= 120)

    times = sorted(each.at for each in tiktok.requests)
    for index, first in enumerate(times):
        inside = sum(time < first + 1.0 for time in times[index:])
        assert inside <= rate * (1.0 + GOOD_FOR_S) + 1
    assert len(times) <= rate * (times[-1] - times[0] + GOOD_FOR_S) + 1
    for replica in replicas:
        assert tiktok.by(replica.name) >= 15


async def test_idle_replicas_take_nothing_from_the_one_that_works(
    database: str, tiktok: TikTok
) -> None:
    busy, *idle = crew(4, database, tiktok, rate=40.0)
    for each in idle:
        each.has_entries = False

    async with running(busy, *idle):
        await tiktok.has(lambda: len(tiktok.requests) >= 81)

    times = [each.at for each in tiktok.requests]
    assert tiktok.by(busy.name) == len(times)
    assert times[-1] - times[0] < 1.5 * 80 / 40.0


async def test_a_throttle_that_one_meets_holds_all_and_slows_all(
    database: str, tiktok: TikTok
) -> None:
    replicas = crew(4, database, tiktok)
    hold_s = 3.0
    throttled_at: list[float] = []

    async def throttle_one(_: str) -> Verdict:
        tiktok.answer = tiktok.ok
        throttled_at.append(tiktok.requests[-1].at)
        return Verdict(VerdictKind.THROTTLED, "TOO_FREQUENT", 40100, retry_after_s=hold_s)

    async with running(*replicas):
        await tiktok.has(lambda: all(tiktok.by(each.name) for each in replicas))
        tiktok.answer = throttle_one
        await tiktok.has(lambda: bool(throttled_at))
        await tiktok.has(lambda: tiktok.requests[-1].at >= throttled_at[0] + hold_s)
        rates = await replicas[0].database.fetch("select rate from budgets")

    held = [
        each
        for each in tiktok.requests
        if throttled_at[0] + KNOWN_WITHIN_S < each.at < throttled_at[0] + hold_s - 0.05
    ]
    assert held == []
    assert len(rates) == 1
    assert rates[0]["rate"] < 40.0


# --- the standing of a lane ---------------------------------------------------------------------


async def test_what_pauses_one_pauses_all_one_asks_at_a_time_and_all_resume(
    database: str, tiktok: TikTok
) -> None:
    replicas = crew(4, database, tiktok)

    async def refuse(_: str) -> Verdict:
        return NO_TOKEN

    async with running(*replicas):
        await tiktok.has(lambda: len(tiktok.requests) >= 8)
        tiktok.answer = refuse
        async with asyncio.timeout(10):
            await asyncio.gather(*(each.comes_to(LaneState.PAUSED_CREDENTIAL) for each in replicas))
        causes = [each.lane.status.cause for each in replicas]
        assert {cause.code for cause in causes if cause is not None} == {40105}
        assert {cause.message for cause in causes if cause is not None} == {"expired"}

        paused = len(tiktok.requests)
        tiktok.most_under_way = tiktok.under_way
        await tiktok.has(lambda: len(tiktok.requests) >= paused + 4)
        probes = tiktok.requests[paused:]
        gaps = [later.at - one.at for one, later in itertools.pairwise(probes)]
        assert tiktok.most_under_way <= 1
        assert min(gaps) > 0.2

        tiktok.answer = tiktok.ok
        async with asyncio.timeout(10):
            await asyncio.gather(*(each.comes_to(LaneState.RUNNING) for each in replicas))
        resumed = {each.name: tiktok.by(each.name) for each in replicas}
        await tiktok.has(lambda: all(tiktok.by(name) > count for name, count in resumed.items()))


async def test_a_replica_that_starts_while_the_lane_is_paused_sends_nothing(
    database: str, tiktok: TikTok
) -> None:
    first, second = crew(2, database, tiktok, probe_every_s=600)

    async def refuse(_: str) -> Verdict:
        return NO_TOKEN

    tiktok.answer = refuse
    async with running(first):
        await first.comes_to(LaneState.PAUSED_CREDENTIAL)
        await first.is_agreed()
    async with running(second):
        await second.comes_to(LaneState.PAUSED_CREDENTIAL)

    assert tiktok.by(second.name) == 0


async def test_when_the_one_that_asks_dies_another_asks(database: str, tiktok: TikTok) -> None:
    replicas = crew(2, database, tiktok)
    asked: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def hang_as_probe(replica: str) -> Verdict:
        if replicas[0].state is replicas[1].state is LaneState.PAUSED_CREDENTIAL:
            if asked.done():
                return OK
            asked.set_result(replica)
            await asyncio.Event().wait()
        return NO_TOKEN

    tiktok.answer = hang_as_probe
    async with running(*replicas) as tasks:
        async with asyncio.timeout(20):
            prober = await asked
        dead, other = sorted(replicas, key=lambda each: each.name != prober)
        hung_at = tiktok.requests[-1].at
        next(task for task in tasks if task.get_name() == dead.name).cancel()

        await other.comes_to(LaneState.RUNNING)

    taken_over = next(
        each for each in tiktok.requests if each.at > hung_at and each.replica == other.name
    )
    assert LEASE_S - 1.0 < taken_over.at - hung_at < LEASE_S + 5.0


async def test_a_renewed_token_of_one_replica_is_tried_by_it_at_once_for_all(
    database: str, tiktok: TikTok
) -> None:
    replicas = crew(3, database, tiktok, probe_every_s=600)
    renewed = replicas[1]

    async def old_token_is_refused(replica: str) -> Verdict:
        return OK if replica == renewed.name and tried else NO_TOKEN

    tried: list[bool] = []
    tiktok.answer = old_token_is_refused
    async with running(*replicas):
        await asyncio.gather(*(each.comes_to(LaneState.PAUSED_CREDENTIAL) for each in replicas))

        tried.append(True)
        renewed.probe_now()

        async with asyncio.timeout(5):
            await asyncio.gather(*(each.comes_to(LaneState.RUNNING) for each in replicas))


# --- the database -----------------------------------------------------------------------------


async def test_without_the_database_nothing_is_sent_and_it_goes_on_by_itself(
    own_postgres: PostgresServer, tiktok: TikTok
) -> None:
    replicas = crew(2, own_postgres.dsn, tiktok)

    async with running(*replicas):
        await tiktok.has(lambda: all(tiktok.by(each.name) >= 3 for each in replicas))
        await asyncio.to_thread(own_postgres.kill)
        gone_at = asyncio.get_running_loop().time()
        await asyncio.to_thread(own_postgres.start)
        back_at = asyncio.get_running_loop().time()
        before = {each.name: tiktok.by(each.name) for each in replicas}
        await tiktok.has(lambda: all(tiktok.by(name) > count for name, count in before.items()))

    late = [each for each in tiktok.requests if gone_at + 1.0 + GOOD_FOR_S < each.at < back_at - 1]
    assert late == []


async def test_what_was_found_while_the_database_was_away_is_told_when_it_is_back(
    own_postgres: PostgresServer, tiktok: TikTok
) -> None:
    finder, other = crew(2, own_postgres.dsn, tiktok, probe_every_s=600)
    answers = asyncio.Event()

    async def refuse_the_finder_later(replica: str) -> Verdict:
        if replica == finder.name:
            await answers.wait()
            return NO_TOKEN
        return OK

    async with running(finder, other):
        await tiktok.has(lambda: bool(tiktok.by(finder.name) and tiktok.by(other.name)))
        tiktok.answer = refuse_the_finder_later
        seen = tiktok.by(finder.name)
        await tiktok.has(lambda: tiktok.by(finder.name) > seen)
        await asyncio.to_thread(own_postgres.stop)
        answers.set()
        await finder.comes_to(LaneState.PAUSED_CREDENTIAL)
        assert other.state is LaneState.RUNNING
        await asyncio.to_thread(own_postgres.start)

        await other.comes_to(LaneState.PAUSED_CREDENTIAL)
