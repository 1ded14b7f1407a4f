"""An ad account of any size, for measuring: nobody lives in it, every row follows from a hash.

What an ad group does on a day is drawn; its ads that deliver then share it, so that levels agree.
In each ad group a few ads deliver at a time, and others take over every two weeks. Objects are made
when they are asked for, and rows one after the other: a year of ads is never held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import reduce
from itertools import groupby
from operator import add, sub
from struct import Struct
from typing import Any, Final, NamedTuple
from zlib import crc32

from relay.sandbox.ads.big_founding import big_advertiser
from relay.sandbox.ads.figures import OF_BILLING, Figures
from relay.sandbox.ads.founding import business_center
from relay.sandbox.ads.model import Advertiser, BusinessCenter, EventStatistic, Row
from relay.sandbox.ads.plan import STARTED_AT, WorldPlan
from relay.sandbox.ads.zone import DAY_S, LocalTime, day_number, day_text, hour_text

_TURN_DAYS: Final = 14
_HOURS: Final = 24
_NUMBERS: Final = Struct("<4q").pack
_PRICE: Final = 6200
#: What an ad group does on a day: the least, and how much it varies.
_SPEND: Final = (8_000, 6_000)
_CLICKS: Final = (90, 80)
_BOUGHT: Final = (6, 9)

_BOUGHT_COUNTS: Final = (
    "conversion", "real_time_conversion", "result", "real_time_result", "complete_payment",
)  # fmt: skip


class Did(NamedTuple):
    """What something did: money in minor units; `lost` are clicks that did not arrive, `viewed`
    those of `bought` that follow a view."""

    spend: int
    clicks: int
    lost: int
    bought: int
    viewed: int


_NOTHING: Final = Did(0, 0, 0, 0, 0)


def big_account(ads: int = 50_000, adgroups: int = 2_000, days: int = 90) -> BigAccount:
    """An account that delivered for `days` until the end of `BigAccount.last_day`.

    Raises `ValueError` unless every ad group gets as many ads as another, two at least.
    """
    return BigAccount(WorldPlan(name="Nordlicht Group"), ads, adgroups, days)


class BigAccount:
    """An `AdWorld` of one account. What is received is forgotten."""

    def __init__(self, plan: WorldPlan, ads: int, adgroups: int, days: int) -> None:
        if adgroups < 1 or ads % adgroups or ads < 2 * adgroups:
            raise ValueError("ads: give a multiple of adgroups, two for each at least")
        self._plan = plan
        self._local = LocalTime(plan.timezone)
        self._per_group = ads // adgroups
        self._first = self._local.day(STARTED_AT)
        self._days = days
        self._center = business_center(plan)
        self._account = big_advertiser(plan, adgroups, ads // adgroups)
        self._group_ids = list(self._account.adgroups)
        self._campaign_ids = [each.campaign_id for each in self._account.adgroups.values()]
        self._ad_ids = list(self._account.ads)

    @property
    def first_day(self) -> date:
        return date.fromordinal(date(1970, 1, 1).toordinal() + self._first)

    @property
    def last_day(self) -> date:
        return date.fromordinal(self.first_day.toordinal() + self._days - 1)

    @property
    def now(self) -> float:
        """A moment at which all days are final."""
        return self._local.starts(self._first + self._days) + 3 * DAY_S

    @property
    def advertisers(self) -> Mapping[str, Advertiser]:
        return {self._account.advertiser_id: self._account}

    @property
    def business_centers(self) -> Mapping[str, BusinessCenter]:
        return {self._center.bc_id: self._center}

    def receive(
        self,
        event_source: str,
        event_source_id: str,
        events: Sequence[Mapping[str, Any]],
        now: float,
    ) -> None:
        """Nothing comes of it."""

    def rows(
        self, advertiser_id: str, level: str, start: date, end: date, *, by: str | None, now: float
    ) -> Iterator[Row]:
        """See `AdWorld.rows`; the day that goes on at `now` is whole. Raises `KeyError` for a level
        or an account that is none."""
        self.advertisers[advertiser_id]
        spans = self._spans(start, end, now)
        owners = self._owners(level)
        if by == "stat_time_hour":
            yield from self._hourly(owners, spans)
            return
        for days in [range(day, day + 1) for day in spans] if by else [spans]:
            at = day_text(days.start) if by else ""
            for key, did in self._sums(owners, days):
                yield Row(key, at, _figures(did))

    def statistics(
        self, pixel_id: str, start: date, end: date, now: float
    ) -> Sequence[EventStatistic]:
        """As if each day of UTC were one of the account's, with as many organic buyers again."""
        if pixel_id not in self._account.pixels:
            return []
        days = self._spans(start, end, now)
        bought = sum(did.bought for _, did in self._sums(self._owners("AUCTION_ADVERTISER"), days))
        return [EventStatistic("SHOPPING", False, 4 * bought, 2 * bought, 2 * bought, bought)]

    def _spans(self, start: date, end: date, now: float) -> range:
        """The days of a request on which anything was delivered."""
        last = min(day_number(end), self._first + self._days - 1, self._local.day(now))
        return range(max(day_number(start), self._first), last + 1)

    def _owners(self, level: str) -> Sequence[str] | None:
        """Whose each ad group's doings are, at a level; None: its ads'."""
        return {
            "AUCTION_ADVERTISER": [self._account.advertiser_id] * len(self._group_ids),
            "AUCTION_CAMPAIGN": self._campaign_ids,
            "AUCTION_ADGROUP": self._group_ids,
            "AUCTION_AD": None,
        }[level]

    def _sums(self, owners: Sequence[str] | None, days: range) -> Iterator[tuple[str, Did]]:
        """What each object did in these days. Ad groups of one owner are neighbours."""
        if not days:
            return
        if owners is None:
            for group in range(len(self._group_ids)):
                yield from self._ads_of(group, days)
            return
        for owner, groups in groupby(range(len(owners)), key=lambda group: owners[group]):
            did = (self._group_day(group, day) for group in groups for day in days)
            yield owner, reduce(_plus, did)

    def _ads_of(self, group: int, days: range) -> Iterator[tuple[str, Did]]:
        sums: dict[int, Did] = {}
        for day in days:
            whole = self._group_day(group, day)
            less = Did(*(number // 3 for number in whole))
            more = Did(*map(sub, whole, less))
            for place, did in zip(self._delivering(group, day), (more, less), strict=True):
                sums[place] = _plus(sums.get(place, _NOTHING), did)
        for place, did in sums.items():
            yield self._ad_ids[group * self._per_group + place], did

    def _delivering(self, group: int, day: int) -> tuple[int, int]:
        """The places of the two ads whose turn it is."""
        turn = 2 * ((day + group) // _TURN_DAYS)
        return turn % self._per_group, (turn + 1) % self._per_group

    def _hourly(self, owners: Sequence[str] | None, days: range) -> Iterator[Row]:
        for day in days:
            for key, did in self._sums(owners, range(day, day + 1)):
                for hour in range(_HOURS):
                    in_hour = Did(*(n * (hour + 1) // _HOURS - n * hour // _HOURS for n in did))
                    if any(in_hour):
                        yield Row(key, hour_text(_HOURS * day + hour), _figures(in_hour))

    def _group_day(self, group: int, day: int) -> Did:
        drawn = crc32(_NUMBERS(group, day, self._plan.seed, group * day))
        clicks = _CLICKS[0] + (drawn >> 8) % _CLICKS[1]
        bought = _BOUGHT[0] + (drawn >> 16) % _BOUGHT[1]
        return Did(_SPEND[0] + drawn % _SPEND[1], clicks, clicks // 8, bought, bought // 6)


def _counts(did: Did) -> Mapping[str, int]:
    spend, clicks, lost, bought, viewed = did
    return {
        "spend": spend,
        "impressions": clicks * 64,
        "clicks": clicks,
        "total_landing_page_view": clicks - lost,
        **dict.fromkeys(_BOUGHT_COUNTS, bought),
        "cta_conversion": bought - viewed,
        "vta_conversion": viewed,
        "vta_complete_payment": viewed,
        "total_complete_payment_rate": bought * _PRICE,
    }


def _plus(one: Did, other: Did) -> Did:
    return Did(*map(add, one, other))


def _figures(did: Did) -> Figures:
    return Figures(_counts(did), 2, hidden=OF_BILLING)
