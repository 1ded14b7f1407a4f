"""The running relay as its operator sees it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from relay import assembly
from relay.clock import SystemClock
from relay.config import Settings, load
from relay.deliver.verdict import Reply, read
from relay.errors import UnknownSource
from relay.journal.protocol import End, Journal
from relay.journal.rocksdb import JournalSettings, RocksJournal
from relay.model import Attempt, Outcome, Reason, Settlement
from relay.operations import LiveOperations
from relay.pipeline.accept import Acceptor
from relay.pipeline.replay import Replayer
from relay.telemetry import Telemetry, open_log

PIXEL = 'event_source = "web"\nevent_source_id = "C0"\naccess_token = "env:T"'


@dataclass
class HandClock:
    """A clock that a test moves."""

    at: float = field(default_factory=time.time)

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


@dataclass
class House:
    """What `relay.app.Relay` has, as far as its operator asks for it."""

    settings: Settings
    telemetry: Telemetry
    journal: Journal
    routes: Any
    lanes: Any
    dispatchers: Any
    clock: HandClock
    is_open: bool = True
    failed_tasks: dict[str, str] = field(default_factory=dict)
    readers: dict[str, Any] = field(default_factory=dict)

    def operations(self) -> LiveOperations:
        normalizers = assembly.normalizers_of(self.settings)
        acceptor = Acceptor(
            self.routes,
            {each.name: each for each in self.settings.destinations},
            normalizers,
            self.journal,
            max_events=100,
            clock=self.clock,
            telemetry=self.telemetry,
            log=open_log("error", "json", monotonic=self.clock.monotonic),
        )
        replayer = Replayer(self.journal, normalizers, self.clock)
        return LiveOperations(self, replayer, acceptor, self.clock)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    config = tmp_path / "relay.toml"
    config.write_text(
        f'[[destinations]]\nname = "web"\n{PIXEL}\n'
        f'[[destinations]]\nname = "other"\n{PIXEL}\n'
        '[[sources]]\nname = "backend"\nkind = "canonical"\ndestinations = ["web", "other"]\n'
        'keys = ["env:K"]\n'
        '[[sources]]\nname = "shop"\nkind = "shopify"\ndestination = "web"\nsecrets = ["env:S"]\n'
    )
    settings = load(config, {"T": "t", "K": "k", "S": "s"})
    clock = HandClock()
    async with RocksJournal(JournalSettings(tmp_path / "journal"), SystemClock()) as journal:
        yield House(
            settings,
            Telemetry(version="1", now=clock.now),
            journal,
            assembly.routes_of(settings),
            assembly.lanes_of(settings),
            {name: SimpleNamespace(progressed_at=clock.now()) for name in ("web", "other")},
            clock,
        )


def purchases(count: int) -> list[object]:
    return [
        {
            "event": "Purchase",
            "event_time": int(time.time()),
            "event_id": f"order-{number}",
            "user": {"email": "ada@example.com"},
        }
        for number in range(count)
    ]


# --- health ---------------------------------------------------------------------------------------


async def test_a_relay_that_does_its_work_is_well(house: House) -> None:
    health = house.operations().health()

    assert health.ok
    assert list(health.problems) == list(health.notes) == []


async def test_a_task_that_ended_is_a_problem(house: House) -> None:
    house.failed_tasks["lane web"] = "ValueError"

    health = house.operations().health()

    assert not health.ok
    assert list(health.problems) == ["lane web: ended by ValueError"]


async def test_a_lane_that_has_events_and_does_nothing_is_stuck(house: House) -> None:
    operations = house.operations()
    await operations.take_lines("backend", "f" * 16, 1, purchases(1))

    assert operations.health().ok
    house.clock.at += 130

    assert [problem.split(":")[0] for problem in operations.health().problems] == [
        "lane web", "lane other",
    ]  # fmt: skip
    house.dispatchers["web"].progressed_at = house.dispatchers["other"].progressed_at = (
        house.clock.at
    )
    assert operations.health().ok


async def test_a_lane_that_waits_for_an_answer_is_not_stuck(house: House) -> None:
    operations = house.operations()
    await operations.take_lines("backend", "f" * 16, 1, purchases(2))
    lane, now = house.lanes["web"], house.clock.now()
    lane.start(lane.plan(now, house.journal.available("web"), due_at=0), [0], now)
    house.clock.at += 130

    assert "lane web" not in "".join(operations.health().problems)


async def test_a_lane_that_waits_for_a_token_is_worth_a_note(house: House) -> None:
    lane, now = house.lanes["web"], house.clock.now()
    operations = house.operations()
    await operations.take_lines("backend", "f" * 16, 1, purchases(1))
    work = lane.start(lane.plan(now, house.journal.available("web"), due_at=0), [0], now)
    answer = Reply(200, b'{"code": 40105, "message": "revoked", "request_id": "r", "data": {}}')
    lane.answered(work, read(answer, 1, now), now, 0.5)
    house.clock.at += 1000

    health = operations.health()

    assert list(health.notes) == ["lane web: paused_credential (40105 INVALID_ACCESS_TOKEN)"]
    assert "lane web" not in "".join(health.problems)
    assert operations.lanes()[0]["state"] == "paused_credential"


async def test_ready_means_open_and_able_to_store(house: House) -> None:
    operations = house.operations()
    assert operations.ready()

    house.is_open = False

    assert not operations.ready()


# --- lines of a file ------------------------------------------------------------------------------


async def test_a_line_counts_once_whatever_its_destinations_make_of_it(house: House) -> None:
    operations = house.operations()

    first = await operations.take_lines("backend", "f" * 16, 1, [*purchases(3), {"event": "X"}])
    again = await operations.take_lines("backend", "f" * 16, 1, [*purchases(3), {"event": "X"}])
    other = await operations.take_lines("backend", "e" * 16, 1, purchases(3))

    assert (first["accepted"], len(first["invalid"])) == (3, 2)  # both destinations refuse it
    assert (again["known"], again["accepted"], len(again["invalid"])) == (3, 0, 2)
    assert (other["duplicates"], other["accepted"]) == (3, 0)
    stats = operations.stats()["destinations"]
    assert [(row["name"], row["accepted"], row["waiting"]) for row in stats] == [
        ("other", 7, 3), ("web", 7, 3),
    ]  # fmt: skip


async def test_what_is_known_is_not_counted_again(house: House) -> None:
    operations = house.operations()

    for _ in range(2):
        await operations.take_lines("backend", "f" * 16, 1, purchases(3))

    assert b'relay_arrivals_total{source="backend"} 6.0' in operations.metrics()


async def test_an_invalid_line_is_named_with_its_reason(house: House) -> None:
    taken = await house.operations().take_lines("backend", "f" * 16, 41, [None, *purchases(1)])

    assert taken["invalid"][0]["line"] == 41
    assert taken["invalid"][0]["errors"] == [{"field": "", "reason": "not_an_object"}]


@pytest.mark.parametrize("source", ["nobody", "shop"])
async def test_lines_are_for_sources_that_take_files(house: House, source: str) -> None:
    with pytest.raises(UnknownSource):
        await house.operations().take_lines(source, "f" * 16, 1, purchases(1))


# --- finding and replaying ------------------------------------------------------------------------


async def buried(house: House, count: int) -> list[str]:
    """Dead letters of the destination `web`: their ids."""
    await house.operations().take_lines("backend", "f" * 16, 1, purchases(count))
    entries = house.journal.take("web", End.OLDEST, cast(Callable[[object], bool], lambda _: True))
    attempt = Attempt("a", "web", 1, time.time(), 0.1, count, 500, "reject", 200, 40002, "no", "r")
    dead = Settlement(entries, Outcome.REJECTED, Reason.INVALID_PARAMS)
    await house.journal.settle("web", attempt, [dead], [entry.seq for entry in entries])
    return [letter.letter_id for letter in await house.operations().dead_letters(None, 1000)]


async def test_the_newest_dead_letters_are_shown_oldest_first(house: House) -> None:
    ids = await buried(house, 5)

    shown = await house.operations().dead_letters("web", 2)

    assert [letter.letter_id for letter in shown] == ids[-2:]
    assert not await house.operations().dead_letters("other", 2)


async def test_dead_letters_are_replayed_by_id_or_all(house: House) -> None:
    ids = await buried(house, 3)
    operations = house.operations()

    tried = await operations.replay(None, "web", dry_run=True, force=False)
    one = await operations.replay([ids[1], "00"], None, dry_run=False, force=False)
    rest = await operations.replay(None, None, dry_run=False, force=False)

    assert [each.result for each in tried] == ["queued"] * 3
    assert [(each.letter_id, each.result) for each in one] == [
        (ids[1], "queued"), ("00", "unknown_id"),
    ]  # fmt: skip
    assert [each.letter_id for each in rest] == [ids[0], ids[2]]
    assert await operations.find("order-1")
