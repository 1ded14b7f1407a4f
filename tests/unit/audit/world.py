"""A world in which nothing is wrong: six weeks of a shop that sells much the same every day.

64 purchases a day, 24 of them after a click on an ad; two ad groups of one campaign that spend 180
EUR a day each and report 12 conversions a day each. Tests change one thing and look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import cache
from typing import Any

from relay.audit.facts import (
    Ad,
    AdGroup,
    Advertiser,
    Campaign,
    Day,
    EventCount,
    Facts,
    Gathered,
    Hour,
    Level,
    Part,
    Period,
    Pixel,
    PixelEvent,
    Target,
)
from relay.audit.findings import Audit, Finding, State
from relay.audit.judge import judge
from relay.config.audit import Thresholds
from relay.journal.ledger import LedgerRow, Sums
from relay.journal.sample import Sample
from relay.model import EventSource, MatchKey, Outcome

NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)
FIRST = date(2026, 10, 11)
LAST = date(2026, 11, 21)
#: The last day whose conversions are all in: the click window is 7 days.
MATURE = date(2026, 11, 14)
PIXEL_ID, CODE = "7291000000000000077", "C0PIXELCODE0EXAMPLE0"
EUR = Decimal(1)


def days(first: date = FIRST, last: date = LAST) -> list[date]:
    return [first + timedelta(each) for each in range((last - first).days + 1)]


def an_adgroup(id: str = "g1", **changes: Any) -> AdGroup:
    return replace(
        AdGroup(
            id=id,
            name=f"Group {id}",
            campaign_id="c1",
            promotion_type="WEBSITE",
            pixel_id=PIXEL_ID,
            optimization_goal="CONVERT",
            optimization_event="SHOPPING",
            deep_event=None,
            custom_conversion_id=None,
            click_window=7,
            engaged_view_window=1,
            view_window=1,
            counting="EVERY",
            operation_status="ENABLE",
            secondary_status="ADGROUP_STATUS_DELIVERY_OK",
            budget_mode="BUDGET_MODE_DAY",
            budget=Decimal(200),
            roas_bid=None,
            created_at=datetime(2026, 9, 1, tzinfo=UTC),
            modified_at=datetime(2026, 9, 2, tzinfo=UTC),
        ),
        **changes,
    )


def a_pixel(**changes: Any) -> Pixel:
    return replace(
        Pixel(
            id=PIXEL_ID,
            code=CODE,
            name="Shop",
            relation_status="TRANSFERRED",
            linked=True,
            advanced_matching={"email": True, "phone_number": True},
            first_party_cookies=True,
            events=(PixelEvent("SHOPPING", "Purchase", "EVERY_TIME"),),
        ),
        **changes,
    )


def a_day(level: Level, id: str, day: date, share: int = 1, **changes: Any) -> Day:
    """`share` 2 is the account: twice what one ad group does."""
    values = {"SHOPPING": Decimal(600) * share}
    return replace(
        Day(
            level,
            id,
            day,
            spend=Decimal(180) * share,
            impressions=30_000 * share,
            clicks=300 * share,
            conversions=12 * share,
            conversions_by_event_day=12 * share,
            click_through=9 * share,
            view_through=2 * share,
            engaged_view_through=1 * share,
            landing_page_views=260 * share,
            counts={"SHOPPING": 12 * share},
            values=values,
            value_per_purchase=Decimal(50),
            purchase_roas=Decimal("3.33"),
        ),
        **changes,
    )


def sums(count: int, clicks: int = 0, **changes: Any) -> Sums:
    """Of delivered purchases of 50 EUR; three of four have an e-mail address, half a phone."""
    live = count - changes.get("tests", 0)
    keys = Counter(
        ttclid=clicks, email=live * 3 // 4, phone=live // 2, external_id=live, ip=live,
        user_agent=live, ttp=live // 2,
    )  # fmt: skip
    return replace(
        Sums(
            count,
            {"EUR": Decimal(50) * live},
            keys,
            click_value={"EUR": Decimal(50) * clicks},
            reasons=Counter(accepted=count),
        ),
        **changes,
    )


def hour(day: date, of_day: int) -> int:
    return int(datetime(day.year, day.month, day.day, of_day, tzinfo=UTC).timestamp()) // 3600


def booked(day: date, name: str = "web", event: str = "Purchase") -> list[LedgerRow]:
    """A day's purchases: four an hour from 6 to 22 h UTC, 24 of 64 after a click."""
    return [
        LedgerRow(hour(day, each), name, event, Outcome.DELIVERED, sums(4, 2 if each < 14 else 1))
        for each in range(6, 22)
    ]


def a_sample(number: int, at: float, **changes: Any) -> Sample:
    """A purchase after a click, by a person of its own. Its digest is as good as random."""
    digest = number * 0x9E3779B97F4A7C15 % 2**64
    return Sample(
        destination="web", event="Purchase", event_id=digest, event_time=int(at),
        delivered_at=at + 5, order=digest, click=digest, buyer=digest,
        value=Decimal(20 + number % 60), currency="EUR",
        match_keys=int(MatchKey.TTCLID | MatchKey.EMAIL), from_tiktok=True, share=1.0,
    )._replace(**changes)  # fmt: skip


def some_samples(count: int = 100, first: int = 1, **changes: Any) -> list[Sample]:
    """Purchases of a day and a half after the click, which a page view saw first."""
    start = datetime(2026, 11, 10, 12, tzinfo=UTC).timestamp()
    rows = []
    for number in range(first, first + count):
        at = start + 60 * number
        rows.append(a_sample(number, at, **changes))
        view = a_sample(number, at - 1.5 * 86_400)
        rows.append(view._replace(event="ViewContent", order=None, value=None, event_id=number))
    return rows


