"""Campaigns, ad groups and ads as answers show them: a field's name, and what it shows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final

from relay.sandbox.ads.model import Ad, AdGroup, Advertiser, Campaign
from relay.sandbox.marketing.paging import utc_text

#: What a field shows of an object in its account.
Column = Callable[[Any, Advertiser], Any]
Columns = Mapping[str, Column]


class _AsItIs:
    """A field that is shown as it stands; several are fetched at once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._get = attrgetter(name)

    def __call__(self, row: Any, _account: Advertiser) -> Any:
        return self._get(row)


def _money(name: str) -> Column:
    get = attrgetter(name)
    return lambda row, _account: number(get(row))


def _utc(name: str) -> Column:
    get = attrgetter(name)

    def show(row: Any, _account: Advertiser) -> str | None:
        at = get(row)
        return None if at is None else utc_text(at)

    return show


def _always(value: object) -> Column:
    return lambda _row, _account: value


def number(value: Decimal) -> float:
    return float(value)


def _columns(plain: str, money: str, times: str) -> dict[str, Column]:
    return {
        **{name: _AsItIs(name) for name in plain.split()},
        **{name: _money(name) for name in money.split()},
        **{name: _utc(name) for name in times.split()},
    }


def _campaign_name(row: AdGroup | Ad, account: Advertiser) -> str | None:
    campaign = account.campaigns.get(row.campaign_id)
    return campaign.campaign_name if campaign else None


def _adgroup_name(row: Ad, account: Advertiser) -> str | None:
    adgroup = account.adgroups.get(row.adgroup_id)
    return adgroup.adgroup_name if adgroup else None


def _goal(row: Campaign, account: Advertiser) -> str | None:
    """Where the campaign shares out the budget, its groups have one goal."""
    if not row.budget_optimize_on:
        return None
    groups = account.adgroups.values()
    return next((g.optimization_goal for g in groups if g.campaign_id == row.campaign_id), None)


def _tracking_pixel(row: Ad, _account: Advertiser) -> int | str | None:
    # A number, unlike all other ids (TikTok's own example).
    pixel_id = row.tracking_pixel_id
    return int(pixel_id) if pixel_id and pixel_id.isdigit() else pixel_id


CAMPAIGN: Final[Columns] = {
    **_columns(
        "advertiser_id campaign_id campaign_name objective_type virtual_objective_type"
        " sales_destination campaign_type campaign_automation_type is_smart_performance_campaign"
        " budget_mode budget_optimize_on bid_type deep_bid_type operation_status secondary_status",
        "budget roas_bid",
        "create_time modify_time",
    ),
    "optimization_goal": _goal,
    "objective": _always("LANDING_PAGE"),
    "is_new_structure": _always(True),
    "is_search_campaign": _always(False),
    "po_number": _always(None),
}

ADGROUP: Final[Columns] = {
    **_columns(
        "advertiser_id campaign_id adgroup_id adgroup_name pixel_id promotion_type"
        " optimization_goal optimization_event secondary_optimization_event"
        " deep_funnel_optimization_status deep_funnel_event_source deep_funnel_event_source_id"
        " deep_funnel_optimization_event custom_conversion_id click_attribution_window"
        " engaged_view_attribution_window view_attribution_window attribution_event_count"
        " budget_mode billing_event bid_type deep_bid_type pacing schedule_type operation_status"
        " secondary_status",
        "budget scheduled_budget bid_price conversion_bid_price deep_cpa_bid roas_bid",
        "schedule_start_time schedule_end_time create_time modify_time",
    ),
    "campaign_name": _campaign_name,
    "placements": _always(["PLACEMENT_TIKTOK"]),
    "dayparting": _always("1" * 336),
    "skip_learning_phase": _always(False),
    "statistic_type": _always(None),
    "is_new_structure": _always(True),
    "split_test_group_id": _always(None),
    "split_test_status": _always(None),
    "vbo_window": _always(None),
}

AD: Final[Columns] = {
    **_columns(
        "advertiser_id campaign_id adgroup_id ad_id ad_name landing_page_url utm_params"
        " operation_status secondary_status",
        "",
        "create_time modify_time",
    ),
    "campaign_name": _campaign_name,
    "adgroup_name": _adgroup_name,
    "tracking_pixel_id": _tracking_pixel,
    "tracking_app_id": _always(None),
    "tracking_offline_event_set_ids": _always([]),
    "deeplink": _always(""),
    "page_id": _always(None),
    "click_tracking_url": _always(None),
    "impression_tracking_url": _always(None),
    "is_aco": _always(False),
    "is_new_structure": _always(True),
}


def _configuration(row: Ad, account: Advertiser) -> dict[str, Any]:
    tracking = {"tracking_pixel_id": _tracking_pixel(row, account)}
    return {"utm_params": row.utm_params, "tracking_info": tracking}


def _smart(columns: Columns, *names: str) -> dict[str, Column]:
    return {name: columns[name] for name in names}


#: An ad of the upgraded Smart+ has another id here than its creatives have in `/ad/get/`
#: (names: the Go SDK bububa/tiktok-business); this stand-in gives both the same one.
SMART_AD: Final[Columns] = {
    **_smart(AD, "advertiser_id", "campaign_id", "campaign_name", "adgroup_id", "adgroup_name"),
    "smart_plus_ad_id": AD["ad_id"],
    **_smart(AD, "ad_name", "operation_status", "secondary_status", "create_time", "modify_time"),
    "landing_page_url_list": lambda row, _: [{"landing_page_url": row.landing_page_url}],
    "ad_configuration": _configuration,
}

SMART_ADGROUP: Final[Columns] = {**ADGROUP, "min_budget": _always(None)}


class View:
    """Some fields of a kind of object, ready to be shown of many."""

    def __init__(self, columns: Columns, *, without_nulls: bool = False) -> None:
        # The account's id is always a plain one, and makes the getter give a tuple.
        plain = {name: c.name for name, c in columns.items() if isinstance(c, _AsItIs)}
        self._names = tuple(plain)
        self._get = attrgetter("advertiser_id", *plain.values())
        self._made = [(name, c) for name, c in columns.items() if name not in plain]
        self._without_nulls = without_nulls

    def __call__(self, row: Any, account: Advertiser) -> dict[str, Any]:
        """An object's fields. Some come only where they say something."""
        values = self._get(row) if self._names else ()
        fields = dict(zip(self._names, values[1:], strict=True))
        for name, show in self._made:
            fields[name] = show(row, account)
        if fields.get("budget_optimize_on") is False:
            del fields["budget_optimize_on"]
        if self._without_nulls:
            return {name: value for name, value in fields.items() if value is not None}
        return fields
