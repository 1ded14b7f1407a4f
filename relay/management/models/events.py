"""Where events come from and what TikTok counted of them: pixels, offline and CRM sets, custom
conversions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from relay.management.fields import Record


@dataclass(frozen=True, slots=True)
class PixelEvent:
    """`optimization_event` is the ad side's code (`SHOPPING`), None where ads cannot optimise for
    it; `custom_event_type` is a custom event's own name."""

    event_id: str
    event_type: str | None
    optimization_event: str | None
    custom_event_type: str | None
    name: str
    statistic_type: str | None
    currency: str | None
    deprecated: bool


@dataclass(frozen=True, slots=True)
class Pixel:
    """`pixel_code` is what the Events API calls `event_source_id`; ad groups name `pixel_id`."""

    pixel_id: str
    pixel_code: str
    pixel_name: str
    pixel_setup_mode: str | None
    partner_name: str | None
    activity_status: str | None
    create_time: datetime | None
    advanced_matching_fields: Mapping[str, bool]
    automatic_advanced_matching_fields: Mapping[str, bool]
    enable_first_party_cookies: bool | None
    enable_expanded_data_sharing: bool | None
    asset_relation_status: str | None
    ownership_status: bool | None
    owner_bc_id: str | None
    events: tuple[PixelEvent, ...]


def read_pixel(record: Record) -> Pixel:
    owner = record.record("asset_ownership")
    return Pixel(
        pixel_id=record.id("pixel_id"),
        pixel_code=record.text("pixel_code"),
        pixel_name=record.text("pixel_name"),
        pixel_setup_mode=record.text_or_none("pixel_setup_mode"),
        partner_name=record.text_or_none("partner_name"),
        activity_status=record.text_or_none("activity_status"),
        create_time=record.moment("create_time"),
        advanced_matching_fields=record.flags("advanced_matching_fields"),
        automatic_advanced_matching_fields=record.flags("automatic_advanced_matching_fields"),
        enable_first_party_cookies=record.flag("enable_first_party_cookies"),
        enable_expanded_data_sharing=record.flag("enable_expanded_data_sharing"),
        asset_relation_status=owner.text_or_none("asset_relation_status") if owner else None,
        ownership_status=owner.flag("ownership_status") if owner else None,
        owner_bc_id=owner.id_or_none("owner_bc_id") if owner else None,
        events=tuple(_event(each) for each in record.records("events")),
    )


def _event(record: Record) -> PixelEvent:
    return PixelEvent(
        event_id=record.id("event_id"),
        event_type=record.text_or_none("event_type"),
        optimization_event=record.text_or_none("optimization_event"),
        custom_event_type=record.text_or_none("custom_event_type"),
        name=record.text("name"),
        statistic_type=record.text_or_none("statistic_type"),
        currency=record.text_or_none("currency"),
        deprecated=record.flag("deprecated") or False,
    )


@dataclass(frozen=True, slots=True)
class EventStatistic:
    """What a pixel counted of one event in the days `first` to `last` of UTC. `event` is the ad
    side's code, or a custom event's own name. Counts are None where TikTok gives none."""

    pixel_id: str
    first: date
    last: date
    event: str
    is_custom: bool
    total_count: int | None
    browser_event_total_count: int | None
    server_event_total_count: int | None
    attributed_count: int | None
    preview_count: int | None


def read_statistics(record: Record, first: date, last: date) -> list[EventStatistic]:
    pixel_id = record.id("pixel_id")
    return [_statistic(pixel_id, each, first, last) for each in record.records("statistics")]


def _statistic(pixel_id: str, record: Record, first: date, last: date) -> EventStatistic:
    event = record.text("pixel_event_type")
    custom = record.text("custom_event_type")
    if not event and not custom:
        raise record.unreadable("pixel_event_type", "is missing, and so is custom_event_type")
    return EventStatistic(
        pixel_id=pixel_id,
        first=first,
        last=last,
        event=event or custom,
        is_custom=not event,
        total_count=record.count("total_count"),
        browser_event_total_count=record.count("browser_event_total_count"),
        server_event_total_count=record.count("server_event_total_count"),
        attributed_count=record.count("attributed_count"),
        preview_count=record.count("preview_count"),
    )


@dataclass(frozen=True, slots=True)
class OfflineSet:
    event_set_id: str
    name: str
    advertiser_id: str | None
    description: str | None
    auto_tracking: bool | None
    create_time: datetime | None
    update_time: datetime | None


def read_offline_set(record: Record) -> OfflineSet:
    return OfflineSet(
        event_set_id=record.id("event_set_id"),
        name=record.text("name"),
        advertiser_id=record.id_or_none("advertiser_id"),
        description=record.text_or_none("description"),
        auto_tracking=record.flag("auto_tracking"),
        create_time=record.moment("create_time"),
        update_time=record.moment("update_time"),
    )


@dataclass(frozen=True, slots=True)
class CrmSet:
    event_set_id: str
    name: str
    create_time: datetime | None


def read_crm_set(record: Record) -> CrmSet:
    return CrmSet(record.id("event_set_id"), record.text("name"), record.moment("create_time"))


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition of a custom conversion: `VALUE` `GTE` `150.00`."""

    parameter: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CustomConversion:
    """`active_status`: ACTIVE (7 days), NO_RECENT_ACTIVITY, WAITING_FOR_ACTIVITY (90 days)."""

    custom_conversion_id: str
    name: str
    event_source_type: str | None
    event_source_id: str | None
    optimization_event: str | None
    active_status: str
    rules: tuple[Rule, ...]
    create_time: datetime | None
    update_time: datetime | None


def read_custom_conversion(record: Record) -> CustomConversion:
    return CustomConversion(
        custom_conversion_id=record.id("custom_conversion_id"),
        name=record.text("name"),
        event_source_type=record.text_or_none("event_source_type"),
        event_source_id=record.id_or_none("event_source_id"),
        optimization_event=record.text_or_none("optimization_event"),
        active_status=record.text("active_status"),
        rules=tuple(
            Rule(each.text("parameter"), each.text("operator"), each.ids("values"))
            for each in record.records("rules")
        ),
        create_time=record.moment("create_time"),
        update_time=record.moment("update_time"),
    )
