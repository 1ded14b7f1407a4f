"""Reports that are kept in a real journal: the newest is found, the oldest go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from relay.audit import archive
from relay.audit.findings import Audit
from relay.journal.rocksdb import JournalSettings, RocksJournal
from tests.unit.audit.world import World
from tests.unit.management.conftest import HandClock

DAY_S = 86_400.0


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[RocksJournal]:
    async with RocksJournal(JournalSettings(tmp_path, min_free_bytes=1), HandClock()) as journal:
        yield journal


def audit_at(now: float) -> Audit:
    audit = World().audit()
    return replace(audit, facts=replace(audit.facts, now=now))


async def kept(journal: RocksJournal) -> list[str]:
    return [key async for key, _ in journal.notes("audit/reports/")]


async def test_where_nothing_was_kept_there_is_nothing(journal: RocksJournal) -> None:
    assert await archive.latest(journal) is None
    assert await archive.last_report(journal) is None


async def test_what_was_kept_is_found_again(journal: RocksJournal) -> None:
    audit = World().audit()

    made = await archive.keep(journal, [audit], version="1.2.3", most=5)

    found = await archive.latest(journal)
    assert found == made
    assert found.made_at == audit.facts.now
    assert {each.metric.name for each in found.gauges} >= {"relay_audit_last_run_timestamp_seconds"}
    document = orjson.loads(await archive.last_report(journal) or b"")
    assert (document["version"], len(document["audits"])) == ("1.2.3", 1)


async def test_the_oldest_reports_go_and_the_newest_is_the_last(journal: RocksJournal) -> None:
    start = World().now
    for day in range(5):
        await archive.keep(journal, [audit_at(start + day * DAY_S)], version="1", most=3)
        assert len(await kept(journal)) == min(day + 1, 3)

    keys = await kept(journal)
    assert keys == sorted(keys)
    assert keys[-1].startswith("audit/reports/2026-11-26")
    latest = await archive.latest(journal)
    assert latest is not None
    assert latest.made_at == start + 4 * DAY_S
    last = orjson.loads(await archive.last_report(journal) or b"")
    assert last["made_at"].startswith("2026-11-26")


@pytest.mark.parametrize(
    "value",
    [b"", b"[]", b"{}", b'{"made_at": "x", "gauges": []}', b'{"made_at": 1, "gauges": [1]}'],
)
async def test_a_note_of_another_release_is_none(journal: RocksJournal, value: bytes) -> None:
    await journal.put_note("audit/latest", value)

    assert await archive.latest(journal) is None


async def test_gauges_that_this_release_does_not_know_are_left_out(journal: RocksJournal) -> None:
    rows = [
        ["relay_audit_moon_phase", ["1"], 1.0],
        ["relay_audit_last_run_timestamp_seconds", [], 1.0],
    ]
    note = orjson.dumps({"made_at": 7.0, "gauges": rows})
    await journal.put_note("audit/latest", note)

    found = await archive.latest(journal)

    assert found is not None
    assert (found.made_at, list(found.gauges)) == (7.0, [])
