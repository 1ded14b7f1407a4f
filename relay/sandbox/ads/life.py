"""The ad account that hangs together: people click, spend flows, some buy, TikTok attributes.

Everything follows from `WorldPlan`; there is no clock and no chance beside it. Browsers report by
themselves; what the relay sends comes in by `receive`, and without it TikTok counts nothing from
the server.

    plan          what a world is made of, and what is odd about it
    founding      the account as it stands on the first day
    placing       which ads deliver when                delivery    impressions, clicks, spend
    people,       who met an ad, looked, bought         browser     what their browsers report
    person
    arrivals      an event as it arrives; repeats       attribution whose merit it is
    book          what is counted, when it is seen      market      one account, hour by hour
    figures       the metrics of a row                  report      rows of levels and spans
    season, shop  what the shop hands to the relay      scenarios   one fault each, and its like
    big           an account of any size, for measuring zone, curves, money, chance
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from relay.sandbox.ads.arrivals import Channel, from_wire
from relay.sandbox.ads.book import ATTRIBUTED, Book
from relay.sandbox.ads.founding import business_center
from relay.sandbox.ads.market import Market
from relay.sandbox.ads.model import Advertiser, BusinessCenter, EventStatistic, Row
from relay.sandbox.ads.plan import WorldPlan
from relay.sandbox.ads.report import Report
from relay.sandbox.ads.zone import day_number

_WEB: Final = "web"


class LivingWorld:
    """An `AdWorld` of one account, or of several that do not know each other."""

    def __init__(self, plan: WorldPlan, *others: WorldPlan) -> None:
        self.markets = {each.advertiser_id: Market(each) for each in (plan, *others)}
        self._reports = {key: Report(market) for key, market in self.markets.items()}
        self._centers = {center.bc_id: center for center in map(business_center, (plan, *others))}

    @property
    def advertisers(self) -> Mapping[str, Advertiser]:
        return {key: market.account for key, market in self.markets.items()}

    @property
    def business_centers(self) -> Mapping[str, BusinessCenter]:
        return self._centers

    def receive(
        self,
        event_source: str,
        event_source_id: str,
        events: Sequence[Mapping[str, Any]],
        now: float,
    ) -> None:
        """Only web events enter: offline, app and CRM events have no pixel."""
        if event_source != _WEB:
            return
        for market in self._with_pixel("pixel_code", event_source_id):
            for event in events:
                market.receive(from_wire(event_source_id, event), now)

    def rows(
        self, advertiser_id: str, level: str, start: date, end: date, *, by: str | None, now: float
    ) -> Iterator[Row]:
        return self._reports[advertiser_id].rows(level, start, end, by=by, now=now)

    def statistics(
        self, pixel_id: str, start: date, end: date, now: float
    ) -> Sequence[EventStatistic]:
        """Repeats are not in it; what the browser and the server both report is in both."""
        days = range(day_number(start), day_number(end) + 1)
        sums: dict[tuple[str, bool], Counter[str]] = {}
        for market in self._with_pixel("pixel_id", pixel_id):
            code = market.account.pixels[pixel_id].pixel_code
            _add_days(sums, market.seen(now), code, days)
        return [
            EventStatistic(
                event,
                is_custom,
                counts[Channel.BROWSER] + counts[Channel.SERVER],
                counts[Channel.BROWSER],
                counts[Channel.SERVER],
                counts[ATTRIBUTED],
            )
            for (event, is_custom), counts in sorted(sums.items())
        ]

    def _with_pixel(self, name: str, value: str) -> Iterator[Market]:
        for market in self.markets.values():
            if any(getattr(each, name) == value for each in market.account.pixels.values()):
                yield market


def _add_days(
    sums: dict[tuple[str, bool], Counter[str]], book: Book, pixel_code: str, days: range
) -> None:
    for day in days:
        if (pixel_code, day) in book.events:
            for event, counts in book.events[pixel_code, day].items():
                sums.setdefault(event, Counter()).update(counts)
