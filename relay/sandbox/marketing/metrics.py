"""The metrics of a basic report: which there are, where they may be asked for, how they are made.

Names and levels: TikTok's list as the Go SDK bububa/tiktok-business transcribes it. What the ad
world counts stands in its rows; ratios are made here of what stands there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from relay.event_names import EVENT_NAMES
from relay.sandbox.marketing.forms import words

Number = Decimal | int

_CAMPAIGN, _ADGROUP, _AD = "AUCTION_CAMPAIGN", "AUCTION_ADGROUP", "AUCTION_AD"
LEVELS: Final = ("AUCTION_ADVERTISER", _CAMPAIGN, _ADGROUP, _AD)


def _at(levels: tuple[str, ...], names: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(names.split(), levels)


#: What an object is: only beside an id, and at these levels.
ATTRIBUTES: Final[Mapping[str, tuple[str, ...]]] = {
    **_at(LEVELS, "advertiser_name advertiser_id currency timezone"),
    **_at(
        LEVELS[1:],
        "campaign_name objective_type campaign_budget campaign_dedicate_type"
        " campaign_automation_type split_test",
    ),
    **_at(
        LEVELS[2:],
        "campaign_id adgroup_name placement_type promotion_type budget smart_target"
        " billing_event bid_strategy bid adgroup_download_url",
    ),
    **_at(LEVELS[3:], "adgroup_id ad_name ad_id ad_id_v2 ad_url image_mode"),
}


class Ratio(NamedTuple):
    """`scale` times one metric by another; no metric: 0."""

    over: str
    by: str
    scale: int = 1


_OVER_CLICKS: Final = (
    ("total_landing_page_view", "landing_page_view"),
    ("total_pageview", "pageview"),
)


def _ratios() -> dict[str, Ratio]:
    made = {
        "ctr": Ratio("clicks", "impressions", 100),
        "cpc": Ratio("spend", "clicks"),
        "cpm": Ratio("spend", "impressions", 1000),
        "engagement_rate": Ratio("engagements", "impressions", 100),
        "frequency": Ratio("impressions", "reach"),
        "cost_per_1000_reached": Ratio("spend", "reach", 1000),
        "complete_payment_roas": Ratio("total_complete_payment_rate", "spend"),
        "vta_complete_payment_roas": Ratio("vta_complete_payment_value", "spend"),
        "cost_per_vta_payments_completed": Ratio("spend", "vta_complete_payment"),
        "cost_per_evta_payments_completed": Ratio("spend", "evta_payments_completed"),
        "avg_value_per_pageview": Ratio("total_value_per_pageview", "total_pageview"),
    }
    # Both conversion rates are based on impressions since the end of 2023.
    for count in ("conversion", "result"):
        made[f"cost_per_{count}"] = Ratio("spend", count)
        made[f"real_time_cost_per_{count}"] = Ratio("spend", f"real_time_{count}")
    for rate, count in (
        ("conversion_rate", "conversion"),
        ("conversion_rate_v2", "conversion"),
        ("real_time_conversion_rate", "real_time_conversion"),
        ("real_time_conversion_rate_v2", "real_time_conversion"),
        ("result_rate", "result"),
        ("real_time_result_rate", "real_time_result"),
    ):
        made[rate] = Ratio(count, "impressions", 100)
    for split in ("cta_conversion", "vta_conversion", "engaged_view_through_conversions"):
        made[f"cost_per_{split.removesuffix('s')}"] = Ratio("spend", split)
    for count, word in _OVER_CLICKS:
        made[f"cost_per_{word}"] = Ratio("spend", count)
        made[f"{word}_rate"] = Ratio(count, "clicks", 100)
    for each in EVENT_NAMES:
        if each.count.startswith("total_"):
            continue
        made[f"cost_per_{each.count}"] = Ratio("spend", each.count)
        made[f"{each.count}_rate"] = Ratio(each.count, "clicks", 100)
        if each.value is not None:
            made[f"value_per_{each.count}"] = Ratio(each.value, each.count)
    return made


RATIOS: Final[Mapping[str, Ratio]] = _ratios()

_VALUES: Final = frozenset(each.value for each in EVENT_NAMES if each.value) | {
    "vta_complete_payment_value",
    "total_value_per_pageview",
    "custom_page_events_value",
}

#: What may be added up.
SUMS: Final = (
    words(
        "spend billed_cost impressions gross_impressions clicks engagements conversion"
        " real_time_conversion result real_time_result cta_conversion vta_conversion"
        " engaged_view_through_conversions vta_complete_payment evta_payments_completed"
        " cta_registration vta_registration evta_registration custom_page_events"
        " total_landing_page_view total_pageview website_total_find_location"
        " website_total_schedule website_total_customize_product"
    )
    | {each.count for each in EVENT_NAMES}
    | _VALUES
)

#: Of one account and whole days only.
_CASH: Final = frozenset({"cash_spend", "voucher_spend"})
#: Of different people: nothing may be added up.
_PEOPLE: Final = frozenset({"reach"})
_SKAN: Final = words(
    "skan_conversion skan_cost_per_conversion skan_conversion_rate_v2 skan_result"
    " skan_cost_per_result skan_result_rate skan_app_install skan_app_install_withheld"
)
_DEEP: Final = words(
    "secondary_goal_result cost_per_secondary_goal_result secondary_goal_result_rate"
)

_ZERO_MONEY: Final = words(
    "total_purchase_value value_per_total_purchase total_active_pay_roas"
    " total_purchase_value_day0 total_purchase_value_day2 total_purchase_value_day6"
    " total_purchase_roas_day0 total_purchase_roas_day2 total_purchase_roas_day6"
    " total_sales_lead_value total_onsite_shopping_value onsite_shopping_roas"
    " onsite_total_purchase_value offline_shopping_events_value offline_shopping_events_roas"
    " cost_per_offline_shopping_event offline_crm_event_value real_time_app_install_cost"
)
_ZERO_COUNTS: Final = words(
    "app_install real_time_app_install registration total_registration purchase total_purchase"
    " sales_lead cta_purchase vta_purchase evta_purchase cta_app_install vta_app_install"
    " evta_app_install onsite_shopping onsite_form onsite_total_purchase"
    " onsite_initiate_checkout_count onsite_on_web_cart onsite_on_web_detail"
    " offline_shopping_events offline_form_events offline_registration_events"
    " offline_total_crm_events offline_perferred_leads video_play_actions video_watched_2s"
    " video_watched_6s video_views_p25 video_views_p50 video_views_p75 video_views_p100"
    " average_video_play average_video_play_per_user engaged_view engaged_view_15s follows likes"
    " comments shares profile_visits"
)

KNOWN: Final = (
    frozenset(ATTRIBUTES)
    | frozenset(RATIOS)
    | SUMS
    | _CASH
    | _PEOPLE
    | _SKAN
    | _DEEP
    | _ZERO_MONEY
    | _ZERO_COUNTS
)

#: What costs or is worth money: without decimals in reports of several accounts.
MONEY: Final = (
    frozenset({"spend", "billed_cost", "cpc", "cpm", "budget", "campaign_budget", "bid"})
    | _CASH
    | _VALUES
    | {name for name in _ZERO_MONEY if "roas" not in name}
    | {name for name in RATIOS if name.startswith(("cost_per_", "value_per_", "avg_value_"))}
    | {name for name in RATIOS if "_cost_per_" in name}
)

_ZERO: Final = Decimal(0)


def is_asked_rightly(
    name: str, level: str, *, by: str | None, with_id: bool, day_wise: bool
) -> bool:
    """May this metric be asked for at this level, in these spans?"""
    if name in ATTRIBUTES:
        return with_id and level in ATTRIBUTES[name]
    if name in _CASH:
        return level == LEVELS[0] and day_wise
    return name not in _SKAN or by != "stat_time_hour"


def value(name: str, counted: Mapping[str, Number]) -> Number | None:
    """A metric, given what was counted; None: it is not available."""
    found = counted.get(name)
    if found is not None:
        return found
    ratio = RATIOS.get(name)
    if ratio is not None:
        over, by = _part(ratio.over, counted), _part(ratio.by, counted)
        if over is None or by is None:
            return None
        return Decimal(over) * ratio.scale / by if by else _ZERO
    if name in _ZERO_MONEY:
        return _ZERO
    if name in _ZERO_COUNTS:
        return 0
    return _part(name, counted)


def parts(names: Iterable[str]) -> frozenset[str]:
    """What has to be added up to know these metrics of a whole."""
    needed = set(names)
    for name in names:
        ratio = RATIOS.get(name)
        needed.update((ratio.over, ratio.by) if ratio else ())
    needed |= {_instead(name) for name in needed}
    return frozenset(needed & SUMS)


def _instead(name: str) -> str:
    """Results are conversions where nothing else is said."""
    return name.removesuffix("result") + "conversion" if name.endswith("result") else name


def _part(name: str, counted: Mapping[str, Number]) -> Number | None:
    found = counted.get(name)
    return counted.get(_instead(name)) if found is None else found
