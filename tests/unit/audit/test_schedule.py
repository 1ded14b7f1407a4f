"""Audits beside a running relay: when they are due, who makes them, and what becomes of failures.

The account is the strict sandbox's, over HTTP; the journal is a real one, the clock is the test's.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from relay.audit import archive
from relay.audit.schedule import Schedule
from relay.config import Settings, load
from relay.journal.rocksdb import JournalSettings, RocksJournal
from relay.sandbox.plan import FaultPlan
from relay.telemetry import Telemetry, open_log
from tests.unit.audit.world import World
from tests.unit.management.conftest import ACCOUNT, TOKEN, HandClock, Stage, playing

CODE = "C0PIXELCODE0EXAMPLE0"
EVENTS_TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c"
ENVIRON = {"EVENTS": EVENTS_TOKEN, "ADS": TOKEN, "KEY": "key-1", "DSN": "postgresql://nobody@db/x"}

CONFIG = """
[journal]
{journal}
[tiktok]
base_url = "{url}"
[management]
access_token = "env:ADS"
advertisers = ["{account}"]
[audit]
every = "2h"
since = "7d"
[[destinations]]
name = "web"
event_source = "web"
event_source_id = "{code}"
access_token = "env:EVENTS"
page_url = "https://shop.example/"
[[sources]]
name = "backend"
kind = "canonical"
destination = "web"
keys = ["env:KEY"]
"""
FOLDER = 'path = "{path}/unused"'
SERVERS = """

kafka = "127.0.0.1:1"

