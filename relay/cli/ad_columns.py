"""What is shown of Business Centers, ad accounts, campaigns, ad groups, ads and pixels. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from relay.cli.cells import document, money, shown
from relay.cli.sheet import Column
from relay.management.models.accounts import Advertiser, BusinessCenter, PixelLink
from relay.management.models.events import Pixel, PixelEvent
from relay.management.models.hierarchy import Ad, AdGroup, Campaign
from relay.management.zones import zone_named

T = TypeVar("T")

#: What all statuses of a kind begin with, TikTok's misspelling among them.
_prefix = re.compile(r"^(?:(?:CAMPAIGN|ADGROUP|AD)_STA(?:T)?US_|STATUS_|BUDGET_MODE_)")


@dataclass(frozen=True, slots=True)
class Owned(Generic[T]):
    """Something of an ad account."""

    account: Advertiser
    item: T


@dataclass(frozen=True, slots=True)
class LinkedPixel:
    """A pixel with the accounts that may use it; None where nobody says."""

    pixel: Pixel
    links: tuple[PixelLink, ...] | None


def as_document(row: object) -> dict[str, Any]:
    """All that is known, as JSON is made of."""
    found: dict[str, Any] = document(row)
    return found


def owned_document(row: Owned[Any]) -> dict[str, Any]:
    """The thing, with its account's id and currency."""
    return {
        **document(row.item),
        "advertiser_id": row.account.advertiser_id,
        "currency": row.account.currency,
    }


def short(word: str | None) -> str:
    """`CAMPAIGN_STATUS_BUDGET_EXCEED` as `budget exceed`."""
    return shown(_prefix.sub("", word or "").replace("_", " ").lower())


def zone_text(name: str, now: datetime) -> str:
    """The zone's name and what it means at `now`: `Etc/GMT+8 (UTC-08:00)`, whose sign misleads."""
    offset = zone_offset(name, now)
    return shown(f"{name} ({offset})" if offset else name)


def zone_offset(name: str, now: datetime) -> str | None:
    """`UTC+01:00`; None for a zone that nobody knows."""
    zone = zone_named(name)
    offset = now.astimezone(zone).utcoffset() if zone else None
    if offset is None:
        return None
    sign, minutes = ("-" if offset < timedelta() else "+"), abs(offset) // timedelta(minutes=1)
    return f"UTC{sign}{minutes // 60:02}:{minutes % 60:02}"


def has_status(wanted: str, *statuses: str | None) -> bool:
    """Whether one of the statuses is the word or ends in it, words being whole: `delete` is also
    ADGROUP_STATUS_CAMPAIGN_DELETE, and `enable` is not DISABLE."""
    word = re.sub(r"[\s-]+", "_", wanted.strip()).upper()
    return any(f"_{each}".upper().endswith(f"_{word}") for each in statuses if each)


def account_columns(now: datetime) -> list[Column[Advertiser]]:
    return [
        Column("advertiser_id", lambda row: row.advertiser_id),
        Column("name", lambda row: row.name, fold=True),
        Column("status", lambda row: row.status, lambda row: short(row.status), fold=True),
        Column("currency", lambda row: row.currency, in_table=False),
        Column("balance", lambda row: row.balance, _balance, right=True),
        Column("timezone", lambda row: row.timezone, lambda row: zone_text(row.timezone, now)),
        Column("utc_offset", lambda row: zone_offset(row.timezone, now), in_table=False),
        Column("display_timezone", lambda row: row.display_timezone, in_table=False),
        Column("country", lambda row: row.country, in_table=False),
        Column("company", lambda row: row.company, in_table=False),
        Column("role", lambda row: row.role, in_table=False),
        Column("rejection_reason", lambda row: row.rejection_reason, fold=True),
        Column("owner_bc_id", lambda row: row.owner_bc_id, in_table=False),
        Column("create_time", lambda row: row.create_time, in_table=False),
    ]


def _balance(row: Advertiser) -> str:
    return money(row.balance, row.currency)


