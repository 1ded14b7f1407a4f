"""What the ads did without anybody's buying: impressions, clicks, landings, and what they cost.

A function of the plan, the ad group and the day: budgets are spent along the curve of the day,
split among the ads, with a price of impressions and of clicks that varies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from relay.sandbox.ads import chance
from relay.sandbox.ads.curves import SPEND_OF_WEEKDAY, DayCurve, weekday
from relay.sandbox.ads.founding import USED_OF_BUDGET
from relay.sandbox.ads.model import AdGroup
from relay.sandbox.ads.money import minor_units
from relay.sandbox.ads.placing import Placing, Slot
from relay.sandbox.ads.plan import WorldPlan
from relay.sandbox.ads.zone import DAY_S, HOUR_S, LocalTime, date_of

#: Clicks that reach the page with the address whole.
_LANDED: Final = 0.9
_PAGES_PER_LANDING: Final = 2.1
_IMPRESSIONS_PER_CLICK: Final = 64
#: When TikTok's daily repair runs (UTC), and how far a day's spend is off before the first and the
#: second one after it.
_REPAIR_S: Final = 12 * HOUR_S
_OFF: Final = (0.004, 0.001)
_RESTATED_AFTER: Final = 5

#: By the names of reports; spend in minor units.
Counts = Mapping[str, int]


class Hour(NamedTuple):
    start: int
    counts: Counts


class Delivery:
    def __init__(self, plan: WorldPlan, placing: Placing, local: LocalTime) -> None:
        self._plan = plan
        self._placing = placing
        self._local = local
        self._people = LocalTime(plan.display_timezone)
        self._unit = minor_units(plan.currency)
        self._days: dict[int, Mapping[str, Sequence[Hour]]] = {}

    def of_day(self, day: int, now: float) -> Iterator[tuple[str, Sequence[Hour]]]:
        """Each ad's hours of a local day as TikTok shows them at `now`: late, and not yet final."""
        seen = now - self._plan.reporting_latency_s
        for ad_id, hours in self._day(day).items():
            off = self._off(ad_id, day, now)
            if off == 1.0 and hours and hours[-1].start + HOUR_S <= seen:
                yield ad_id, hours
            elif shown := list(_shown(hours, off, seen)):
                yield ad_id, shown

    def _off(self, ad_id: str, day: int, now: float) -> float:
        """How much of the final spend is shown."""
        repaired = datetime.combine(date_of(day), datetime.min.time(), UTC).timestamp() + _REPAIR_S
        days = int((now - repaired) // DAY_S)
        if days >= _RESTATED_AFTER:
            return 1.0 + self._plan.quirks.restated
        if days >= len(_OFF):
            return 1.0
        return 1.0 + _OFF[max(days, 0)] * (2 * chance.draws(self._plan.seed, ad_id, day)[0] - 1)

    def _day(self, day: int) -> Mapping[str, Sequence[Hour]]:
        found = self._days.get(day)
        if found is None:
            curve = DayCurve(day, self._local, self._people)
            found = self._days[day] = {
                ad_id: hours
                for group, slots in self._placing.groups
                for ad_id, hours in self._group(group, slots, day, curve).items()
            }
        return found

    def _group(
        self, group: AdGroup, slots: Sequence[Slot], day: int, curve: DayCurve
    ) -> Mapping[str, Sequence[Hour]]:
        rolls = chance.draws(self._plan.seed, group.adgroup_id, day)
        waves = chance.ripple(self._plan.seed, group.adgroup_id, day)
        spend = self._spend(group, day, rolls[0]) * len(curve.starts) / 24 / curve.total
        cost = self._cost_of_click(rolls[1])
        hours: dict[str, list[Hour]] = {}
        for place, (start, weight) in enumerate(zip(curve.starts, curve.weights, strict=True)):
            there = [slot for slot in slots if slot.delivers(start)]
            total = sum(slot.weight for slot in there)
            wave = waves[place]
            for slot in there:
                minor = spend * weight * slot.weight / total
                clicks = minor / cost * (0.8 + 0.4 * wave)
                counts = self._counts(group, minor, clicks, waves[-1 - place])
                hours.setdefault(slot.ad.ad_id, []).append(Hour(start, counts))
        return hours

    def _spend(self, group: AdGroup, day: int, roll: float) -> float:
        """Of a day, in minor units."""
        used = self._plan.quirks.overspend
        if used is None:
            used = (USED_OF_BUDGET + 0.05 * (2 * roll - 1)) * SPEND_OF_WEEKDAY[weekday(day)]
        return used * float(group.budget) * self._unit

    def _cost_of_click(self, roll: float) -> float:
        """On a day, in minor units."""
        return self._plan.cost_of_click * self._unit * (0.9 + 0.2 * roll)

    def _counts(self, group: AdGroup, minor: float, clicks: float, over: float) -> Counts:
        """`over`, in [0, 1), decides what becomes of the fractions: on average nothing is lost."""
        counts = {
            "spend": round(minor),
            "impressions": int(clicks * _IMPRESSIONS_PER_CLICK + over),
            "clicks": int(clicks + over),
        }
        if group.pixel_id is not None:
            landed = clicks * _LANDED * (1 - self._plan.quirks.query_lost_share)
            counts["total_landing_page_view"] = int(landed + over)
            counts["total_pageview"] = int(landed * _PAGES_PER_LANDING + over)
        return counts


def _shown(hours: Sequence[Hour], off: float, seen: float) -> Iterator[Hour]:
    for start, counts in hours:
        over = min(1.0, (seen - start) / HOUR_S)
        if over <= 0:
            return
        shown = {name: int(count * over) for name, count in counts.items()}
        shown["spend"] = round(counts["spend"] * over * off)
        yield Hour(start, shown)


def total(hours: Sequence[Hour]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for each in hours:
        counts.update(each.counts)
    return counts
