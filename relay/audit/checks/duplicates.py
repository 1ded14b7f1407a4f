"""DUP: is a purchase one event?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from relay.audit.books import PURCHASE, Books
from relay.audit.books.deliveries import Feed
from relay.audit.books.lines import about, feeding
from relay.audit.checks.arrival import UtcDay, utc_days
from relay.audit.checks.check import (
    Inapplicable,
    Result,
    as_percent,
    concerns_of,
    events,
    number,
    percent,
    survey,
)
from relay.audit.findings import Certainty, Figure, Finding, Severity, Subject
from relay.audit.guard import above

if TYPE_CHECKING:
    from datetime import date

    from relay.audit.books.calendar import Span
    from relay.config.audit import Thresholds

_HELP = "TikTok help, Event deduplication: same event and event_id within 48 h"


def repeats(books: Books, limits: Thresholds) -> Result:
    """Arrivals / distinct (p, event, event_id), and event ids / orders of the sample: > 1.02 M,
    > 1.10 H."""
    return survey(
        books.deliveries.feeds,
        lambda feed: [*_repeated(books, feed, limits), *_split_orders(books, feed, limits)],
        nothing="the relay delivered nothing",
    )


def _repeated(books: Books, feed: Feed, limits: Thresholds) -> Sequence[Finding]:
    """Arrivals that the relay held back as repeats."""
    name, event = feed
    distinct = books.deliveries.of([name], event, books.period).live
    days = {
        day: count
        for day, count in books.deliveries.duplicates[feed].items()
        if count and day in books.period
    }
    again = sum(days.values())
    if not distinct or not above(distinct + again, distinct, limits.duplicates_medium, limits):
        return []
    times = (distinct + again) / distinct
    return [
        Finding(
            check="DUP-01",
            severity=_severity(times, limits),
            subject=Subject("destination", name, f"{books.called(event)} of {name}"),
            says=f"{distinct + again} {books.called(event)} events came for {name}, but only "
            f"{distinct} different ones: the relay held back {again}.",
            expected=number("arrivals by distinct events", limits.duplicates_medium, "ratio"),
            found=number("arrivals by distinct events", times, "ratio"),
            do=f"Find the source of {name} that sends {books.called(event)} twice (two webhooks "
            "for one order, a re-run export); nothing was counted twice, for the relay "
            "recognised them.",
            certainty=Certainty.CERTAIN,
            source="the relay's ledger",
            since=min(days),
            concerns=concerns_of(books, feed),
        )
    ]


def _split_orders(books: Books, feed: Feed, limits: Thresholds) -> Sequence[Finding]:
    """Orders that came under several event ids: nobody can recognise those."""
    name, event = feed
    ids: defaultdict[int, set[int]] = defaultdict(set)
    first: dict[int, int] = {}
    for row in books.sampled.orders([name], event):
        if row.order is not None:
            ids[row.order].add(row.event_id)
            first[row.order] = min(first.get(row.order, row.event_time), row.event_time)
    count = sum(map(len, ids.values()))
    if not ids or not above(count, len(ids), limits.duplicates_medium, limits):
        return []
    times = count / len(ids)
    split = [order for order, each in ids.items() if len(each) > 1]
    return [
        Finding(
            check="DUP-01",
            severity=_severity(times, limits),
            subject=Subject("destination", name, f"{books.called(event)} of {name}"),
            says=f"{len(split)} of {len(ids)} sampled orders reached {name} as "
            f"{books.called(event)} under more than one event_id: {count} events for {len(ids)} "
            "orders.",
            expected=number("event ids by orders", limits.duplicates_medium, "ratio"),
            found=number("event ids by orders", times, "ratio"),
            do=f"Let every sender of {books.called(event)} to {name} use the order's id as "
            "event_id.",
            certainty=Certainty.CERTAIN,
            source=_HELP,
            since=books.calendar.day(min(first[order] for order in split)),
            details=[events("sampled orders", len(ids))],
            concerns=concerns_of(books, feed),
        )
    ]


def _severity(times: float, limits: Thresholds) -> Severity:
    return Severity.HIGH if times > limits.duplicates_high else Severity.MEDIUM


def not_deduplicated(books: Books, limits: Thresholds) -> Result:
    """Brw > 0, Srv > 0 and Att / orders > 1, of purchases on mature days of UTC."""
    return survey(
        [pair for pair in books.fed if pair[1] == PURCHASE],
        lambda pair: _not_deduplicated(books, pair, limits),
        nothing="the relay delivered no purchases to a pixel of this account",
    )


def _mature_utc(books: Books, pair: tuple[str, str], limits: Thresholds) -> Span | None:
    line = books.line_of.get(pair)
    mature = books.mature(books.account_window if line is None else line.window)
    return None if mature is None else books.calendar.whole_utc_days(mature, limits.settle)


def _not_deduplicated(books: Books, pair: tuple[str, str], limits: Thresholds) -> Result:
    pixel, event = pair
    days = _mature_utc(books, pair, limits)
    if days is None:
        return Inapplicable("no day is mature yet")
    rows = utc_days(books, pixel, event, days)
    orders, attributed = sum(e.sent for e in rows), sum(e.attributed for e in rows)
    browser, server = sum(e.browser for e in rows), sum(e.server for e in rows)
    most = limits.attributed_per_order
    if not (browser and server):
        return Inapplicable("purchases come from the browser alone, or from servers alone")
    if max(attributed, orders) < limits.min_count:
        return Inapplicable(f"fewer than {limits.min_count} purchases on mature days")
    if not above(attributed, orders, most, limits):
        return []
    line = books.line_of.get(pair)
    adgroups = () if line is None else line.adgroups
    return [
        Finding(
            check="DUP-02",
            severity=Severity.HIGH,
            subject=Subject("event", f"{pixel}/{event}", f"{books.called(event)} of pixel {pixel}"),
            says=f"TikTok attributed {attributed} {books.called(event)} events of pixel {pixel} "
            f"to ads, but there were only {orders} orders; {browser} came from the browser and "
            f"{server} from servers.",
            expected=events("orders that the relay delivered", orders),
            found=events("events that TikTok attributed", attributed),
            do=f"Give the browser pixel {pixel} and the relay the same event_id for one "
            f"{books.called(event)} (the order's id), and send both within 48 hours.",
            certainty=Certainty.CERTAIN,
            source=_HELP,
            since=_first_excess(rows),
            at_stake=books.spend(adgroups, days) if line else None,
            details=[events("from the browser", browser), events("from servers", server)],
            concerns=about(
                pixel=(pixel,),
                event=(event,),
                destination=feeding(pixel, books.facts.targets),
                adgroup=(each.id for each in adgroups),
            ),
        )
    ]


def _first_excess(rows: Sequence[UtcDay]) -> date | None:
    return min((row.day for row in rows if row.attributed > row.sent), default=None)


def missing_event_ids(books: Books, _: Thresholds) -> Result:
    """Delivered events that brought no event_id, while the browser sends the same event: any. M
    where the order's id stands in: the browser may use that, too."""
    return survey(
        books.deliveries.feeds,
        lambda feed: _without_ids(books, feed),
        nothing="the relay delivered nothing",
    )