postgres = "env:DSN"
"""

#: Shorter waits are the client's: they pass at once.
LONG_S = 60.0


class Turnstile(HandClock):
    """Whoever sleeps for a minute or longer is woken by the test."""

    def __init__(self) -> None:
        super().__init__()
        self._asleep: asyncio.Queue[tuple[float, asyncio.Future[None]]] = asyncio.Queue()
        self._woken: asyncio.Future[None] | None = None

    async def sleep(self, seconds: float) -> None:
        if seconds < LONG_S:
            await super().sleep(seconds)
            return
        woken = asyncio.get_running_loop().create_future()
        self._asleep.put_nowait((seconds, woken))
        await woken
        self.time += seconds

    async def next_sleep(self) -> float:
        """Wake who sleeps, and wait for the next long sleep; its seconds."""
        if self._woken is not None:
            self._woken.set_result(None)
        async with asyncio.timeout(60):  # of the machine: a schedule that has died sleeps no more
            seconds, self._woken = await self._asleep.get()
        return seconds


@dataclass
class House:
    stage: Stage
    clock: Turnstile
    journal: RocksJournal
    telemetry: Telemetry
    stream: io.BytesIO

    @property
    def audits(self) -> int:
        """How many were begun."""
        return self.stage.calls("/advertiser/info/")

    def lines(self, name: str) -> list[dict[str, Any]]:
        lines = map(orjson.loads, self.stream.getvalue().splitlines())
        return [each for each in lines if each["event"] == name]

    def samples(self) -> Mapping[str, float]:
        lines = self.telemetry.scraped().decode().splitlines()
        pairs = [line.rpartition(" ") for line in lines if line.startswith("relay_audit")]
        return {name: float(value) for name, _, value in pairs}


@asynccontextmanager
async def scheduled(
    folder: Path,
    *faults: dict[str, Any],
    environ: Mapping[str, str] = ENVIRON,
    code: str = CODE,
    journal: str = FOLDER,
    before: Callable[[RocksJournal], Any] | None = None,
) -> AsyncIterator[House]:
    """A schedule that runs within the block."""
    clock, stream = Turnstile(), io.BytesIO()
    telemetry = Telemetry(version="test", now=clock.now)
    log = open_log("info", "json", monotonic=clock.monotonic, stream=stream)
    async with (
        playing(*faults, clock=clock) as stage,
        RocksJournal(JournalSettings(folder / "journal", min_free_bytes=1), clock) as books,
    ):
        if before is not None:
            await before(books)
        settings = settings_of(folder, stage.base_url, environ, code, journal)
        token = settings.management.access_token
        assert token is not None
        schedule = Schedule(
            settings, token, books, clock, telemetry=telemetry, log=log, roll=lambda: 0.5
        )
        running = asyncio.create_task(schedule.run())
        try:
            yield House(stage, clock, books, telemetry, stream)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


def settings_of(
    folder: Path, url: str, environ: Mapping[str, str], code: str, journal: str
) -> Settings:
    file = folder / "relay.toml"
    told = CONFIG.format(journal=journal.format(path=folder), url=url, account=ACCOUNT, code=code)
    file.write_text(told)
    return load(file, environ, checks=())


async def a_report_at(books: RocksJournal, now: float) -> None:
    """What another replica leaves."""
    audit = World().audit()
    made = replace(audit, facts=replace(audit.facts, now=now))
    await archive.keep(books, [made], version="test", most=5)


async def test_the_first_audit_is_made_at_once_and_told(tmp_path: Path) -> None:
    async with scheduled(tmp_path) as house:
        assert await house.clock.next_sleep() == 60.0

        assert house.audits == 1
        (done,) = house.lines("audit.done")
        assert done["accounts"] == 1
        samples = house.samples()
        assert samples[f'relay_audit_last_run_timestamp_seconds{{advertiser="{ACCOUNT}"}}'] > 0
        ended = "partial" if done["partial"] else "whole"
        assert samples[f'relay_audit_runs_total{{result="{ended}"}}'] == 1
        assert await archive.last_report(house.journal) is not None


async def test_the_next_one_is_made_when_it_is_due_and_not_before(tmp_path: Path) -> None:
    async with scheduled(tmp_path) as house:
        await house.clock.next_sleep()
        made_at = house.clock.now()
        begun = []
        while house.clock.now() < made_at + 3 * 3600:
            await house.clock.next_sleep()
            begun.append((house.clock.now() - made_at, house.audits))

        # Two hours after its facts were gathered, and seen within a minute.
        assert {audits for since_s, audits in begun if since_s < 2 * 3600 - 60} == {1}
        assert {audits for since_s, audits in begun if since_s > 2 * 3600 + 60} == {2}


async def test_what_is_fresh_in_the_journal_is_shown_and_not_made_again(tmp_path: Path) -> None:
    async def fresh(books: RocksJournal) -> None:
        await a_report_at(books, HandClock().now() - 3600)

    async with scheduled(tmp_path, before=fresh) as house:
        await house.clock.next_sleep()

        assert house.audits == 0
        assert any(name.startswith("relay_audit_spend") for name in house.samples())


async def test_replicas_wait_apart_and_the_slower_one_makes_none(tmp_path: Path) -> None:
    async with scheduled(tmp_path, journal=SERVERS) as house:
        assert await house.clock.next_sleep() == 150.0
        assert house.audits == 0

        await a_report_at(house.journal, house.clock.now() + 100)
        assert await house.clock.next_sleep() == 60.0

        assert house.audits == 0
        assert house.lines("audit.done") == []


async def test_a_replica_that_waited_alone_makes_it(tmp_path: Path) -> None:
    async with scheduled(tmp_path, journal=SERVERS) as house:
        assert await house.clock.next_sleep() == 150.0
        assert await house.clock.next_sleep() == 60.0

        assert house.audits == 1


async def test_failures_back_off_up_to_a_quarter_of_an_hour_and_show_no_secret(
    tmp_path: Path,
) -> None:
    refused = {"kind": "code", "codes": [40105], "path": "*/advertiser/info/", "count": 8}
    async with scheduled(tmp_path, refused) as house:
        waits = [await house.clock.next_sleep() for _ in range(9)]

        assert waits == [120.0, 240.0, 480.0, *[900.0] * 5, 60.0]
        assert house.samples()['relay_audit_runs_total{result="failed"}'] == 8
        failed = house.lines("audit.failed")
        assert [each["retry_in_s"] for each in failed] == waits[:8]
        assert {each["error"] for each in failed} == {"CredentialRefused"}
        shown = house.stream.getvalue().decode()
        assert TOKEN not in shown
        assert EVENTS_TOKEN not in shown


async def test_after_a_success_failures_count_anew(tmp_path: Path) -> None:
    twice = {"kind": "code", "codes": [40105], "path": "*/advertiser/info/", "count": 2}
    async with scheduled(tmp_path, twice) as house:
        assert [await house.clock.next_sleep() for _ in range(3)] == [120.0, 240.0, 60.0]
        refused = {"faults": [{**twice, "count": 1}]}
        house.stage.world.put_faults(FaultPlan.model_validate(refused), now=house.clock.now())
        house.clock.time += 7200

        assert await house.clock.next_sleep() == 120.0


async def test_a_token_that_cannot_be_read_is_waited_for(tmp_path: Path) -> None:
    without = {name: value for name, value in ENVIRON.items() if name != "ADS"}
    async with scheduled(tmp_path, environ=without) as house:
        assert await house.clock.next_sleep() == 120.0

        (failed,) = house.lines("audit.failed")
        assert failed["error"] == "SecretUnavailable"
        assert house.audits == 0


async def test_a_critical_finding_is_logged_with_its_subject(tmp_path: Path) -> None:
    async with scheduled(tmp_path, code="C0ANOTHERSHOPSPIXEL0") as house:
        await house.clock.next_sleep()

        critical = house.lines("audit.critical")
        assert critical
        assert {each["advertiser"] for each in critical} == {ACCOUNT}
