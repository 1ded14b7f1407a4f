"""MAT: can TikTok tell whose events they are?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from relay.audit.books import Books
from relay.audit.books.calendar import Span, moved
from relay.audit.books.deliveries import Booked, Feed
from relay.audit.checks.check import (
    Inapplicable,
    Result,
    as_percent,
    cents,
    concerns_of,
    events,
    number,
    percent,
    survey,
)
from relay.audit.findings import Certainty, Figure, Finding, Severity, Subject
from relay.audit.guard import less_than, too_few
from relay.model import MatchKey

if TYPE_CHECKING:
    from relay.config.audit import Thresholds


def click_ids(books: Books, limits: Thresholds) -> Result:
    """Rclk / Rd of sampled events whose page or referrer names TikTok: < 90 % M, < 60 % H."""
    return survey(
        sorted(books.sampled.feeds),
        lambda feed: _clicked(books, feed, limits),
        nothing="no delivered event was sampled",
    )


def _clicked(books: Books, feed: Feed, limits: Thresholds) -> Result:
    name, event = feed
    rows = [each for each in books.sampled.orders([name], event) if each.from_tiktok]
    if too_few(len(rows), limits):
        return Inapplicable(f"{len(rows)} sampled events that came from TikTok are too few")
    clicked = sum(bool(each.match_keys & MatchKey.TTCLID) for each in rows)
    if not less_than(clicked, len(rows), limits.click_ids_medium, limits):
        return []
    share = clicked / len(rows)
    high = less_than(clicked, len(rows), limits.click_ids_high, limits)
    without = [each.event_time for each in rows if not each.match_keys & MatchKey.TTCLID]
    return [
        Finding(
            check="MAT-01",
            severity=Severity.HIGH if high else Severity.MEDIUM,
            subject=Subject("destination", name, f"{books.called(event)} of {name}"),
            says=f"{clicked} of {len(rows)} sampled {books.called(event)} events that came from "
            f"TikTok ({as_percent(share)}) carry a click id.",
            expected=percent("events from TikTok with a click id", limits.click_ids_medium),
            found=percent("events from TikTok with a click id", share),
            do="Keep `ttclid` of the landing page's address in a first-party cookie, see that no "
            f"redirect drops it, and let the senders of {name} put it into `user.ttclid` of "
            f"{books.called(event)}.",
            certainty=Certainty.LIKELY,
            source="TikTok Events API: ttclid; the relay's sample",
            since=books.calendar.day(min(without)),
            details=[events("sampled events from TikTok", len(rows))],
            concerns=concerns_of(books, feed),
        )
    ]


#: At these events the shop knows who the person is.
_KNOWN_PEOPLE: Final = frozenset({"SHOPPING", "ON_WEB_REGISTER", "FORM", "ON_WEB_SUBSCRIBE"})

#: Our own weights: TikTok does not publish those of its Event Match Quality. `ip` is that of events
#: which carry the user agent, too; the ledger knows each by itself, so the rarer one counts.
_WEIGHTS: Final = {"ttclid": 0.25, "email": 0.2, "phone": 0.2, "external_id": 0.1, "ttp": 0.1}
_WEIGHT_OF_NETWORK: Final = 0.15


def match_key_score(booked: Booked) -> float | None:
    """A stand-in for TikTok's Event Match Quality, 0 to 1: coverage of the keys, weighed by us."""
    if not booked.live:
        return None
    keys = booked.keys
    points = sum(weight * keys[key] for key, weight in _WEIGHTS.items())
    points += _WEIGHT_OF_NETWORK * min(keys["ip"], keys["user_agent"])
    return points / booked.live


def coverage(books: Books, limits: Thresholds) -> Result:
    """E-mail and phone both < 30 % M (where people are known); the score −20 % from the week before
    to the last seven settled days H."""
    return survey(
        books.deliveries.feeds,
        lambda feed: _covered(books, feed, limits),
        nothing="the relay delivered nothing",
    )


def _covered(books: Books, feed: Feed, limits: Thresholds) -> Result:
    booked = books.deliveries.of(feed[:1], feed[1], books.period)
    if too_few(booked.live, limits):
        return Inapplicable(f"{booked.live} events are too few")
    return [*_contactless(books, feed, booked, limits), *_dropped(books, feed, limits)]


def _contactless(books: Books, feed: Feed, booked: Booked, limits: Thresholds) -> Sequence[Finding]:
    name, event = feed
    email, phone, live = booked.keys["email"], booked.keys["phone"], booked.live
    least = limits.contact_coverage
    if event not in _KNOWN_PEOPLE or not all(
        less_than(each, live, least, limits) for each in (email, phone)
    ):
        return []
    return [
        Finding(
            check="MAT-02",
            severity=Severity.MEDIUM,
            subject=Subject("destination", name, f"{books.called(event)} of {name}"),
            says=f"Of {live} {books.called(event)} events of {name}, {as_percent(email / live)} "
            f"carry an e-mail address and {as_percent(phone / live)} a phone number.",
            expected=percent("events with an e-mail address or phone number", least),
            found=percent("events with the more frequent of the two", max(email, phone) / live),
            do=f"Let the senders of {name} add `user.email` and `user.phone` to "
            f"{books.called(event)}: the relay hashes them.",
            certainty=Certainty.LIKELY,
            source="TikTok help: match keys; the relay's ledger",
            details=[events("with an e-mail address", email), events("with a phone number", phone)],
            concerns=concerns_of(books, feed),
        )
    ]


def _dropped(books: Books, feed: Feed, limits: Thresholds) -> Sequence[Finding]:
    name, event = feed
    last = min(books.period.last, books.calendar.settled(0))
    week = Span(moved(last, -6), last)
    now = books.deliveries.of([name], event, week)
    then = books.deliveries.of([name], event, week.before(7))
    after, before = match_key_score(now), match_key_score(then)
    if after is None or not before or too_few(then.live, limits):
        return []
    if not less_than(after * now.live, before * now.live, 1 - limits.proxy_drop, limits):
        return []
    return [
        Finding(
            check="MAT-02",
            severity=Severity.HIGH,
            subject=Subject("destination", name, f"{books.called(event)} of {name}"),
            says=f"The match-key score of {books.called(event)} of {name} (our stand-in for Event "
            f"Match Quality) fell from {100 * before:.0f} to {100 * after:.0f} of 100 within a "
            "week.",
            expected=number("score of the week before", 100 * before, "of 100"),
            found=number("score of the last week", 100 * after, "of 100"),
            do=f"Find what the senders of {name} stopped sending: {_fallen(then, now)}.",
            certainty=Certainty.LIKELY,
            source="the relay's ledger; the weights are ours",
            since=week.first,
            details=[_coverage(key, then, now) for key in (*_WEIGHTS, "ip", "user_agent")],
            concerns=concerns_of(books, feed),
        )
    ]


def _fallen(then: Booked, now: Booked) -> str:
    falls = {
        key: then.keys[key] / then.live - now.keys[key] / now.live
        for key in (*_WEIGHTS, "ip", "user_agent")
    }
    return ", ".join(
        sorted((key for key in falls if falls[key] > 0.1), key=lambda k: -falls[k])
    ) or ("several keys a little")


def _coverage(key: str, then: Booked, now: Booked) -> Figure:
    before, after = (100 * each.keys[key] / each.live for each in (then, now))
    return Figure(f"{key}, before {cents(before)} %", cents(after), "%")
