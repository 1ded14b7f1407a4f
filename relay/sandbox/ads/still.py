"""A small ad account that stands still: what the stand-in plays where no other world was asked for.

Its days are alike but for a checksum's noise, whatever anyone does; only the server's part of the
pixel's statistics moves, with the events that come. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zlib import crc32
from zoneinfo import ZoneInfo

from relay.event_names import EVENT_NAMES
from relay.sandbox.ads.model import (
    Ad,
    AdGroup,
    Advertiser,
    BusinessCenter,
    Campaign,
    EventStatistic,
    OfflineSet,
    Pixel,
    PixelEvent,
    Row,
)

_DAY: Final = timedelta(days=1)
_HOURS: Final = 24
_MOST_COUNTED: Final = 100_000
_LEVELS: Final = {
    "AUCTION_ADVERTISER": "advertiser_id",
    "AUCTION_CAMPAIGN": "campaign_id",
    "AUCTION_ADGROUP": "adgroup_id",
    "AUCTION_AD": "ad_id",
}
_CODES: Final = {
    name: each.optimization_event
    for each in EVENT_NAMES
    for name in (each.event, each.legacy)
    if name
}


def small_account(now: float, advertiser_id: str = "7106541027904733185") -> Advertiser:
    """One account with two campaigns, four groups, eight ads and a pixel, two months old."""
    born = now - 60 * 86_400
    account = Advertiser(
        advertiser_id, "Nordlicht DE", create_time=born, owner_bc_id="7212000000000000010"
    )
    pixel = Pixel(
        advertiser_id,
        "7291000000000000077",
        "C0PIXELCODE0EXAMPLE0",
        "Shop DE",
        create_time=born,
        owner_bc_id="7212000000000000010",
        linked_advertisers={advertiser_id},
        events=[
            PixelEvent("7291000000000000101", "SHOPPING", "Purchase", "SHOPPING"),
            PixelEvent("7291000000000000102", "ON_WEB_CART", "Add to Cart", "ON_WEB_CART"),
            PixelEvent("7291000000000000103", "PAGE_VIEW", "Page View"),
        ],
    )
    account.pixels[pixel.pixel_id] = pixel
    account.offline_sets["7300000000000000009"] = OfflineSet(
        advertiser_id, "7300000000000000009", "Store POS", create_time=born, update_time=born
    )
    for number in range(2):
        _campaign(account, 1_790_018_437_245_954 + number * 1_000_000, number, born)
    return account


def _campaign(account: Advertiser, at: int, number: int, born: float) -> None:
    owner, campaign_id, pixel_id = account.advertiser_id, str(at), next(iter(account.pixels))
    account.campaigns[campaign_id] = Campaign(
        owner, campaign_id, f"Sales {number + 1}", create_time=born, modify_time=born
    )
    for group in range(2):
        adgroup = AdGroup(
            owner,
            campaign_id,
            str(at + 1_000 * (group + 1)),
            f"Group {number + 1}.{group + 1}",
            pixel_id,
            schedule_start_time=born,
            schedule_end_time=born + 3_650 * 86_400,
            create_time=born,
            modify_time=born,
        )
        account.adgroups[adgroup.adgroup_id] = adgroup
        for place in range(2):
            ad = _ad(adgroup, place, born)
            account.ads[ad.ad_id] = ad


def _ad(adgroup: AdGroup, place: int, born: float) -> Ad:
    ad_id = str(int(adgroup.adgroup_id) + place + 1)
    return Ad(
        adgroup.advertiser_id,
        adgroup.campaign_id,
        adgroup.adgroup_id,
        ad_id,
        f"Ad {ad_id[-4:]}",
        "https://shop.example/p/42",
        tracking_pixel_id=adgroup.pixel_id,
        create_time=born,
        modify_time=born,
    )


class StillWorld:
    """An `AdWorld` that stands still."""

    def __init__(self, now: float, *accounts: Advertiser) -> None:
        mine = accounts or (small_account(now),)
        self.advertisers: Mapping[str, Advertiser] = {each.advertiser_id: each for each in mine}
        centers = {each.owner_bc_id for each in mine if each.owner_bc_id}
        self.business_centers: Mapping[str, BusinessCenter] = {
            bc_id: BusinessCenter(bc_id, "Nordlicht BC", "Nordlicht GmbH") for bc_id in centers
        }
        self._codes = {p.pixel_code: p.pixel_id for each in mine for p in each.pixels.values()}
        self._counted: Counter[tuple[str, str, date]] = Counter()

    def receive(
        self,
        event_source: str,
        event_source_id: str,
        events: Sequence[Mapping[str, Any]],
        now: float,
    ) -> None:
        """Count what came for a pixel of ours, on the day it came."""
        pixel_id = self._codes.get(event_source_id)
        if event_source != "web" or pixel_id is None or len(self._counted) > _MOST_COUNTED:
            return
        day = datetime.fromtimestamp(now, UTC).date()
        for event in events:
            self._counted[pixel_id, str(event.get("event")), day] += 1

    def rows(
        self, advertiser_id: str, level: str, start: date, end: date, *, by: str | None, now: float
    ) -> Iterator[Row]:
        account = self.advertisers[advertiser_id]
        zone = ZoneInfo(account.timezone)
        first = max(start, datetime.fromtimestamp(account.create_time, zone).date())
        last = min(end, datetime.fromtimestamp(now, zone).date())
        for each, ads in _owners(account, _LEVELS[level]).items():
            yield from _rows_of(each, ads, first, last, by)

    def statistics(
        self, pixel_id: str, start: date, end: date, now: float
    ) -> Sequence[EventStatistic]:
        server: Counter[str] = Counter()
        for (pixel, name, day), number in self._counted.items():
            if pixel == pixel_id and start <= day <= end:
                server[_CODES.get(name, name)] += number
        days = (min(end, datetime.fromtimestamp(now, UTC).date()) - start).days + 1
        browser = {"SHOPPING": 8 * max(days, 0), "ON_WEB_CART": 60 * max(days, 0)}
        return [
            EventStatistic(
                name, name not in _CODES.values(), server[name] + browser.get(name, 0),
                browser.get(name, 0), server[name], browser.get(name, 0) // 4,
            )
            for name in sorted(server.keys() | browser.keys())
            if server[name] or browser.get(name)
        ]  # fmt: skip


def _owners(account: Advertiser, field: str) -> dict[str, list[str]]:
    """The ads of each object of a level."""
    owners: dict[str, list[str]] = {}
    for ad in account.ads.values():
        owners.setdefault(getattr(ad, field), []).append(ad.ad_id)
    return owners


def _rows_of(
    owner: str, ads: Sequence[str], start: date, end: date, by: str | None
) -> Iterator[Row]:
    days = [start + n * _DAY for n in range((end - start).days + 1)]
    if by is None and days:
        yield Row(owner, "", _sum(_day(ad, day) for ad in ads for day in days))
    if by == "stat_time_day":
        for day in days:
            yield Row(owner, f"{day} 00:00:00", _sum(_day(ad, day) for ad in ads))
    if by == "stat_time_hour":
        for day in days:
            whole = _sum(_day(ad, day) for ad in ads)
            for hour in range(_HOURS):
                yield Row(owner, f"{day} {hour:02}:00:00", _hour(whole, hour))


def _day(ad_id: str, day: date) -> tuple[int, int, int, int]:
    """Impressions, clicks, purchases and cents spent."""
    noise = crc32(f"{ad_id}{day}".encode())
    clicks = 40 + noise % 40
    return clicks * 45 + noise % 97, clicks, 1 + noise % 3, clicks * 55 + noise % 50


def _sum(days: Iterator[tuple[int, int, int, int]]) -> Mapping[str, Decimal | int]:
    impressions, clicks, bought, cents = (sum(each) for each in zip(*days, strict=True))
    return _metrics(impressions, clicks, bought, cents)


def _hour(whole: Mapping[str, Decimal | int], hour: int) -> Mapping[str, Decimal | int]:
    """A share of a day, so that the hours add up to it."""

    def share(number: int) -> int:
        return number * (hour + 1) // _HOURS - number * hour // _HOURS

    return _metrics(
        share(int(whole["impressions"])),
        share(int(whole["clicks"])),
        share(int(whole["conversion"])),
        share(int(whole["spend"] * 100)),
    )


def _metrics(impressions: int, clicks: int, bought: int, cents: int) -> Mapping[str, Decimal | int]:
    seen = bought // 4
    return {
        "spend": Decimal(cents) / 100,
        "impressions": impressions,
        "clicks": clicks,
        "conversion": bought,
        "real_time_conversion": bought,
        "cta_conversion": bought - seen,
        "vta_conversion": seen,
        "engaged_view_through_conversions": 0,
        "complete_payment": bought,
        "total_complete_payment_rate": Decimal(bought * 6_590) / 100,
        "web_event_add_to_cart": bought * 7,
        "total_landing_page_view": clicks * 8 // 10,
        "reach": impressions * 8 // 10,
    }
