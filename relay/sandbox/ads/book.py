"""What TikTok has counted, by day and hour: filled as it becomes visible, asked by reports.

A conversion is credited to the hour of the ad's click or view, and beside that, for
`real_time_conversion`, to the hour in which it happened. Statistics of pixels are by days of UTC.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final, NamedTuple

from relay.event_names import BY_OPTIMIZATION_EVENT
from relay.sandbox.ads.arrivals import Channel
from relay.sandbox.ads.attribution import Credit
from relay.sandbox.ads.money import minor_units
from relay.sandbox.ads.people import Kind
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
        self._start_over()

    def write(self, entry: Entry) -> None:
        if entry.visible_at <= self._seen_at:
            self._start_over()
        self._entries.append(entry)
        self._in_order = self._in_order and (
            len(self._entries) < 2 or self._entries[-2].visible_at <= entry.visible_at
        )

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
        self._in_order = getattr(self, "_in_order", True)
        #: Of an ad in an hour of the account's clock.
        self.hours: defaultdict[tuple[str, int], Counter[str]] = defaultdict(Counter)
        self.days: defaultdict[tuple[str, int], Counter[str]] = defaultdict(Counter)
        #: Of a pixel on a day of UTC: (event, is custom) -> channel -> how many.
        self.events: defaultdict[tuple[str, int], dict[tuple[str, bool], Counter[str]]]
        self.events = defaultdict(dict)

    def _count(self, entry: Entry) -> None:
        day = self.events[entry.pixel_code, int(entry.event_time // DAY_S)]
        counts = day.setdefault((entry.event, entry.is_custom), Counter())
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
        earned: dict[str, int] = {}
        value = self._value(credit)
        name = BY_OPTIMIZATION_EVENT.get(credit.event)
        if name is not None:
            earned[name.count] = 1
            if name.value is not None:
                earned[name.value] = value
        if credit.is_goal:
            earned["conversion"] = 1
            if credit.kind in _SPLIT:
                earned[_SPLIT[credit.kind]] = 1
        if credit.event == _PURCHASE and credit.kind in _SPLIT_OF_PURCHASE:
            count, worth = _SPLIT_OF_PURCHASE[credit.kind]
            earned[count] = 1
            if worth is not None:
                earned[worth] = value
        return earned

    def _value(self, credit: Credit) -> int:
        """In minor units of the account's currency; 0 for a currency that has no rate."""
        rate = 1.0
        if credit.currency != self._plan.currency:
            rate = float(self._plan.rates.get(credit.currency or "", 0))
        return round(credit.value * rate * minor_units(self._plan.currency))
