"""DEL: what is wrong with the events themselves: test codes, lateness, clocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from relay.audit.books import Books
from relay.audit.books.calendar import Span
from relay.audit.books.deliveries import Booked, Feed
from relay.audit.books.lines import about
from relay.audit.checks.check import (
    Inapplicable,
    Result,
    as_percent,
    events,
    percent,
    survey,
)
from relay.audit.findings import Certainty, Finding, Severity, Subject
from relay.audit.guard import more_than
from relay.model import EventSource, Outcome

if TYPE_CHECKING:
    from relay.config.audit import Thresholds


#: Events that somebody pays for.
_ORDERS: Final = frozenset({"SHOPPING", "ON_WEB_ORDER", "ON_WEB_SUBSCRIBE"})


def test_coded_events(books: Books, limits: Thresholds) -> Result:
    """Delivered orders that carry a test_event_code: any (they are not used for attribution). Who
    tries out another event loses nothing."""
    return survey(
        [feed for feed in books.deliveries.feeds if feed[1] in _ORDERS],
        lambda feed: _tested(books, feed, limits),
        nothing="the relay delivered no orders",
    )


def _tested(books: Books, feed: Feed, limits: Thresholds) -> Result:
    name, event = feed
    booked = books.deliveries.of([name], event, books.period)
    if booked.tests <= limits.test_events:
        return []
    days = books.deliveries.days(feed)
    tested = [day for day, each in days.items() if each.tests and day in books.period]
    since, pixel = min(tested), books.target_of[name].event_source_id
    line = books.line_of.get((pixel, event))
    return [
        Finding(
            check="DEL-07",
            severity=Severity.CRITICAL,
            subject=Subject("destination", name, f"{books.called(event)} of {name}"),
            says=f"{booked.tests} of {booked.tests + booked.live} {books.called(event)} events "
            f"went to {name} with a test_event_code: TikTok does not use them for attribution.",
            expected=events("events with a test_event_code", limits.test_events),
            found=events("events with a test_event_code", booked.tests),
            do=f"Remove test_event_code from destination {name} and from what its senders send, "
            "then send these events again without it (within 28 days).",
            certainty=Certainty.CERTAIN,
            source="TikTok Events API: test_event_code",
            since=since,
            at_stake=books.spend(line.adgroups, Span(since, max(tested))) if line else None,
            concerns=about(
                destination=(name,),
                event=(event,),
                pixel=(pixel,),
                adgroup=() if line is None else [each.id for each in line.adgroups],
            ),
        )
    ]


def late_events(books: Books, limits: Thresholds) -> Result:
    """Delivered − event_time: > 1 h of > 5 % L (web, app); > 7 d M; > 28 d, or > click
    window, H."""
    return survey(
        books.deliveries.feeds,
        lambda feed: _late(books, feed, limits),
        nothing="the relay delivered nothing",
    )


def _late(books: Books, feed: Feed, limits: Thresholds) -> Result:
    booked = books.deliveries.of(feed[:1], feed[1], books.period)
    if not booked.live:
        return Inapplicable("the relay delivered nothing in these days")
    worst = _lateness(books, feed, booked, limits)
    if worst is None:
        return []
    severity, key, allowed = worst
    name, event = feed
    pixel = books.target_of[name].event_source_id
    late = booked.late[key]
    share = late / booked.live
    days = books.deliveries.days(feed)
    return [
        Finding(
            check="DEL-08",
            severity=severity,
            subject=Subject("destination", name, f"{books.called(event)} of {name}"),
            says=f"{late} of {booked.live} {books.called(event)} events ({as_percent(share)}) "
            f"were delivered to {name} more than {key} after they happened.",
            expected=percent(f"later than {key}", allowed),
            found=percent(f"later than {key}", share),
            do=f"Let the senders of {name} send {books.called(event)} when it happens, and set "
            f"max_event_age of destination {name} to the click window of its ads, so that "
            "hopeless back-fill is dropped.",
            certainty=Certainty.CERTAIN,
            source="attribution ends with the click window, at the latest after 28 days",
            since=min(day for day, e in days.items() if e.late[key] and day in books.period),
            concerns=about(destination=(name,), event=(event,), pixel=(pixel,)),
        )
    ]


def _lateness(
    books: Books, feed: Feed, booked: Booked, limits: Thresholds
) -> tuple[Severity, str, float] | None:
    """The worst that holds: how bad, how late, and what share of it would be allowed."""
    late, live = booked.late, booked.live
    target = books.target_of[feed[0]]
    line = books.line_of.get((target.event_source_id, feed[1]))
    if late["28d"] > limits.late_month * live:
        return Severity.HIGH, "28d", limits.late_month
    if late["7d"] > limits.late_week * live:
        hopeless = line is not None and line.window <= 7
        return Severity.HIGH if hopeless else Severity.MEDIUM, "7d", limits.late_week
    in_real_time = target.event_source in (EventSource.WEB, EventSource.APP)
    if in_real_time and more_than(late["1h"], live, limits.late_hour, limits):
        return Severity.LOW, "1h", limits.late_hour
    return None


def clock_errors(books: Books, _: Thresholds) -> Result:
    """event_time in milliseconds, or further in the future than the destination allows: any. What
    is within `max_future` was set right, and clocks always differ a little. Milliseconds are read
    as what they are: they alone cost nothing, so they are low."""
    return survey(
        sorted(books.destinations),
        lambda name: _misdated(books, name),
        nothing="no destination of the relay belongs to this account",
    )


def _wrong(ahead: int, thousands: int) -> Iterator[str]:
    if ahead:
        yield f"{ahead} have an event_time in the future"
    if thousands:
        yield f"{thousands} have an event_time in milliseconds, which the relay read right"


def _misdated(books: Books, name: str) -> Result:
    issues = {
        reason: books.flawed(name, "event_time", reason) for reason in ("milliseconds", "future")
    }
    refused = books.deliveries.ended(name, Outcome.INVALID, books.period).reasons["future"]
    ahead = max(refused, sum(issues["future"].values()))
    thousands = sum(issues["milliseconds"].values())
    if not ahead and not thousands:
        return []
    days = [day for counts in issues.values() for day in counts]
    days += [
        day
        for day, each in books.deliveries.ended_days(name, Outcome.INVALID).items()
        if each.reasons["future"] and day in books.period
    ]
    return [
        Finding(
            check="DEL-09",
            severity=Severity.HIGH if ahead else Severity.LOW,
            subject=Subject("destination", name),
            says=f"Of the events for {name}, {' and '.join(_wrong(ahead, thousands))}.",
            expected=events("events with a wrong event_time", 0),
            found=events("events with a wrong event_time", ahead + thousands),
            do=f"Let the senders of {name} write event_time in seconds of UTC; set the clock and "
            "the time zone of their machines.",
            certainty=Certainty.CERTAIN,
            source="TikTok Events API: event_time is Unix time in seconds",
            since=min(days, default=None),
            concerns=about(destination=(name,), pixel=(books.target_of[name].event_source_id,)),
        )
    ]
