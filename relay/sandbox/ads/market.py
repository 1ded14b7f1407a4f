"""One ad account at work: its ads, the people who meet them, and what TikTok counts of both.

Time is told, never asked: whatever is asked at `now`, the world has lived until then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from operator import itemgetter

from relay.sandbox.ads import chance
from relay.sandbox.ads.arrivals import Arrived, Channel, Merger
from relay.sandbox.ads.attribution import Attribution, Credit
from relay.sandbox.ads.book import Book, Entry
from relay.sandbox.ads.browser import Browser
from relay.sandbox.ads.delivery import Delivery
from relay.sandbox.ads.founding import advertiser
from relay.sandbox.ads.people import LEAD_S, People
from relay.sandbox.ads.person import Person
from relay.sandbox.ads.placing import Placing
from relay.sandbox.ads.plan import WorldPlan
from relay.sandbox.ads.zone import DAY_S, LocalTime


class Market:
    def __init__(self, plan: WorldPlan) -> None:
        self.local = LocalTime(plan.timezone)
        self.first_day = self.local.day(plan.started_at)
        plan = replace(plan, started_at=self.local.starts(self.first_day))
        self.plan = plan
        self.account = advertiser(plan)
        self.reported = LocalTime(plan.quirks.reports_zone or plan.timezone)
        self.pixel_code = next(iter(self.account.pixels.values())).pixel_code
        self.placing = Placing(plan, self.account)
        self.delivery = Delivery(plan, self.placing, self.reported)
        self.book = Book(plan, self.reported)
        self._people = People(plan, self.placing, self.local)
        self._days: dict[int, list[Person]] = {}
        self._attribution = Attribution(plan, self.account, self.placing)
        self._browser = Browser(plan, self.pixel_code)
        self._merger = Merger()
        self._uncounted = chance.Meter(plan.quirks.uncounted_share)
        self._foreign = chance.Meter(plan.quirks.foreign_share)
        self._next_day = self.first_day
        self._begins_at = plan.started_at - LEAD_S
        #: What browsers have sent, the next to arrive last.
        self._on_the_way: list[tuple[float, Arrived]] = []

    def people(self, day: int) -> list[Person]:
        """Whoever's day in the shop is this one, of the account's zone."""
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = self._people.of_day(day)
        return found

    def live_until(self, now: float) -> None:
        """Let everything happen that browsers report up to now."""
        while self._begins_at <= now:
            self._begin_day(self._next_day)
            self._next_day += 1
            self._begins_at = self.local.starts(self._next_day) - LEAD_S
        while self._on_the_way and self._on_the_way[-1][0] <= now:
            at, arrived = self._on_the_way.pop()
            self._take(arrived, at)

    def receive(self, arrived: Arrived, now: float) -> None:
        """Take an event that the relay sent."""
        self.live_until(now)
        if not self._uncounted.picks((arrived.event, arrived.event_time // DAY_S)):
            self._take(arrived, now)

    def seen(self, now: float) -> Book:
        """What is counted and shown at this moment."""
        self.live_until(now)
        self.book.turn_to(now)
        return self.book

    def _begin_day(self, day: int) -> None:
        people = self.people(day)
        self._attribution.meet(people)
        for person in people:
            for at, arrived in self._browser.reports(person):
                self._on_the_way.append((at, arrived))
                self._on_the_way += ((at + 60, foreign) for foreign in self._of_others(arrived))
        self._on_the_way.sort(key=itemgetter(0), reverse=True)

    def _of_others(self, arrived: Arrived) -> Iterator[Arrived]:
        """What another integration makes of it: the same, server-side, under its own id."""
        if arrived.event == "SHOPPING" and self._foreign.picks(arrived.event_time // DAY_S):
            yield arrived._replace(event_id=f"plugin-{arrived.event_id}", channel=Channel.SERVER)

    def _take(self, arrived: Arrived, at: float) -> None:
        meeting = self._merger.meet(arrived, at)
        credit: Credit | None = None
        if meeting.is_new or (meeting.adds and not meeting.first.is_credited):
            credit = self._attribution.credit(arrived)
            meeting.first.is_credited = credit is not None
        if meeting.counts or credit is not None:
            self.book.write(
                Entry(
                    at + self.plan.reporting_latency_s,
                    arrived.pixel_code,
                    arrived.event,
                    arrived.is_custom,
                    arrived.event_time,
                    arrived.channel if meeting.counts else None,
                    credit,
                )
            )
