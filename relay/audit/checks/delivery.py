"""DEL: do the relay's events arrive at TikTok, and do they bring what was paid for?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from relay.audit.books import Books
from relay.audit.books.calendar import Span
from relay.audit.books.lines import Line
from relay.audit.checks.check import (
    Inapplicable,
    Result,
    cents,
    events,
    money,
    named,
    survey,
)
from relay.audit.findings import Certainty, Finding, Severity

if TYPE_CHECKING:
    from relay.audit.books.totals import Totals
    from relay.config.audit import Thresholds

_SOURCE = "report by ad group (spend, conversion) and the relay's ledger"


def clicks_without_conversions(books: Books, limits: Thresholds) -> Result:
    """C = 0, Sp > 0 and Rclk ≥ 5 over the mature days. Of Rclk, the line's share of the account's
    spend counts: people may have clicked the ads of others."""
    return survey(
        books.lines,
        lambda line: _over_mature(books, line, lambda days: _unclaimed(books, line, days, limits)),
        nothing="no ad group optimises for an event of a pixel",
    )


def _over_mature(books: Books, line: Line, judge: Callable[[Span], Result]) -> Result:
    days = books.mature(line.window)
    return Inapplicable("no day is mature yet") if days is None else judge(days)


def _unclaimed(books: Books, line: Line, days: Span, limits: Thresholds) -> Result:
    reported = books.reported(line, days)
    if not reported.spend or reported.count("conversions") != 0:
        return _unknown(reported)
    clicks = books.delivered(line, days).clicks
    share = _share_of_spend(books, reported.spend, days)
    if clicks * share < limits.clicks_without_conversion or not clicks:
        return []
    return [
        Finding(
            check="DEL-01",
            severity=Severity.CRITICAL,
            subject=line.subject,
            says=f"{named(each.name for each in line.adgroups)} spent {cents(reported.spend)} "
            f"{books.currency} and report 0 conversions, but the relay delivered {clicks} "
            f"{books.called(line.event)} events with a click id in the same {days.days} days.",
            expected=events("delivered with a click id", clicks),
            found=events("conversions reported", 0),
            do="See that the relay's destination is the pixel of these ad groups and its event "
            f"their optimisation event ({books.called(line.event)}), that currency and value are "
            "set, and that the click ids are fresh.",
            certainty=Certainty.LIKELY,
            source=_SOURCE,
            since=_first_spending(books, line, days),
            at_stake=reported.spend,
            concerns=line.concerns,
        )
    ]


def _unknown(reported: Totals) -> Result:
    if reported.count("conversions") is None:
        return Inapplicable("TikTok does not say how many conversions there were")
    return []


def _share_of_spend(books: Books, spend: Decimal, days: Span) -> float:
    whole = books.account(days).spend
    return min(1.0, float(spend) / float(whole)) if whole else 1.0


def _first_spending(books: Books, line: Line, days: Span) -> date | None:
    totals = books.days_of(line)
    return min((day for day, each in totals.items() if day in days and each.spend), default=None)


def spend_without_events(books: Books, limits: Thresholds) -> Result:
    """Sp > 3 × target CPA (else 50), C = 0 and Rd = 0 over the mature days."""
    return survey(
        books.lines,
        lambda line: _over_mature(books, line, lambda days: _empty(books, line, days, limits)),
        nothing="no ad group optimises for an event of a pixel",
    )


def _empty(books: Books, line: Line, days: Span, limits: Thresholds) -> Result:
    reported = books.reported(line, days)
    least = limits.spend_without_conversion
    if limits.target_cpa is not None:
        least = limits.target_cpa * Decimal(str(limits.target_cpa_factor))
    if reported.spend <= least or reported.count("conversions") != 0:
        return _unknown(reported)
    if books.delivered(line, days).live:
        return []
    return [
        Finding(
            check="DEL-02",
            severity=Severity.CRITICAL,
            subject=line.subject,
            says=f"{named(each.name for each in line.adgroups)} spent {cents(reported.spend)} "
            f"{books.currency} in {days.days} days (more than {cents(least)}), report 0 "
            f"conversions, and the relay delivered 0 {books.called(line.event)} events.",
            expected=money("spend without a conversion, at most", least, books.currency),
            found=money("spend without a conversion", reported.spend, books.currency),
            do=f"See whether the shop sends {books.called(line.event)} to the relay at all "
            "(`relay journal stats`), whether its check-out works, and pause these ad groups "
            "until it does.",
            certainty=Certainty.CERTAIN,
            source=_SOURCE,
            since=_first_spending(books, line, days),
            at_stake=reported.spend,
            concerns=line.concerns,
        )
    ]
