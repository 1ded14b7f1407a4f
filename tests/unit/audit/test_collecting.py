"""The collector: what it holds, which days it asks for, who is whose, and what it notes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.audit.collecting import Collector, snapshots
from relay.audit.collecting.account import EventSources
from relay.audit.collecting.books import Thinned
from relay.audit.collecting.collect import _hours, _period
from relay.audit.collecting.gathering import Gathering, told
from relay.audit.facts import Day, Level, Part, Target
from relay.audit.summary.sums import added
from relay.journal.rocksdb import JournalSettings, RocksJournal
from relay.journal.sample import within
from relay.management import Notice, NoticeKind
from relay.model import EventSource
from tests.unit.audit.world import a_sample
from tests.unit.management.conftest import ACCOUNT, START, HandClock, playing

BERLIN = ZoneInfo("Europe/Berlin")
WEST = timezone(timedelta(hours=-8))
ZONES = [BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kathmandu"), WEST]
CODE = "C0PIXELCODE0EXAMPLE0"


def at(year: int, month: int, day: int, hour: int = 0) -> float:
    return datetime(year, month, day, hour, tzinfo=UTC).timestamp()


# --- days and hours ------------------------------------------------------------------------------


@given(st.floats(1_700_000_000, 1_900_000_000), st.integers(1, 90), st.sampled_from(ZONES))
def test_the_hours_cover_every_day_of_the_period_in_both_clocks(
    now: float, days: int, zone: Any
) -> None:
    period = _period(zone, now, days)
    first, end = _hours(zone, period, now)

    assert (period.last - period.first).days == days - 1
    assert period.last == datetime.fromtimestamp(now, zone).date()
    assert datetime.fromtimestamp(first * 3600, zone).date() <= period.first
    assert datetime.fromtimestamp(first * 3600, UTC).date() <= period.first
    assert first * 3600 > datetime(*period.first.timetuple()[:3], tzinfo=UTC).timestamp() - 86_400
    assert (end - 1) * 3600 <= now < end * 3600


def test_a_day_begins_when_the_accounts_clock_says_so_in_summer_and_in_winter() -> None:
    # East of Greenwich the account's day begins first: at 22 h UTC in summer, at 23 h in winter.
    summer, winter = at(2026, 10, 24, 22), at(2026, 10, 25, 23)

    # The day between them has 25 hours.
    for day, begins in ((25, summer), (26, winter)):
        now = at(2026, 10, day, 12)
        period = _period(BERLIN, now, 1)
        assert period.first == period.last == date(2026, 10, day)
        assert _hours(BERLIN, period, now) == (begins // 3600, now // 3600 + 1)


def test_west_of_greenwich_the_utc_day_begins_first() -> None:
    now = at(2026, 11, 22, 12)
    period = _period(WEST, now, 1)

    assert _hours(WEST, period, now)[0] == at(2026, 11, 22) // 3600


# --- what is gathered ----------------------------------------------------------------------------


def test_pieces_of_a_part_add_up_and_its_first_problem_stands() -> None:
    gathering = Gathering(HandClock())
    gathering.note(Part.ADGROUPS, 3)
    gathering.note(Part.ADGROUPS, 0, "throttled", 40100)
    gathering.note(Part.ADGROUPS, 4, "something else", 50000)

    found = gathering.parts[Part.ADGROUPS]

    assert (found.rows, found.problem, found.code, found.at) == (7, "throttled", 40100, START)
    assert not gathering.is_whole(Part.ADGROUPS)


def test_a_part_nobody_asked_for_is_not_whole() -> None:
    gathering = Gathering(HandClock())
    gathering.note(Part.ADS, 0)

    assert gathering.is_whole(Part.ADS)
    assert not gathering.is_whole(Part.ADS, Part.PIXELS)


def test_only_what_is_missing_is_told() -> None:
    cut = Notice(NoticeKind.IDS_CUT, "/x/", "some are missing", incomplete=True)
    again = Notice(NoticeKind.READ_AGAIN, "/x/", "read again", incomplete=False)

    assert told([again]) is None
    assert told([again, cut]) == "some are missing"


# --- the sample ----------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**64 - 1),
            st.none() | st.integers(0, 2**64 - 1),
            st.none() | st.integers(0, 2**64 - 1),
        ),
        max_size=60,
    ),
    st.integers(1, 20),
)
def test_a_thinned_sample_is_whole_among_itself(
    digests: list[tuple[int, int | None, int | None]], most: int
) -> None:
    rows = [
        a_sample(number, START)._replace(event_id=event, order=order, click=click)
        for number, (event, order, click) in enumerate(digests)
    ]
    thinned = Thinned(most)
    for row in rows:
        thinned.take(row)

    kept = thinned.rows()
    share = min((row.share for row in kept), default=1.0)

    assert kept == [row._replace(share=share) for row in within(rows, share)] or not kept


def test_a_sample_is_thinned_until_it_fits() -> None:
    thinned = Thinned(100)
    for number in range(1, 5_000):
        thinned.take(a_sample(number, START))

    kept = thinned.rows()

    assert 20 <= len(kept) <= 100
    assert {row.share for row in kept} == {1 / 64}


def test_a_sample_that_fits_is_kept_as_it_is() -> None:
    thinned = Thinned(10)
    rows = [a_sample(number, START) for number in range(10)]
    for row in rows:
        thinned.take(row)

    assert thinned.rows() == rows


def test_rows_that_were_sampled_less_keep_their_share() -> None:
    thinned = Thinned(2)
    for number in range(1, 40):
        thinned.take(a_sample(number, START, share=1e-9))

    assert {row.share for row in thinned.rows()} == {1e-9}


# --- days as they were seen ----------------------------------------------------------------------

AMOUNTS = st.none() | st.decimals(0, 10**9, places=2)
COUNTS = st.none() | st.integers(0, 10**9)


@given(st.lists(st.tuples(st.sampled_from(Level), st.integers(0, 60), AMOUNTS, COUNTS)))
def test_a_note_gives_back_the_account_and_its_campaigns(rows: list[Any]) -> None:
    today = datetime.fromtimestamp(START, UTC).date()
    days = [
        Day(level, str(number), today - timedelta(days=ago), spend=spend, conversions=count)
        for number, (level, ago, spend, count) in enumerate(rows)
    ]

    found = snapshots.unpacked(snapshots.packed(days, START))

    kept = [
        each
        for each in days
        if each.level in (Level.ACCOUNT, Level.CAMPAIGN) and (today - each.day).days <= 35
    ]
    assert [(s.level, s.id, s.day, s.spend, s.conversions) for s in found] == [
        (each.level, each.id, each.day, each.spend, each.conversions) for each in kept
    ]
    assert {each.seen_at for each in found} <= {START}


def a_note(*row: object) -> bytes:
    return orjson.dumps({"at": 1, "rows": [row]})


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"[]",
        b'{"at": 1}',
        b'{"rows": []}x',
        a_note("moon", "1", "2026-11-01", None, 1),
        a_note("account", "1", "2026-11-01", "much", 1),
        a_note("account", "1"),
    ],
)
def test_what_is_no_note_is_said_to_be_none(note: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        snapshots.unpacked(note)


def test_keys_sort_by_day_and_old_ones_before_the_oldest() -> None:
    later = snapshots.key("1", START + 86_400)

    assert snapshots.prefix("1") < snapshots.key("1", START) < later
    assert snapshots.key("1", START - 41 * 86_400) < snapshots.oldest_key("1", START)
    assert snapshots.oldest_key("1", START) <= snapshots.key("1", START - 40 * 86_400)


# --- whole collections, over HTTP ----------------------------------------------------------------


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[RocksJournal]:
    async with RocksJournal(JournalSettings(tmp_path, min_free_bytes=1), HandClock()) as journal:
        yield journal


def target(name: str, source_id: str) -> Target:
    return Target(name, EventSource.WEB, source_id)


async def test_a_destination_goes_to_its_account_and_a_strange_one_to_all(
    journal: RocksJournal,
) -> None:
    targets = [target("web", CODE), target("store", "7300000000000000009"), target("lost", "C0X")]
    async with playing() as stage:
        collector = Collector(stage.tiktok, journal, targets, stage.clock, rates={})
        (found,) = await collector.assignments([ACCOUNT])

    assert [each.name for each in found.targets] == ["web", "store", "lost"]
    assert found.sources.ids >= {CODE, "7291000000000000077", "7300000000000000009"}
    assert [each.linked for each in found.sources.pixels] == [True]
    assert found.gathering.is_whole(Part.ADVERTISER, Part.PIXELS, Part.PIXEL_LINKS)


def a_collector(
    targets: Sequence[Target] = (), rates: Mapping[str, Decimal] = MappingProxyType({})
) -> Collector:
    """One that asks nobody."""
    nobody: Any = None
    return Collector(nobody, nobody, targets, HandClock(), rates=rates)


def test_another_accounts_destination_is_not_this_ones() -> None:
    collector = a_collector([target("a", "A"), target("b", "B"), target("c", "C")])
    mine = EventSources([], frozenset({"A"}))

    assert [each.name for each in collector._targets_of(mine, frozenset({"A", "B"}))] == ["a", "c"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"EUR": Decimal(1)}),
        ({"USD": Decimal(1)}, {"EUR": Decimal(1)}),
        (
            {"EUR": Decimal(2), "USD": Decimal(1)},
            {"EUR": Decimal(1), "USD": Decimal("0.5")},
        ),
    ],
)
def test_rates_are_turned_into_the_accounts_currency(
    given: dict[str, Decimal], expected: dict[str, Decimal]
) -> None:
    collector = a_collector(rates=given)

    assert collector._rates_into("EUR") == expected


async def test_everything_is_gathered_and_remembered(journal: RocksJournal) -> None:
    told_of: list[str] = []
    async with playing() as stage:
        collector = Collector(
            stage.tiktok, journal, [target("web", CODE)], stage.clock, rates={},
            progress=lambda what, _who: told_of.append(what),
        )  # fmt: skip
        (assignment,) = await collector.assignments([ACCOUNT])
        facts = await collector.collect(assignment, 30)
        await collector.remember(facts)
        (assignment,) = await collector.assignments([ACCOUNT])
        again = await collector.collect(assignment, 30)

    assert set(facts.gathered) == set(Part)
    assert [each for each in facts.gathered.values() if each.problem] == []
    levels = {level: [day for day in facts.days if day.level is level] for level in Level}
    assert len(levels[Level.ACCOUNT]) == 30
    assert len(levels[Level.ADGROUP]) == 30 * len(facts.adgroups)
    assert len(levels[Level.AD]) == len(facts.ads)
    spent = added(day.spend for day in levels[Level.ACCOUNT])
    for level in (Level.CAMPAIGN, Level.ADGROUP, Level.AD):
        assert added(day.spend for day in levels[level]) == spent
    assert len(facts.hours) == 7 * 24
    assert list(facts.snapshots) == []
    assert {(each.level, each.day) for each in again.snapshots} == {
        (each.level, each.day)
        for each in facts.days
        if each.level in (Level.ACCOUNT, Level.CAMPAIGN)
    }
    assert told_of[:3] == [
        "event sources", "campaigns, ad groups, ads", "reports and event statistics",
    ]  # fmt: skip


async def test_what_cannot_be_read_is_noted_and_the_rest_is_there(journal: RocksJournal) -> None:
    fault = {"kind": "code", "codes": [40001], "path": "*/ad/get/"}
    async with playing(fault) as stage:
        collector = Collector(stage.tiktok, journal, [], stage.clock, rates={})
        (assignment,) = await collector.assignments([ACCOUNT])
        facts = await collector.collect(assignment, 7)

    ads = facts.gathered[Part.ADS]
    assert (ads.rows, ads.code, bool(ads.problem)) == (0, 40001, True)
    assert facts.ads == []
    assert len(facts.campaigns) == 2
