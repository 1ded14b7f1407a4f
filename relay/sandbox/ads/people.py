"""The shop's customers of a day: who saw or clicked what, who bought when, who only looked.

A person is a function of the plan, the day and a number; nothing here remembers anything.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Final

from relay.sandbox.ads import chance
from relay.sandbox.ads.curves import ORDERS_OF_WEEKDAY, DayCurve, weekday
from relay.sandbox.ads.money import minor_units
from relay.sandbox.ads.person import Kind, Person, Step, Touch
from relay.sandbox.ads.placing import Placing
from relay.sandbox.ads.plan import WorldPlan
from relay.sandbox.ads.zone import DAY_S, LocalTime

#: No step of a person lies further before the day's start than this: they look before they buy.
LEAD_S: Final = 3 * 3600.0
#: From a click to the order, at least and at most.
LATENCY_S: Final = (45.0, 26.5 * DAY_S)
_PEOPLE_PER_DAY: Final = 100_000
_MET_TWO_SHARE: Final = 0.15
_BIG: Final = 50
_CART_SHARE: Final = 0.55
_CHECKOUT_SHARE: Final = 0.25
_CONTACT_BEFORE_CHECKOUT: Final = 0.5
_AGENTS: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) musical_ly_41.2.0 BytedanceWebview",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36",
)


class People:
    """Everybody whose day in the shop is a given one."""

    def __init__(self, plan: WorldPlan, placing: Placing, account: LocalTime) -> None:
        self._plan = plan
        self._placing = placing
        self._account = account
        self._shop = LocalTime(plan.display_timezone)
        self._first_day = account.day(plan.started_at)
        self._unit = minor_units(plan.money)
        big = plan.quirks.big_order_day
        self._big_order = None if big is None else (self._first_day + big) * _PEOPLE_PER_DAY

    def of_day(self, day: int) -> list[Person]:
        """Buyers first. Days are of the account's zone, and nobody came before the first."""
        if day < self._first_day:
            return []
        curve = DayCurve(day, self._account, self._shop)
        hours = len(curve.starts) / 24
        rolls = chance.draws(self._plan.seed, self._plan.advertiser_id, "day", day)
        orders = self._plan.orders_per_day * ORDERS_OF_WEEKDAY[weekday(day)] * hours
        left = self._left(day)
        buyers = chance.poisson(left * orders / (1 + self._plan.repeat_share), rolls[0])
        looking = chance.poisson(left * self._plan.looking_per_day * hours, rolls[1])
        return [
            self._person(day, number, curve, buys=number < buyers)
            for number in range(buyers + looking)
        ]

    def _left(self, day: int) -> float:
        """What is left of the people of this day, of 1."""
        quirks = self._plan.quirks
        if quirks.drop_from_day is None or day - self._first_day < quirks.drop_from_day:
            return 1.0
        return 1.0 - quirks.drop_share

    def _person(self, day: int, number: int, curve: DayCurve, *, buys: bool) -> Person:
        plan = self._plan
        roll = chance.draws(plan.seed, plan.advertiser_id, day, number)
        at = curve.moment(roll[0])
        serial = day * _PEOPLE_PER_DAY + number
        touches = self._touches(serial, at, roll)
        mark = f"{plan.seed}{serial}"
        lost = plan.click_lost_share + plan.quirks.query_lost_share
        return Person(
            number=serial,
            touches=touches,
            steps=self._buyer(serial, at, roll) if buys else self._looker(serial, at, roll),
            email=f"p{mark}@mail.example" if roll[6] < plan.email_share else None,
            phone=f"+49151{serial % 10**8:08}" if roll[7] < plan.phone_share else None,
            external_id=f"c{mark}",
            ttp=_ttp(mark),
            ip=f"91.{20 + number % 40}.{day % 256}.{1 + number // 40 % 250}",
            user_agent=_AGENTS[int(roll[15] * 2) if touches else int(roll[15] * len(_AGENTS))],
            knows_contact=roll[12] < _CONTACT_BEFORE_CHECKOUT,
            has_click_id=bool(touches) and roll[13] >= lost,
            has_address=not plan.click_lost_share <= roll[13] < lost,
            blocks=roll[8] < plan.blocked_share,
            denies=roll[9] < plan.denied_share,
            matchable=roll[5] < plan.matchable_share,
            roll=roll[14],
        )

    def _touches(self, serial: int, at: float, roll: Sequence[float]) -> Sequence[Touch]:
        kind = self._kind(roll[1])
        if kind is None:
            return ()
        plan = self._plan
        latency = chance.lognormal(plan.latency_median_s, plan.latency_sigma, roll[2])
        latency = min(max(latency, LATENCY_S[0]), LATENCY_S[1])
        if kind is not Kind.CLICK:
            latency = min(latency, 20 * 3600.0)  # a day later it would not count
        elif roll[3] < plan.quirks.stale_click_share:
            latency = LATENCY_S[1] * (0.4 + 0.6 * roll[4])
        ad = self._placing.ad_at(at - latency, roll[4])
        if ad is None:
            return ()
        met = Touch(at - latency, kind, ad.ad_id, self._ttclid(serial, kind))
        return (*self._before(serial, met, roll), met)

    def _before(self, serial: int, met: Touch, roll: Sequence[float]) -> Iterator[Touch]:
        """Some saw another ad before, some clicked one: the last click wins."""
        if roll[15] >= _MET_TWO_SHARE:
            return
        kind = Kind.VIEW if roll[15] < _MET_TWO_SHARE / 2 else met.kind
        at = met.at - 30 * 3600 * roll[3]
        ad = self._placing.ad_at(at, roll[12])
        if ad is not None:
            yield Touch(at, kind, ad.ad_id, self._ttclid(-serial, kind))

    def _ttclid(self, serial: int, kind: Kind) -> str | None:
        if kind is not Kind.CLICK:
            return None
        digest = blake2b(f"click/{self._plan.seed}/{serial}".encode(), digest_size=48).digest()
        return f"E.C.P.{urlsafe_b64encode(digest).decode()}"

    def _kind(self, roll: float) -> Kind | None:
        for kind, share in (
            (Kind.CLICK, self._plan.click_share),
            (Kind.ENGAGED, self._plan.engaged_share),
            (Kind.VIEW, self._plan.view_share),
        ):
            if roll < share:
                return kind
            roll -= share
        return None

    def _buyer(self, serial: int, at: float, roll: Sequence[float]) -> list[Step]:
        value = self._value(roll[10])
        if serial == self._big_order:
            value *= _BIG
        order = str(serial)
        steps = [
            Step("ViewContent", at - 40, f"v{order}", value),
            Step("AddToCart", at - 30, f"a{order}", value),
            Step("InitiateCheckout", at - 20, f"c{order}", value),
            Step("Purchase", at, f"p{order}", value, order),
        ]
        if roll[11] < self._plan.repeat_share:
            again = at + 7200 + 40 * 3600 * roll[12]
            steps.append(Step("Purchase", again, f"p{order}2", self._value(roll[13]), f"{order}2"))
        return steps

    def _looker(self, serial: int, at: float, roll: Sequence[float]) -> list[Step]:
        value = self._value(roll[10])
        steps = [Step("ViewContent", at - 40, f"v{serial}", value)]
        if roll[11] < _CART_SHARE:
            steps.append(Step("AddToCart", at - 30, f"a{serial}", value))
        if roll[11] < _CHECKOUT_SHARE:
            steps.append(Step("InitiateCheckout", at - 20, f"c{serial}", value))
        return steps

    def _value(self, roll: float) -> int:
        """A price as shops write it, in minor units."""
        if self._plan.quirks.one_value:
            return round(self._plan.price * self._unit)
        price = chance.lognormal(self._plan.price, self._plan.price_sigma, roll)
        return max(2, round(price)) * self._unit - self._unit // 20


def _ttp(mark: str) -> str:
    return blake2b(f"ttp/{mark}".encode(), digest_size=13).hexdigest()
