"""Spend beside conversions, by day of the account's zone, and what one costs. Pure.

TikTok's conversions are by the day of the click or view, the relay's by the day of the event: over
many days that hardly matters, over one it does. Ratios are of mature days only: TikTok still adds
conversions to the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from relay.audit.books.lines import longest_window
from relay.audit.facts import AdGroup, Day, Facts, Level, Part, Period
from relay.audit.summary.channels import Channel, Map, event_name, optimised
from relay.audit.summary.funnel import days_of, is_whole, ledger_of
from relay.audit.summary.sums import added, converted, counted, per
from relay.event_names import EVENT_NAMES
from relay.journal.ledger import LedgerRow
from relay.model import EventSource, Outcome

#: Of how many days the running ratios are.
RUNNING_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Basis:
    """What counts as a conversion: these events, delivered through these channels."""

    events: Sequence[str]
    channels: Sequence[Channel]


@dataclass(frozen=True, slots=True)
class Money:
    """Amounts in the account's currency. `reported` is by day of click or view, `happened` the same
    by day of the event; `clicked` are those delivered with a click id. None is unknown."""

    spend: Decimal | None = None
    reported: int | None = None
    happened: int | None = None
    reported_value: Decimal | None = None
    delivered: int | None = None
    clicked: int | None = None
    delivered_value: Decimal | None = None
    clicked_value: Decimal | None = None

    @property
    def claimed(self) -> Decimal | None:
        """What share of all delivered conversions TikTok counts as its own; by day of the event."""
        return per(self.happened, self.delivered)

    @property
    def cpa(self) -> Triple:
        return Triple(*(per(self.spend, n) for n in (self.reported, self.clicked, self.delivered)))

    @property
    def roas(self) -> Triple:
        values = (self.reported_value, self.clicked_value, self.delivered_value)
        return Triple(*(per(value, self.spend) for value in values))


class Triple(NamedTuple):
    """One ratio three times: by what TikTok reports, by what was delivered with a click id, by all
    that was delivered."""

    platform: Decimal | None
    verified: Decimal | None
    blended: Decimal | None


def basis_of(facts: Facts, places: Map) -> Basis:
    """The events that the spending ad groups optimise for, and the channels they use; where the
    relay feeds none of these, all its web channels, else all it has."""
    groups = _spending(facts)
    events = sorted({event for group in groups if (event := optimised(group)) is not None})
    used = {places.by_adgroup[group.id] for group in groups}
    fed = [channel for channel in places.channels if channel.destinations]
    web = [channel for channel in fed if channel.event_source is EventSource.WEB]
    chosen = [channel for channel in fed if channel in used] or web or fed
    return Basis(events or ["Purchase"], chosen)


def mature_of(facts: Facts) -> tuple[Period | None, int]:
    """The days whose conversions TikTok no longer adds to, and the window in days that says so:
    the longest one of the ad groups that spend."""
    window = longest_window(_spending(facts))
    today = datetime.fromtimestamp(facts.now, facts.advertiser.zone).date()
    last = min(facts.period.last, today - timedelta(window + 1))
    return (Period(facts.period.first, last) if last >= facts.period.first else None), window


def money_of(facts: Facts, places: Map, basis: Basis) -> Mapping[date, Money]:
    """By day of the account's zone."""
    reported = {day.day: day for day in facts.days if day.level is Level.ACCOUNT}
    has_report = is_whole(facts, Part.ACCOUNT_REPORT)
    delivered = _deliveries(facts, places, basis)
    codes = [
        each.optimization_event
        for each in EVENT_NAMES
        if event_name(each.optimization_event) in basis.events
    ]
    return {
        day: _money(_report(reported.get(day), has_report), codes, delivered(day))
        for day in days_of(facts.period)
    }


def sum_of(days: Sequence[Money]) -> Money:
    """Each number is None where it is None on one of the days, and all are where there is none."""
    if not days:
        return Money()
    return Money(
        added(day.spend for day in days),
        counted(day.reported for day in days),
        counted(day.happened for day in days),
        added(day.reported_value for day in days),
        counted(day.delivered for day in days),
        counted(day.clicked for day in days),
        added(day.delivered_value for day in days),
        added(day.clicked_value for day in days),
    )


