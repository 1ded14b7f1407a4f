"""Pixels, what they counted, event sets and custom conversions. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from relay.event_names import EVENT_NAMES
from relay.sandbox.ads.model import (
    Advertiser,
    AdWorld,
    CustomConversion,
    EventStatistic,
    OfflineSet,
    Pixel,
)
from relay.sandbox.answers import Answer, Code, answer, done
from relay.sandbox.marketing.door import MEASUREMENT, Asked, reads
from relay.sandbox.marketing.forms import AccountForm, Day, Id, Ids, Name, Paged, Part, refused
from relay.sandbox.marketing.paging import page_of, utc_text

#: Statistics know events by the ad side's code, whoever sent them.
_CODES: Final = {
    name: each.optimization_event
    for each in EVENT_NAMES
    for name in (each.event, each.legacy)
    if name
}


class _ListFilter(Part):
    available_for_catalog_only: bool = False


class _ListForm(AccountForm, Paged):
    json_fields: ClassVar = frozenset({"filtering"})
    page_size: Annotated[int, Field(ge=1, le=20)] = 10
    pixel_id: Id | None = None
    code: Name | None = None
    name: Name | None = None
    order_by: Literal["EARLIEST_CREATE", "LATEST_CREATE"] = "EARLIEST_CREATE"
    filtering: _ListFilter = _ListFilter()


def pixels_of(ads: AdWorld, advertiser_id: str) -> Iterator[Pixel]:
    """The pixels an account may use: its own, and those that are linked to it."""
    for account in ads.advertisers.values():
        for pixel in account.pixels.values():
            if advertiser_id in {account.advertiser_id, *pixel.linked_advertisers}:
                yield pixel


def _pixels(asked: Asked[_ListForm]) -> Answer:
    form = asked.form
    found = [
        pixel
        for pixel in pixels_of(asked.ads, form.advertiser_id)
        if form.pixel_id in {None, pixel.pixel_id}
        and form.code in {None, pixel.pixel_code}
        and (form.name or "").lower() in pixel.pixel_name.lower()
    ]
    latest = form.order_by == "LATEST_CREATE"
    found.sort(key=lambda pixel: (pixel.create_time, pixel.pixel_id), reverse=latest)
    rows, info = page_of(asked, found, form)
    return done({"pixels": [_pixel(row) for row in rows], "page_info": info})


def _pixel(pixel: Pixel) -> dict[str, Any]:
    return {
        "pixel_id": pixel.pixel_id,
        "pixel_code": pixel.pixel_code,
        "pixel_name": pixel.pixel_name,
        "pixel_category": "ONLINE_STORE",
        "pixel_setup_mode": pixel.pixel_setup_mode,
        "partner_name": pixel.partner_name,
        "create_time": utc_text(pixel.create_time),
        "advanced_matching_fields": pixel.advanced_matching_fields,
        "automatic_advanced_matching_fields": pixel.automatic_advanced_matching_fields,
        "enable_first_party_cookies": pixel.enable_first_party_cookies,
        "enable_expanded_data_sharing": pixel.enable_expanded_data_sharing,
        "asset_ownership": {
            "asset_relation_status": pixel.asset_relation_status,
            "ownership_status": pixel.owner_bc_id is not None,
            "owner_bc_id": pixel.owner_bc_id,
        },
        "events": [
            {
                "event_id": event.event_id,
                "event_code": "",
                "event_type": event.event_type,
                "optimization_event": event.optimization_event,
                "custom_event_type": event.custom_event_type,
                "name": event.name,
                "statistic_type": event.statistic_type,
                "currency": "USD",
                "currency_value": "",
                "deprecated": event.deprecated,
                "rules": [],
            }
            for event in pixel.events
        ],
    }


class _DateRange(Part):
    start_date: Day
    end_date: Day


class _StatsForm(AccountForm):
    json_fields: ClassVar = frozenset({"pixel_ids", "date_range"})
    pixel_ids: Annotated[Ids, Field(max_length=10)]
    date_range: _DateRange


def _stats(asked: Asked[_StatsForm]) -> Answer:
    start, end = asked.form.date_range.start_date, asked.form.date_range.end_date
    if end < start:
        return refused("date_range", "end_date must not be before start_date.")
    if (end - start).days >= 30:
        return refused("date_range", "max time span is 30 days")
    mine = {pixel.pixel_id for pixel in pixels_of(asked.ads, asked.form.advertiser_id)}
    strange = [each for each in asked.form.pixel_ids if each not in mine]
    if strange:
        return answer(Code.NOT_EXIST, f"The pixel {strange[0]} does not exist.")
    rows = [
        {
            "pixel_id": pixel_id,
            "statistics": [
                _statistic(each) for each in asked.ads.statistics(pixel_id, start, end, asked.now)
            ],
        }
        for pixel_id in asked.form.pixel_ids
    ]
    return done({"list": rows})


def _statistic(said: EventStatistic) -> dict[str, Any]:
    kind = "custom_event_type" if said.is_custom else "pixel_event_type"
    return {
        kind: said.event if said.is_custom else _CODES.get(said.event, said.event),
        "total_count": said.total_count,
        "browser_event_total_count": said.browser_event_total_count,
        "server_event_total_count": said.server_event_total_count,
        "attributed_count": said.attributed_count,
        "preview_count": 0,
    }


class _OfflineForm(AccountForm):
    json_fields: ClassVar = frozenset({"event_set_ids"})
    event_set_ids: Ids | None = None
    name: Name | None = None


def _offline(asked: Asked[_OfflineForm]) -> Answer:
    account = asked.ads.advertisers[asked.form.advertiser_id]
    found = [each for each in account.offline_sets.values() if _is_meant(each, asked.form)]
    return done({"event_set_list": [_offline_set(each) for each in found]})


def _offline_set(each: OfflineSet) -> dict[str, Any]:
    return {
        "advertiser_id": each.advertiser_id,
        "event_set_id": each.event_set_id,
        "name": each.name,
        "description": each.description,
        "auto_tracking": each.auto_tracking,
        "create_time": utc_text(each.create_time),
        "update_time": utc_text(each.update_time),
    }


class _CrmForm(_OfflineForm):
    event_set_ids: Annotated[Ids, Field(max_length=50)] | None = None


def _crm(asked: Asked[_CrmForm]) -> Answer:
    account = asked.ads.advertisers[asked.form.advertiser_id]
    rows = [
        {
            "event_set_id": each.event_set_id,
            "name": each.name,
            "create_time": utc_text(each.create_time).replace(" ", "T") + "Z",
        }
        for each in account.crm_sets.values()
        if _is_meant(each, asked.form)
    ]
    return done({"crm_event_sets": rows})


def _is_meant(each: OfflineSet, form: _OfflineForm) -> bool:
    ids = form.event_set_ids
    return (ids is None or each.event_set_id in ids) and (form.name or "") in each.name


class _ConversionForm(AccountForm, Paged):
    event_source_type: Literal["PIXEL", "APP"]
    event_source_id: Id
    search_keyword: Name | None = None
    sort_field: Literal["CREATE_TIME", "TOTAL_COUNT"] = "CREATE_TIME"
    sort_type: Literal["ASC", "DESC"] = "DESC"


def _conversions(asked: Asked[_ConversionForm]) -> Answer:
    form = asked.form
    account: Advertiser = asked.ads.advertisers[form.advertiser_id]
    keyword = (form.search_keyword or "").lower()
    found = [
        each
        for each in account.custom_conversions.values()
        if (each.event_source_type, each.event_source_id)
        == (form.event_source_type, form.event_source_id)
        and (keyword in each.name.lower() or keyword == each.custom_conversion_id)
    ]
    # How often each was counted is not known here: the order is that of their making.
    found.sort(
        key=lambda each: (each.create_time, each.custom_conversion_id),
        reverse=form.sort_type == "DESC",
    )
    rows, info = page_of(asked, found, form)
    return done({"list": [_conversion(row) for row in rows], "page_info": info})


def _conversion(each: CustomConversion) -> dict[str, Any]:
    return {
        "custom_conversion_id": each.custom_conversion_id,
        "name": each.name,
        "event_source_type": each.event_source_type,
        "event_source_id": each.event_source_id,
        "optimization_event": each.optimization_event,
        "active_status": each.active_status,
        "rules": each.rules,
        "create_time": utc_text(each.create_time),
        "update_time": utc_text(each.update_time),
    }


ROUTES: Final = (
    reads("/pixel/list/", _ListForm, _pixels, MEASUREMENT),
    reads("/pixel/event/stats/", _StatsForm, _stats, MEASUREMENT),
    reads("/offline/get/", _OfflineForm, _offline, MEASUREMENT),
    reads("/crm/list/", _CrmForm, _crm, MEASUREMENT),
    reads("/custom_conversion/list/", _ConversionForm, _conversions, MEASUREMENT),
)
