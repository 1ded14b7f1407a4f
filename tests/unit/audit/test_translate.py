"""From the words of TikTok's answers to facts: what it did not say stays unsaid."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from relay.audit.collecting import translate
from relay.audit.facts import Level
from relay.event_names import EVENT_NAMES
from relay.management import ReportRow
from relay.management.errors import About
from relay.management.fields import Record
from relay.management.models.events import EventStatistic, read_pixel
from relay.management.models.hierarchy import read_ad, read_adgroup, read_campaign

ABOUT = About("/x/", None)
DAY = {"adgroup_id": "1800", "stat_time_day": "2026-11-03 00:00:00"}

SAID = st.dictionaries(
    st.sampled_from(translate.METRICS),
    st.none() | st.integers(0, 2**40) | st.decimals(0, 10**9, places=2),
)


def record(**fields: Any) -> Record:
    return Record(fields, ABOUT)


@given(SAID)
def test_a_day_says_what_its_row_said_and_nothing_else(said: dict[str, Any]) -> None:
    day = translate.day(Level.ADGROUP, "adgroup_id", ReportRow(DAY, said))

    assert (day.level, day.id, day.day) == (Level.ADGROUP, "1800", date(2026, 11, 3))
    assert day.spend == said.get("spend")
    for name, metric in (("clicks", "clicks"), ("conversions", "conversion")):
        number = said.get(metric)
        assert getattr(day, name) == (None if number is None else int(number))
    assert day.counts == {
        each.optimization_event: int(said[each.count])
        for each in EVENT_NAMES
        if said.get(each.count) is not None
    }
    assert day.values == {
        each.optimization_event: said[each.value]
        for each in EVENT_NAMES
        if each.value and said.get(each.value) is not None
    }


def test_money_is_decimal_also_where_it_came_whole() -> None:
    said: dict[str, Any] = {"spend": 12, "total_complete_payment_rate": 50}

    day = translate.day(Level.ADGROUP, "adgroup_id", ReportRow(DAY, said))

    assert type(day.spend) is Decimal
    assert type(day.values["SHOPPING"]) is Decimal


def test_an_ads_sum_stands_on_the_last_day() -> None:
    row = ReportRow({"ad_id": "7"}, {"spend": Decimal("1.50"), "clicks": 3, "conversion": None})

    day = translate.ad_sum(row, date(2026, 11, 9))

    assert (day.level, day.id, day.day) == (Level.AD, "7", date(2026, 11, 9))
    assert (day.spend, day.clicks, day.conversions) == (Decimal("1.50"), 3, None)
    assert day.counts == day.values == {}


def test_an_hour_has_no_offset() -> None:
    row = ReportRow(
        {"advertiser_id": "1", "stat_time_hour": "2026-10-25 02:00:00"},
        {"spend": Decimal(3), "real_time_conversion": 2},
    )

    hour = translate.hour(row)

    assert hour.at == datetime(2026, 10, 25, 2)  # noqa: DTZ001  # so TikTok gives it
    assert (hour.spend, hour.conversions_by_event_day) == (Decimal(3), 2)


def test_an_event_counts_what_its_sides_say_where_the_total_is_nothing() -> None:
    seen = EventStatistic(
        "77", date(2026, 11, 3), date(2026, 11, 3), "SHOPPING", False, 0, 4, 9, None, None
    )

    count = translate.event_count(seen, "CODE")

    assert (count.total, count.browser, count.server, count.attributed) == (13, 4, 9, 0)
    assert (count.pixel_code, count.event, count.day) == ("CODE", "SHOPPING", date(2026, 11, 3))


def test_a_bid_of_nothing_is_none_and_a_deep_event_counts_only_when_it_is_on() -> None:
    fields = {
        "adgroup_id": "1", "adgroup_name": "G", "campaign_id": "2", "roas_bid": 0,
        "deep_funnel_optimization_event": "ON_WEB_CART", "deep_funnel_optimization_status": "OFF",
        "click_attribution_window": "SEVEN_DAYS", "view_attribution_window": "OFF",
    }  # fmt: skip

    off = translate.adgroup(read_adgroup(record(**fields)))
    on = translate.adgroup(
        read_adgroup(record(**fields | {"deep_funnel_optimization_status": "ON"}))
    )

    assert (off.roas_bid, off.deep_event, on.deep_event) == (None, None, "ON_WEB_CART")
    assert (off.click_window, off.engaged_view_window, off.view_window) == (7, None, 0)


def test_an_ad_has_its_parameters_and_its_parents() -> None:
    fields = {"ad_id": "1", "ad_name": "A", "adgroup_id": "2", "campaign_id": "3"}
    params = [{"key": "utm_source", "value": "tiktok"}]

    plain = translate.ad(read_ad(record(**fields)))
    tagged = translate.ad(read_ad(record(**fields, utm_params=params)))

    assert plain.utm_params == {}
    assert tagged.utm_params == {"utm_source": "tiktok"}
    assert (tagged.id, tagged.adgroup_id, tagged.campaign_id) == ("1", "2", "3")
    assert tagged.secondary_status is None


def test_a_campaign_keeps_its_times_in_utc() -> None:
    found = translate.campaign(
        read_campaign(
            record(campaign_id="1", create_time="2026-11-01 10:00:00", budget="50.00", roas_bid=2)
        )
    )

    assert found.created_at == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert (found.budget, found.roas_bid) == (Decimal("50.00"), Decimal(2))


def test_a_pixels_automatic_matching_is_told_apart() -> None:
    found = read_pixel(
        record(
            pixel_id="77",
            pixel_code="CODE",
            pixel_name="Shop",
            advanced_matching_fields={"email": True},
            automatic_advanced_matching_fields={"email": False},
        )
    )

    pixel = translate.pixel(found, linked=None)

    assert pixel.advanced_matching == {"email": True, "automatic email": False}
    assert (pixel.id, pixel.code, pixel.linked) == ("77", "CODE", None)
