"""An account of a shop, 30 days, two destinations: what an audit of it looks like.

The world is plain: so many orders a day, a share of them after a click, a share taken by TikTok.
From 12 September on TikTok counts a third of what the relay delivers to one destination: that is
the critical finding, which explains two others.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

from relay.audit.facts import (
    AdGroup,
    Advertiser,
    Campaign,
    Day,
    Edit,
    EventCount,
    Facts,
    Gathered,
    Level,
    Part,
    Period,
    Pixel,
    Refused,
    Target,
)
from relay.audit.findings import (
    Audit,
    Certainty,
    Figure,
    Finding,
    Judgement,
    Severity,
    State,
    Subject,
)
from relay.journal.ledger import LedgerRow, Sums
from relay.model import EventSource, Outcome

ZONE = ZoneInfo("Europe/Berlin")
FIRST, LAST = date(2026, 9, 1), date(2026, 9, 30)
NOW = datetime(2026, 10, 1, 6, 30, tzinfo=UTC).timestamp()

EU, UK = "C0PIXELCODE0EUROPE00", "C0PIXELCODE0BRITAIN0"

ADVERTISER = Advertiser(
    id="7123456789012345678",
    name="Northwind Coffee",
    currency="EUR",
    timezone="Europe/Berlin",
    display_timezone="Europe/Berlin",
    zone=ZONE,
    status="STATUS_ENABLE",
    balance=Decimal("1240.50"),
)


def days() -> Iterator[date]:
    return (FIRST + timedelta(number) for number in range((LAST - FIRST).days + 1))


def orders(day: date) -> int:
    """More at the end of a week, and a slow rise over the month."""
    week = (18, 17, 19, 22, 29, 37, 31)[day.weekday()]
    return week + day.day // 4 + round(3 * math.sin(day.day * 1.7))


def pixel(number: str, code: str, name: str) -> Pixel:
    return Pixel(number, code, name, "TRANSFERRED", True, {"email": True}, True)


def adgroup(number: int, campaign: str, pixel_id: str | None, **changes: object) -> AdGroup:
    made = AdGroup(
        id=f"18{number:017}",
        name=f"Purchases {number}",
        campaign_id=campaign,
        promotion_type="WEBSITE",
        pixel_id=pixel_id,
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
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # fields of an ad group


def hour(day: date, clock: int) -> int:
    """The ledger's hour, of a clock in UTC."""
    return (day - date(1970, 1, 1)).days * 24 + clock


def row(
    day: date, clock: int, destination: str, outcome: Outcome, sums: Sums, event: str = "Purchase"
) -> LedgerRow:
    return LedgerRow(hour(day, clock), destination, event, outcome, sums)


def delivered(count: int, value: str, currency: str) -> Sums:
    """A share of them with a click id, most with an e-mail address."""
    clicked = count * 3 // 5
    return Sums(
        count,
        {currency: Decimal(value) * count},
        Counter(
            {
                "ttclid": clicked,
                "email": count - count // 14,
                "phone": count * 2 // 5,
                "external_id": count * 3 // 4,
                "ttp": count * 2 // 3,
                "ip": count,
                "user_agent": count,
            }
        ),
        click_value={currency: Decimal(value) * clicked},
        reasons=Counter({"accepted": count}),
    )


@cache
def ledger() -> Sequence[LedgerRow]:
    rows = []
    for day in days():
        for clock in (9, 13, 19):
            europe, britain = orders(day) // 3, orders(day) // 7
            rows += [
                row(day, clock, "web-eu", Outcome.DELIVERED, delivered(europe, "58.40", "EUR")),
                row(day, clock, "web-uk", Outcome.DELIVERED, delivered(britain, "44.90", "GBP")),
                row(
                    day, clock, "web-eu", Outcome.DELIVERED, delivered(europe * 4, "60.00", "EUR"),
                    "AddToCart",
                ),
                row(
                    day, clock, "web-eu", Outcome.DUPLICATE,
                    Sums(1, reasons=Counter({"same_event": 1})),
                ),
            ]  # fmt: skip
        if day.day % 5 == 0:
            sums = Sums(4, reasons=Counter({"consent_denied": 3, "no_match_key": 1}))
            rows.append(row(day, 13, "web-uk", Outcome.WITHHELD, sums))
        if day.day in {12, 13}:
            sums = Sums(9, reasons=Counter({"invalid_params": 9}))
            rows.append(row(day, 9, "web-eu", Outcome.REJECTED, sums))
    return tuple(rows)


