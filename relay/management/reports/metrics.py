"""The metrics of basic reports: what kind of number each is, and which levels have it.

Source: the list of metrics of the Go SDK bububa/tiktok-business (2026), which transcribes TikTok's
documentation, and TikTok's page "Metrics for each dimension" (1759239462689793). A metric that a
level does not have makes TikTok refuse the whole report, so it is refused here first. What is not
in the list can be asked for as `unlisted` metric.
"""

from __future__ import annotations

from difflib import get_close_matches
from enum import StrEnum
from typing import Final, NamedTuple

from relay.event_names import EVENT_NAMES


class Level(StrEnum):
    """What a row is about; the values are TikTok's `data_level`."""

    ACCOUNT = "AUCTION_ADVERTISER"
    CAMPAIGN = "AUCTION_CAMPAIGN"
    ADGROUP = "AUCTION_ADGROUP"
    AD = "AUCTION_AD"


class By(StrEnum):
    """What a row is of: a day, an hour, or the whole time."""

    DAY = "stat_time_day"
    HOUR = "stat_time_hour"
    NONE = "none"


class MetricKind(StrEnum):
    MONEY = "money"  # Decimal, in the account's currency; adds up
    COUNT = "count"  # int; adds up
    PEOPLE = "people"  # int; never adds up, for people come back
    RATIO = "ratio"  # Decimal that never adds up: a ratio, an average, a setting
    TEXT = "text"  # what the object is
    UNKNOWN = "unknown"  # a number or a text


class Metric(NamedTuple):
    """`only_by` are the spans that it can be had for; `at_once` ones no task can give."""

    name: str
    kind: MetricKind
    levels: tuple[Level, ...] = tuple(Level)
    only_by: tuple[By, ...] = tuple(By)
    at_once: bool = False


_FROM_CAMPAIGN: Final = (Level.CAMPAIGN, Level.ADGROUP, Level.AD)
_FROM_ADGROUP: Final = (Level.ADGROUP, Level.AD)
_WHOLE_DAYS: Final = (By.DAY,)
_NOT_HOURS: Final = (By.DAY, By.NONE)


def _made(
    kind: MetricKind,
    names: str,
    levels: tuple[Level, ...] = tuple(Level),
    only_by: tuple[By, ...] = tuple(By),
) -> list[Metric]:
    return [Metric(name, kind, levels, only_by) for name in names.split()]


def _of_events() -> list[Metric]:
    """Count, value, cost, rate and average value of every web event."""
    found = []
    for each in EVENT_NAMES:
        found += _made(MetricKind.COUNT, each.count)
        if each.value is not None:
            found += _made(MetricKind.MONEY, each.value)
        if each.count.startswith("total_"):
            continue
        found += _made(MetricKind.RATIO, f"cost_per_{each.count} {each.count}_rate")
        if each.value is not None:
            found += _made(MetricKind.RATIO, f"value_per_{each.count}")
    return found


