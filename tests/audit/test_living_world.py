"""What holds of every living world."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.conversion import CONVERSION
from relay.sandbox.ads.figures import COUNTED, METRICS, SUMMED
from relay.sandbox.ads.life import LivingWorld
from relay.sandbox.ads.plan import Quirks, WorldPlan, shop
from relay.sandbox.ads.season import Season
from relay.sandbox.ads.zone import DAY_S, HOUR_S, LocalTime, day_number, zone_of
from tests.unit.sandbox.ads.fast_forward import (
    ACCOUNT,
    AD,
    ADGROUP,
    BY_DAY,
    BY_HOUR,
    CAMPAIGN,
    Lived,
    best_lag,
    live,
    symbol,
)

#: 2026-10-20 00:00 in Berlin: the clock goes back on the 25th.
AUTUMN = 1_792_447_200.0
PLANS = {
    "as it comes": shop(40.0),
    "dollars, west, two campaigns": shop(
        150.0, currency="USD", event_currency="EUR", rates={"EUR": Decimal("1.08")},
        timezone="Etc/GMT+8", display_timezone="America/Los_Angeles", seed=3,
    ),
    "a zone with daylight saving": shop(
        40.0, timezone="Europe/Berlin", started_at=AUTUMN, seed=5
    ),
    "yen, no daylight saving": shop(
        40.0, currency="JPY", price=6400.0, timezone="Etc/GMT-9", display_timezone="Asia/Tokyo",
        seed=8, country="JP",
    ),
    "three orders a day": shop(3.0, seed=4),
}  # fmt: skip


@pytest.fixture(scope="module", params=list(PLANS))
def lived(request: pytest.FixtureRequest) -> Lived:
    return live(Season.of(PLANS[request.param]), days=12)


def summed(rows: list[Any]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for row in rows:
        for name in COUNTED | SUMMED:
            sums[name] += row.metrics[name]
    return sums


# --- reports --------------------------------------------------------------------------------------


def test_levels_and_spans_sum_up_to_the_same(lived: Lived) -> None:
    whole = summed(lived.rows(ACCOUNT))

    assert whole["spend"] > 0
    assert whole["conversion"] > 0
    for level in (ACCOUNT, CAMPAIGN, ADGROUP, AD):
        assert summed(lived.rows(level)) == whole
        assert summed(lived.rows(level, BY_DAY)) == whole
    hours = [
        row
        for day in lived.days
        for row in lived.world.rows(
            lived.plan.advertiser_id, AD, day.date, day.date, by=BY_HOUR, now=lived.seen_at
        )
    ]
    assert summed(hours) == whole


def test_every_metric_of_every_row_can_be_worked_out(lived: Lived) -> None:
    for row in lived.rows(AD, BY_DAY):
        figures = dict(row.metrics)
        assert figures.keys() <= METRICS.keys()
        assert all(isinstance(each, int | Decimal) for each in figures.values())


def test_values_are_count_times_average_and_splits_do_not_exceed_conversions(lived: Lived) -> None:
    for row in lived.rows(AD, BY_DAY):
        of = row.metrics
        about = Decimal(of["complete_payment"]) * of["value_per_complete_payment"]
        assert abs(about - of["total_complete_payment_rate"]) <= int(of["complete_payment"])
        split = sum(
            int(of[name])
            for name in ("cta_conversion", "vta_conversion", "engaged_view_through_conversions")
        )
        assert split <= int(of["conversion"])


def test_rows_are_there_for_what_delivered_and_deleted_ads_are_among_them(lived: Lived) -> None:
    account = lived.season.market.account
    gone = [ad.ad_id for ad in account.ads.values() if ad.operation_status == "DELETE"]
    last = {row.id: row.at for row in lived.rows(AD, BY_DAY) if row.metrics["spend"]}

    assert {row.id for row in lived.rows(AD)} == set(account.ads)
    assert gone
    assert all(last[ad][:10] <= str(lived.days[4].date) for ad in gone)


def test_an_unknown_level_is_an_error() -> None:
    world = LivingWorld(WorldPlan())

    with pytest.raises(KeyError):
        list(world.rows("7106541027904733185", "AD", date.min, date.min, by=None, now=0.0))


# --- late and restated ----------------------------------------------------------------------------


def test_conversions_of_a_day_grow_until_its_window_ends_and_spend_hardly_moves() -> None:
    lived = live(Season.of(shop(150.0)), days=12)
    first = lived.days[0]

    def seen(at: float) -> tuple[int, Decimal]:
        (row,) = lived.world.rows(
            lived.plan.advertiser_id, ACCOUNT, first.date, first.date, by=BY_DAY, now=at
        )
        return int(row.metrics["conversion"]), Decimal(row.metrics["spend"])

    moments = [first.end + HOUR_S + DAY_S * day for day in range(11)]
    counts = [seen(at)[0] for at in moments]
    spend = [seen(at)[1] for at in moments]

    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    assert seen(first.end + 8 * DAY_S)[0] == counts[-1]
    assert len(set(spend[:3])) > 1
    assert len(set(spend[3:])) == 1
    assert all(abs(each / spend[-1] - 1) < Decimal("0.005") for each in spend)


def test_what_is_asked_of_an_earlier_moment_is_answered_as_then() -> None:
    lived = live(Season.of(shop(40.0)), days=3)
    noon = lived.days[1].start + 12 * HOUR_S
    again = live(Season.of(shop(40.0)), days=1)

    late = lived.sums()
    assert lived.sums(now=noon)["conversion"] < late["conversion"]
    assert lived.sums() == late
    assert again.sums(now=lived.days[0].end) == lived.sums(now=lived.days[0].end)


def test_nothing_is_seen_before_half_an_hour_has_passed() -> None:
    world = LivingWorld(shop(600.0))
    market = next(iter(world.markets.values()))
    start = market.plan.started_at
    day = date(2026, 9, 1)

    def rows(at: float) -> list[Any]:
        return list(
            world.rows(market.plan.advertiser_id, ACCOUNT, day, day, by=None, now=start + at)
        )

    assert rows(1800) == []
    assert rows(3600)[0].metrics["spend"] > 0


def test_people_are_counted_after_16_hours_and_cash_by_day_of_the_account_alone() -> None:
    lived = live(Season.of(shop(40.0)), days=2)

    early = lived.rows(ACCOUNT, BY_DAY, now=lived.now + HOUR_S)
    late = lived.rows(ACCOUNT, BY_DAY, now=lived.now + 17 * HOUR_S)
    assert ["reach" in row.metrics for row in early] == [True, False]
    assert all("reach" in row.metrics and "cash_spend" in row.metrics for row in late)
    for row in late:
        paid = row.metrics["cash_spend"] + row.metrics["voucher_spend"]
        assert paid == row.metrics["spend"]
    assert all("cash_spend" not in row.metrics for row in lived.rows(CAMPAIGN, BY_DAY))
    assert all("cash_spend" not in row.metrics for row in lived.rows(ACCOUNT))


# --- what the relay adds --------------------------------------------------------------------------


def test_without_a_relay_the_server_counts_nothing() -> None:
    lived = live(Season.of(shop(40.0, quirks=Quirks(missing_share=1.0))), days=5)

    assert symbol("Srv", lived) == 0
    assert symbol("Brw", lived) == symbol("Tot", lived) > 0
    assert symbol("P", lived) > 0


def test_what_both_report_is_one_conversion_and_two_counts(lived: Lived) -> None:
    assert symbol("Tot", lived) == symbol("Brw", lived) + symbol("Srv", lived)
    assert symbol("Att", lived) == symbol("P", lived) <= symbol("orders", lived)


def test_a_clean_world_claims_no_more_than_is_true(lived: Lived) -> None:
    assert symbol("P", lived) <= symbol("Rd", lived)
    assert symbol("V", lived) <= symbol("Rval", lived) * float(rate(lived))
    assert all(number >= 0 for number in lived.total.values())


def rate(lived: Lived) -> Decimal:
    return lived.plan.rates.get(lived.plan.money, Decimal(1))


def test_the_server_s_count_of_each_day_of_utc_is_what_was_delivered(lived: Lived) -> None:
    sent = Counter((event.event_time // DAY_S, event.name) for _, event, _ in lived.delivered)
    names = {
        "SHOPPING": "Purchase",
        "ON_WEB_CART": "AddToCart",
        "INITIATE_ORDER": "InitiateCheckout",
    }
    pixel = next(iter(lived.season.market.account.pixels))

    for day in {day for day, _ in sent}:
        on = date.fromordinal(date(1970, 1, 1).toordinal() + int(day))
        for each in lived.world.statistics(pixel, on, on, lived.seen_at):
            assert each.server_event_total_count == sent[day, names.get(each.event, "")]


@pytest.mark.parametrize("orders", [3.0, 40.0, 150.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_clean_world_looks_sound(orders: float, seed: int) -> None:
    lived = live(Season.of(shop(orders, seed=seed)), days=14)
    few = symbol("Rclk", lived) < 60

    assert symbol("Srv/Rd", lived) == 1
    assert (
        few
        or 0.7
        < symbol("V", lived)
        / sum(
            float(event.value or 0)
            for _, event, wire in lived.purchases
            if "ttclid" in wire["user"]
        )
        < 1.5
    )
    assert symbol("views/C", lived) < 0.3
    assert symbol("modelled/C", lived) < 0.1
    assert few or symbol("click ids from TikTok", lived) > 0.9
    assert few or symbol("late buyers", lived) < 0.06
    assert 0.8 < symbol("Sp/budget", lived) <= 1.0
    assert symbol("weekly conversions", lived) > 75
    assert symbol("days of balance", lived) > 10
    assert symbol("landings/clicks", lived) == pytest.approx(0.9, abs=0.03)


def test_hours_of_reports_are_those_of_the_relay() -> None:
    lived = live(Season.of(shop(150.0, timezone="Etc/GMT+8", display_timezone="Asia/Tokyo")), 14)

    assert best_lag(lived) == 0


# --- sameness -------------------------------------------------------------------------------------


def told(plan: WorldPlan) -> list[object]:
    lived = live(Season.of(plan), days=3)
    rows = [(row.id, row.at, dict(row.metrics)) for row in lived.rows(AD, BY_DAY)]
    return [rows, [handed for day in lived.days for handed in day.orders]]


def test_the_same_seed_is_the_same_world_and_another_is_another() -> None:
    assert told(shop(40.0, seed=9)) == told(shop(40.0, seed=9))
    assert told(shop(40.0, seed=9)) != told(shop(40.0, seed=10))


def test_accounts_of_one_world_do_not_know_each_other() -> None:
    one, two = shop(40.0), shop(3.0, advertiser_id="7002238017842757633", seed=2)
    both = LivingWorld(one, two)
    alone = LivingWorld(one)
    now = one.started_at + 3 * DAY_S

    def spend(world: LivingWorld, advertiser_id: str) -> list[Any]:
        rows = world.rows(advertiser_id, AD, date(2026, 9, 1), date(2026, 9, 3), by=BY_DAY, now=now)
        return [(row.id, dict(row.metrics)) for row in rows]

    assert spend(both, one.advertiser_id) == spend(alone, one.advertiser_id)
    assert set(both.advertisers) == {one.advertiser_id, two.advertiser_id}
    codes = [p.pixel_code for a in both.advertisers.values() for p in a.pixels.values()]
    assert len(set(codes)) == len(codes)


# --- the shop -------------------------------------------------------------------------------------


def test_the_shop_hands_over_conversions_that_anybody_would_take() -> None:
    for day in Season.of(shop(40.0)).days(3):
        for handed in day.orders:
            CONVERSION.validate_python(handed.conversion)
            assert day.start <= handed.at < day.end
            assert handed.conversion["event_time"] <= handed.at


def test_hours_of_a_day_hand_over_what_the_day_does() -> None:
    plan = replace(shop(150.0), quirks=Quirks(late_share=0.2, late_s=50 * HOUR_S))
    by_day = [handed for day in Season.of(plan).days(6) for handed in day.orders]
    season = Season.of(plan)
    by_hour = [
        handed
        for hour in range(6 * 24)
        for handed in season.between(
            plan.started_at + hour * HOUR_S, plan.started_at + (hour + 1) * HOUR_S
        )
    ]

    assert by_hour == by_day
    assert [handed.at for handed in by_day] == sorted(handed.at for handed in by_day)


def test_a_click_from_an_ad_leaves_its_id_in_the_address() -> None:
    lived = live(Season.of(shop(40.0)), days=3)
    ads = set(lived.season.market.account.ads)
    urls = [wire["page"]["url"] for _, _, wire in lived.purchases if "ttclid" in wire["user"]]

    assert urls
    for url in urls:
        assert "utm_source=tiktok" in url
        assert any(f"utm_content={ad}" in url for ad in ads)


# --- days -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "hours_east"),
    [
        ("Etc/GMT+8", -8),
        ("Etc/GMT-1", 1),
        ("Etc/GMT+0", 0),
        ("Etc/GMT-14", 14),
        ("Etc/GMT+12", -12),
    ],
)
def test_the_sign_of_a_zone_is_that_of_posix(name: str, hours_east: int) -> None:
    assert LocalTime(name).offset_s(AUTUMN) == hours_east * 3600
    assert (
        zone_of(name).utcoffset(None) == ZoneInfo(name).utcoffset(None)
        or hours_east == 0
        or (LocalTime(name).offset_s(0.0) == hours_east * 3600)
    )


@pytest.mark.parametrize(
    ("name", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Europe/Berlin", date(2026, 10, 26), 24),
        ("America/Los_Angeles", date(2026, 11, 1), 25),
        ("Etc/GMT-1", date(2026, 10, 25), 24),
        ("Asia/Kolkata", date(2026, 10, 25), 24),
    ],
)
def test_a_day_has_as_many_hours_as_its_clock_shows(name: str, day: date, hours: int) -> None:
    local = LocalTime(name)

    starts = local.hours(day_number(day))
    assert len(starts) == hours
    assert {local.day(start) for start in starts} == {day_number(day)}


def test_an_hour_that_the_clock_shows_twice_is_one_row_of_two_hours() -> None:
    lived = live(Season.of(PLANS["a zone with daylight saving"]), days=8)

    def hours(day: date) -> list[str]:
        rows = lived.world.rows(
            lived.plan.advertiser_id, ACCOUNT, day, day, by=BY_HOUR, now=lived.now + DAY_S
        )
        return [row.at[11:13] for row in rows]

    long_day = next(each for each in lived.days if each.date == date(2026, 10, 25))
    assert long_day.end - long_day.start == 25 * HOUR_S
    assert hours(long_day.date) == [f"{hour:02}" for hour in range(24)]


def test_an_unknown_zone_is_an_error() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        LivingWorld(WorldPlan(timezone="Mars/Olympus"))


@given(st.floats(1_700_000_000, 1_900_000_000), st.sampled_from(["Etc/GMT+8", "Europe/Berlin",
       "America/Los_Angeles", "Asia/Kolkata", "Australia/Adelaide"]))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_a_time_lies_in_its_day(at: float, name: str) -> None:
    local = LocalTime(name)

    day = local.day(at)
    assert local.starts(day) <= at < local.starts(day + 1)
    assert local.hour(at) // 24 == day
