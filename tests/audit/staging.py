"""Scenarios, rehearsed and audited: what the tests ask about.

A rehearsal takes seconds, so each is made once, in one of a few processes; what comes back are
values: the audits, and what was true according to the world and the shop, beside all books.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from relay.audit.findings import Audit, Finding, Judgement
from relay.model import Event, MatchKey, Reason
from relay.sandbox.ads.model import Row
from relay.sandbox.ads.scenarios import SCENARIOS, Between, Planting, Scenario
from relay.sandbox.ads.zone import DAY_S
from tests.audit.rehearsal import Rehearsal, Relay, audited

#: Fewer events than a shop has, where a planting does not say how many.
SMALL: Final[Mapping[str, Any]] = {"relayed": ("Purchase",), "browsers_per_day": 10.0}
#: Those that are about more than purchases.
_WHOLE: Final = frozenset({"DUP-03", "MAT-03"})
#: What these look at shows in fewer days than the season has.
_SHORT: Final = frozenset({
    "API-01", "API-02", "BUD-01", "BUD-03", "CFG-01", "CFG-03", "CFG-04", "CFG-05",
    "CFG-06", "CFG-08", "CFG-10", "CFG-12", "MAT-02", "VAL-04",
})  # fmt: skip
_SHORT_DAYS: Final = 16
#: So many days before its end a season was audited already.
_BEFORE: Final = {"REC-08": 3}
SEED: Final = 11


class Bought(NamedTuple):
    """A delivered purchase; `day` is the account's, `utc_day` of UTC."""

    at: int
    day: date
    utc_day: date
    has_click: bool
    value: Decimal
    order_id: str | None


class Spent(NamedTuple):
    """A day of one object, as the world has it."""

    id: str
    day: date
    spend: Decimal
    conversions: int
    conversions_by_event_day: int
    value: Decimal


@dataclass(frozen=True, slots=True)
class Staged:
    """What came of a planting. `counted` is by (day of UTC, the ad side's code): browser, server,
    attributed."""

    check: str
    kind: str
    audit: Audit
    now: float
    pixels: Sequence[str]
    groups: Sequence[str]
    bought: Sequence[Bought]
    rejected: Sequence[date]
    tested: Sequence[date]
    refused_as_future: Sequence[date]
    spent: Mapping[str, Sequence[Spent]]
    counted: Mapping[tuple[date, str], tuple[int, int, int]]
    before: Audit | None = None

    @property
    def scenario(self) -> Scenario:
        return SCENARIOS[self.check]

    @property
    def planting(self) -> Planting:
        return planting_of(self.check, self.kind)

    def findings(self, check: str) -> list[Finding]:
        return [each for each in self.audit.findings if each.check == check]

    def judgement(self, check: str) -> Judgement:
        return next(each for each in self.audit.judgements if each.check == check)

    def expects(self, symbol: str) -> Between:
        found = self.planting.expected[symbol]
        assert isinstance(found, Between)
        return found

    @property
    def days(self) -> tuple[date, date]:
        """Those that were looked at."""
        return self.audit.facts.period.first, self.audit.facts.period.last

    def mature(self, window: int = 7) -> tuple[date, date]:
        return self.days[0], self.days[1] - timedelta(days=window + 1)

    def spend(self, days: tuple[date, date], *ids: str, level: str = "AUCTION_ADGROUP") -> Decimal:
        """Of these objects, or of all of a level."""
        rows = self.spent[level]
        return sum(
            (e.spend for e in rows if (not ids or e.id in ids) and days[0] <= e.day <= days[1]),
            Decimal(0),
        )


def planting_of(check: str, kind: str) -> Planting:
    """`kind` is `planted` or `harmless`."""
    scenario = SCENARIOS[check]
    return scenario.planted if kind == "planted" else scenario.harmless


