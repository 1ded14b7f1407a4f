"""Simulated days of a living world, and what its shop hands to the relay on each.

    season = Season.of(plan)
    for day in season.days(30):
        for handed in day.orders:
            ...  # give `handed.conversion` to a relay at `handed.at`

Browsers report to the world by themselves; the relay's events come to it by `receive`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import chain
from typing import NamedTuple, Self

from relay.sandbox.ads.life import LivingWorld
from relay.sandbox.ads.people import LATENCY_S
from relay.sandbox.ads.plan import WorldPlan
from relay.sandbox.ads.shop import Handed, Shop
from relay.sandbox.ads.zone import DAY_S, date_of

__all__ = ["Day", "Handed", "Season"]


class Day(NamedTuple):
    """A day of the account's zone, from `start` until before `end`; orders as they are sent."""

    date: date
    start: float
    end: float
    orders: Sequence[Handed]


class Season:
    """The days of one account of a world."""

    def __init__(self, world: LivingWorld, advertiser_id: str | None = None) -> None:
        self.world = world
        self.market = world.markets[advertiser_id or next(iter(world.markets))]
        self._shop = Shop(self.market.plan)
        self._local = self.market.local
        self._next_day = self.market.first_day
        # Whoever lands today may buy as late as that.
        self._ahead = 1 + (int(LATENCY_S[1] // DAY_S) + 1 if self.market.plan.landings else 0)
        self._handed: dict[int, list[Handed]] = {}

    @classmethod
    def of(cls, plan: WorldPlan) -> Self:
        return cls(LivingWorld(plan))

    def days(self, count: int) -> Iterator[Day]:
        """From the world's first day on."""
        first = self.market.first_day
        for day in range(first, first + count):
            start, end = self._local.starts(day), self._local.starts(day + 1)
            yield Day(date_of(day), start, end, self.between(start, end))

    def between(self, start: float, end: float) -> list[Handed]:
        """What the shop sends from `start` until before `end`, in this order."""
        first, last = self._local.day(start), self._local.day(end)
        # Whose day begins at midnight looked around before it.
        while self._next_day <= last + self._ahead:
            self._live(self._next_day)
            self._next_day += 1
        found = [
            handed
            for day in range(first, last + 1)
            for handed in self._handed.get(day, ())
            if start <= handed.at < end
        ]
        return sorted(found, key=lambda handed: handed.at)

    def _live(self, day: int) -> None:
        start, end = self._local.starts(day), self._local.starts(day + 1)
        here = self._handed.setdefault(day, [])
        there = (
            handed for person in self.market.people(day) for handed in self._shop.hands(person)
        )
        for handed in chain(there, self._shop.tests(start)):
            if start <= handed.at < end:
                here.append(handed)
            else:
                self._handed.setdefault(self._local.day(handed.at), []).append(handed)
