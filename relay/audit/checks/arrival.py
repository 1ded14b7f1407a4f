"""DEL: does TikTok count what the relay delivered?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from relay.audit.books import Books
from relay.audit.books.calendar import Span
from relay.audit.books.lines import about, feeding
from relay.audit.checks.check import (
    Inapplicable,
    Result,
    as_percent,
    events,
    plural,
    survey,
)
from relay.audit.findings import Certainty, Figure, Finding, Severity, Subject
from relay.audit.guard import above, below

if TYPE_CHECKING:
    from relay.config.audit import Thresholds


class _Text(NamedTuple):
    check: str
    severity: Severity
    says: str
    do: str


class UtcDay(NamedTuple):
    """What the relay delivered and what TikTok counted of one event on one day of UTC."""

    day: date
    sent: int
    server: int
    browser: int
    attributed: int
    total: int


def utc_days(books: Books, pixel: str, event: str, days: Span) -> Sequence[UtcDay]:
    """Days on which neither side has any are left out. What TikTok does not list, it did not
    count."""
    feeds = feeding(pixel, books.facts.targets)
    counted = books.event_counts.get((pixel, event), {})
    sent: dict[date, int] = {}
    for name in feeds:
        for day, booked in books.deliveries.utc_days((name, event)).items():
            sent[day] = sent.get(day, 0) + booked.live
    rows = []
    for day in sorted({*sent, *counted}):
        if day in days:
            each = counted.get(day)
            four = (0, 0, 0, 0) if each is None else (
                each.server, each.browser, each.attributed,
                # One consumer saw total 0 beside counts that were right.
                max(each.total, each.browser + each.server),
            )  # fmt: skip
            rows.append(UtcDay(day, sent.get(day, 0), *four))
    return rows


_NO_DAY = "no day of UTC lies in the days looked at and is settled"
_SOURCE = "Marketing API v1.3, /pixel/event/stats/ by day of UTC; the relay's ledger"


_Compare = Callable[[Books, tuple[str, str], Sequence[UtcDay], "Thresholds"], Result]


def lost_on_the_way(books: Books, limits: Thresholds) -> Result:
    """Srv / Rd per event and day of UTC: < 0.95 M, < 0.80 H, < 0.50 C; by day, else as a whole."""
    return _compared(books, limits, _lost)


def foreign_sender(books: Books, limits: Thresholds) -> Result:
    """Srv / Rd > 1.05, per event; by day of UTC, else as a whole."""
    return _compared(books, limits, _foreign)


def _compared(books: Books, limits: Thresholds, one: _Compare) -> Result:
    days = books.calendar.whole_utc_days(books.period, limits.settle)
    if days is None:
        return Inapplicable(_NO_DAY)

    def judged(pair: tuple[str, str]) -> Result:
        rows = utc_days(books, *pair, days)
        if max(_sent(rows), _server(rows)) < limits.min_count:
            return Inapplicable(f"fewer than {limits.min_count} events on settled days of UTC")
        return one(books, pair, rows, limits)

    nothing = "the relay delivered nothing to a pixel of this account"
    return survey(books.fed, judged, nothing=nothing)


def _lost(
    books: Books, pair: tuple[str, str], rows: Sequence[UtcDay], limits: Thresholds
) -> Result:
    least = limits.server_share_medium
    bad = [each for each in rows if below(each.server, each.sent, least, limits)]
    if not bad and below(_server(rows), _sent(rows), least, limits):
        bad = [each for each in rows if each.server < least * each.sent]
    if not bad:
        return []
    sent, server = _sent(bad), _server(bad)
    share = server / sent
    severity = Severity.MEDIUM
    if share < limits.server_share_high:
        critical = share < limits.server_share_critical
        severity = Severity.CRITICAL if critical else Severity.HIGH
    return [
        _mismatch(
            books,
            pair,
            bad,
            _Text(
                check="DEL-03",
                severity=severity,
                says=f"On {plural(len(bad), 'day')} TikTok counted {server} server events "
                f"{books.called(pair[1])} of pixel {pair[0]}, while the relay delivered {sent}: "
                f"{as_percent(1 - share)} are missing.",
                do=f"Compare the pixel code {pair[0]} with the destination's event_source_id, and "
                "look for refusals and partial successes (20001) with `relay dead-letters list`.",
            ),
        )
    ]


def _foreign(
    books: Books, pair: tuple[str, str], rows: Sequence[UtcDay], limits: Thresholds
) -> Result:
    most = limits.foreign_server
    bad = [each for each in rows if above(each.server, each.sent, most, limits)]
    if not bad and above(_server(rows), _sent(rows), most, limits):
        bad = [each for each in rows if each.server > most * each.sent]
    if not bad:
        return []
    sent, server = _sent(bad), _server(bad)
    return [
        _mismatch(
            books,
            pair,
            bad,
            _Text(
                check="DEL-04",
                severity=Severity.MEDIUM,
                says=f"On {plural(len(bad), 'day')} TikTok counted {server} server events "
                f"{books.called(pair[1])} of pixel {pair[0]}, but the relay delivered only "
                f"{sent}: {server - sent} came from somebody else.",
                do=f"Find who else posts {books.called(pair[1])} to pixel {pair[0]} (a shop's own "
                "TikTok app, a server container of a tag manager) and stop it, or make its "
                "event_id equal to the relay's.",
            ),
        )
    ]


def _sent(rows: Sequence[UtcDay]) -> int:
    return sum(each.sent for each in rows)


def _server(rows: Sequence[UtcDay]) -> int:
    return sum(each.server for each in rows)


def _mismatch(
    books: Books,
    pair: tuple[str, str],
    bad: Sequence[UtcDay],
    text: _Text,
) -> Finding:
    pixel, event = pair
    line = books.line_of.get(pair)
    adgroups = () if line is None else line.adgroups
    return Finding(
        check=text.check,
        severity=text.severity,
        subject=Subject("event", f"{pixel}/{event}", f"{event} of pixel {pixel}"),
        says=text.says,
        expected=events("delivered by the relay", _sent(bad)),
        found=events("server events that TikTok counted", _server(bad)),
        do=text.do,
        certainty=Certainty.CERTAIN,
        source=_SOURCE,
        since=bad[0].day,
        at_stake=books.spend(adgroups, Span(bad[0].day, bad[-1].day)) if line else None,
        details=[Figure("days", len(bad), "days")],
        concerns=about(
            pixel=(pixel,),
            event=(event,),
            destination=feeding(pixel, books.facts.targets),
            adgroup=(each.id for each in adgroups),
        ),
    )
