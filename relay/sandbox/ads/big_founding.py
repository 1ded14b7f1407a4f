"""The hierarchy of an ad account of any size: all alike, numbered through."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from relay.sandbox.ads.founding import a_pixel, business_center
from relay.sandbox.ads.model import Ad, AdGroup, Advertiser, Campaign
from relay.sandbox.ads.plan import WorldPlan
from relay.sandbox.ads.zone import DAY_S

GROUPS_IN_CAMPAIGN: Final = 20
_AGE_S: Final = 30 * DAY_S
_BUDGET: Final = Decimal(150)


def big_advertiser(plan: WorldPlan, adgroups: int, ads: int) -> Advertiser:
    """So many ad groups, so many ads in each."""
    account = Advertiser(
        plan.advertiser_id,
        plan.name,
        plan.currency,
        plan.timezone,
        plan.display_timezone,
        balance=_BUDGET * adgroups * 30,
        create_time=plan.started_at - _AGE_S,
        owner_bc_id=business_center(plan).bc_id,
    )
    pixel = a_pixel(plan, "Shop")
    account.pixels[pixel.pixel_id] = pixel
    for number in range(adgroups):
        campaign = _campaign(account, number // GROUPS_IN_CAMPAIGN)
        account.campaigns[campaign.campaign_id] = campaign
        group = _adgroup(campaign, number, pixel.pixel_id)
        account.adgroups[group.adgroup_id] = group
        for place in range(number * ads, (number + 1) * ads):
            ad = _ad(group, place, plan.shop_url)
            account.ads[ad.ad_id] = ad
    return account


def _campaign(account: Advertiser, number: int) -> Campaign:
    key = f"1790{number:015}"
    if key in account.campaigns:
        return account.campaigns[key]
    at = account.create_time + 60 * number
    return Campaign(
        account.advertiser_id, key, f"Campaign {number + 1}", create_time=at, modify_time=at
    )


def _adgroup(campaign: Campaign, number: int, pixel_id: str) -> AdGroup:
    at = campaign.create_time + number % 60
    return AdGroup(
        campaign.advertiser_id,
        campaign.campaign_id,
        f"1800{number:015}",
        f"Ad group {number + 1}",
        pixel_id,
        budget=_BUDGET,
        schedule_start_time=at,
        schedule_end_time=at + 3650 * DAY_S,
        create_time=at,
        modify_time=at,
    )


def _ad(group: AdGroup, number: int, shop_url: str) -> Ad:
    return Ad(
        group.advertiser_id,
        group.campaign_id,
        group.adgroup_id,
        f"1810{number:015}",
        f"Ad {number + 1}",
        landing_page_url=f"{shop_url}/p/{number % 500}",
        tracking_pixel_id=group.pixel_id,
        create_time=group.create_time,
        modify_time=group.create_time,
    )
