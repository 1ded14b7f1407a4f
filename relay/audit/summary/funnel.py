"""From arrivals to spend: per channel, event and day. Pure.

Days of one row are not all the same: arrivals, deliveries and TikTok's counts are by day of UTC
(event statistics know no other), what was reported and spent is by day of the account's zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from relay.audit.facts import EventCount, Facts, Level, Part, Period
from relay.audit.summary.channels import Channel, Map, event_name, optimised
from relay.audit.summary.sums import EXACT, added, counted
from relay.journal.ledger import LedgerRow
from relay.model import Outcome

_EPOCH: Final = date(1970, 1, 1)
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Passage:
    """How many got how far. `counted` is TikTok's total of server and browser, before it merges
    what came both ways; `reported` and `spend` are those of the ad groups that optimise for this
    event. None is unknown, or says that there is no such thing (spend on an event that no ad
    group optimises for)."""

    spend: Decimal | None = None
    arrivals: int | None = None
    delivered: int | None = None
    server: int | None = None
    browser: int | None = None
    counted: int | None = None
    attributed: int | None = None
    reported: int | None = None


#: The columns of a passage that are counts, in their order.
_COUNTS: Final = (
    "arrivals", "delivered", "server", "browser", "counted", "attributed", "reported",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flow:
    """One event of one channel. `is_paid_for`: an ad group optimises for it."""

    channel: Channel
    event: str
    is_paid_for: bool
    days: Mapping[date, Passage]
    total: Passage


@dataclass(slots=True)
class _Tally:
    """Sums by day of one flow; a sum is None once an unknown was added."""

    channel: Channel
    event: str
    is_paid_for: bool = False
    counts: dict[str, dict[date, int | None]] = field(default_factory=dict)
    spend: dict[date, Decimal | None] = field(default_factory=dict)

    def count(self, what: str, day: date, number: int | None) -> None:
        days = self.counts.setdefault(what, {})
        known = days.get(day, 0)
        days[day] = None if known is None or number is None else known + number

    def pay(self, day: date, amount: Decimal | None) -> None:
        known = self.spend.get(day, _ZERO)
        self.spend[day] = None if known is None or amount is None else EXACT.add(known, amount)


#: By the channel's id and the event.
_Tallies = dict[tuple[str | None, str], _Tally]


def flows_of(facts: Facts, places: Map) -> Sequence[Flow]:
    """What money is spent on first, then by how much was delivered."""
    tallies: _Tallies = {}
    _count_ledger(tallies, facts, places)
    _count_statistics(tallies, facts, places)
    _count_reports(tallies, facts, places)
    flows = [_flow(tally, facts) for tally in tallies.values()]
    return sorted(flows, key=_weight)


def days_of(period: Period) -> Iterator[date]:
    for number in range((period.last - period.first).days + 1):
        yield period.first + timedelta(number)


def ledger_of(facts: Facts) -> Iterator[LedgerRow]:
    """The rows of the period's days, whatever the zone: with a day more at either end. Others may
    lie in years that no calendar has."""
    first = ((facts.period.first - _EPOCH).days - 1) * 24
    end = ((facts.period.last - _EPOCH).days + 2) * 24
    return (row for row in facts.ledger if first <= row.hour < end)


def utc_day(hour: int) -> date:
    """The day of an hour of the ledger."""
    return _EPOCH + timedelta(hour // 24)


def is_whole(facts: Facts, part: Part) -> bool:
    """Was all of it gathered? Only then what is not there is 0."""
    found = facts.gathered.get(part)
    return found is not None and found.problem is None


def _weight(flow: Flow) -> tuple[object, ...]:
    spend, delivered = flow.total.spend or Decimal(0), flow.total.delivered or 0
    return (not flow.is_paid_for, -spend, -delivered, flow.channel.label, flow.event)


def _tally(tallies: _Tallies, channel: Channel, event: str) -> _Tally:
    found = tallies.get((channel.id, event))
    if found is None:
        found = tallies[channel.id, event] = _Tally(channel, event)
    return found


def _count_ledger(tallies: _Tallies, facts: Facts, places: Map) -> None:
    for row in ledger_of(facts):
        channel, day = places.by_destination.get(row.destination), utc_day(row.hour)
        number = row.sums.count - row.sums.tests
        if channel is None or not facts.period.first <= day <= facts.period.last or not number:
            continue
        tally = _tally(tallies, channel, event_name(row.event))
        tally.count("arrivals", day, number)
        if row.outcome == Outcome.DELIVERED:
            tally.count("delivered", day, number)


def _count_statistics(tallies: _Tallies, facts: Facts, places: Map) -> None:
    for each in facts.event_counts:
        channel = places.by_source.get(each.pixel_code)
        if channel is None or not facts.period.first <= each.day <= facts.period.last:
            continue
        tally = _tally(tallies, channel, event_name(each.event))
        tally.count("server", each.day, each.server)
        tally.count("browser", each.day, each.browser)
        tally.count("counted", each.day, _counted(each))
        tally.count("attributed", each.day, each.attributed)


def _counted(each: EventCount) -> int:
    """Some accounts see a total of 0 beside counts that are right."""
    return each.total or each.server + each.browser


def _count_reports(tallies: _Tallies, facts: Facts, places: Map) -> None:
    groups = {
        group.id: (places.by_adgroup[group.id], event)
        for group in facts.adgroups
        if (event := optimised(group)) is not None
    }
    for day in facts.days:
        if day.level is not Level.ADGROUP or day.id not in groups:
            continue
        if not facts.period.first <= day.day <= facts.period.last:
            continue
        tally = _tally(tallies, *groups[day.id])
        tally.is_paid_for = True
        tally.count("reported", day.day, day.conversions)
        tally.pay(day.day, day.spend)


def _flow(tally: _Tally, facts: Facts) -> Flow:
    whole = _whole(tally, facts)
    days = {day: _passage(tally, whole, day) for day in days_of(facts.period)}
    total = _total([*days.values()])
    return Flow(tally.channel, tally.event, tally.is_paid_for, days, total)


def _whole(tally: _Tally, facts: Facts) -> Mapping[str, bool]:
    """Of which columns all was gathered: of these what is not there is 0, of the others nothing
    can be said, as a row that is missing leaves no gap in a sum."""
    channel = tally.channel
    ledger = bool(channel.destinations) and is_whole(facts, Part.LEDGER)
    statistics = channel.has_statistics and is_whole(facts, Part.PIXEL_STATS)
    report = tally.is_paid_for and is_whole(facts, Part.ADGROUP_REPORT)
    return {
        **dict.fromkeys(("arrivals", "delivered"), ledger),
        **dict.fromkeys(("server", "browser", "counted", "attributed"), statistics),
        **dict.fromkeys(("reported", "spend"), report),
    }


def _passage(tally: _Tally, whole: Mapping[str, bool], day: date) -> Passage:
    def count(what: str) -> int | None:
        return tally.counts.get(what, {}).get(day, 0) if whole[what] else None

    spend = tally.spend.get(day, Decimal(0)) if whole["spend"] else None
    return Passage(spend, *(count(what) for what in _COUNTS))


def _total(days: Sequence[Passage]) -> Passage:
    def count(what: str) -> int | None:
        return counted(getattr(day, what) for day in days)

    return Passage(added(day.spend for day in days), *(count(what) for what in _COUNTS))
