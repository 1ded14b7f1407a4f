"""DEL: each check at its fault, and at the nearest thing that is none."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from relay.audit.facts import Day, Level, Refused, Target
from relay.audit.findings import Severity, State
from relay.journal.issues import IssueRow
from relay.journal.ledger import LedgerRow, Sums
from relay.model import EventSource, Outcome
from tests.unit.audit.world import (
    CODE,
    FIRST,
    LAST,
    MATURE,
    World,
    booked,
    days,
    found,
    hour,
    only,
    state,
    sums,
)

MATURE_DAYS = (MATURE - FIRST).days + 1


def no_conversions(row: Day) -> Day:
    return replace(
        row, conversions=0, conversions_by_event_day=0, click_through=0, view_through=0,
        engaged_view_through=0, counts={"SHOPPING": 0}, values={"SHOPPING": Decimal(0)},
        value_per_purchase=None, purchase_roas=Decimal(0),
    )  # fmt: skip


# --- DEL-01, DEL-02 ------------------------------------------------------------------------------


def test_del_01_spend_and_clicks_but_no_conversion() -> None:
    world = World()
    world.each_day(no_conversions)

    finding = only(world.audit(), "DEL-01")

    assert finding.severity is Severity.CRITICAL
    assert finding.expected.value == MATURE_DAYS * 24
    assert finding.found.value == 0
    assert finding.at_stake == MATURE_DAYS * 360
    assert finding.since == FIRST


def test_del_01_is_silent_over_few_clicks() -> None:
    world = World()
    world.each_day(no_conversions)
    world.each_sums(lambda each: replace(each, keys=Counter()))
    world.ledger.append(
        LedgerRow(hour(FIRST, 12), "web", "Purchase", Outcome.DELIVERED, sums(4, 4))
    )

    assert state(world.audit(), "DEL-01") is State.PASSED


def test_del_01_looks_at_mature_days_only() -> None:
    world = World()
    world.each_day(lambda row: row if row.day <= MATURE else no_conversions(row))

    assert state(world.audit(), "DEL-01") is State.PASSED


def test_del_01_leaves_clicks_to_the_ads_that_they_are_of() -> None:
    """The others spend 999 of 1000, and the clicks are theirs."""
    world = World()
    world.each_day(no_conversions)
    world.each_day(
        lambda row: (
            replace(row, spend=row.spend and row.spend * 10_000)
            if row.level is Level.ACCOUNT
            else row
        )
    )

    assert found(world.audit(), "DEL-01") == []


def test_what_tiktok_does_not_say_is_not_nothing() -> None:
    world = World()
    world.each_day(lambda row: replace(row, conversions=None))

    assert state(world.audit(), "DEL-01") is State.NOT_APPLICABLE
    assert state(world.audit(), "DEL-02") is State.NOT_APPLICABLE


def test_del_02_spend_and_nothing_at_all() -> None:
    world = World(ledger=[])
    world.each_day(no_conversions)

    finding = only(world.audit(), "DEL-02")

    assert finding.expected.value == Decimal("50.00")
    assert finding.found.value == MATURE_DAYS * 360


@pytest.mark.parametrize(("spend", "fires"), [(Decimal("0.71"), False), (Decimal("0.72"), True)])
def test_del_02_begins_at_fifty_units(spend: Decimal, fires: bool) -> None:
    world = World(ledger=[])
    world.each_day(lambda row: replace(no_conversions(row), spend=spend))

    assert bool(found(world.audit(), "DEL-02")) is fires  # two ad groups, 35 days


def test_del_02_begins_at_three_target_costs_where_one_is_given() -> None:
    world = World(ledger=[])
    world.each_day(no_conversions)

    limit = Decimal(MATURE_DAYS * 360) / 3
    assert found(world.audit(target_cpa=limit), "DEL-02") == []
    assert len(found(world.audit(target_cpa=limit - 1), "DEL-02")) == 1


def test_del_02_is_silent_where_the_relay_delivered() -> None:
    world = World(ledger=[booked(FIRST)[0]])
    world.each_day(no_conversions)

    assert state(world.audit(), "DEL-02") is State.PASSED


# --- DEL-03, DEL-04 ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server", "severity"),
    [(31, Severity.CRITICAL), (39, Severity.HIGH), (59, Severity.MEDIUM)],
)
def test_del_03_tiktok_counts_less_than_was_delivered(server: int, severity: Severity) -> None:
    world = World()
    world.each_count(lambda each: replace(each, server=server, total=server))

    finding = only(world.audit(), "DEL-03")

    assert finding.severity is severity
    # The last day of UTC ends an hour after the account's.
    count = len(days(FIRST, LAST)) - 1
    assert finding.expected.value == 64 * count
    assert finding.found.value == server * count
    assert finding.since == FIRST


def test_del_03_names_the_days_alone_on_which_it_was() -> None:
    world = World()
    bad = date(2026, 11, 3)
    world.each_count(lambda each: replace(each, server=0, total=0) if each.day == bad else each)

    finding = only(world.audit(), "DEL-03")

    assert (finding.expected.value, finding.found.value) == (64, 0)
    assert finding.since == bad
    assert finding.at_stake == 360


def test_del_03_a_day_that_tiktok_does_not_list_had_none() -> None:
    world = World()
    bad = date(2026, 11, 3)
    world.event_counts = [each for each in world.event_counts if each.day != bad]

    assert only(world.audit(), "DEL-03").found.value == 0


def test_del_03_is_silent_within_the_margin_of_chance() -> None:
    world = World()
    bad = date(2026, 11, 3)
    world.each_count(lambda each: replace(each, server=41) if each.day == bad else each)

    assert state(world.audit(), "DEL-03") is State.PASSED  # 23 of 64 are less than 3 roots


def test_del_03_waits_until_the_day_is_settled() -> None:
    world = World(now=datetime(2026, 11, 21, 11, tzinfo=UTC).timestamp())
    last = LAST - timedelta(1)
    world.each_count(lambda each: replace(each, server=0, total=0) if each.day == last else each)
    early = world.audit()
    world.now += 2 * 3600

    assert state(early, "DEL-03") is State.PASSED
    assert state(world.audit(), "DEL-03") is State.FOUND


def test_del_04_somebody_else_posts_the_same_events() -> None:
    world = World()
    world.each_count(lambda each: replace(each, server=128, total=128))

    finding = only(world.audit(), "DEL-04")

    assert finding.found.value == 2 * (finding.expected.value or 0)


def test_del_04_is_silent_about_four_percent() -> None:
    world = World()
    world.each_count(lambda each: replace(each, server=66, total=66))

    assert state(world.audit(), "DEL-04") is State.PASSED


# --- DEL-05, DEL-06 ------------------------------------------------------------------------------


@pytest.mark.parametrize(("hours", "fires"), [(26, False), (29, True)])
def test_del_05_silence_is_measured_by_the_usual_nights(hours: int, fires: bool) -> None:
    """From 21 h of one day to 6 h of the next are nine hours: three times that are 27."""
    last = datetime(2026, 11, 21, 21, tzinfo=UTC).timestamp()
    world = World(now=last + 3600 * (hours + 1))
    world.each_row(lambda row: row if row.hour * 3600 <= last else None)

    assert bool(found(world.audit(), "DEL-05")) is fires


def test_del_05_says_both_numbers() -> None:
    world = World(now=datetime(2026, 11, 23, 8, tzinfo=UTC).timestamp())
    world.each_row(lambda row: row if row.hour < hour(LAST, 22) else None)

    finding = only(world.audit(), "DEL-05")

    assert (finding.expected.value, finding.found.value) == (Decimal(9), Decimal(34))
    assert finding.since == LAST
    assert finding.severity is Severity.CRITICAL


def test_del_05_does_not_apply_to_a_shop_that_sells_three_times_a_day() -> None:
    world = World(now=datetime(2026, 11, 24, 8, tzinfo=UTC).timestamp())
    world.each_row(lambda row: row if row.hour % 24 in (8, 13, 18) else None)

    assert state(world.audit(), "DEL-05") is State.NOT_APPLICABLE


def refused(count: int, on: date = MATURE) -> World:
    world = World()
    world.ledger.append(LedgerRow(hour(on, 12), "web", "Purchase", Outcome.REJECTED, Sums(count)))
    return world


@pytest.mark.parametrize(("count", "severity"), [(200, Severity.MEDIUM), (600, Severity.CRITICAL)])
def test_del_06_rejections(count: int, severity: Severity) -> None:
    world = refused(count)
    world.more["refused"] = [
        Refused("web", 40105, "refused", 3), Refused("web", 40002, "invalid_params", count - 3),
    ]  # fmt: skip

    finding = only(world.audit(), "DEL-06")

    assert finding.severity is severity
    assert f"{count} of {count + 42 * 64}" in finding.says
    assert "code 40002" in finding.says
    assert finding.since == MATURE


def test_del_06_is_silent_about_one_percent() -> None:
    assert state(refused(27).audit(), "DEL-06") is State.PASSED


# --- DEL-07, DEL-08, DEL-09 ----------------------------------------------------------------------


def with_sums(each: Sums, on: date = MATURE) -> World:
    world = World()
    world.ledger.append(LedgerRow(hour(on, 12), "web", "Purchase", Outcome.DELIVERED, each))
    return world


def test_del_07_a_test_code_in_production() -> None:
    finding = only(with_sums(sums(5, tests=5)).audit(), "DEL-07")

    assert finding.severity is Severity.CRITICAL
    assert finding.found.value == 5
    assert finding.since == MATURE
    assert finding.at_stake == 360


def test_del_07_lets_people_try_things_where_they_are_allowed_to() -> None:
    assert found(with_sums(sums(5, tests=5)).audit(test_events=5), "DEL-07") == []


def test_del_07_is_silent_about_somebody_who_tries_out_what_is_no_order() -> None:
    world = World()
    tried = LedgerRow(hour(MATURE, 12), "web", "ViewContent", Outcome.DELIVERED, sums(5, tests=5))
    world.ledger.append(tried)

    assert found(world.audit(), "DEL-07") == []


def test_test_events_are_no_deliveries() -> None:
    world = World()
    world.each_sums(lambda each: replace(sums(each.count, tests=each.count), keys=Counter()))
    world.each_day(no_conversions)

    audit = world.audit()

    assert only(audit, "DEL-07").found.value == 42 * 64
    assert only(audit, "DEL-02").explained_by == ("DEL-07",)


@pytest.mark.parametrize(
    ("late", "severity", "key"),
    [
        ({"1h": 900}, Severity.LOW, "1h"),
        ({"1h": 900, "7d": 1}, Severity.HIGH, "7d"),  # the click window is seven days
        ({"1h": 900, "7d": 9, "28d": 1}, Severity.HIGH, "28d"),
    ],
)
def test_del_08_late_events(late: dict[str, int], severity: Severity, key: str) -> None:
    finding = only(with_sums(sums(900, late=Counter(late))).audit(), "DEL-08")

    assert finding.severity is severity
    assert f"more than {key} after" in finding.says
    assert finding.since == MATURE


def test_del_08_a_week_is_hopeless_only_where_the_window_is_no_longer() -> None:
    world = with_sums(sums(900, late=Counter({"7d": 9})))
    world.each_group(click_window=28)

    assert only(world.audit(), "DEL-08").severity is Severity.MEDIUM


def test_del_08_is_silent_about_a_few_late_ones_and_about_files() -> None:
    few = with_sums(sums(900, late=Counter({"1h": 100})))
    files = with_sums(sums(900, late=Counter({"1h": 900})))
    files.targets = [Target("web", EventSource.OFFLINE, CODE)]

    assert state(few.audit(), "DEL-08") is State.PASSED
    assert state(files.audit(), "DEL-08") is State.PASSED


@pytest.mark.parametrize(
    ("reason", "severity"),
    [("milliseconds", Severity.LOW), ("future", Severity.HIGH)],  # the relay reads the former right
)
def test_del_09_wrong_clocks(reason: str, severity: Severity) -> None:
    issue = IssueRow(hour(MATURE, 12), "web", "Purchase", "event_time", reason, 3)

    finding = only(World(more={"issues": [issue]}).audit(), "DEL-09")

    assert finding.severity is severity
    assert finding.found.value == 3
    assert finding.since == MATURE


def test_del_09_counts_what_was_refused_for_the_future_once() -> None:
    row = LedgerRow(
        hour(MATURE, 12), "web", "Purchase", Outcome.INVALID, Sums(4, reasons=Counter(future=4))
    )
    issue = IssueRow(hour(MATURE, 12), "web", "Purchase", "event_time", "future", 4)
    world = World(more={"issues": [issue]})
    world.ledger.append(row)

    assert only(world.audit(), "DEL-09").found.value == 4


def test_del_09_is_silent_about_other_flaws_and_other_days() -> None:
    before = FIRST - timedelta(2)
    issues = [
        IssueRow(hour(MATURE, 12), "web", "Purchase", "event_time", "missing", 3),
        IssueRow(hour(MATURE, 12), "web", "Purchase", "event_time", "clamped", 3),
        IssueRow(hour(before, 12), "web", "Purchase", "event_time", "future", 3),
        IssueRow(hour(MATURE, 12), "another", "Purchase", "event_time", "future", 3),
    ]

    assert state(World(more={"issues": issues}).audit(), "DEL-09") is State.PASSED
