"""What an ad account consists of, in TikTok's own words. Values only.

Fields that an answer shows are called as the answer calls them; the Marketing API's routes write
them as they stand. Money is `Decimal` in the account's currency, times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, Protocol


@dataclass(slots=True)
class Campaign:
    advertiser_id: str
    campaign_id: str
    campaign_name: str
    objective_type: str = "WEB_CONVERSIONS"
    virtual_objective_type: str | None = "SALES"
    sales_destination: str | None = "WEBSITE"
    campaign_type: str = "REGULAR_CAMPAIGN"
    campaign_automation_type: str = "MANUAL"
    is_smart_performance_campaign: bool = False
    budget_mode: str = "BUDGET_MODE_INFINITE"
    budget: Decimal = Decimal(0)
    budget_optimize_on: bool = False
    bid_type: str | None = "BID_TYPE_NO_BID"
    deep_bid_type: str | None = None
    roas_bid: Decimal = Decimal(0)
    operation_status: str = "ENABLE"
    secondary_status: str = "CAMPAIGN_STATUS_ENABLE"
    create_time: float = 0.0
    modify_time: float = 0.0


@dataclass(slots=True)
class AdGroup:
    advertiser_id: str
    campaign_id: str
    adgroup_id: str
    adgroup_name: str
    pixel_id: str | None
    promotion_type: str = "WEBSITE"
    optimization_goal: str = "CONVERT"
    optimization_event: str | None = "SHOPPING"
    secondary_optimization_event: str | None = None
    deep_funnel_optimization_status: str = "OFF"
    deep_funnel_event_source: str | None = None
    deep_funnel_event_source_id: str | None = None
    deep_funnel_optimization_event: str | None = None
    custom_conversion_id: str | None = None
    click_attribution_window: str = "SEVEN_DAYS"
    engaged_view_attribution_window: str = "ONE_DAY"
    view_attribution_window: str = "ONE_DAY"
    attribution_event_count: str = "EVERY"
    budget_mode: str = "BUDGET_MODE_DAY"
    budget: Decimal = Decimal(200)
    scheduled_budget: Decimal = Decimal(0)
    billing_event: str = "OCPM"
    bid_type: str | None = "BID_TYPE_NO_BID"
    bid_price: Decimal = Decimal(0)
    conversion_bid_price: Decimal = Decimal(0)
    deep_cpa_bid: Decimal = Decimal(0)
    deep_bid_type: str | None = None
    roas_bid: Decimal = Decimal(0)
    pacing: str = "PACING_MODE_SMOOTH"
    schedule_type: str = "SCHEDULE_FROM_NOW"
    schedule_start_time: float = 0.0
    schedule_end_time: float = 0.0
    operation_status: str = "ENABLE"
    secondary_status: str = "ADGROUP_STATUS_DELIVERY_OK"
    create_time: float = 0.0
    modify_time: float = 0.0


@dataclass(slots=True)
class Ad:
    advertiser_id: str
    campaign_id: str
    adgroup_id: str
    ad_id: str
    ad_name: str
    landing_page_url: str = "https://shop.example/"
    utm_params: list[dict[str, str]] = field(default_factory=list)
    tracking_pixel_id: str | None = None
    operation_status: str = "ENABLE"
    secondary_status: str = "AD_STATUS_DELIVERY_OK"
    create_time: float = 0.0
    #: Smart+ ads may have none.
    modify_time: float | None = 0.0


@dataclass(slots=True)
class PixelEvent:
    """`event_type` is the ad side's code (`SHOPPING`)."""

    event_id: str
    event_type: str
    name: str
    optimization_event: str | None = None
    custom_event_type: str | None = None
    statistic_type: str = "EVERY_TIME"
    deprecated: bool = False


@dataclass(slots=True)
class Pixel:
    """`linked_advertisers` are those that a Business Centre lets use it."""

    advertiser_id: str
    pixel_id: str
    pixel_code: str
    pixel_name: str
    pixel_setup_mode: str = "DEVELOPER"
    partner_name: str = ""
    create_time: float = 0.0
    advanced_matching_fields: dict[str, bool] = field(
        default_factory=lambda: {"email": True, "phone_number": True}
    )
    automatic_advanced_matching_fields: dict[str, bool] = field(
        default_factory=lambda: {
            "email": True,
            "phone_number": True,
            "name": False,
            "address": False,
            "external_id": False,
        }
    )
    enable_first_party_cookies: bool = True
    enable_expanded_data_sharing: bool = True
    asset_relation_status: str | None = "TRANSFERRED"
    owner_bc_id: str | None = None
    linked_advertisers: set[str] = field(default_factory=set)
    events: list[PixelEvent] = field(default_factory=list)