def _without_ids(books: Books, feed: Feed) -> Result:
    name, event = feed
    pixel = books.target_of[name].event_source_id
    counted = books.event_counts.get((pixel, event), {})
    browser = sum(each.browser for day, each in counted.items() if day in books.period)
    derived = books.derived_ids.get(feed, Counter())
    days = derived + books.borrowed_ids.get(feed, Counter())
    count = sum(days.values())
    if not count or not browser:
        return []
    live = books.deliveries.of([name], event, books.period).live
    share = count / max(live, count)
    stands_in = "" if derived else "; the order's id stands in, which the browser may not know"
    called = books.called(event)
    return [
        Finding(
            check="DUP-03",
            severity=Severity.HIGH if derived else Severity.MEDIUM,
            subject=Subject("destination", name, f"{called} of {name}"),
            says=f"{count} of {max(live, count)} {called} events ({as_percent(share)}) came "
            f"for {name} without an event_id, and the browser pixel sent {browser} {called} "
            f"events, too{stands_in}.",
            expected=percent("events without an event_id", 0),
            found=percent("events without an event_id", share),
            do=f"Let the senders of {name} put the event_id of the browser's {called} into theirs "
            "(the order's id on both sides).",
            certainty=Certainty.CERTAIN if derived else Certainty.LIKELY,
            source=_HELP,
            since=min(days),
            details=[Figure("browser events", browser, "events")],
            concerns=concerns_of(books, feed),
        )
    ]
