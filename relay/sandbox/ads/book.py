"""What TikTok has counted, by day and hour: filled as it becomes visible, asked by reports.

A conversion is credited to the hour of the ad's click or view, and beside that, for
`real_time_conversion`, to the hour in which it happened. Statistics of pixels are by days of UTC.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

from relay.event_names import BY_OPTIMIZATION_EVENT
from relay.sandbox.ads.arrivals import Channel
from relay.sandbox.ads.attribution import Credit
from relay.sandbox.ads.money import minor_units
from relay.sandbox.ads.person import Kind
from relay.sandbox.ads.plan import WorldPlan
from relay.sandbox.ads.zone import DAY_S, LocalTime

ATTRIBUTED: Final = "attributed"
#: What a conversion is called by what led to it. Modelled ones have no name of their own.
_SPLIT: Final = {
    Kind.CLICK: "cta_conversion",
    Kind.VIEW: "vta_conversion",
    Kind.ENGAGED: "engaged_view_through_conversions",
}
_SPLIT_OF_PURCHASE: Final = {
    Kind.VIEW: ("vta_complete_payment", "vta_complete_payment_value"),
    Kind.ENGAGED: ("evta_payments_completed", None),
}
_PURCHASE: Final = "SHOPPING"


@cache
def _names(event: str, kind: Kind, is_goal: bool) -> tuple[Sequence[str], Sequence[str]]:
    """What a conversion counts as, and what its value is summed in."""
    name = BY_OPTIMIZATION_EVENT.get(event)
    counts = [] if name is None else [name.count]
    values = [name.value] if name is not None and name.value is not None else []
    if is_goal:
        counts.append("conversion")
    if is_goal and kind in _SPLIT:
        counts.append(_SPLIT[kind])
    if event == _PURCHASE and kind in _SPLIT_OF_PURCHASE:
        count, value = _SPLIT_OF_PURCHASE[kind]
        counts.append(count)
        values += [value] if value is not None else []
    return counts, values


def _counters() -> defaultdict[tuple[str, bool], Counter[str]]:
    return defaultdict(Counter)


class Entry(NamedTuple):
    """One event that TikTok took: `channel` None where it adds a credit only."""

    visible_at: float
    pixel_code: str
    event: str
    is_custom: bool
    event_time: float
    channel: Channel | None
    credit: Credit | None


class Book:
    """Counts as they are seen at one moment; asking about an earlier one reads from the start."""

    def __init__(self, plan: WorldPlan, local: LocalTime) -> None:
        self._plan = plan
        self._local = local
        self._entries: list[Entry] = []
        self._in_order = True
        self._read: int
        self._seen_at: float
        self._start_over()

    def write(self, entry: Entry) -> None:
        if entry.visible_at <= self._seen_at:
            self._start_over()
        if self._entries and entry.visible_at < self._entries[-1].visible_at:
            self._in_order = False
        self._entries.append(entry)

    def turn_to(self, now: float) -> None:
        """Count all that is visible at this moment."""
        if now < self._seen_at:
            self._start_over()
        if not self._in_order:
            self._start_over()
            self._entries.sort(key=lambda entry: entry.visible_at)
            self._in_order = True
        entries, place = self._entries, self._read
        while place < len(entries) and entries[place].visible_at <= now:
            self._count(entries[place])
            place += 1
        self._read, self._seen_at = place, now

    def _start_over(self) -> None:
        self._read = 0
        self._seen_at = float("-inf")
        #: Of an ad in an hour of the account's clock, and on a day of it.
        self.hours: defaultdict[tuple[str, int], Counter[str]] = defaultdict(Counter)
        self.days: defaultdict[tuple[str, int], Counter[str]] = defaultdict(Counter)
        #: Of a pixel on a day of UTC: (event, is custom) -> channel -> how many.
        self.events: defaultdict[tuple[str, int], defaultdict[tuple[str, bool], Counter[str]]]
        self.events = defaultdict(_counters)

    def _count(self, entry: Entry) -> None:
        day = self.events[entry.pixel_code, int(entry.event_time // DAY_S)]
        counts = day[entry.event, entry.is_custom]
        if entry.channel is not None:
            counts[entry.channel] += 1
        if entry.credit is None:
            return
        counts[ATTRIBUTED] += 1
        credit = entry.credit
        self._add(credit.ad_id, credit.touched_at, self._earned(credit))
        if credit.is_goal:
            self._add(credit.ad_id, credit.event_time, {"real_time_conversion": 1})

    def _add(self, ad_id: str, at: float, counts: dict[str, int]) -> None:
        hour = self._local.hour(at)
        in_hour, in_day = self.hours[ad_id, hour], self.days[ad_id, hour // 24]
        for name, number in counts.items():
            in_hour[name] += number
            in_day[name] += number

    def _earned(self, credit: Credit) -> dict[str, int]:
        counts, values = _names(credit.event, credit.kind, credit.is_goal)
        return dict.fromkeys(counts, 1) | dict.fromkeys(values, self._value(credit))

    def _value(self, credit: Credit) -> int:
        """In minor units of the account's currency; 0 for a currency that has no rate."""
        rate = 1.0
        if credit.currency != self._plan.currency:
            rate = float(self._plan.rates.get(credit.currency or "", 0))
        return round(credit.value * rate * minor_units(self._plan.currency))
