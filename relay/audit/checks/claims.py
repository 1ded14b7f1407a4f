"""REC: are the conversions that TikTok claims those that there were?"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from relay.audit.books import PURCHASE, Books
from relay.audit.books.calendar import Span, days_of
from relay.audit.books.deliveries import Booked
from relay.audit.books.lines import Line
from relay.audit.books.totals import Totals
from relay.audit.checks.check import (
    Inapplicable,
    Result,
    as_percent,
    cents,
    events,
    money,
    number,
    percent,
    ratio,
    survey,
)
from relay.audit.findings import Certainty, Figure, Finding, Severity
from relay.audit.guard import above, apart, below, more_than

if TYPE_CHECKING:
    from datetime import date

    from relay.config.audit import Thresholds

_SOURCE = "report by ad group and the relay's ledger, mature days"


class _Sides(NamedTuple):
    """One line over its mature days. `share` is how much of the account's conversions of this event
    are this line's: people may have clicked the ads of others."""

    line: Line
    days: Span
    reported: Totals
    booked: Booked
    share: float

    @property
    def clicks(self) -> float:
        """Delivered events with a click id that are this line's by its share."""
        return self.booked.clicks * self.share


def _each(books: Books, one: Callable[[_Sides], Result]) -> Result:
    def judged(line: Line) -> Result:
        days = books.mature(line.window)
        if days is None:
            return Inapplicable("no day is mature yet")
        reported, booked = books.reported(line, days), books.delivered(line, days)
        return one(_Sides(line, days, reported, booked, _share(books, line, reported, days)))

    return survey(books.lines, judged, nothing="no ad group optimises for an event of a pixel")


def _share(books: Books, line: Line, reported: Totals, days: Span) -> float:
    """Of the event's conversions; where TikTok does not tell them by event, of the spend."""
    whole = books.account(days, line.event)
    own, all_of = reported.count("events"), whole.count("events")
    if own is not None and all_of:
        return min(1.0, own / all_of)
    share = ratio(reported.spend, whole.spend)
    return 1.0 if share is None else min(1.0, max(0.0, share))


def _since(books: Books, sides: _Sides) -> date | None:
    totals = books.days_of(sides.line)
    return min((d for d, each in totals.items() if d in sides.days and each.rows), default=None)


def _nothing_to_compare(sides: _Sides) -> Inapplicable:
    """An event that the browser alone reports says nothing of what the relay carries."""
    return Inapplicable(f"the relay delivered no {sides.line.event} to compare with")


def counts(books: Books, limits: Thresholds) -> Result:
    """Σ Crt > Rd · 1.05 C; Σ Crt < 0.7 · Rclk H; by event day, beyond the small-number guard."""
    return _each(books, lambda sides: _counts(books, sides, limits))


def _counts(books: Books, sides: _Sides, limits: Thresholds) -> Result:
    claimed = sides.reported.count("conversions_by_event_day")
    if claimed is None:
        return Inapplicable("TikTok does not give conversions by the day of the event")
    live = sides.booked.live
    if not live:
        return _nothing_to_compare(sides)
    if sides.line.destinations and above(claimed, live, limits.overclaim, limits):
        return [_overclaimed(books, sides, claimed, live)]
    due = _at_least(books, sides)
    if below(claimed, due.clicks, limits.underclaim, limits):
        return [_underclaimed(books, due, claimed)]
    return []


def _at_least(books: Books, sides: _Sides) -> _Sides:
    """By the smaller of both shares: where other ad groups get no credit at all, the conversions
    that TikTok tells are all this line's, and the clicks are not."""
    spent = ratio(sides.reported.spend, books.account(sides.days).spend)
    return sides if spent is None else sides._replace(share=min(sides.share, max(0.0, spent)))


def _overclaimed(books: Books, sides: _Sides, claimed: int, live: int) -> Finding:
    line = sides.line
    return Finding(
        check="REC-01",
        severity=Severity.CRITICAL,
        subject=line.subject,
        says=f"TikTok claims {claimed} conversions {books.called(line.event)} for "
        f"{sides.days.days} mature days, but the relay delivered only {live}, whatever brought "
        "them.",
        expected=events("delivered by the relay, at most", live),
        found=events("conversions by event day", claimed),
        do=f"Look for the same {books.called(line.event)} counted twice on pixel {line.code} "
        "(DUP-02), a second sender (DEL-04), orders that do not pass through the relay, or "
        "modelled conversions.",
        certainty=Certainty.LIKELY,
        source=f"{_SOURCE}; that claims cannot exceed deliveries is this audit's inference",
        since=_since(books, sides),
        at_stake=cents(sides.reported.spend * (1 - Decimal(live) / claimed)),
        concerns=line.concerns,
    )


