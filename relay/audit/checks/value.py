"""VAL: are the amounts there, and in the right unit?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from relay.audit.books import PURCHASE, Books
from relay.audit.books.deliveries import Feed
from relay.audit.books.lines import Line, about
from relay.audit.books.sampled import median
from relay.audit.checks.bidding import by_value
from relay.audit.checks.check import (
    Inapplicable,
    Result,
    as_percent,
    cents,
    events,
    named,
    percent,
    survey,
    text,
)
from relay.audit.findings import Certainty, Figure, Finding, Severity, Subject
from relay.audit.guard import more_than

if TYPE_CHECKING:
    from relay.config.audit import Thresholds
    from relay.journal.sample import Sample


def _purchases(books: Books, one: Callable[[Feed], Result]) -> Result:
    return survey(
        [feed for feed in books.deliveries.feeds if feed[1] == PURCHASE],
        one,
        nothing="the relay delivered no purchases",
    )


def _concerns(books: Books, feed: Feed, line: Line | None) -> frozenset[str]:
    return about(
        destination=feed[:1],
        event=feed[1:],
        pixel=(books.target_of[feed[0]].event_source_id,),
        adgroup=() if line is None else [each.id for each in line.adgroups],
    )


def _line(books: Books, feed: Feed) -> Line | None:
    return books.line_of.get((books.target_of[feed[0]].event_source_id, feed[1]))


def worthless(books: Books, limits: Thresholds) -> Result:
    """Delivered purchases with value ≤ 0 or none, or without a currency: > 0.5 % H; all C where ad
    groups bid for value."""
    return _purchases(books, lambda feed: _worthless(books, feed, limits))


def _worthless(books: Books, feed: Feed, limits: Thresholds) -> Result:
    booked = books.deliveries.of(feed[:1], feed[1], books.period)
    if not booked.live:
        return Inapplicable("the relay delivered no purchases in these days")
    if not more_than(booked.worthless, booked.live, limits.worthless, limits):
        return []
    line = _line(books, feed)
    valued = [] if line is None else by_value(books, line)
    share = booked.worthless / booked.live
    name = feed[0]
    days = books.deliveries.days(feed)
    since = min(day for day, each in days.items() if each.worthless and day in books.period)
    also = f"; {named(each.name for each in valued)} bid for value" if valued else ""
    return [
        Finding(
            check="VAL-01",
            severity=Severity.CRITICAL if valued else Severity.HIGH,
            subject=Subject("destination", name, f"{books.called(feed[1])} of {name}"),
            says=f"{booked.worthless} of {booked.live} purchases of {name} ({as_percent(share)}) "
            f"have no value above 0 or no currency{also}.",
            expected=percent("purchases without value", limits.worthless),
            found=percent("purchases without value", share),
            do=f"Let the senders of {name} fill `properties.value` and `properties.currency` of "
            "every purchase.",
            certainty=Certainty.CERTAIN,
            source="TikTok Events API: value and currency; the relay's ledger",
            since=since,
            at_stake=books.spend(valued) if valued else None,
            details=[events("purchases without value", booked.worthless)],
            concerns=_concerns(books, feed, line),
        )
    ]


def currency_and_unit(books: Books, limits: Thresholds) -> Result:
    """Another currency than the account's: I. Sampled values × 100 (or ÷ 100) of the median of
    their currency: C."""
    return _purchases(
        books,
        lambda feed: [*_foreign(books, feed), *_invalid(books, feed), *_units(books, feed, limits)],
    )


def _foreign(books: Books, feed: Feed) -> Sequence[Finding]:
    booked = books.deliveries.of(feed[:1], feed[1], books.period)
    foreign = sorted(
        each for each, amount in booked.value.items() if each != books.currency and amount
    )
    if not foreign:
        return []
    name, currency = feed[0], books.currency
    lacking = books.unconvertible(foreign)
    rates = ", ".join(f"audit.rates.{each}" for each in lacking)
    do = (
        f"Write what one unit is worth in {currency} into {rates}: until then no values are "
        "compared."
        if lacking
        else "Nothing: the audit converts them by audit.rates; TikTok's own rate is not published."
    )
    return [
        Finding(
            check="VAL-02",
            severity=Severity.INFO,
            subject=Subject("destination", name, f"{books.called(feed[1])} of {name}"),
            says=f"Purchases of {name} are in {', '.join(sorted(booked.value))}, the account in "
            f"{currency}.",
            expected=text("currency", currency),
            found=text("currency", ", ".join(foreign)),
            do=do,
            certainty=Certainty.CERTAIN,
            source="Marketing API v1.3, /advertiser/info/: currency",
            details=[Figure(each, cents(booked.value[each]), each) for each in foreign],
            concerns=_concerns(books, feed, _line(books, feed)),
        )
    ]


def _invalid(books: Books, feed: Feed) -> Sequence[Finding]:
    """Currencies that ISO 4217 does not have: the relay dropped them."""
    days = books.flawed(feed[0], "properties.currency", "not_a_currency")
    count = sum(days.values())
    if not count:
        return []
    return [
        Finding(
            check="VAL-02",
            severity=Severity.MEDIUM,
            subject=Subject("destination", feed[0], f"currencies of {feed[0]}"),
            says=f"{count} events of {feed[0]} name a currency that ISO 4217 does not have.",
            expected=events("events with an unknown currency", 0),
            found=events("events with an unknown currency", count),
            do=f"Let the senders of {feed[0]} write the three letters of ISO 4217 (EUR, not €).",
            certainty=Certainty.CERTAIN,
            source="ISO 4217; the relay's ledger",
            since=min(days),
            concerns=_concerns(books, feed, _line(books, feed)),
        )
    ]


def _units(books: Books, feed: Feed, limits: Thresholds) -> Sequence[Finding]:
    found = []
    values: dict[str, list[Sample]] = {}
    for row in books.sampled.orders(feed[:1], feed[1]):
        if row.value is not None and row.value > 0 and row.currency is not None:
            values.setdefault(row.currency, []).append(row)
    for currency, rows in sorted(values.items()):
        suspects, factor, usual = _suspects(rows, limits)
        if suspects:
            found.append(_unit_error(books, feed, currency, (suspects, len(rows)), (factor, usual)))
    return found


def _suspects(rows: Sequence[Sample], limits: Thresholds) -> tuple[Sequence[Sample], float, float]:
    """Those that are about `unit_factor` times too large, or too small; and the median."""
    usual = median(float(row.value or 0) for row in rows) or 0.0
    half, twice = limits.unit_factor / 2, limits.unit_factor * 2
    for factor, share in ((1.0, limits.unit_share), (-1.0, 10 * limits.unit_share)):
        odd = [row for row in rows if half <= _times(float(row.value or 0), usual, factor) <= twice]
        if more_than(len(odd), len(rows), min(share, 0.5), limits):
            return odd, limits.unit_factor**factor, usual
    return (), 1.0, usual


def _times(value: float, usual: float, factor: float) -> float:
    """How many times the usual one; with factor -1 the other way round."""
    over, under = (value, usual) if factor > 0 else (usual, value)
    return over / under if under else 0.0


def _unit_error(
    books: Books,
    feed: Feed,
    currency: str,
    counts: tuple[Sequence[Sample], int],
    scale: tuple[float, float],
) -> Finding:
    suspects, of = counts
    factor, usual = scale
    name = feed[0]
    typical = median(float(row.value or 0) for row in suspects) or 0.0
    line = _line(books, feed)
    return Finding(
        check="VAL-02",
        severity=Severity.CRITICAL,
        subject=Subject("destination", name, f"{books.called(feed[1])} of {name} in {currency}"),
        says=f"{len(suspects)} of {of} sampled purchases of {name} are worth about "
        f"{cents(typical)} {currency}, {factor:g} times the median of {cents(usual)}: another "
        "unit.",
        expected=Figure("median value", cents(usual), currency),
        found=Figure("median value of the suspects", cents(typical), currency),
        do=f"Let the senders of {name} give `properties.value` in whole {currency} with decimals, "
        "not in its hundredths (or the other way round), and correct what was sent.",
        certainty=Certainty.LIKELY,
        source="the relay's sample",
        since=books.calendar.day(min(row.event_time for row in suspects)),
        at_stake=None if line is None else books.spend(by_value(books, line)) or None,
        details=[events("sampled purchases", of)],
        concerns=_concerns(books, feed, line),
    )
