"""BUD and GOV: each check at its fault, and at the nearest thing that is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from relay.audit.facts import Campaign, Edit, Level
from relay.audit.findings import Severity, State
from tests.unit.audit.world import (
    LAST,
    World,
    an_adgroup,
    found,
    only,
    state,
)

DYNAMIC = "BUDGET_MODE_DYNAMIC_DAILY_BUDGET"


def spending(amount: str, on: date | None = None, id: str = "g1") -> World:
    world = World()
    world.each_day(
        lambda row: (
            replace(row, spend=Decimal(amount))
            if row.id == id and (on is None or row.day == on)
            else row
        )
    )
    return world


# --- BUD-01 --------------------------------------------------------------------------------------


def test_bud_01_a_day_over_its_budget() -> None:
    finding = only(spending("221", LAST).audit(), "BUD-01")

    assert (finding.expected.value, finding.found.value) == (Decimal(220), Decimal(221))
    assert finding.at_stake == 21
    assert finding.since == LAST


@pytest.mark.parametrize("on", [LAST, date(2026, 11, 1)])
def test_bud_01_is_silent_within_a_tenth_and_about_days_long_past(on: date) -> None:
    amount = "220" if on == LAST else "999"

    assert state(spending(amount, on).audit(), "BUD-01") is State.PASSED


def test_bud_01_does_not_hold_today_s_budget_against_days_before_it_was_set() -> None:
    world = spending("500", LAST)
    world.adgroups[0] = replace(
        world.adgroups[0], modified_at=datetime(2026, 11, 21, 9, tzinfo=UTC)
    )

    assert found(world.audit(), "BUD-01") == []


@pytest.mark.parametrize(("amount", "fires"), [("249", False), ("251", True)])
def test_bud_01_a_dynamic_budget_may_take_a_quarter_more(amount: str, fires: bool) -> None:
    world = spending(amount, LAST)
    world.each_group(budget_mode=DYNAMIC)

    assert bool(found(world.audit(), "BUD-01")) is fires


@pytest.mark.parametrize(("amount", "fires"), [("200", False), ("201", True)])
def test_bud_01_a_dynamic_budget_holds_over_a_week(amount: str, fires: bool) -> None:
    world = spending(amount)
    world.each_group(budget_mode=DYNAMIC)

    findings = found(world.audit(), "BUD-01")

    assert bool(findings) is fires
    assert not fires or findings[0].found.value == Decimal(1407)


def lifetime(budget: int, ends: datetime) -> World:
    world = World()
    world.adgroups[0] = replace(
        world.adgroups[0],
        budget_mode="BUDGET_MODE_TOTAL",
        budget=Decimal(budget),
        starts_at=datetime(2026, 10, 11, tzinfo=UTC),
        ends_at=ends,
    )
    return world


def test_bud_01_a_lifetime_budget_is_overspent() -> None:
    finding = only(lifetime(7000, datetime(2027, 1, 1, tzinfo=UTC)).audit(), "BUD-01")

    assert finding.found.value == 42 * 180
    assert finding.at_stake == 560


def test_bud_01_a_lifetime_budget_is_used_too_early() -> None:
    finding = only(lifetime(8000, datetime(2027, 1, 1, tzinfo=UTC)).audit(), "BUD-01")

    assert finding.found.value == Decimal("94.5")
    assert finding.expected.value == Decimal("52.0")


@pytest.mark.parametrize(
    "world",
    [
        lifetime(8000, datetime(2026, 11, 30, tzinfo=UTC)),  # 84 % of its time is over
        lifetime(9000, datetime(2027, 1, 1, tzinfo=UTC)),
        lifetime(8000, datetime(2036, 10, 8, tzinfo=UTC)),  # no end
    ],
)
def test_bud_01_is_silent_about_a_lifetime_budget_in_time(world: World) -> None:
    assert state(world.audit(), "BUD-01") is State.PASSED


def test_bud_01_looks_at_campaigns_too() -> None:
    world = World(
        campaigns=[
            Campaign(
                "c1",
                "All",
                "WEB_CONVERSIONS",
                "ENABLE",
                None,
                "BUDGET_MODE_DAY",
                Decimal(300),
                None,
            )
        ]
    )

    assert only(world.audit(), "BUD-01").subject.kind == "campaign"  # 360 a day


# --- BUD-02 --------------------------------------------------------------------------------------


def split(groups: int, each: int) -> World:
    """So many ad groups with so many conversions a day each."""
    world = World(adgroups=[an_adgroup(f"g{n}") for n in range(groups)])
    rows = [row for row in world.days if row.level is Level.ADGROUP and row.id == "g1"]
    world.days = [row for row in world.days if row.level is not Level.ADGROUP] + [
        replace(row, id=f"g{n}", conversions=each, spend=Decimal(18))
        for row in rows
        for n in range(groups)
    ]
    return world


@pytest.mark.parametrize(("each", "severity"), [(3, Severity.LOW), (1, Severity.MEDIUM)])
def test_bud_02_ad_groups_that_would_learn_together(each: int, severity: Severity) -> None:
    findings = found(split(10, each).audit(), "BUD-02")

    assert len(findings) == 10
    assert {f.severity for f in findings} == {severity}
    assert {f.found.value for f in findings} == {7 * each}
    assert "Merge it" in findings[0].do


def test_bud_02_is_only_worth_knowing_where_merging_would_not_help() -> None:
    findings = found(split(2, 1).audit(), "BUD-02")

    assert {f.severity for f in findings} == {Severity.INFO}


def test_bud_02_is_silent_about_enough_and_about_new_ones() -> None:
    new = split(10, 1)
    new.each_group(created_at=datetime(2026, 11, 9, tzinfo=UTC))

    assert state(split(10, 7).audit(), "BUD-02") is State.PASSED
    assert state(new.audit(), "BUD-02") is State.NOT_APPLICABLE


@pytest.mark.parametrize(("budget", "fires"), [(149, True), (150, False)])
def test_bud_02_a_budget_of_less_than_ten_conversions(budget: int, fires: bool) -> None:
    world = World()
    world.adgroups[0] = replace(world.adgroups[0], budget=Decimal(budget))

    findings = found(world.audit(), "BUD-02")  # 180 for 12: one costs 15

    assert bool(findings) is fires
    assert not fires or findings[0].expected.value == Decimal(150)


# --- BUD-03 --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "mend"),
    [
        ("ADGROUP_STATUS_AUDIT_DENY", "change the ads"),
        ("ADGROUP_STATUS_AUDIT", "wait for the review"),
        ("ADGROUP_STATUS_BALANCE_EXCEED", "top up"),
        ("ADVERTISER_ACCOUNT_PUNISH", "appeal"),
    ],
)
def test_bud_03_switched_on_but_blocked(status: str, mend: str) -> None:
    world = World()
    world.adgroups[0] = replace(world.adgroups[0], secondary_status=status)

    finding = only(world.audit(), "BUD-03")

    assert finding.found.value == status
    assert mend in finding.do


@pytest.mark.parametrize(
    "changes",
    [
        {"secondary_status": "ADGROUP_STATUS_PARTIAL_AUDIT_DELIVERY_OK"},
        {"secondary_status": "ADGROUP_STATUS_NOT_START"},
        {"secondary_status": "ADGROUP_STATUS_AUDIT_DENY", "operation_status": "DISABLE"},
        {"secondary_status": "ADGROUP_STATUS_OF_NEXT_YEAR"},
        {"secondary_status": None},
    ],
)
def test_bud_03_is_silent_about_what_delivers_or_rests(changes: dict[str, str]) -> None:
    world = World()
    world.adgroups[0] = replace(world.adgroups[0], **changes)  # type: ignore[arg-type]

    assert state(world.audit(), "BUD-03") is State.PASSED


def test_bud_03_an_account_that_cannot_deliver() -> None:
    world = World()
    world.advertiser = replace(world.advertiser, status="STATUS_LIMIT")

    assert only(world.audit(), "BUD-03").found.value == "STATUS_LIMIT"


@pytest.mark.parametrize(("balance", "fires"), [(360, True), (361, False), (None, False)])
def test_bud_03_a_balance_of_less_than_a_day(balance: int | None, fires: bool) -> None:
    world = World()
    balance_left = None if balance is None else Decimal(balance)
    world.advertiser = replace(world.advertiser, balance=balance_left)

    assert bool(found(world.audit(), "BUD-03")) is fires


# --- BUD-04 --------------------------------------------------------------------------------------


def off(**changes: object) -> World:
    world = World()
    world.adgroups[0] = replace(world.adgroups[0], **changes)  # type: ignore[arg-type]
    return world


@pytest.mark.parametrize(
    "world",
    [
        off(operation_status="DISABLE", modified_at=datetime(2026, 11, 18, 12, tzinfo=UTC)),
        off(ends_at=datetime(2026, 11, 18, 12, tzinfo=UTC)),
    ],
)
def test_bud_04_spend_after_the_end(world: World) -> None:
    finding = only(world.audit(), "BUD-04")

    assert finding.found.value == 3 * 180
    assert finding.since == date(2026, 11, 19)


@pytest.mark.parametrize(
    "world",
    [
        # Eleven at night in UTC is the account's next day.
        off(operation_status="DISABLE", modified_at=datetime(2026, 11, 20, 23, 30, tzinfo=UTC)),
        off(operation_status="ENABLE", modified_at=datetime(2026, 11, 18, 12, tzinfo=UTC)),
        off(ends_at=datetime(2026, 12, 18, 12, tzinfo=UTC)),
    ],
)
def test_bud_04_is_silent_about_the_last_day_itself_and_about_what_runs(world: World) -> None:
    assert found(world.audit(), "BUD-04") == []


# --- GOV-01 --------------------------------------------------------------------------------------


def edited(at: datetime, object_id: str = "g1") -> World:
    """The spend of a day is over budget; something was changed before."""
    world = spending("250", date(2026, 11, 18))
    world.more["edits"] = [Edit(at, "ADGROUP", object_id, "budget 100 → 200")]
    return world


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 11, 15, 23, tzinfo=UTC),  # 48 h before the 18th begins in the account's zone
        datetime(2026, 11, 18, 22, 59, tzinfo=UTC),
    ],
)
def test_gov_01_says_what_was_changed_before(at: datetime) -> None:
    audit = edited(at).audit()

    finding = only(audit, "GOV-01")
    assert finding.severity is Severity.INFO
    assert "budget 100 → 200" in finding.says
    assert len(only(audit, "BUD-01").changed_before) == 1
    assert state(audit, "GOV-01") is State.FOUND


@pytest.mark.parametrize(
    "world",
    [
        edited(datetime(2026, 11, 15, 22, 59, tzinfo=UTC)),
        edited(datetime(2026, 11, 18, 23, tzinfo=UTC)),
        edited(datetime(2026, 11, 17, tzinfo=UTC), "g2"),
    ],
)
def test_gov_01_is_silent_about_other_times_and_other_ad_groups(world: World) -> None:
    audit = world.audit()

    assert only(audit, "BUD-01").changed_before == ()
    assert state(audit, "GOV-01") is State.PASSED


def test_gov_01_reads_when_a_group_was_modified() -> None:
    world = World()
    world.adgroups[0] = replace(
        world.adgroups[0],
        secondary_status="ADGROUP_STATUS_AUDIT_DENY",
        modified_at=datetime(2026, 11, 21, 12, tzinfo=UTC),
    )

    assert '"Group g1"' in only(world.audit(), "BUD-03").changed_before[0]


def test_gov_01_needs_something_grave_to_have_begun() -> None:
    world = World(more={"edits": [Edit(datetime(2026, 11, 17), "ADGROUP", "g1", "x")]})  # noqa: DTZ001

    assert state(world.audit(), "GOV-01") is State.NOT_APPLICABLE
