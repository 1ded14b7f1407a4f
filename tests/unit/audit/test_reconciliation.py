"""REC: each check at its fault, and at the nearest thing that is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from relay.audit.facts import Day, Level, Period, Snapshot
from relay.audit.findings import Severity, State
from tests.unit.audit.world import (
    FIRST,
    LAST,
    MATURE,
    World,
    an_adgroup,
    booked,
    days,
    found,
    hourly,
    only,
    state,
)

MATURE_DAYS = (MATURE - FIRST).days + 1


def claimed(each: int, **changes: int) -> World:
    """So many conversions of each ad group a day, by the day of the event."""
    world = World()
    world.each_day(
        lambda row: replace(
            row,
            conversions_by_event_day=each if row.level is Level.ADGROUP else 2 * each,
            **changes,  # type: ignore[arg-type]
        )
    )
    return world


# --- REC-01 --------------------------------------------------------------------------------------


def test_rec_01_more_than_there_was() -> None:
    finding = only(claimed(36).audit(), "REC-01")

    assert finding.severity is Severity.CRITICAL
    assert finding.expected.value == MATURE_DAYS * 64
    assert finding.found.value == MATURE_DAYS * 72
    assert round(finding.at_stake or 0) == round(MATURE_DAYS * 360 / 9)


def test_rec_01_credit_is_lost() -> None:
    finding = only(claimed(6).audit(), "REC-01")

    assert finding.severity is Severity.HIGH
    assert finding.expected.value == MATURE_DAYS * 24
    assert finding.found.value == MATURE_DAYS * 12


@pytest.mark.parametrize("each", [9, 33])
def test_rec_01_is_silent_in_between(each: int) -> None:
    assert state(claimed(each).audit(), "REC-01") is State.PASSED


def test_rec_01_never_counts_a_day_that_is_not_mature() -> None:
    world = World()
    world.each_day(
        lambda row: replace(row, conversions_by_event_day=0) if row.day > MATURE else row
    )

    assert state(world.audit(), "REC-01") is State.PASSED


def test_rec_01_leaves_others_the_clicks_of_their_ads() -> None:
    """Half of the purchases that TikTok counts are of ad groups that optimise for others."""
    world = World()
    world.adgroups[1] = an_adgroup("g2", optimization_event="ON_WEB_CART")
    world.ledger += [row for day in days(FIRST, LAST) for row in booked(day, event="AddToCart")]

    assert [e for e in found(world.audit(), "REC-01") if "SHOPPING" in e.subject.id] == []


def test_a_shop_of_three_orders_a_day_raises_no_ratio_alarm() -> None:
    """Three mature days of three orders, of which TikTok claims none, or all of them twice."""
    for claims in (0, 3):
        world = World(period=Period(MATURE - timedelta(2), LAST))
        world.each_row(lambda row: row if row.hour % 24 in (8, 13, 18) else None)
        world.each_sums(
            lambda each: replace(each, count=1, keys=Counter(ttclid=1, email=1, phone=1))
        )
        world.each_count(lambda e: replace(e, server=3, total=3, attributed=1))
        world.each_day(
            lambda row, claims=claims: replace(row, conversions_by_event_day=claims)  # type: ignore[misc]
        )

        audit = world.audit()

        for check in ("DEL-03", "DEL-04", "DUP-02", "MAT-04", "REC-01", "REC-03", "REC-05"):
            assert found(audit, check) == [], check


# --- REC-02, REC-03, REC-04 ----------------------------------------------------------------------


@pytest.mark.parametrize(("views", "severity"), [(8, Severity.MEDIUM), (12, Severity.HIGH)])
def test_rec_02_conversions_owed_to_views(views: int, severity: Severity) -> None:
    world = World()
    world.each_day(
        lambda row: (
            replace(row, click_through=12 - views, view_through=views - 1, engaged_view_through=1)
            if row.level is Level.ADGROUP and row.id == "g1"
            else row
        )
    )

    finding = only(world.audit(), "REC-02")

    assert finding.severity is severity
    assert finding.subject.id == "g1"
    assert f"{views * MATURE_DAYS} of {12 * MATURE_DAYS}" in finding.says
    assert finding.at_stake == MATURE_DAYS * 180


def test_rec_02_is_silent_about_half() -> None:
    world = World()
    world.each_day(lambda row: replace(row, click_through=6, view_through=5))

    assert state(world.audit(), "REC-02") is State.PASSED


def test_rec_03_a_conversion_costs_twice_what_it_seems() -> None:
    world = World()
    world.each_day(lambda row: replace(row, conversions=(row.conversions or 0) * 5 // 2))

    finding = only(world.audit(), "REC-03")

    assert finding.found.value == Decimal("6.00")  # 360 / 60
    assert finding.expected.value == Decimal("15.00")  # 360 / 24
    assert finding.details[0].value == Decimal("5.62")  # 360 / 64: blended
    assert [each.value for each in finding.details[2:]] == [
        Decimal("3.33"), Decimal("3.33"), Decimal("8.89"),
    ]  # fmt: skip


def test_rec_03_is_silent_below_twice() -> None:
    world = World()
    world.each_day(lambda row: replace(row, conversions=(row.conversions or 0) * 19 // 10))

    assert state(world.audit(), "REC-03") is State.PASSED


def test_rec_03_of_few_days_counts_by_event_day() -> None:
    """By the day of the click the numbers may be apart: they are not compared."""
    world = World(period=Period(MATURE - timedelta(9), LAST))
    world.each_day(lambda row: replace(row, conversions=(row.conversions or 0) * 5))

    assert state(world.audit(), "REC-03") is State.PASSED


def test_rec_04_conversions_that_nothing_accounts_for() -> None:
    world = World()
    world.each_day(lambda row: replace(row, click_through=(row.click_through or 0) * 5 // 9))

    finding = only(world.audit(), "REC-04")

    assert finding.severity is Severity.INFO
    assert finding.found.value == Decimal("33.3")


def test_rec_04_is_silent_about_a_tenth_and_without_the_split() -> None:
    world = World()
    world.each_day(lambda row: replace(row, click_through=(row.click_through or 0) * 8 // 9))
    unsplit = World()
    unsplit.each_day(lambda row: replace(row, view_through=None))

    assert state(world.audit(), "REC-04") is State.PASSED
    assert state(unsplit.audit(), "REC-04") is State.NOT_APPLICABLE


# --- REC-05 --------------------------------------------------------------------------------------


def falling(which: set[date], share: float, spend: int = 1) -> World:
    """On these days the relay delivers a share of what it did; everybody counts what there is."""
    world = World()

    def fewer(row):  # type: ignore[no-untyped-def]
        day = datetime.fromtimestamp(row.hour * 3600 + 3600, tz=world.advertiser.zone).date()
        live = int(row.sums.count * share) if day in which else row.sums.count
        return row._replace(sums=replace(row.sums, count=live))

    world.each_row(fewer)
    world.each_day(
        lambda row: (
            replace(row, spend=(row.spend or Decimal(0)) * spend) if row.day in which else row
        )
    )
    return world


def test_rec_05_a_sudden_drop_on_two_days() -> None:
    finding = only(falling({date(2026, 11, 17), date(2026, 11, 18)}, 0.25).audit(), "REC-05")

    assert finding.severity is Severity.CRITICAL
    assert finding.since == date(2026, 11, 17)
    assert (finding.expected.value, finding.found.value) == (Decimal(64), 16)
    assert finding.found.label == "delivered by the relay"


def test_rec_05_a_deep_drop_on_one_day() -> None:
    finding = only(falling({date(2026, 11, 18)}, 0).audit(), "REC-05")

    assert (finding.since, finding.found.value) == (date(2026, 11, 18), 0)


@pytest.mark.parametrize(
    "world",
    [
        falling({date(2026, 11, 18)}, 0.25),  # one day, not deep enough
        falling({date(2026, 11, 17), date(2026, 11, 18)}, 0.5),
        falling({date(2026, 11, 17), date(2026, 11, 18)}, 0.25, spend=0),
    ],
)
def test_rec_05_is_silent_about_a_bad_day_and_about_ads_switched_off(world: World) -> None:
    assert state(world.audit(), "REC-05") is State.PASSED


def test_rec_05_names_the_first_layer_that_fell() -> None:
    world = World()
    two = {date(2026, 11, 10), date(2026, 11, 11)}
    world.each_day(
        lambda row: (
            replace(row, conversions=0, conversions_by_event_day=0) if row.day in two else row
        )
    )

    finding = only(world.audit(), "REC-05")

    assert finding.found.label == "conversions by event day"
    assert len(finding.details) == 2


def test_rec_05_wants_weeks_before() -> None:
    world = World(period=Period(LAST - timedelta(13), LAST))

    assert state(world.audit(), "REC-05") is State.NOT_APPLICABLE


# --- REC-06 --------------------------------------------------------------------------------------


@pytest.mark.parametrize("lag", [-7, 9])
def test_rec_06_the_account_s_clock_is_another(lag: int) -> None:
    world = World(hours=hourly(timedelta(hours=1 + lag)))

    finding = only(world.audit(), "REC-06")

    assert finding.found.value == lag
    assert "Etc/GMT-1" in finding.says


def test_rec_06_is_silent_where_few_conversions_say_little() -> None:
    few = [replace(each, conversions_by_event_day=0) for each in hourly(timedelta(hours=4))]
    few[100] = replace(few[100], conversions_by_event_day=3)

    assert state(World(hours=few).audit(), "REC-06") is State.NOT_APPLICABLE


# --- REC-07, REC-08, REC-09 ----------------------------------------------------------------------


def test_rec_07_says_which_days_were_left_out() -> None:
    finding = only(World().audit(), "REC-07")

    assert finding.severity is Severity.INFO
    assert finding.found.value == 7
    assert finding.since == MATURE + timedelta(1)


def test_rec_07_is_silent_where_all_days_are_mature() -> None:
    assert state(World(period=Period(FIRST, MATURE)).audit(), "REC-07") is State.PASSED


def seen(day: date, after: int, **changes: object) -> Snapshot:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    at = noon.timestamp() + 86_400 * after
    snapshot = Snapshot(Level.ADGROUP, "g1", day, at, Decimal(180), 25)
    return replace(snapshot, **changes)  # type: ignore[arg-type]


def test_rec_08_spend_was_restated() -> None:
    snapshots = [seen(MATURE, 3, spend=Decimal(200), conversions=12)]

    finding = only(World(more={"snapshots": snapshots}).audit(), "REC-08")

    assert (finding.expected.value, finding.found.value) == (Decimal(200), Decimal(180))
    assert finding.at_stake == 20
    assert finding.since == MATURE


def test_rec_08_conversions_were_taken_back() -> None:
    finding = only(World(more={"snapshots": [seen(MATURE, 3)]}).audit(), "REC-08")

    assert (finding.expected.value, finding.found.value) == (25, 12)


@pytest.mark.parametrize(
    "snapshot",
    [
        seen(MATURE, 1, spend=Decimal(200), conversions=12),  # seen too early
        seen(MATURE, 3, spend=Decimal(181), conversions=14),
        seen(MATURE, 3, spend=None, conversions=None),
        seen(MATURE, 3, conversions=19),  # small numbers
    ],
)
def test_rec_08_is_silent_about_what_may_change(snapshot: Snapshot) -> None:
    assert state(World(more={"snapshots": [snapshot]}).audit(), "REC-08") is State.PASSED


def dropped(level: Level, share: Decimal) -> Callable[[Day], Day]:
    def change(row: Day) -> Day:
        return replace(row, spend=(row.spend or 0) * share) if row.level is level else row

    return change


@pytest.mark.parametrize(
    ("level", "name"),
    [(Level.CAMPAIGN, "campaigns"), (Level.ADGROUP, "ad groups"), (Level.AD, "ads")],
)
def test_rec_09_levels_do_not_add_up(level: Level, name: str) -> None:
    world = World()
    world.each_day(dropped(level, Decimal("0.9")))

    finding = only(world.audit(), "REC-09")

    assert finding.found.label == f"spend of all {name}"
    assert finding.expected.value == 42 * 360
    assert finding.at_stake == 42 * 36
    assert finding.since == (FIRST if level is not Level.AD else None)  # ads: one sum each


def test_rec_09_is_silent_about_rounding() -> None:
    world = World()
    world.each_day(dropped(Level.AD, Decimal("0.996")))

    assert state(world.audit(), "REC-09") is State.PASSED
