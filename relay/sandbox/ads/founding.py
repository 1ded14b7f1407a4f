"""An ad account as it stands on the first day: campaigns, ad groups, ads, pixels."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from relay.event_names import BY_OPTIMIZATION_EVENT
from relay.sandbox.ads import chance
from relay.sandbox.ads.model import (
    Ad,
    AdGroup,
    Advertiser,
    BusinessCenter,
    Campaign,
    CustomConversion,
    OfflineSet,
    Pixel,
    PixelEvent,
)
from relay.sandbox.ads.plan import WorldPlan
from relay.sandbox.ads.zone import DAY_S

#: So long before the first day everything was made.
_AGE_S: Final = 45 * DAY_S
#: On this day of the world the ad that did not do well is deleted.
_DELETED_ON: Final = 4
#: TikTok asks for at least so much a day of an ad group.
_LEAST_BUDGET: Final = Decimal(20)
_PURPOSES: Final = ("Prospecting", "Retargeting")
#: What is spent of a budget on a usual day.
USED_OF_BUDGET: Final = 0.92

EVENTS_OF_PIXEL: Final = (
    "SHOPPING", "INITIATE_ORDER", "ON_WEB_CART", "ON_WEB_DETAIL", "PAGE_VIEW",
)  # fmt: skip


def business_center(plan: WorldPlan) -> BusinessCenter:
    return BusinessCenter(
        bc_id=_id("72", plan, "bc"),
        name=f"{plan.name} BC",
        company=plan.name,
        currency=plan.currency,
        registered_area=plan.country,
        timezone=plan.display_timezone,
    )


def advertiser(plan: WorldPlan) -> Advertiser:
    """The account, with one ad in it that was deleted and still has its days in reports."""
    born_at = plan.started_at - _AGE_S
    account = Advertiser(
        advertiser_id=plan.advertiser_id,
        name=plan.name,
        currency=plan.currency,
        timezone=plan.timezone,
        display_timezone=plan.display_timezone,
        balance=round(Decimal(plan.spend_per_day * plan.balance_days), 2),
        create_time=born_at,
        owner_bc_id=_id("72", plan, "bc"),
    )
    for pixel in (a_pixel(plan, "Shop"), a_pixel(plan, "Old shop")):
        account.pixels[pixel.pixel_id] = pixel
    if plan.pixel_code is not None:
        next(iter(account.pixels.values())).pixel_code = plan.pixel_code
    shop_pixel = next(iter(account.pixels))
    for campaign in _campaigns(plan, born_at):
        account.campaigns[campaign.campaign_id] = campaign
        for group in _adgroups(plan, campaign, shop_pixel):
            account.adgroups[group.adgroup_id] = group
            account.ads |= {ad.ad_id: ad for ad in _ads(plan, group)}
    _delete(next(iter(account.ads.values())), plan)
    _complete(account, plan, shop_pixel)
    return account


def a_pixel(plan: WorldPlan, name: str) -> Pixel:
    return Pixel(
        advertiser_id=plan.advertiser_id,
        pixel_id=_id("729", plan, "pixel", name),
        pixel_code=f"C{chance.name(10, plan.seed, plan.advertiser_id, name).upper()[:19]}",
        pixel_name=name,
        create_time=plan.started_at - 2 * _AGE_S,
        owner_bc_id=_id("72", plan, "bc"),
        linked_advertisers={plan.advertiser_id},
        events=[_pixel_event(plan, code, name) for code in EVENTS_OF_PIXEL],
    )


def _pixel_event(plan: WorldPlan, code: str, pixel: str) -> PixelEvent:
    return PixelEvent(
        event_id=_id("729", plan, "event", pixel, code),
        event_type=code,
        name=BY_OPTIMIZATION_EVENT[code].event or code,
        optimization_event=None if code == "PAGE_VIEW" else code,
    )


def _campaigns(plan: WorldPlan, born_at: float) -> Iterator[Campaign]:
    for number in range(plan.campaigns):
        yield Campaign(
            advertiser_id=plan.advertiser_id,
            campaign_id=_id("179", plan, "campaign", number),
            campaign_name=f"{plan.country} {_PURPOSES[number % 2]} {number + 1}",
            create_time=born_at,
            modify_time=born_at,
        )


def _adgroups(plan: WorldPlan, campaign: Campaign, pixel_id: str) -> Iterator[AdGroup]:
    share = plan.spend_per_day / (plan.campaigns * plan.adgroups)
    budget = max(_LEAST_BUDGET, round(Decimal(share / USED_OF_BUDGET), 2))
    for number in range(plan.adgroups):
        yield AdGroup(
            advertiser_id=plan.advertiser_id,
            campaign_id=campaign.campaign_id,
            adgroup_id=_id("180", plan, "adgroup", campaign.campaign_id, number),
            adgroup_name=("Broad 25-44", "Lookalike 3 %", "Interest", "Visitors 30 d")[number % 4],
            pixel_id=pixel_id,
            optimization_event=plan.optimization_event,
            budget=budget,
            schedule_start_time=campaign.create_time,
            schedule_end_time=campaign.create_time + 3650 * DAY_S,
            create_time=campaign.create_time,
            modify_time=campaign.create_time,
        )


def _ads(plan: WorldPlan, group: AdGroup) -> Iterator[Ad]:
    for number in range(plan.ads + 1):
        yield Ad(
            advertiser_id=plan.advertiser_id,
            campaign_id=group.campaign_id,
            adgroup_id=group.adgroup_id,
            ad_id=_id("181", plan, "ad", group.adgroup_id, number),
            ad_name=f"UGC {number + 1}",
            landing_page_url=f"{plan.shop_url}/p/{number + 1}",
            utm_params=[
                {"key": "utm_source", "value": "tiktok"},
                {"key": "utm_campaign", "value": "__CAMPAIGN_ID__"},
                {"key": "utm_content", "value": "__CID__"},
            ],
            tracking_pixel_id=group.pixel_id,
            create_time=group.create_time,
            modify_time=group.create_time,
        )


def _delete(ad: Ad, plan: WorldPlan) -> None:
    ad.operation_status, ad.secondary_status = "DELETE", "AD_STATUS_DELETE"
    ad.modify_time = plan.started_at + _DELETED_ON * DAY_S


def _complete(account: Advertiser, plan: WorldPlan, pixel_id: str) -> None:
    asleep, offline = _id("740", plan, "custom"), _id("730", plan, "offline")
    account.custom_conversions[asleep] = CustomConversion(
        custom_conversion_id=asleep,
        name="High value order",
        event_source_id=pixel_id,
        rules=[{"parameter": "VALUE", "operator": "GTE", "values": ["150.00"]}],
        create_time=account.create_time,
        update_time=account.create_time,
    )
    account.offline_sets[offline] = OfflineSet(
        advertiser_id=account.advertiser_id,
        event_set_id=offline,
        name="Store POS",
        create_time=account.create_time,
        update_time=account.create_time,
    )


def _id(prefix: str, plan: WorldPlan, *what: object) -> str:
    """Nineteen digits, most of them above 2^53."""
    digits = chance.number(plan.seed, plan.advertiser_id, *what) % 10 ** (19 - len(prefix))
    return f"{prefix}{digits:0{19 - len(prefix)}}"