def running(days: Mapping[date, Money], mature: Period | None) -> Iterator[tuple[date, Money]]:
    """Sums of `RUNNING_DAYS` mature days, by the last of them."""
    if mature is None:
        return
    known = [*days_of(mature)]
    for end in range(RUNNING_DAYS, len(known) + 1):
        yield known[end - 1], sum_of([days[day] for day in known[end - RUNNING_DAYS : end]])


def unconvertible(facts: Facts) -> Sequence[str]:
    """Currencies of delivered events for which there is no rate."""
    known = {facts.advertiser.currency, *facts.rates}
    found = {currency for row in ledger_of(facts) for currency in row.sums.value}
    return sorted(found - known)


def _spending(facts: Facts) -> Sequence[AdGroup]:
    """The ad groups that spent something, or all where none did."""
    spending = {
        day.id for day in facts.days if day.level is Level.ADGROUP and (day.spend or Decimal(0)) > 0
    }
    return [each for each in facts.adgroups if each.id in spending] or facts.adgroups


@dataclass(slots=True)
class _Delivered:
    """What the relay delivered on one day; None is unknown."""

    count: int | None = 0
    clicked: int | None = 0
    value: Decimal | None = Decimal(0)
    clicked_value: Decimal | None = Decimal(0)


_UNKNOWN: Final = _Delivered(None, None, None, None)


def _deliveries(facts: Facts, places: Map, basis: Basis) -> Callable[[date], _Delivered]:
    """What is known of a day. Where nothing delivered carried a value, none can be said."""
    if not basis.channels or not is_whole(facts, Part.LEDGER):
        return lambda _: _UNKNOWN
    rows = [row for row in ledger_of(facts) if _counts(row, places, basis)]
    has_value = any(row.sums.value for row in rows)
    zone, currency = facts.advertiser.zone, facts.advertiser.currency
    days: defaultdict[date, _Delivered] = defaultdict(_Delivered)
    for row in rows:
        day = days[datetime.fromtimestamp(row.hour * 3600, zone).date()]
        day.count = counted((day.count, row.sums.count - row.sums.tests))
        day.clicked = counted((day.clicked, row.sums.keys["ttclid"]))
        day.value = added((day.value, converted(row.sums.value, facts.rates, currency)))
        clicked_value = converted(row.sums.click_value, facts.rates, currency)
        day.clicked_value = added((day.clicked_value, clicked_value))
    if has_value:
        return lambda day: days[day]
    return lambda day: replace(days[day], value=None, clicked_value=None)


def _counts(row: LedgerRow, places: Map, basis: Basis) -> bool:
    return (
        row.outcome == Outcome.DELIVERED
        and places.by_destination.get(row.destination) in basis.channels
        and event_name(row.event) in basis.events
    )


def _report(row: Day | None, has_report: bool) -> Day | None:
    """A report has no row for a day without anything."""
    if row is None and has_report:
        return _NOTHING
    return row


_NOTHING: Final = Day(
    Level.ACCOUNT, "", date.min, spend=Decimal(0), conversions=0, conversions_by_event_day=0
)


def _money(report: Day | None, codes: Sequence[str], delivered: _Delivered) -> Money:
    relay = (delivered.count, delivered.clicked, delivered.value, delivered.clicked_value)
    if report is None:
        return Money(None, None, None, None, *relay)
    return Money(
        report.spend,
        report.conversions,
        report.conversions_by_event_day,
        _reported_value(report, codes),
        *relay,
    )


def _reported_value(report: Day, codes: Sequence[str]) -> Decimal | None:
    """A day on which nothing was reported has no value, and 0 is right."""
    said = [report.values[code] for code in codes if code in report.values]
    if said:
        return added(said)
    return Decimal(0) if report.conversions == 0 else None