def _underclaimed(books: Books, sides: _Sides, claimed: int) -> Finding:
    line, clicks = sides.line, round(sides.clicks)
    return Finding(
        check="REC-01",
        severity=Severity.HIGH,
        subject=line.subject,
        says=f"TikTok claims {claimed} conversions {books.called(line.event)} for "
        f"{sides.days.days} mature days, but the relay delivered {clicks} with a click id: credit "
        "is lost.",
        expected=events("delivered with a click id", clicks),
        found=events("conversions by event day", claimed),
        do=f"Compare the click window of the ad groups on pixel {line.code} with how long people "
        "take (CFG-07), and see that the click ids are fresh and whole (MAT-01, MAT-05).",
        certainty=Certainty.LIKELY,
        source=_SOURCE,
        since=_since(books, sides),
        at_stake=sides.reported.spend,
        details=[percent("share of the account's", sides.share)],
        concerns=line.concerns,
    )


def costs(books: Books, limits: Thresholds) -> Result:
    """(Sp / C) ÷ (Sp / Rclk) > 2 or < 0.5; C by event day where fewer than 28 days are mature."""
    return _each(books, lambda sides: _costs(books, sides, limits))


def _costs(books: Books, sides: _Sides, limits: Thresholds) -> Result:
    is_long = sides.days.days >= days_of(limits.totals_from)
    claimed = sides.reported.count("conversions" if is_long else "conversions_by_event_day")
    if not claimed or not sides.reported.spend:
        return Inapplicable("TikTok reports no conversions, or no spend")
    if not sides.booked.live:
        return _nothing_to_compare(sides)
    times = sides.clicks / claimed
    if 1 / limits.cost_ratio <= times <= limits.cost_ratio:
        return []
    if not apart(sides.clicks, claimed, limits):
        return []
    return [_costly(books, sides, claimed, times, limits)]


def _costly(books: Books, sides: _Sides, claimed: int, times: float, limits: Thresholds) -> Finding:
    line, spend, currency = sides.line, sides.reported.spend, books.currency
    platform = spend / claimed
    verified = spend / Decimal(str(sides.clicks)) if sides.clicks else None
    by_click = "none" if verified is None else f"{cents(verified)} {currency}"
    blended = spend / sides.booked.live if sides.booked.live else None
    return Finding(
        check="REC-03",
        severity=Severity.MEDIUM,
        subject=line.subject,
        says=f"A conversion {books.called(line.event)} costs {cents(platform)} {currency} by "
        f"TikTok's count, and {by_click} by delivered events with a click id: {times:.2f} times.",
        expected=money("cost per verified conversion", verified, currency),
        found=money("cost per conversion by TikTok's count", platform, currency),
        do=f"Decide on budgets of {books.called(line.event)} by the verified cost; see REC-01 and "
        "REC-02 for why they differ.",
        certainty=Certainty.LIKELY,
        source=_SOURCE,
        since=_since(books, sides),
        at_stake=spend,
        details=[
            money("cost per delivered event, whatever brought it", blended, currency),
            number("apart by more than", limits.cost_ratio, "ratio"),
            *_returns(books, sides),
        ],
        concerns=line.concerns,
    )


def _returns(books: Books, sides: _Sides) -> list[Figure]:
    """Return on spend: platform, verified, blended; only of purchases whose value is known."""
    if sides.line.event != PURCHASE:
        return []
    amounts = {
        "platform": sides.reported.worth,
        "verified": books.convert(sides.booked.click_value),
        "blended": books.convert(sides.booked.value),
    }
    return [
        number(f"return on spend, {which}", amount / sides.reported.spend, "ratio")
        for which, amount in amounts.items()
        if amount is not None
    ]


def unexplained(books: Books, limits: Thresholds) -> Result:
    """C − (Cta + Vta + Eva) > 10 % of C."""
    return _each(books, lambda sides: _unexplained(books, sides, limits))


def _unexplained(books: Books, sides: _Sides, limits: Thresholds) -> Result:
    kinds = ("conversions", "click_through", "view_through", "engaged_view_through")
    whole, *parts = (sides.reported.count(kind) for kind in kinds)
    known = [each for each in parts if each is not None]
    if whole is None or len(known) < len(parts):
        return Inapplicable("TikTok does not split the conversions into clicks and views")
    gap = whole - sum(known)
    if not more_than(gap, whole, limits.unexplained, limits):
        return []
    return [
        Finding(
            check="REC-04",
            severity=Severity.INFO,
            subject=sides.line.subject,
            says=f"{gap} of {whole} conversions ({as_percent(gap / whole)}) are of no click and "
            "no view that TikTok tells: modelled, or unexplained.",
            expected=percent("conversions without a click or view", limits.unexplained),
            found=percent("conversions without a click or view", gap / whole),
            do="Show them apart from the others; they are no error.",
            certainty=Certainty.HINT,
            source="TikTok help: modelled conversions; no metric separates them",
            since=_since(books, sides),
            concerns=sides.line.concerns,
        )
    ]
