"""What a person wants to know of an audit, computed once. Pure.

Every output shows these numbers: the terminal, the document, the page and the metrics agree. What
cannot be said is None, never 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from relay.audit.facts import Facts, Part, Period
from relay.audit.summary.channels import Channel, Map, map_of
from relay.audit.summary.funnel import Flow, flows_of, is_whole, ledger_of, utc_day
from relay.audit.summary.money import (
    Basis,
    Money,
    basis_of,
    mature_of,
    money_of,
    running,
    sum_of,
    unconvertible,
)
from relay.model import EventSource, MatchKey, Outcome

_KEYS: Final[Mapping[EventSource, Sequence[MatchKey]]] = {
    EventSource.WEB: (
        MatchKey.TTCLID,
        MatchKey.EMAIL,
        MatchKey.PHONE,
        MatchKey.EXTERNAL_ID,
        MatchKey.TTP,
        MatchKey.IP,
        MatchKey.USER_AGENT,
    ),
    EventSource.APP: (MatchKey.IDFA, MatchKey.GAID, MatchKey.EMAIL, MatchKey.PHONE, MatchKey.IP),
    EventSource.OFFLINE: (MatchKey.EMAIL, MatchKey.PHONE),
    EventSource.CRM: (MatchKey.LEAD_ID, MatchKey.EMAIL, MatchKey.PHONE, MatchKey.TTCLID),
}


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of `delivered` events of a channel, how many carried each key that this kind may carry."""

    channel: Channel
    delivered: int
    keys: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Arrivals that ended otherwise. `reason` is empty where none was kept."""

    destination: str
    outcome: Outcome
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Summary:
    """`mature` are the days that ratios are of, `immature` those that are left out, `window` the
    longest click window in days that decides it. `total` is of the whole period, `settled` of the
    mature days; `running` are sums of seven mature days by the last of them. `unconvertible` are
    currencies without a rate: amounts with one of them in are None."""

    basis: Basis
    window: int
    mature: Period | None
    immature: Period | None
    flows: Sequence[Flow]
    days: Mapping[date, Money]
    total: Money
    settled: Money
    running: Sequence[tuple[date, Money]]
    coverage: Sequence[Coverage]
    undelivered: Sequence[Undelivered]
    unconvertible: Sequence[str]


def summarise(facts: Facts) -> Summary:
    places = map_of(facts)
    basis = basis_of(facts, places)
    mature, window = mature_of(facts)
    days = money_of(facts, places, basis)
    return Summary(
        basis=basis,
        window=window,
        mature=mature,
        immature=_rest(facts.period, mature),
        flows=flows_of(facts, places),
        days=days,
        total=sum_of([*days.values()]),
        settled=sum_of([money for day, money in days.items() if mature and day <= mature.last]),
        running=[*running(days, mature)],
        coverage=_coverage(facts, places),
        undelivered=_undelivered(facts, places),
        unconvertible=unconvertible(facts),
    )


def _rest(period: Period, mature: Period | None) -> Period | None:
    if mature is None:
        return period
    first = mature.last + timedelta(1)
    return Period(first, period.last) if first <= period.last else None


def _coverage(facts: Facts, places: Map) -> Sequence[Coverage]:
    """None of a channel that delivered nothing."""
    if not is_whole(facts, Part.LEDGER):
        return []
    delivered: Counter[Channel] = Counter()
    keys: Counter[tuple[Channel, str]] = Counter()
    for row in ledger_of(facts):
        channel = places.by_destination.get(row.destination)
        if channel is None or row.outcome != Outcome.DELIVERED or not _is_within(row.hour, facts):
            continue
        delivered[channel] += row.sums.count - row.sums.tests
        for key, count in row.sums.keys.items():
            keys[channel, key] += count
    return [
        Coverage(channel, count, _known(channel, {key: keys[channel, key] for key in _NAMES}))
        for channel, count in delivered.most_common()
        if count
    ]


_NAMES: Final = tuple((key.name or "").lower() for key in MatchKey)


def _known(channel: Channel, keys: Mapping[str, int]) -> Mapping[str, int]:
    """The keys that this kind of event source may carry, and any other that it did."""
    usual = [(key.name or "").lower() for key in _KEYS[channel.event_source or EventSource.WEB]]
    return {key: keys[key] for key in usual} | {key: n for key, n in keys.items() if n}


def _undelivered(facts: Facts, places: Map) -> Sequence[Undelivered]:
    """The most frequent first."""
    if not is_whole(facts, Part.LEDGER):
        return []
    found: Counter[tuple[str, Outcome, str]] = Counter()
    for row in ledger_of(facts):
        if row.outcome == Outcome.DELIVERED or row.destination not in places.by_destination:
            continue
        if _is_within(row.hour, facts):
            count = row.sums.count - row.sums.tests
            for reason, number in row.sums.reasons.items():
                found[row.destination, row.outcome, reason] += min(number, count)
                count -= min(number, count)
            found[row.destination, row.outcome, ""] += count
    return [Undelivered(*key, count) for key, count in found.most_common() if count]


def _is_within(hour: int, facts: Facts) -> bool:
    return facts.period.first <= utc_day(hour) <= facts.period.last