@dataclass(slots=True)
class CustomConversion:
    custom_conversion_id: str
    name: str
    event_source_id: str
    event_source_type: str = "PIXEL"
    optimization_event: str = "SHOPPING"
    active_status: str = "ACTIVE"
    rules: list[dict[str, Any]] = field(default_factory=list)
    create_time: float = 0.0
    update_time: float = 0.0


@dataclass(slots=True)
class OfflineSet:
    advertiser_id: str
    event_set_id: str
    name: str
    description: str = ""
    auto_tracking: bool = True
    create_time: float = 0.0
    update_time: float = 0.0


@dataclass(slots=True)
class BusinessCenter:
    bc_id: str
    name: str
    company: str = ""
    currency: str = "EUR"
    registered_area: str = "DE"
    status: str = "ENABLE"
    timezone: str = "Europe/Berlin"
    type: str = "SELF_SERVICE"
    verification_status: str = "VERIFIED"
    user_role: str = "ADMIN"
    finance_role: str = "ANALYST"


@dataclass(slots=True)
class Suggestion:
    """One line of `/tool/diagnosis/get/`: `issue_suggestion` `PIXEL` says that it was silent."""

    adgroup_id: str
    category: str = "EVENT_TRACK"
    issue_suggestion: str = "PIXEL"
    pixel_id: str | None = None
    pixel_code: str | None = None
    at: float = 0.0


@dataclass(slots=True)
class Change:
    """A line of the change log; `module` is BUDGET, BIDDING_AND_OPTIMIZATION, STATUS, TARGETING."""

    advertiser_id: str
    at: float
    module: str
    object_type: str
    object_id: str
    what: str


@dataclass(slots=True)
class Advertiser:
    """One ad account with all that belongs to it. `timezone` is `Etc/GMT±n` with POSIX' sign, or a
    zone's name; days of its reports are days there."""

    advertiser_id: str
    name: str
    currency: str = "EUR"
    timezone: str = "Etc/GMT-1"
    display_timezone: str = "Europe/Berlin"
    status: str = "STATUS_ENABLE"
    balance: Decimal = Decimal(10_000)
    create_time: float = 0.0
    owner_bc_id: str | None = None
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    adgroups: dict[str, AdGroup] = field(default_factory=dict)
    ads: dict[str, Ad] = field(default_factory=dict)
    pixels: dict[str, Pixel] = field(default_factory=dict)
    custom_conversions: dict[str, CustomConversion] = field(default_factory=dict)
    offline_sets: dict[str, OfflineSet] = field(default_factory=dict)
    crm_sets: dict[str, OfflineSet] = field(default_factory=dict)
    suggestions: list[Suggestion] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


class Row(NamedTuple):
    """What one object did in one span: `id` is that of the level that was asked for, `at` is the
    account's local `YYYY-MM-DD HH:MM:SS` of the day or hour, "" where no time was asked for.

    `metrics` are by the names of reports; money is Decimal, counts are int; what a metric is not
    available for at this level is left out (the routes write `-`).
    """

    id: str
    at: str
    metrics: Mapping[str, Decimal | int]


class EventStatistic(NamedTuple):
    """What `/pixel/event/stats/` says of one event over a range of days of UTC."""

    event: str
    is_custom: bool
    total_count: int
    browser_event_total_count: int
    server_event_total_count: int
    attributed_count: int


class AdWorld(Protocol):
    """What the routes of the Marketing API ask, and what the Events API's route tells.

    `relay.sandbox.ads.life` is the one that hangs together: clicks, spend, orders, attribution. All
    answers are as TikTok would give them at `now` (Unix seconds): late, restated, modelled.
    """

    @property
    def advertisers(self) -> Mapping[str, Advertiser]: ...

    @property
    def business_centers(self) -> Mapping[str, BusinessCenter]: ...

    def receive(
        self,
        event_source: str,
        event_source_id: str,
        events: Sequence[Mapping[str, Any]],
        now: float,
    ) -> None:
        """Events that the Events API accepted, as they came, repeats too; test events never."""
        ...

    def rows(
        self, advertiser_id: str, level: str, start: date, end: date, *, by: str | None, now: float
    ) -> Iterator[Row]:
        """Of each object of a level (`AUCTION_ADVERTISER`, `_CAMPAIGN`, `_ADGROUP`, `_AD`) that
        delivered or counted anything in these days of the account's zone; `by` is
        `stat_time_day`, `stat_time_hour` or None. Deleted objects are among them."""
        ...

    def statistics(
        self, pixel_id: str, start: date, end: date, now: float
    ) -> Sequence[EventStatistic]:
        """Of a pixel in these days of UTC."""
        ...
