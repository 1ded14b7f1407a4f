"""Which ad a conversion is credited to.

A person is recognised by the click id or by any match key. Of what they met, the last click within
the click window of its ad group wins, then the last engaged view within its window, then the last
view; only ad groups that use the event's pixel come into question. What cannot be attributed may be
modelled: TikTok "may report modeled conversions when actual conversions are unobservable". A
conversion is credited at most once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from relay.sandbox.ads import chance
from relay.sandbox.ads.arrivals import Arrived
from relay.sandbox.ads.model import AdGroup, Advertiser
from relay.sandbox.ads.person import Kind, Person, Touch
from relay.sandbox.ads.placing import Placing
from relay.sandbox.ads.plan import WorldPlan
from relay.sandbox.ads.zone import DAY_S

#: Days of each attribution window.
WINDOW_DAYS: Final[Mapping[str, int]] = {
    "OFF": 0,
    "ONE_DAY": 1,
    "SEVEN_DAYS": 7,
    "FOURTEEN_DAYS": 14,
    "TWENTY_EIGHT_DAYS": 28,
    "THIRTY_DAYS": 30,
    "THIRTY_TWO_DAYS": 32,
}


class Credit(NamedTuple):
    """One conversion on the account of one ad. `is_goal`: its ad group optimises for this event."""

    ad_id: str
    touched_at: float
    kind: Kind
    is_goal: bool
    event: str
    event_time: float
    value: float
    currency: str | None


class Attribution:
    def __init__(self, plan: WorldPlan, account: Advertiser, placing: Placing) -> None:
        self._plan = plan
        self._account = account
        self._placing = placing
        self._codes = {pixel.pixel_id: pixel.pixel_code for pixel in account.pixels.values()}
        self._by_click: dict[str | None, Person] = {}
        self._by_key: dict[str, Person] = {}
        self._once: set[tuple[str, str, int]] = set()
        self._loses = plan.quirks.credited_share < 1
        self._day = plan.started_at + DAY_S * plan.quirks.credited_from_day

    def meet(self, people: Iterable[Person]) -> None:
        """People who met an ad; TikTok recognises them from now on."""
        for person in people:
            for touch in person.touches:
                if touch.ttclid is not None:
                    self._by_click[touch.ttclid] = person
            if person.is_known:
                self._by_key.update(dict.fromkeys(person.keys(), person))

    def credit(self, arrived: Arrived) -> Credit | None:
        """Whose merit this is; None: nobody's, or not counted."""
        if self._loses and self._is_lost(arrived):
            return None
        person = self._by_click.get(arrived.ttclid) or self._person(arrived)
        touch = None if person is None else self._touch(person, arrived)
        if touch is None:
            touch = self._modelled(arrived)
            person = None
        if touch is None:
            return None
        group = self._group(touch)
        if person is not None and not self._counts(group, arrived.event, person):
            return None
        return Credit(
            touch.ad_id,
            touch.at,
            touch.kind,
            _is_goal(group, arrived.event),
            arrived.event,
            arrived.event_time,
            arrived.value,
            arrived.currency,
        )

    def _person(self, arrived: Arrived) -> Person | None:
        for key in arrived.keys:
            if key in self._by_key:
                return self._by_key[key]
        return None

    def _touch(self, person: Person, arrived: Arrived) -> Touch | None:
        """The last of the best kind within its window."""
        best: Touch | None = None
        for touch in person.touches:
            if self._is_in_time(touch, arrived) and (best is None or touch.rank > best.rank):
                best = touch
        return best

    def _is_in_time(self, touch: Touch, arrived: Arrived) -> bool:
        age = arrived.event_time - touch.at
        if age < 0:
            return False
        group = self._group(touch)
        return age <= window_s(group, touch.kind) and self._uses_pixel(group, arrived)

    def _uses_pixel(self, group: AdGroup, arrived: Arrived) -> bool:
        return self._codes.get(group.pixel_id or "") == arrived.pixel_code

    def _modelled(self, arrived: Arrived) -> Touch | None:
        roll = chance.share(f"{self._plan.seed}/modelled/{arrived.event_id}")
        if roll >= self._plan.modelled_share:
            return None
        rolls = chance.draws(self._plan.seed, "modelled", arrived.event_id, arrived.event)
        at = arrived.event_time - 6 * 3600 * rolls[0]
        ad = self._placing.ad_at(at, rolls[1])
        if ad is None:
            return None
        touch = Touch(at, Kind.MODELLED, ad.ad_id, None)
        return touch if self._uses_pixel(self._group(touch), arrived) else None

    def _counts(self, group: AdGroup, event: str, person: Person) -> bool:
        """ONCE: of what one person does, the first counts."""
        if group.attribution_event_count != "ONCE":
            return True
        key = (group.adgroup_id, event, person.number)
        if key in self._once:
            return False
        self._once.add(key)
        return True

    def _is_lost(self, arrived: Arrived) -> bool:
        if arrived.event_time < self._day:
            return False
        roll = chance.share(f"{self._plan.seed}/credited/{arrived.event_id}")
        return roll >= self._plan.quirks.credited_share

    def _group(self, touch: Touch) -> AdGroup:
        return self._account.adgroups[self._account.ads[touch.ad_id].adgroup_id]


def window_s(group: AdGroup, kind: Kind) -> float:
    """How long after it happened a touch of this kind counts, by its ad group; 0: never."""
    if kind is Kind.CLICK:
        name = group.click_attribution_window
    elif kind is Kind.ENGAGED:
        name = group.engaged_view_attribution_window
    else:
        name = group.view_attribution_window
    return WINDOW_DAYS.get(name, 0) * DAY_S


def _is_goal(group: AdGroup, event: str) -> bool:
    return group.optimization_goal != "CLICK" and group.optimization_event == event