@cache
def event_counts() -> Sequence[EventCount]:
    counts = []
    for day in days():
        europe, britain = orders(day) // 3 * 3, orders(day) // 7 * 3
        lost = day >= date(2026, 9, 12)
        server = europe // 3 if lost else europe
        counts += [
            EventCount(EU, "SHOPPING", day, server + europe, europe, server, europe * 2 // 5),
            EventCount(UK, "SHOPPING", day, britain * 2, britain, britain, britain * 2 // 5),
            EventCount(EU, "ON_WEB_CART", day, europe * 8, europe * 4, europe * 4, europe),
        ]
    return tuple(counts)


@cache
def reports() -> Sequence[Day]:
    rows = []
    for day in days():
        lost = day >= date(2026, 9, 12)
        europe = orders(day) * 2 // 5 // (2 if lost else 1)
        britain = orders(day) // 7
        parts = (
            (europe, Decimal("11.35") * (orders(day) * 2 // 5)),
            (britain, Decimal("9.10") * britain),
        )
        for number, (conversions, spend) in enumerate(parts, start=1):
            rows.append(report(Level.ADGROUP, f"18{number:017}", day, conversions, spend))
        total = europe + britain
        spend = sum((each for _, each in parts), Decimal(0))
        rows.append(report(Level.ACCOUNT, ADVERTISER.id, day, total, spend))
    return tuple(rows)


def report(level: Level, id: str, day: date, conversions: int, spend: Decimal) -> Day:
    return Day(
        level,
        id,
        day,
        spend=spend,
        impressions=orders(day) * 900,
        clicks=orders(day) * 14,
        conversions=conversions,
        conversions_by_event_day=max(0, conversions - day.day % 3),
        click_through=conversions * 3 // 4,
        view_through=conversions // 5,
        counts={"SHOPPING": conversions},
        values={"SHOPPING": Decimal("57.10") * conversions},
    )


def gathered(**problems: str) -> Mapping[Part, Gathered]:
    """Everything, but for the parts that are named by their name in `Part`."""
    return {
        part: Gathered(part, NOW - 60, 40, problems.get(part.name), 40100 if part.name in problems
                       else None)
        for part in Part
    }  # fmt: skip


def some_facts() -> Facts:
    return Facts(
        now=NOW,
        period=Period(FIRST, LAST),
        advertiser=ADVERTISER,
        gathered=gathered(),
        rates={"GBP": Decimal("1.15")},
        campaigns=[
            Campaign("17", "Autumn roast", "WEB_CONVERSIONS", "ENABLE", None, None, None, None)
        ],
        adgroups=[adgroup(1, "17", "71"), adgroup(2, "17", "72")],
        pixels=[pixel("71", EU, "Europe"), pixel("72", UK, "Britain")],
        edits=[
            Edit(datetime(2026, 9, 11, 14, 2, tzinfo=UTC), "adgroup", "18", "pixel of Purchases 1"),
            Edit(datetime(2026, 9, 11, 14, 5, tzinfo=UTC), "adgroup", "18", "budget 150 to 200"),
            Edit(datetime(2026, 9, 22, 8, 0, tzinfo=UTC), "campaign", "17", "name"),
        ],
        event_counts=event_counts(),
        days=reports(),
        targets=[Target("web-eu", EventSource.WEB, EU), Target("web-uk", EventSource.WEB, UK)],
        ledger=ledger(),
        refused=[Refused("web-eu", 40002, "invalid_params", 18)],
    )


def a_finding(check: str = "REC-03", **changes: object) -> Finding:
    made = Finding(
        check=check,
        severity=Severity.MEDIUM,
        subject=Subject("account", ADVERTISER.id, ADVERTISER.name),
        says="The platform's cost of a conversion is 2.1 times the verified one.",
        expected=Figure("verified", Decimal("9.10"), "EUR"),
        found=Figure("platform", Decimal("19.11"), "EUR"),
        do="Decide on the verified cost for budgets.",
        certainty=Certainty.LIKELY,
        source="relay: cost by what was delivered with a click id",
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # fields of a finding


def some_findings() -> Sequence[Finding]:
    place = Subject("destination", "web-eu", "web-eu")
    lost = date(2026, 9, 12)
    return [
        a_finding(
            "DEL-03",
            severity=Severity.CRITICAL,
            subject=place,
            says="TikTok counts 180 of 543 purchases that were delivered to it (33.1 %).",
            expected=Figure("delivered", 543, "events"),
            found=Figure("counted from a server", 180, "events"),
            do="Compare the pixel code of web-eu with Events Manager; read what it refused.",
            certainty=Certainty.CERTAIN,
            source="TikTok: pixel/event/stats",
            since=lost,
            at_stake=Decimal("2497.00"),
            changed_before=["11 Sep 2026, 16:02: pixel of Purchases 1"],
        ),
        a_finding(
            "DEL-06",
            severity=Severity.HIGH,
            subject=place,
            says="TikTok refused 18 of 492 purchases of web-eu (3.7 %), all with code 40002.",
            expected=Figure("refused at most", Decimal(2), "%"),
            found=Figure("refused", Decimal("3.7"), "%"),
            do="Read them with `relay dead-letters list`, mend the payload, replay.",
            certainty=Certainty.CERTAIN,
            source="the relay's ledger",
            since=lost,
            details=[Figure("code 40002", 18, "events")],
        ),
        a_finding(since=date(2026, 9, 14)),
        a_finding(
            "VAL-02",
            severity=Severity.INFO,
            says="Of 1,128 purchases 321 are in GBP, not in the account's EUR.",
            expected=Figure("currency of the account", "EUR"),
            found=Figure("in another currency", 321, "events"),
            do="Nothing; they are converted by the rate that is set.",
        ),
        a_finding(
            "MAT-04",
            subject=place,
            says="TikTok attributes 14.7 % of purchases, after 20.0 % in the weeks before.",
            expected=Figure("attributed before", Decimal("20.0"), "%"),
            found=Figure("attributed", Decimal("14.7"), "%"),
            do="See DEL-03.",
            since=lost,
            explained_by=["DEL-03"],
        ),
        a_finding(
            "REC-01",
            severity=Severity.CRITICAL,
            says="TikTok reports 190 conversions where 295 were delivered with a click.",
            expected=Figure("with a click", 295, "events"),
            found=Figure("reported", 190, "events"),
            do="See DEL-03.",
            since=lost,
            explained_by=["DEL-03"],
        ),
    ]


def judgements(found: Sequence[Finding]) -> Sequence[Judgement]:
    checks = {each.check: State.FOUND for each in found}
    checks |= dict.fromkeys((f"MAT-0{number}" for number in range(1, 4)), State.PASSED)
    checks |= dict.fromkeys((f"BUD-0{number}" for number in range(1, 3)), State.PASSED)
    checks.setdefault("REC-01", State.PASSED)
    checks["CFG-10"] = State.NOT_APPLICABLE
    why = {State.NOT_APPLICABLE: "No ad group uses a custom conversion.", State.NOT_JUDGED: "?"}
    return [
        Judgement(check, f"what {check} looks at", state, why.get(state, ""))
        for check, state in checks.items()
    ]


def an_audit() -> Audit:
    """The account with its faults."""
    found = some_findings()
    return Audit(some_facts(), found, judgements(found))


def a_clean_audit() -> Audit:
    return Audit(some_facts(), [], judgements([]))


def a_partial_audit() -> Audit:
    """Reports were throttled: what depends on them is not judged."""
    facts = replace(
        some_facts(),
        gathered=gathered(ACCOUNT_REPORT="throttled after page 3 of 9"),
        days=[each for each in reports() if each.level is Level.ADGROUP],
    )
    lacking = Judgement("REC-01", "counts", State.NOT_JUDGED, "The account report is incomplete.")
    return Audit(facts, [], [*judgements([]), lacking])


def an_empty_audit() -> Audit:
    """Nothing could be gathered but the account's name."""
    empty = Facts(NOW, Period(FIRST, LAST), ADVERTISER, {})
    return Audit(empty, [], [])