def center_columns(now: datetime) -> list[Column[BusinessCenter]]:
    return [
        Column("bc_id", lambda row: row.bc_id),
        Column("name", lambda row: row.name, fold=True),
        Column("company", lambda row: row.company, fold=True, spare=True),
        Column("status", lambda row: row.status, lambda row: short(row.status)),
        Column("user_role", lambda row: row.user_role, lambda row: short(row.user_role)),
        Column("finance_role", lambda row: row.finance_role, lambda row: short(row.finance_role)),
        Column("currency", lambda row: row.currency),
        Column(
            "timezone", lambda row: row.timezone, lambda row: zone_text(row.timezone or "", now)
        ),
        Column("registered_area", lambda row: row.registered_area, in_table=False),
        Column("type", lambda row: row.type, in_table=False),
        Column("verification_status", lambda row: row.verification_status, in_table=False),
    ]


def _account(*, several: bool) -> list[Column[Owned[Any]]]:
    return [
        Column("advertiser_id", lambda row: row.account.advertiser_id, in_table=several),
        Column("currency", lambda row: row.account.currency, in_table=False),
    ]


def campaign_columns(*, several: bool) -> list[Column[Owned[Campaign]]]:
    return [
        *_account(several=several),
        Column("campaign_id", lambda row: row.item.campaign_id),
        Column("campaign_name", lambda row: row.item.campaign_name, fold=True),
        Column("operation_status", lambda row: row.item.operation_status, in_table=False),
        Column("secondary_status", lambda row: row.item.secondary_status, in_table=False),
        Column("status", lambda row: None, _status, fold=True, in_csv=False),
        Column(
            "objective_type",
            lambda row: row.item.objective_type,
            lambda row: short(row.item.objective_type),
            fold=True,
        ),
        Column(
            "campaign_automation_type",
            lambda row: row.item.campaign_automation_type,
            _automation,
            fold=True,
        ),
        Column("budget", lambda row: row.item.budget, _budget, right=True),
        Column("budget_mode", lambda row: row.item.budget_mode, _mode, fold=True),
        Column("create_time", lambda row: row.item.create_time, in_table=False),
        Column("modify_time", lambda row: row.item.modify_time, in_table=False),
    ]


def adgroup_columns(*, several: bool) -> list[Column[Owned[AdGroup]]]:
    return [
        *_account(several=several),
        Column("campaign_id", lambda row: row.item.campaign_id, spare=True),
        Column("adgroup_id", lambda row: row.item.adgroup_id),
        Column("adgroup_name", lambda row: row.item.adgroup_name, fold=True),
        Column("operation_status", lambda row: row.item.operation_status, in_table=False),
        Column("secondary_status", lambda row: row.item.secondary_status, in_table=False),
        Column("status", lambda row: None, _status, fold=True, in_csv=False),
        Column("optimization_goal", lambda row: row.item.optimization_goal, in_table=False),
        Column("optimization_event", lambda row: row.item.optimization_event, _event, fold=True),
        Column("windows", lambda row: None, _windows, in_csv=False),
        Column("click_window_days", lambda row: row.item.click_window_days, in_table=False),
        Column(
            "engaged_view_window_days",
            lambda row: row.item.engaged_view_window_days,
            in_table=False,
        ),
        Column("view_window_days", lambda row: row.item.view_window_days, in_table=False),
        Column("attribution_event_count", lambda row: row.item.attribution_event_count,
               in_table=False),
        Column("pixel_id", lambda row: row.item.pixel_id, in_table=False),
        Column("budget", lambda row: row.item.budget, _budget, right=True),
        Column("budget_mode", lambda row: row.item.budget_mode, in_table=False),
        Column("create_time", lambda row: row.item.create_time, in_table=False),
        Column("modify_time", lambda row: row.item.modify_time, in_table=False),
    ]  # fmt: skip


