"""From the words of TikTok's answers to facts. Pure.

Facts are many (50 000 ads, 180 000 days of ad groups), and few of their ids, days and words differ:
those are shared.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from sys import intern
from types import MappingProxyType
from typing import Any, Final

from relay.audit import facts
from relay.audit.collecting.sparse import sparse
from relay.event_names import EVENT_NAMES
from relay.management import ReportRow
from relay.management.models import accounts, changes, events, hierarchy
from relay.management.models import advice as advices

#: What days are asked for, at every level. Those by the day of the ad's click or view, but for
#: `real_time_conversion`.
METRICS: Final = (
    "spend", "impressions", "clicks", "conversion", "real_time_conversion", "cta_conversion",
    "vta_conversion", "engaged_view_through_conversions", "value_per_complete_payment",
    "complete_payment_roas",
    *dict.fromkeys(
        metric for each in EVENT_NAMES for metric in (each.count, each.value) if metric is not None
    ),
)  # fmt: skip
AD_METRICS: Final = ("spend", "impressions", "clicks", "conversion", "total_landing_page_view")
HOURLY_METRICS: Final = ("spend", "real_time_conversion")

#: Metrics, and in the same order the ad side's codes of their events.
_COUNTS: Final = tuple(each.count for each in EVENT_NAMES)
_COUNTED: Final = tuple(each.optimization_event for each in EVENT_NAMES)
_VALUES: Final = tuple(each.value for each in EVENT_NAMES if each.value)
_VALUED: Final = tuple(each.optimization_event for each in EVENT_NAMES if each.value)

_ZERO: Final = Decimal(0)
_NO_PARAMS: Final[Mapping[str, str]] = MappingProxyType({})
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def advertiser(found: accounts.Advertiser) -> facts.Advertiser:
    """Raises `AnswerUnreadable` for a zone that this machine does not know."""
    return facts.Advertiser(
        id=found.advertiser_id,
        name=found.name,
        currency=found.currency,
        timezone=found.timezone,
        display_timezone=found.display_timezone,
        zone=found.zone,
        status=found.status,
        balance=found.balance,
    )


def campaign(found: hierarchy.Campaign) -> facts.Campaign:
    return facts.Campaign(
        id=found.campaign_id,
        name=found.campaign_name,
        objective=found.objective_type,
        operation_status=found.operation_status,
        secondary_status=found.secondary_status,
        budget_mode=found.budget_mode,
        budget=found.budget,
        roas_bid=_positive(found.roas_bid),
        automation=found.campaign_automation_type,
        created_at=found.create_time,
        modified_at=found.modify_time,
    )


def adgroup(found: hierarchy.AdGroup) -> facts.AdGroup:
    deep = found.deep_funnel_optimization_event
    return facts.AdGroup(
        id=found.adgroup_id,
        name=found.adgroup_name,
        campaign_id=found.campaign_id,
        promotion_type=found.promotion_type,
        pixel_id=found.pixel_id,
        optimization_goal=found.optimization_goal,
        optimization_event=found.optimization_event,
        deep_event=deep if found.deep_funnel_optimization_status == "ON" else None,
        custom_conversion_id=found.custom_conversion_id,
        click_window=found.click_window_days,
        engaged_view_window=found.engaged_view_window_days,
        view_window=found.view_window_days,
        counting=found.attribution_event_count,
        operation_status=found.operation_status,
        secondary_status=found.secondary_status,
        budget_mode=found.budget_mode,
        budget=found.budget,
        roas_bid=_positive(found.roas_bid),
        bid_type=found.bid_type,
        starts_at=found.schedule_start_time,
        ends_at=found.schedule_end_time,
        created_at=found.create_time,
        modified_at=found.modify_time,
    )


def ad(found: hierarchy.Ad) -> facts.Ad:
    return facts.Ad(
        id=found.ad_id,
        name=found.ad_name,
        adgroup_id=intern(found.adgroup_id),
        campaign_id=intern(found.campaign_id),
        operation_status=intern(found.operation_status),
        secondary_status=_interned(found.secondary_status),
        landing_page_url=found.landing_page_url,
        utm_params=dict(found.utm_params) if found.utm_params else _NO_PARAMS,
        modified_at=found.modify_time,
    )


def pixel(found: events.Pixel, *, linked: bool | None) -> facts.Pixel:
    automatic = {f"automatic {key}": on for key, on in
                 found.automatic_advanced_matching_fields.items()}  # fmt: skip
    return facts.Pixel(
        id=found.pixel_id,
        code=found.pixel_code,
        name=found.pixel_name,
        relation_status=found.asset_relation_status,
        linked=linked,
        advanced_matching={**found.advanced_matching_fields, **automatic},
        first_party_cookies=found.enable_first_party_cookies,
        events=[
            facts.PixelEvent(
                each.optimization_event or each.event_type,
                each.custom_event_type or each.name,
                each.statistic_type,
                each.deprecated,
            )
            for each in found.events
        ],
    )


def custom_conversion(found: events.CustomConversion) -> facts.CustomConversion:
    return facts.CustomConversion(
        found.custom_conversion_id, found.name, found.event_source_id or "", found.active_status
    )


def advice(found: advices.Suggestion) -> facts.Advice:
    return facts.Advice(found.adgroup_id, found.category, found.issue, found.pixel_code)


def edit(found: changes.Edit) -> facts.Edit:
    return facts.Edit(found.at.astimezone(UTC), found.object_type, found.object_id, found.what)


def event_count(found: events.EventStatistic, code: str) -> facts.EventCount:
    """`total_count` was seen at 0 beside a right server count: the greater of both is taken."""
    browser = found.browser_event_total_count or 0
    server = found.server_event_total_count or 0
    return facts.EventCount(
        pixel_code=code,
        event=found.event,
        day=found.first,
        total=max(found.total_count or 0, browser + server),
        browser=browser,
        server=server,
        attributed=found.attributed_count or 0,
    )


# --- reports -------------------------------------------------------------------------------------


def day(level: facts.Level, id_dimension: str, row: ReportRow) -> facts.Day:
    """One row by `stat_time_day`."""
    said = row.metrics
    return facts.Day(
        level=level,
        id=intern(row.dimensions[id_dimension]),
        day=_day(row.dimensions["stat_time_day"]),
        spend=_amount(said, "spend"),
        impressions=_count(said, "impressions"),
        clicks=_count(said, "clicks"),
        conversions=_count(said, "conversion"),
        conversions_by_event_day=_count(said, "real_time_conversion"),
        click_through=_count(said, "cta_conversion"),
        view_through=_count(said, "vta_conversion"),
        engaged_view_through=_count(said, "engaged_view_through_conversions"),
        landing_page_views=_count(said, "total_landing_page_view"),
        counts=sparse(_COUNTED, [_count(said, each) for each in _COUNTS], 0),
        values=sparse(_VALUED, [_amount(said, each) for each in _VALUES], _ZERO),
        value_per_purchase=_amount(said, "value_per_complete_payment"),
        purchase_roas=_amount(said, "complete_payment_roas"),
    )


def ad_sum(row: ReportRow, last: date) -> facts.Day:
    """An ad's row over all days; it stands on the last of them."""
    said = row.metrics
    return facts.Day(
        level=facts.Level.AD,
        id=intern(row.dimensions["ad_id"]),
        day=last,
        spend=_amount(said, "spend"),
        impressions=_count(said, "impressions"),
        clicks=_count(said, "clicks"),
        conversions=_count(said, "conversion"),
        landing_page_views=_count(said, "total_landing_page_view"),
        counts=_NOTHING,
        values=_NOTHING,
    )


def hour(row: ReportRow) -> facts.Hour:
    """One row by `stat_time_hour`."""
    return facts.Hour(
        at=datetime.fromisoformat(row.dimensions["stat_time_hour"]),
        spend=_amount(row.metrics, "spend"),
        conversions_by_event_day=_count(row.metrics, "real_time_conversion"),
    )


Metrics = Mapping[str, "Decimal | int | str | None"]


@lru_cache(maxsize=1_024)
def _day(text: str) -> date:
    return date.fromisoformat(text[:10])


def _interned(text: str | None) -> str | None:
    return None if text is None else intern(text)


def _amount(said: Metrics, metric: str) -> Decimal | None:
    value = said.get(metric)
    if isinstance(value, Decimal):
        return value
    return Decimal(value) if isinstance(value, int) else None


def _count(said: Metrics, metric: str) -> int | None:
    value = said.get(metric)
    if type(value) is int:
        return value
    return int(value) if isinstance(value, Decimal) else None


def _positive(bid: Decimal | None) -> Decimal | None:
    """A bid of 0 is none."""
    return bid or None