_TABLE: Final = (
    *_made(MetricKind.TEXT, "advertiser_name advertiser_id currency timezone"),
    *_made(
        MetricKind.TEXT,
        "campaign_name objective_type campaign_automation_type campaign_dedicate_type split_test",
        _FROM_CAMPAIGN,
    ),
    *_made(MetricKind.RATIO, "campaign_budget", _FROM_CAMPAIGN),
    *_made(
        MetricKind.TEXT,
        "campaign_id adgroup_name placement_type promotion_type smart_target billing_event"
        " bid_strategy adgroup_download_url",
        _FROM_ADGROUP,
    ),
    *_made(MetricKind.RATIO, "budget bid", _FROM_ADGROUP),
    *_made(MetricKind.TEXT, "adgroup_id ad_name ad_id ad_id_v2 ad_url image_mode", (Level.AD,)),
    *_made(MetricKind.MONEY, "spend"),
    Metric("billed_cost", MetricKind.MONEY, at_once=True),
    *_made(MetricKind.MONEY, "cash_spend voucher_spend", (Level.ACCOUNT,), _WHOLE_DAYS),
    *_made(
        MetricKind.COUNT,
        "impressions gross_impressions clicks engagements conversion result real_time_conversion"
        " real_time_result secondary_goal_result cta_conversion vta_conversion"
        " engaged_view_through_conversions cta_registration vta_registration evta_registration"
        " cta_purchase vta_purchase evta_purchase cta_app_install vta_app_install evta_app_install"
        " vta_complete_payment evta_payments_completed custom_page_events"
        " website_total_find_location website_total_schedule website_total_customize_product",
    ),
    *_made(MetricKind.PEOPLE, "reach"),
    *_made(
        MetricKind.RATIO,
        "ctr cpc cpm frequency cost_per_1000_reached engagement_rate cost_per_conversion"
        " conversion_rate conversion_rate_v2 cost_per_result result_rate"
        " cost_per_secondary_goal_result secondary_goal_result_rate real_time_cost_per_conversion"
        " real_time_conversion_rate real_time_conversion_rate_v2 real_time_cost_per_result"
        " real_time_result_rate cost_per_cta_conversion cost_per_vta_conversion"
        " cost_per_engaged_view_through_conversion complete_payment_roas"
        " vta_complete_payment_roas cost_per_vta_payments_completed"
        " cost_per_evta_payments_completed cost_per_landing_page_view landing_page_view_rate"
        " cost_per_pageview pageview_rate avg_value_per_pageview",
    ),
    *_made(MetricKind.MONEY, "vta_complete_payment_value custom_page_events_value"),
    *_of_events(),
    # Apps: a web shop has 0 in all of these.
    *_made(
        MetricKind.COUNT,
        "app_install real_time_app_install registration total_registration purchase"
        " total_purchase sales_lead",
    ),
    *_made(
        MetricKind.MONEY,
        "total_purchase_value total_purchase_value_day0 total_purchase_value_day2"
        " total_purchase_value_day6 total_sales_lead_value",
    ),
    *_made(
        MetricKind.RATIO,
        "value_per_total_purchase total_active_pay_roas total_purchase_roas_day0"
        " total_purchase_roas_day2 total_purchase_roas_day6 real_time_app_install_cost",
    ),
    # On TikTok itself, and offline.
    *_made(
        MetricKind.COUNT,
        "onsite_shopping onsite_form onsite_total_purchase onsite_initiate_checkout_count"
        " onsite_on_web_cart onsite_on_web_detail offline_shopping_events offline_form_events"
        " offline_registration_events offline_total_crm_events offline_perferred_leads",
    ),
    *_made(
        MetricKind.MONEY,
        "total_onsite_shopping_value onsite_total_purchase_value offline_shopping_events_value"
        " offline_crm_event_value",
    ),
    *_made(
        MetricKind.RATIO,
        "onsite_shopping_roas offline_shopping_events_roas cost_per_offline_shopping_event",
    ),
    *_made(
        MetricKind.COUNT,
        "video_play_actions video_watched_2s video_watched_6s video_views_p25 video_views_p50"
        " video_views_p75 video_views_p100 engaged_view engaged_view_15s follows likes comments"
        " shares profile_visits",
    ),
    *_made(MetricKind.RATIO, "average_video_play average_video_play_per_user"),
    *_made(
        MetricKind.COUNT,
        "skan_conversion skan_result skan_app_install skan_app_install_withheld",
        only_by=_NOT_HOURS,
    ),
    *_made(
        MetricKind.RATIO,
        "skan_cost_per_conversion skan_conversion_rate_v2 skan_cost_per_result skan_result_rate",
        only_by=_NOT_HOURS,
    ),
)

METRICS: Final[dict[str, Metric]] = {metric.name: metric for metric in _TABLE}

#: Names that others ask for and that do not exist, with what is meant.
_MEANT: Final = {
    "cpa": "cost_per_conversion",
    "cpr": "cost_per_result",
    "conversions": "conversion",
    "viewable_impression": "impressions",
    "landing_page_views": "total_landing_page_view",
    "purchases": "complete_payment",
    "purchase_value": "total_complete_payment_rate",
    "total_complete_payment": "total_complete_payment_rate",
    "roas": "complete_payment_roas",
    "cost": "spend",
}


def mend_of(name: str) -> str:
    """What to do about a metric that is not in the list."""
    if name.startswith("conversion_") and name.endswith("_click"):
        return (
            "There is no metric for one attribution window: numbers always follow the ad group's."
        )
    meant = _MEANT.get(name) or next(iter(get_close_matches(name, METRICS, n=1)), None)
    if meant is not None:
        return f"Did you mean `{meant}`?"
    return "Leave it out, or give it as `unlisted` if TikTok has it by now."