@cache
def _all_booked() -> tuple[LedgerRow, ...]:
    return tuple(
        row
        for day in days(FIRST - timedelta(1), date(2026, 11, 22))
        for row in booked(day)
        if row.hour < NOW.timestamp() // 3600
    )


@cache
def _all_days() -> tuple[Day, ...]:
    return tuple(row for day in days() for row in _all_levels(day))


def _all_levels(day: date) -> Iterable[Day]:
    yield a_day(Level.ACCOUNT, "7106541027904733185", day, 2)
    yield a_day(Level.CAMPAIGN, "c1", day, 2)
    for each in (1, 2):
        yield a_day(Level.ADGROUP, f"g{each}", day)
        yield a_day(Level.AD, f"a{each}", day)


@dataclass
class World:
    """Everything that an audit may know; `missing` are parts that it does not."""

    advertiser: Advertiser = field(
        default_factory=lambda: Advertiser(
            "7106541027904733185",
            "Nordlicht",
            "EUR",
            "Etc/GMT-1",
            "Europe/Berlin",
            timezone(timedelta(hours=1)),
            "STATUS_ENABLE",
            Decimal(10_000),
        )
    )
    now: float = NOW.timestamp()
    period: Period = field(default_factory=lambda: Period(FIRST, LAST))
    campaigns: list[Campaign] = field(
        default_factory=lambda: [
            Campaign("c1", "Purchases", "WEB_CONVERSIONS", "ENABLE", None, None, None, None)
        ]
    )
    adgroups: list[AdGroup] = field(default_factory=lambda: [an_adgroup("g1"), an_adgroup("g2")])
    ads: list[Ad] = field(
        default_factory=lambda: [
            Ad(
                f"a{n}",
                f"Ad {n}",
                f"g{n}",
                "c1",
                "ENABLE",
                "AD_STATUS_DELIVERY_OK",
                f"https://shop.example/?utm_content={n}",
            )
            for n in (1, 2)
        ]
    )
    pixels: list[Pixel] = field(default_factory=lambda: [a_pixel()])
    targets: list[Target] = field(default_factory=lambda: [Target("web", EventSource.WEB, CODE)])
    days: list[Day] = field(default_factory=lambda: list(_all_days()))
    event_counts: list[EventCount] = field(
        default_factory=lambda: [
            EventCount(CODE, "SHOPPING", day, 64, 0, 64, 24)
            for day in days(FIRST - timedelta(1), LAST)
        ]
    )
    ledger: list[LedgerRow] = field(default_factory=lambda: list(_all_booked()))
    hours: list[Hour] = field(default_factory=lambda: hourly(timedelta(hours=1)))
    samples: list[Sample] = field(default_factory=some_samples)
    more: dict[str, Any] = field(default_factory=dict)
    missing: tuple[Part, ...] = ()
    problems: dict[Part, str] = field(default_factory=dict)

    def facts(self) -> Facts:
        gathered = {
            part: Gathered(part, self.now, 1, self.problems.get(part))
            for part in Part
            if part not in self.missing
        }
        return Facts(
            now=self.now, period=self.period, advertiser=self.advertiser, gathered=gathered,
            campaigns=self.campaigns, adgroups=self.adgroups, ads=self.ads, pixels=self.pixels,
            event_counts=self.event_counts, days=self.days, hours=self.hours, targets=self.targets,
            ledger=self.ledger, samples=self.samples, **self.more,
        )  # fmt: skip

    def audit(self, **thresholds: Any) -> Audit:
        return judge(self.facts(), Thresholds(**thresholds))

    # --- changes ---------------------------------------------------------------------------------

    def each_day(self, change: Callable[[Day], Day]) -> None:
        self.days = [change(row) for row in self.days]

    def each_count(self, change: Callable[[EventCount], EventCount]) -> None:
        self.event_counts = [change(row) for row in self.event_counts]

    def each_row(self, change: Callable[[LedgerRow], LedgerRow | None]) -> None:
        self.ledger = [new for row in self.ledger if (new := change(row)) is not None]

    def each_sums(self, change: Callable[[Sums], Sums]) -> None:
        self.each_row(lambda row: row._replace(sums=change(row.sums)))

    def each_group(self, **changes: Any) -> None:
        self.adgroups = [replace(each, **changes) for each in self.adgroups]

    def zone(self, zone: tzinfo, name: str) -> None:
        self.advertiser = replace(self.advertiser, zone=zone, timezone=name)


def hourly(offset: timedelta) -> list[Hour]:
    """The account's last week by hour, in a clock `offset` ahead of UTC: as the ledger has it."""
    rows = []
    for day in days(LAST - timedelta(6), LAST):
        for of_day in range(24):
            at = datetime(day.year, day.month, day.day, of_day, tzinfo=UTC)
            clicks = 2 if 6 <= of_day < 14 else 1 if 14 <= of_day < 22 else 0
            # A rhythm that repeats nowhere, so that one lag alone fits.
            rows.append(Hour((at + offset).replace(tzinfo=None), Decimal(10), clicks))
    return rows


# --- answers -------------------------------------------------------------------------------------


def state(audit: Audit, check: str) -> State:
    return next(each.state for each in audit.judgements if each.check == check)


def why(audit: Audit, check: str) -> str:
    return next(each.why for each in audit.judgements if each.check == check)


def found(audit: Audit, check: str) -> list[Finding]:
    return [each for each in audit.findings if each.check == check]


def only(audit: Audit, check: str) -> Finding:
    (finding,) = found(audit, check)
    return finding
