"""VAL: each check at its fault, and at the nearest thing that is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from relay.audit.facts import Period
from relay.audit.findings import Severity, State
from relay.journal.issues import IssueRow
from tests.unit.audit.world import (
    FIRST,
    LAST,
    MATURE,
    World,
    found,
    hour,
    only,
    some_samples,
    state,
    why,
)

MATURE_DAYS = (MATURE - FIRST).days + 1


def worthless(an_hour: int, **changes: object) -> World:
    world = World()
    world.each_sums(lambda each: replace(each, worthless=an_hour))
    world.each_group(**changes)
    return world


def test_val_01_purchases_without_value() -> None:
    finding = only(worthless(1).audit(), "VAL-01")

    assert finding.severity is Severity.HIGH
    assert finding.found.value == Decimal("25.0")
    assert finding.details[0].value == 42 * 16
    assert finding.since == FIRST


@pytest.mark.parametrize("changes", [{"optimization_goal": "VALUE"}, {"roas_bid": Decimal("2.5")}])
def test_val_01_is_critical_where_ads_bid_for_value(changes: dict[str, object]) -> None:
    finding = only(worthless(1, **changes).audit(), "VAL-01")

    assert finding.severity is Severity.CRITICAL
    assert finding.at_stake == 2 * 42 * 180


def test_val_01_is_silent_about_five_in_a_thousand() -> None:
    world = World()
    world.ledger[500] = world.ledger[500]._replace(
        sums=replace(world.ledger[500].sums, worthless=13)
    )

    assert state(world.audit(), "VAL-01") is State.PASSED


def in_currency(world: World, currency: str, **more: object) -> World:
    def exchanged(sums):  # type: ignore[no-untyped-def]
        return replace(
            sums,
            value={currency: sums.value["EUR"]},
            click_value={currency: sums.click_value["EUR"]},
        )

    world.each_sums(exchanged)
    world.more.update(more)
    return world


def test_val_02_another_currency_is_worth_knowing() -> None:
    finding = only(in_currency(World(), "USD", rates={"USD": EUR_PER_USD}).audit(), "VAL-02")

    assert finding.severity is Severity.INFO
    assert (finding.expected.value, finding.found.value) == ("EUR", "USD")


EUR_PER_USD = Decimal("0.92")


def test_val_02_says_how_to_give_a_rate() -> None:
    audit = in_currency(World(), "USD").audit()

    assert "audit.rates.USD" in only(audit, "VAL-02").do
    assert state(audit, "VAL-03") is State.NOT_APPLICABLE
    assert "audit.rates.USD = …" in why(audit, "VAL-03")


def in_cents(count: int, factor: int = 100) -> World:
    rows = some_samples(200)
    changed = 0
    for place, row in enumerate(rows):
        if row.event == "Purchase" and changed < count:
            rows[place] = row._replace(value=Decimal(50) * factor)
            changed += 1
    return World(samples=rows)


def test_val_02_values_in_cents() -> None:
    finding = only(in_cents(40).audit(), "VAL-02")

    assert finding.severity is Severity.CRITICAL
    assert finding.found.value == Decimal("5000.00")
    assert "40 of 200 sampled" in finding.says


def test_val_02_is_silent_about_large_orders_and_one_odd_one() -> None:
    assert found(in_cents(40, factor=10).audit(), "VAL-02") == []
    assert found(in_cents(3).audit(), "VAL-02") == []


def test_val_02_unknown_currencies() -> None:
    row = IssueRow(hour(MATURE, 12), "web", "Purchase", "properties.currency", "not_a_currency", 5)

    finding = only(World(more={"issues": [row]}).audit(), "VAL-02")

    assert (finding.found.value, finding.since) == (5, MATURE)


# --- VAL-03 --------------------------------------------------------------------------------------


def valued(times: Decimal) -> World:
    """TikTok reports so many times the value."""
    world = World()
    world.each_day(
        lambda row: replace(
            row,
            values={"SHOPPING": row.values["SHOPPING"] * times},
            value_per_purchase=None,
            purchase_roas=None,
        )
    )
    return world


def test_val_03_tiktok_reports_more_than_there_was() -> None:
    finding = only(valued(Decimal(3)).audit(), "VAL-03")

    assert finding.severity is Severity.CRITICAL
    assert finding.found.value == MATURE_DAYS * 3600
    assert finding.expected.value == MATURE_DAYS * 3200
    assert finding.at_stake == MATURE_DAYS * 400


@pytest.mark.parametrize("times", ["0.6", "1.7"])
def test_val_03_the_value_is_far_from_that_of_the_clicks(times: str) -> None:
    finding = only(valued(Decimal(times)).audit(), "VAL-03")

    assert finding.severity is Severity.MEDIUM
    assert finding.found.value == Decimal(times)


@pytest.mark.parametrize("times", ["0.75", "1.45"])
def test_val_03_is_silent_near_the_value_of_the_clicks(times: str) -> None:
    assert state(valued(Decimal(times)).audit(), "VAL-03") is State.PASSED


def test_val_03_converts_before_it_compares() -> None:
    world = in_currency(World(), "USD", rates={"USD": Decimal("0.5")})

    finding = only(world.audit(), "VAL-03")

    assert finding.found.value == Decimal("2.00")


def test_val_03_of_few_days_compares_with_all_that_the_value_can_come_from() -> None:
    """15 mature days: more than the orders of these, but than of seven more?"""
    short = valued(Decimal(6))
    short.period = Period(MATURE - timedelta(14), LAST)
    shorter = valued(Decimal(3))
    shorter.period = short.period
    # No click of the sample is of these days.
    short.samples = shorter.samples = []

    finding = only(short.audit(), "VAL-03")

    assert finding.expected.value == 22 * 3200
    assert finding.found.value == 15 * 7200
    assert found(shorter.audit(), "VAL-03") == []


def test_val_03_of_few_days_keys_the_clicks_by_their_day() -> None:
    """Orders of 10 November whose clicks are of the 9th: only the 9th is worth anything."""
    world = World(period=Period(date(2026, 11, 9), LAST))
    world.each_day(
        lambda row: replace(
            row,
            values={"SHOPPING": Decimal(4000 if row.day == date(2026, 11, 9) else 0)},
            value_per_purchase=None,
            purchase_roas=None,
        )
    )

    finding = only(world.audit(), "VAL-03")

    clicked = sum(e.value or 0 for e in world.samples if e.event == "Purchase")
    assert finding.found.value == round(Decimal(8000) / clicked, 2)


# --- VAL-04 --------------------------------------------------------------------------------------


def bidding(samples: dict[str, Any], **changes: object) -> World:
    rows = [e._replace(**samples) if e.event == "Purchase" else e for e in some_samples(100)]
    world = World(samples=rows)
    world.each_group(**(changes or {"optimization_goal": "VALUE"}))
    return world


@pytest.mark.parametrize("value", [Decimal(1), None])
def test_val_04_bids_for_value_without_values(value: Decimal | None) -> None:
    finding = only(bidding({"value": value}).audit(), "VAL-04")

    assert finding.found.value == (1 if value else 0)
    assert finding.at_stake == 2 * 42 * 180


def test_val_04_is_silent_where_values_differ() -> None:
    assert state(bidding({}).audit(), "VAL-04") is State.PASSED


def test_val_04_is_silent_where_nobody_bids_for_value() -> None:
    world = bidding({"value": Decimal(1)}, optimization_goal="CONVERT")

    assert state(world.audit(), "VAL-04") is State.NOT_APPLICABLE