@contextmanager
def journal_folder() -> Iterator[Path]:
    """In memory where there is a place for it: nothing here is about the disk."""
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="rehearsal-", dir=place))
    try:
        yield folder / "journal"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def stage(key: tuple[str, str]) -> Staged:
    """Rehearse and audit one planting."""
    return asyncio.run(_staged(*key))


async def _staged(check: str, kind: str) -> Staged:
    planting = planting_of(check, kind)
    season = planting.season(seed=SEED, **({} if check in _WHOLE else SMALL))
    days = _SHORT_DAYS if check in _SHORT else planting.days
    end = season.market.local.starts(season.market.first_day + days)
    with journal_folder() as folder:
        relay = Relay([season], folder, faults=planting.sandbox)
        before = None
        if check in _BEFORE:
            lived = await relay.live(end - _BEFORE[check] * DAY_S)
            (before,) = await audited(lived)
        lived = await relay.live(end)
        (audit,) = await audited(lived, faults=planting.sandbox)
    return _told((check, kind), lived, audit, before)


def _told(key: tuple[str, str], lived: Rehearsal, audit: Audit, before: Audit | None) -> Staged:
    truth, account = lived.true, lived.market.account
    day_of = audit.facts.advertiser.zone

    def day(moment: float) -> date:
        return datetime.fromtimestamp(moment, day_of).date()

    return Staged(
        check=key[0],
        kind=key[1],
        audit=slim(audit),
        now=lived.now,
        pixels=[pixel.pixel_code for pixel in account.pixels.values()],
        groups=list(account.adgroups),
        bought=[_bought(each, day) for each in truth.purchases()],
        rejected=[day(each.event_time) for each in truth.rejected],
        tested=[day(each.event_time) for each in truth.tests if each.order_id is not None],
        refused_as_future=[
            day(each.event_time or 0) for each in truth.refused if each.reason is Reason.FUTURE
        ],
        spent={
            level: _spent(lived, level, audit)
            for level in ("AUCTION_ADVERTISER", "AUCTION_CAMPAIGN", "AUCTION_ADGROUP", "AUCTION_AD")
        },
        counted=_counted(lived, audit),
        before=None if before is None else slim(before),
    )


def slim(audit: Audit) -> Audit:
    """Without what is large, for the way between processes."""
    facts = replace(audit.facts, samples=(), ledger=(), days=(), event_counts=(), ads=())
    return replace(audit, facts=facts)


def _bought(event: Event, day: Any) -> Bought:
    return Bought(
        event.event_time,
        day(event.event_time),
        datetime.fromtimestamp(event.event_time, UTC).date(),
        bool(event.match_keys & MatchKey.TTCLID),
        event.value or Decimal(0),
        event.order_id,
    )


def _spent(lived: Rehearsal, level: str, audit: Audit) -> list[Spent]:
    period = audit.facts.period
    rows = lived.world.rows(
        lived.plan.advertiser_id,
        level,
        period.first,
        period.last,
        by="stat_time_day",
        now=audit.facts.now,
    )
    return [_day_of(row) for row in rows]


def _day_of(row: Row) -> Spent:
    def count(name: str) -> int:
        return int(row.metrics[name])

    return Spent(
        id=row.id,
        day=date.fromisoformat(row.at[:10]),
        spend=Decimal(row.metrics["spend"]),
        conversions=count("conversion"),
        conversions_by_event_day=count("real_time_conversion"),
        value=Decimal(row.metrics["total_complete_payment_rate"]),
    )


def _counted(lived: Rehearsal, audit: Audit) -> Mapping[tuple[date, str], tuple[int, int, int]]:
    """Of the shop's pixel."""
    period = audit.facts.period
    pixel = next(iter(lived.market.account.pixels))
    found: dict[tuple[date, str], tuple[int, int, int]] = {}
    day = period.first - timedelta(days=1)
    while day <= period.last:
        for each in lived.world.statistics(pixel, day, day, audit.facts.now):
            found[day, each.event] = (
                each.browser_event_total_count,
                each.server_event_total_count,
                each.attributed_count,
            )
        day += timedelta(days=1)
    return found
