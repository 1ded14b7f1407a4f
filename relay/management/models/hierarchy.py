"""Campaigns, ad groups, ads: what is bought, how it is attributed, where it leads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from relay.management.fields import Record

#: The words of attribution windows, in days.
WINDOW_DAYS: Final = {
    "OFF": 0,
    "ONE_DAY": 1,
    "SEVEN_DAYS": 7,
    "FOURTEEN_DAYS": 14,
    "TWENTY_EIGHT_DAYS": 28,
    "THIRTY_DAYS": 30,
    "THIRTY_TWO_DAYS": 32,
}


def window_days(word: str | None) -> int | None:
    """An attribution window in days; None for no word and for one that is not known."""
    return WINDOW_DAYS.get(word) if word is not None else None


@dataclass(frozen=True, slots=True)
class Campaign:
    """`campaign_automation_type` is MANUAL, SMART_PLUS or UPGRADED_SMART_PLUS."""

    campaign_id: str
    campaign_name: str
    advertiser_id: str | None
    objective_type: str
    virtual_objective_type: str | None
    sales_destination: str | None
    campaign_type: str | None
    campaign_automation_type: str | None
    is_smart_performance_campaign: bool
    budget_mode: str | None
    budget: Decimal | None
    budget_optimize_on: bool
    bid_type: str | None
    deep_bid_type: str | None
    roas_bid: Decimal | None
    optimization_goal: str | None
    disable_skan_campaign: bool | None
    operation_status: str
    secondary_status: str | None
    create_time: datetime | None
    modify_time: datetime | None


def read_campaign(record: Record) -> Campaign:
    return Campaign(
        campaign_id=record.id("campaign_id"),
        campaign_name=record.text("campaign_name"),
        advertiser_id=record.id_or_none("advertiser_id"),
        objective_type=record.text("objective_type"),
        virtual_objective_type=record.text_or_none("virtual_objective_type"),
        sales_destination=record.text_or_none("sales_destination"),
        campaign_type=record.text_or_none("campaign_type"),
        campaign_automation_type=record.text_or_none("campaign_automation_type"),
        is_smart_performance_campaign=record.flag("is_smart_performance_campaign") or False,
        budget_mode=record.text_or_none("budget_mode"),
        budget=record.money("budget"),
        # Returned only when it is on.
        budget_optimize_on=record.flag("budget_optimize_on") or False,
        bid_type=record.text_or_none("bid_type"),
        deep_bid_type=record.text_or_none("deep_bid_type"),
        roas_bid=record.money("roas_bid"),
        optimization_goal=record.text_or_none("optimization_goal"),
        disable_skan_campaign=record.flag("disable_skan_campaign"),
        operation_status=record.text("operation_status"),
        secondary_status=record.text_or_none("secondary_status"),
        create_time=record.moment("create_time"),
        modify_time=record.moment("modify_time"),
    )


@dataclass(frozen=True, slots=True)
class AdGroup:
    """What TikTok attributes by. `pixel_id` is the numeric id, never the pixel code that the Events
    API calls `event_source_id`. With a campaign budget, `budget` is 0."""

    adgroup_id: str
    adgroup_name: str
    campaign_id: str
    advertiser_id: str | None
    promotion_type: str | None
    pixel_id: str | None
    optimization_goal: str | None
    optimization_event: str | None
    secondary_optimization_event: str | None
    deep_funnel_optimization_status: str | None
    deep_funnel_event_source: str | None
    deep_funnel_event_source_id: str | None
    deep_funnel_optimization_event: str | None
    custom_conversion_id: str | None
    click_attribution_window: str | None
    engaged_view_attribution_window: str | None
    view_attribution_window: str | None
    attribution_event_count: str | None
    budget_mode: str | None
    budget: Decimal | None
    scheduled_budget: Decimal | None
    schedule_type: str | None
    schedule_start_time: datetime | None
    schedule_end_time: datetime | None
    dayparting: str | None
    billing_event: str | None
    bid_type: str | None
    bid_price: Decimal | None
    conversion_bid_price: Decimal | None
    deep_cpa_bid: Decimal | None
    deep_bid_type: str | None
    roas_bid: Decimal | None
    pacing: str | None
    statistic_type: str | None
    skip_learning_phase: bool | None
    operation_status: str
    secondary_status: str | None
    create_time: datetime | None
    modify_time: datetime | None

    @property
    def click_window_days(self) -> int | None:
        return window_days(self.click_attribution_window)

    @property
    def engaged_view_window_days(self) -> int | None:
        return window_days(self.engaged_view_attribution_window)

    @property
    def view_window_days(self) -> int | None:
        return window_days(self.view_attribution_window)


def read_adgroup(record: Record) -> AdGroup:
    text, money, moment = record.text_or_none, record.money, record.moment
    return AdGroup(
        adgroup_id=record.id("adgroup_id"),
        adgroup_name=record.text("adgroup_name"),
        campaign_id=record.id("campaign_id"),
        advertiser_id=record.id_or_none("advertiser_id"),
        promotion_type=text("promotion_type"),
        pixel_id=record.id_or_none("pixel_id"),
        optimization_goal=text("optimization_goal"),
        optimization_event=text("optimization_event"),
        secondary_optimization_event=text("secondary_optimization_event"),
        deep_funnel_optimization_status=text("deep_funnel_optimization_status"),
        deep_funnel_event_source=text("deep_funnel_event_source"),
        deep_funnel_event_source_id=record.id_or_none("deep_funnel_event_source_id"),
        deep_funnel_optimization_event=text("deep_funnel_optimization_event"),
        custom_conversion_id=record.id_or_none("custom_conversion_id"),
        click_attribution_window=text("click_attribution_window"),
        engaged_view_attribution_window=text("engaged_view_attribution_window"),
        view_attribution_window=text("view_attribution_window"),
        attribution_event_count=text("attribution_event_count"),
        budget_mode=text("budget_mode"),
        budget=money("budget"),
        scheduled_budget=money("scheduled_budget"),
        schedule_type=text("schedule_type"),
        schedule_start_time=moment("schedule_start_time"),
        schedule_end_time=moment("schedule_end_time"),
        dayparting=text("dayparting"),
        billing_event=text("billing_event"),
        bid_type=text("bid_type"),
        bid_price=money("bid_price"),
        conversion_bid_price=money("conversion_bid_price"),
        deep_cpa_bid=money("deep_cpa_bid"),
        deep_bid_type=text("deep_bid_type"),
        roas_bid=money("roas_bid"),
        pacing=text("pacing"),
        statistic_type=text("statistic_type"),
        skip_learning_phase=record.flag("skip_learning_phase"),
        operation_status=record.text("operation_status"),
        secondary_status=text("secondary_status"),
        create_time=moment("create_time"),
        modify_time=moment("modify_time"),
    )


@dataclass(frozen=True, slots=True)
class Ad:
    """An ad. Smart+ ads may have no `modify_time`. Of an upgraded Smart+ campaign this is a
    creative where it comes from `/ad/get/`, and the ad itself where it comes from
    `/smart_plus/ad/get/`."""

    ad_id: str
    ad_name: str
    adgroup_id: str
    campaign_id: str
    operation_status: str
    secondary_status: str | None
    landing_page_url: str | None
    utm_params: tuple[tuple[str, str], ...]
    deeplink: str | None
    page_id: str | None
    tracking_pixel_id: str | None
    tracking_app_id: str | None
    tracking_offline_event_set_ids: tuple[str, ...]
    create_time: datetime | None
    modify_time: datetime | None


def read_ad(record: Record) -> Ad:
    return _ad(record, record.id("ad_id"))


def read_smart_plus_ad(record: Record) -> Ad:
    """`/smart_plus/ad/get/` calls the id `smart_plus_ad_id`, which reports call `ad_id_v2`."""
    return _ad(record, record.id_or_none("smart_plus_ad_id") or record.id("ad_id"))


def _ad(record: Record, ad_id: str) -> Ad:
    text = record.text_or_none
    return Ad(
        ad_id=ad_id,
        ad_name=record.text("ad_name"),
        adgroup_id=record.id("adgroup_id"),
        campaign_id=record.id("campaign_id"),
        operation_status=record.text("operation_status"),
        secondary_status=text("secondary_status"),
        landing_page_url=text("landing_page_url"),
        utm_params=tuple(
            (each.text("key"), each.text("value")) for each in record.records("utm_params")
        ),
        deeplink=text("deeplink"),
        page_id=record.id_or_none("page_id"),
        tracking_pixel_id=record.id_or_none("tracking_pixel_id"),
        tracking_app_id=record.id_or_none("tracking_app_id"),
        tracking_offline_event_set_ids=record.ids("tracking_offline_event_set_ids"),
        create_time=record.moment("create_time"),
        modify_time=record.moment("modify_time"),
    )
