"""DEL: does the relay still deliver, and does TikTok take it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from relay.audit.books import Books
from relay.audit.books.calendar import HOUR_S, Span, days_of
from relay.audit.books.deliveries import Feed
from relay.audit.books.lines import about
from relay.audit.books.sampled import median
from relay.audit.checks.check import Inapplicable, Result, as_percent, number, percent, survey
from relay.audit.findings import Certainty, Figure, Finding, Severity, Subject
from relay.audit.guard import more_than
from relay.model import Outcome

if TYPE_CHECKING:
    from relay.config.audit import Thresholds


def silence(books: Books, limits: Thresholds) -> Result:
    """Hours since the last Rd > 3 × the usual gap, of an event whose hourly median (14 d) is > 0.

    The usual gap is the median, over the days, of each day's longest gap: it knows nights."""
    history = 24 * days_of(limits.silence_history)
    return survey(
        books.deliveries.feeds,
        lambda feed: _silent(books, feed, history, limits),
        nothing="the relay delivered nothing",
    )


def _silent(books: Books, feed: Feed, history: int, limits: Thresholds) -> Result:
    hours = sorted(hour for hour, live in books.deliveries.by_hour[feed].items() if live > 0)
    recent = [hour for hour in hours if hour > hours[-1] - history] if hours else []
    longest: dict[int, int] = {}
    for before, after in pairwise(recent):
        longest[after // 24] = max(longest.get(after // 24, 0), after - before)
    usual = median(longest.values())
    if usual is None or len(longest) < 3 or 2 * len(recent) <= recent[-1] - recent[0] + 1:
        return Inapplicable("no event comes in most hours of the last days")
    silent = books.calendar.now / HOUR_S - recent[-1] - 1
    if silent <= limits.silence_factor * usual:
        return []
    return [_silence(books, feed, recent[-1], silent, usual)]


def _silence(books: Books, feed: Feed, last: int, silent: float, usual: float) -> Finding:
    name, event = feed
    target = books.target_of[name]
    line = books.line_of.get((target.event_source_id, event))
    since = books.calendar.day_of_hour(last)
    adgroups = () if line is None else line.active
    return Finding(
        check="DEL-05",
        severity=Severity.CRITICAL,
        subject=Subject("destination", name, f"{books.called(event)} of {name}"),
        says=f"Nothing of {books.called(event)} was delivered to {name} for {silent:.0f} hours; "
        f"its longest pause of a day is usually {usual:.0f} hours.",
        expected=number("longest pause of a day", usual, "hours"),
        found=number("silence", silent, "hours"),
        do=f"See whether the sources of {name} still send {books.called(event)} and whether its "
        "lane is paused (`relay journal stats`, metric relay_lane_state).",
        certainty=Certainty.LIKELY,
        source="the relay's ledger",
        since=since,
        at_stake=books.spend(adgroups, Span(since, max(since, books.today))) if line else None,
        concerns=about(
            destination=(name,),
            event=(event,),
            pixel=(target.event_source_id,),
            adgroup=(each.id for each in adgroups),
        ),
    )


def rejections(books: Books, limits: Thresholds) -> Result:
    """Rfail / (Rd + Rfail) of a destination: > 2 % M, > 10 % C."""
    return survey(
        sorted(books.destinations),
        lambda name: _rejected(books, name, limits),
        nothing="no destination of the relay belongs to this account",
    )


def _rejected(books: Books, name: str, limits: Thresholds) -> Result:
    refused = books.deliveries.ended(name, Outcome.REJECTED, books.period)
    taken = books.deliveries.ended(name, Outcome.DELIVERED, books.period)
    failed = refused.live + refused.tests
    tried = failed + taken.live + taken.tests
    if not tried:
        return Inapplicable("nothing was attempted")
    if not more_than(failed, tried, limits.rejected_medium, limits):
        return []
    share = failed / tried
    critical = more_than(failed, tried, limits.rejected_critical, limits)
    codes = _codes(books, name)
    return [
        Finding(
            check="DEL-06",
            severity=Severity.CRITICAL if critical else Severity.MEDIUM,
            subject=Subject("destination", name),
            says=f"TikTok refused {failed} of {tried} events of {name} ({as_percent(share)})"
            + (f", most with code {codes[0].label}." if codes else "."),
            expected=percent("refused", limits.rejected_medium),
            found=percent("refused", share),
            do=f"Read them with `relay dead-letters list --destination {name}`; 40002 is the "
            "payload, 40105 the token, 40132 a pixel that is hammered or a token that leaked. "
            "Then replay.",
            certainty=Certainty.CERTAIN,
            source="the relay's ledger and dead letters",
            since=_first_day(books.deliveries.ended_days(name, Outcome.REJECTED), books.period),
            details=codes,
            concerns=about(destination=(name,), pixel=(books.target_of[name].event_source_id,)),
        )
    ]


def _codes(books: Books, name: str) -> Sequence[Figure]:
    """The refusals of a destination by code, most first."""
    letters = [each for each in books.facts.refused if each.destination == name]
    letters.sort(key=lambda each: -each.count)
    return [
        Figure(f"{each.code or 'none'} ({each.reason})", each.count, "events")
        for each in letters[:5]
    ]


def _first_day(days: Mapping[date, object], within: Span) -> date | None:
    return min((day for day in days if day in within), default=None)
