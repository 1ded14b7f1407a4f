"""VAL: is the value that TikTok reports the value of real orders?"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

from relay.audit.books import Books
from relay.audit.books.calendar import Span, days_of
from relay.audit.books.lines import Line
from relay.audit.checks.check import Inapplicable, Result, cents, money, no_rate, number, survey
from relay.audit.findings import Certainty, Figure, Finding, Severity
from relay.audit.guard import enough

if TYPE_CHECKING:
    from relay.config.audit import Thresholds


class _Worth(NamedTuple):
    """An amount in the account's currency, of so many events; `scatter` is how much of their
    number is chance."""

    amount: Decimal
    events: float
    scatter: float

    @property
    def error(self) -> float:
        """How much of the amount is chance."""
        return abs(float(self.amount)) / self.events * self.scatter if self.events else 0.0


def revenue(books: Books, limits: Thresholds) -> Result:
    """Mature days, all ad groups of a pixel: V > Rval C; V / Σvalue(Rclk) outside 0.7–1.5 M.

    V is by the day of the click. With 28 mature days or more both totals are of the same days. With
    fewer, Rval is of the window more (all that V can come from), and Σvalue(Rclk) is of the sampled
    orders, by the day on which their click was first seen.
    """
    return survey(
        [line for line in books.purchases if line.destinations],
        lambda line: _compared(books, line, limits),
        nothing="the relay feeds no pixel that ad groups optimise for",
    )


def _compared(books: Books, line: Line, limits: Thresholds) -> Result:
    days = books.mature(line.window)
    if days is None:
        return Inapplicable("no day is mature yet")
    reported = books.reported(line, days)
    count, amount = reported.count("events"), reported.worth
    if count is None or amount is None:
        return Inapplicable("TikTok does not say what the purchases were worth")
    whole = days if _is_long(days, limits) else days.until_after(line.window)
    booked = books.deliveries.of(line.destinations, line.event, whole)
    if not booked.live:
        return Inapplicable("the relay delivered no purchases to compare with")
    value = books.convert(booked.value)
    if value is None:
        return no_rate(books, booked.value)
    claimed = _Worth(amount, count, sqrt(max(0, count)))
    every = _Worth(value, booked.live, sqrt(max(0, booked.live)))
    usual = _usual(books, line)
    if claimed.amount > every.amount and _apart(claimed, every, usual, limits):
        return [_too_much(books, line, claimed, every, days)]
    return _against_clicks(books, line, (claimed, usual), days, limits)


def _usual(books: Books, line: Line) -> float:
    """Root of the mean square of the sampled purchases' values: one large order weighs."""
    amounts = [
        float(amount)
        for row in books.sampled.of(line.destinations, line.event)
        if row.value is not None and row.currency is not None
        if (amount := books.convert({row.currency: row.value})) is not None
    ]
    return sqrt(sum(each * each for each in amounts) / len(amounts)) if amounts else 0.0


def _is_long(days: Span, limits: Thresholds) -> bool:
    return days.days >= days_of(limits.totals_from)


def _apart(a: _Worth, b: _Worth, usual: float, limits: Thresholds) -> bool:
    """Further apart than so many roots of the counts, each at the mean value of its events, or at
    the `usual` one."""
    margin = limits.sigma * max(a.error, b.error, usual * max(a.scatter, b.scatter))
    return enough(a.events, b.events, limits) and abs(float(a.amount) - float(b.amount)) > margin


def _against_clicks(
    books: Books, line: Line, reported: tuple[_Worth, float], days: Span, limits: Thresholds
) -> Result:
    claimed, usual = reported
    clicked = _of_clicks(books, line, days, limits)
    if isinstance(clicked, Inapplicable):
        return clicked
    if not clicked.amount or not _apart(claimed, clicked, usual, limits):
        return []
    times = float(claimed.amount) / float(clicked.amount)
    if limits.value_ratio_low <= times <= limits.value_ratio_high:
        return []
    return [_off(books, line, claimed, clicked, days, limits)]


def _of_clicks(books: Books, line: Line, days: Span, limits: Thresholds) -> _Worth | Inapplicable:
    """Value of the events with a click id: of these days, or by the day of their click."""
    if _is_long(days, limits):
        booked = books.deliveries.of(line.destinations, line.event, days)
        value = books.convert(booked.click_value)
        if value is None:
            return no_rate(books, booked.click_value)
        return _Worth(value, booked.clicks, sqrt(max(0, booked.clicks)))
    sampled = books.sampled
    rows = [
        row
        for row in sampled.clicks(line.destinations, line.event)
        if books.calendar.day(sampled.clicked_at(row)) in days
    ]
    amounts: dict[str, Decimal] = {}
    for row in rows:
        if row.value is not None and row.currency is not None:
            amounts[row.currency] = amounts.get(row.currency, Decimal(0)) + row.value
    value = books.convert(amounts)
    if value is None:
        return no_rate(books, amounts)
    share = sampled.share if sampled.share > 0 else 1.0
    whole = value / Decimal(str(share))
    return _Worth(whole, len(rows) / share, sqrt(len(rows)) / share)


_SOURCE = "report by ad group (value of purchases) and the relay's ledger"


def _first(books: Books, line: Line, days: Span) -> date | None:
    totals = books.days_of(line)
    return min((day for day, each in totals.items() if day in days and each.value), default=None)


def _too_much(books: Books, line: Line, claimed: _Worth, every: _Worth, days: Span) -> Finding:
    currency = books.currency
    return Finding(
        check="VAL-03",
        severity=Severity.CRITICAL,
        subject=line.subject,
        says=f"TikTok reports purchases worth {cents(claimed.amount)} {currency} for {days.days} "
        f"mature days, but all that the relay delivered is worth {cents(every.amount)} {currency}.",
        expected=money("value of all delivered purchases, at most", every.amount, currency),
        found=money("value that TikTok reports", claimed.amount, currency),
        do=f"Look for purchases counted twice on pixel {line.code} (browser and server), a value "
        "in the wrong unit or currency, and orders that do not pass through the relay.",
        certainty=Certainty.LIKELY,
        source=_SOURCE,
        since=_first(books, line, days),
        at_stake=claimed.amount - every.amount,
        details=[_events("purchases reported", claimed), _events("purchases delivered", every)],
        concerns=line.concerns,
    )


def _events(label: str, worth: _Worth) -> Figure:
    return Figure(label, round(worth.events), "events")


def _off(
    books: Books,
    line: Line,
    claimed: _Worth,
    clicked: _Worth,
    days: Span,
    limits: Thresholds,
) -> Finding:
    currency = books.currency
    times = float(claimed.amount) / float(clicked.amount)
    near = limits.value_ratio_high if times > 1 else limits.value_ratio_low
    return Finding(
        check="VAL-03",
        severity=Severity.MEDIUM,
        subject=line.subject,
        says=f"TikTok reports purchases worth {cents(claimed.amount)} {currency} for {days.days} "
        f"mature days, {times:.2f} times the {cents(clicked.amount)} {currency} of purchases with "
        "a click id.",
        expected=number("value reported by value with a click id", near, "ratio"),
        found=number("value reported by value with a click id", times, "ratio"),
        do=f"Compare the windows of the ad groups of pixel {line.code}, the currency and the unit "
        "of `properties.value`; above 1, views and modelled conversions are the likeliest.",
        certainty=Certainty.HINT,
        source=_SOURCE,
        since=_first(books, line, days),
        at_stake=abs(claimed.amount - clicked.amount),
        details=[_events("purchases reported", claimed), _events("with a click id", clicked)],
        concerns=line.concerns,
    )