def ad_columns(*, several: bool) -> list[Column[Owned[Ad]]]:
    return [
        *_account(several=several),
        Column("campaign_id", lambda row: row.item.campaign_id, in_table=False),
        Column("adgroup_id", lambda row: row.item.adgroup_id, spare=True),
        Column("ad_id", lambda row: row.item.ad_id),
        Column("ad_name", lambda row: row.item.ad_name, fold=True),
        Column("operation_status", lambda row: row.item.operation_status, in_table=False),
        Column("secondary_status", lambda row: row.item.secondary_status, in_table=False),
        Column("status", lambda row: None, _status, fold=True, in_csv=False),
        Column("landing_page_url", lambda row: row.item.landing_page_url, fold=True),
        Column("utm_params", lambda row: _utm(row.item), in_table=False),
        Column("tracking_pixel_id", lambda row: row.item.tracking_pixel_id, in_table=False),
        Column("create_time", lambda row: row.item.create_time, in_table=False),
        Column("modify_time", lambda row: row.item.modify_time, in_table=False),
    ]


def pixel_columns(*, several: bool) -> list[Column[Owned[LinkedPixel]]]:
    return [
        *_account(several=several),
        Column("pixel_id", lambda row: row.item.pixel.pixel_id, spare=True),
        Column("pixel_code", lambda row: row.item.pixel.pixel_code),
        Column("pixel_name", lambda row: row.item.pixel.pixel_name, fold=True),
        Column("activity_status", lambda row: row.item.pixel.activity_status,
               lambda row: short(row.item.pixel.activity_status), fold=True),
        Column("events", lambda row: _events(row.item.pixel.events), fold=True),
        Column("linked_accounts", lambda row: _links(row.item.links), fold=True),
        Column("pixel_setup_mode", lambda row: row.item.pixel.pixel_setup_mode, in_table=False),
        Column("partner_name", lambda row: row.item.pixel.partner_name, in_table=False),
        Column("owner_bc_id", lambda row: row.item.pixel.owner_bc_id, in_table=False),
        Column("create_time", lambda row: row.item.pixel.create_time, in_table=False),
    ]  # fmt: skip


def pixel_document(row: Owned[LinkedPixel]) -> dict[str, Any]:
    """The pixel, with its account's id and the accounts that may use it."""
    return {
        **document(row.item.pixel),
        "advertiser_id": row.account.advertiser_id,
        "linked_accounts": document(row.item.links),
    }


def _status(row: Owned[Campaign] | Owned[AdGroup] | Owned[Ad]) -> str:
    """What delivery makes of it; TikTok's own sandbox says only what a person has set."""
    return short(row.item.secondary_status or row.item.operation_status)


def _automation(row: Owned[Campaign]) -> str:
    word = row.item.campaign_automation_type
    return "" if word in {None, "MANUAL"} else short(word)


def _budget(row: Owned[Campaign] | Owned[AdGroup]) -> str:
    """0 stands for none, and for that of the campaign."""
    return money(row.item.budget, row.account.currency) if row.item.budget else ""


def _mode(row: Owned[Campaign]) -> str:
    return short(row.item.budget_mode)


def _event(row: Owned[AdGroup]) -> str:
    return short(row.item.optimization_event or row.item.optimization_goal)


def _windows(row: Owned[AdGroup]) -> str:
    """Days of click, engaged view and view: `7/1/1`."""
    item = row.item
    windows = item.click_window_days, item.engaged_view_window_days, item.view_window_days
    if windows == (None, None, None):
        return ""
    return "/".join("?" if each is None else str(each) for each in windows)


def _utm(ad: Ad) -> str:
    return "&".join(f"{key}={value}" for key, value in ad.utm_params)


def _events(events: Sequence[PixelEvent]) -> str:
    """Names, with the ad side's code where ads can optimise for the event."""
    named = (
        f"{each.name} ({each.optimization_event})" if each.optimization_event else each.name
        for each in events
        if not each.deprecated
    )
    return "; ".join(named)


def _links(links: Sequence[PixelLink] | None) -> str:
    return "" if links is None else "; ".join(each.advertiser_id for each in links)
