"""DUP: each check at its fault, and at the nearest thing that is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from relay.audit.findings import Severity, State
from relay.journal.issues import IssueRow
from relay.journal.ledger import LedgerRow, Sums
from relay.model import Outcome
from tests.unit.audit.world import (
    FIRST,
    MATURE,
    World,
    a_sample,
    days,
    found,
    hour,
    only,
    some_samples,
    state,
)


def repeated(count: int) -> World:
    world = World()
    row = LedgerRow(hour(MATURE, 12), "web", "Purchase", Outcome.DUPLICATE, Sums(count))
    world.ledger.append(row)
    return world


@pytest.mark.parametrize(("count", "severity"), [(190, Severity.MEDIUM), (300, Severity.HIGH)])
def test_dup_01_arrivals_that_were_repeats(count: int, severity: Severity) -> None:
    finding = only(repeated(count).audit(), "DUP-01")

    assert finding.severity is severity
    assert f"{42 * 64 + count} Purchase" in finding.says.replace("SHOPPING", "Purchase")
    assert finding.since == MATURE


def test_dup_01_is_silent_about_a_few_webhooks_sent_again() -> None:
    assert state(repeated(50).audit(), "DUP-01") is State.PASSED


def split(orders: int) -> World:
    """100 sampled orders; so many of them under two event ids."""
    world = World(samples=some_samples(100))
    for number in range(1, orders + 1):
        twin = a_sample(number, datetime(2026, 11, 10, 14, tzinfo=UTC).timestamp())
        world.samples.append(twin._replace(event_id=number))
    return world


def test_dup_01_orders_under_several_ids() -> None:
    finding = only(split(60).audit(), "DUP-01")

    assert finding.severity is Severity.HIGH
    assert finding.found.value == Decimal("1.60")
    assert "60 of 100 sampled orders" in finding.says
    assert finding.since == date(2026, 11, 10)


def test_dup_01_is_silent_about_a_few_split_orders() -> None:
    assert state(split(20).audit(), "DUP-01") is State.PASSED


def test_dup_01_compares_orders_that_were_sampled_whole() -> None:
    """Of a sample of a quarter, orders above it are there for their click, and may lack events."""
    world = split(60)
    world.samples = [each._replace(share=0.25) for each in world.samples]

    whole = only(world.audit(min_count=1, sigma=0.5), "DUP-01").details[0].value

    assert whole == len({e.order for e in world.samples if e.order and e.order < 2**62})


def test_dup_02_browser_and_server_counted_twice() -> None:
    world = World()
    world.each_count(lambda e: replace(e, browser=64, total=128, attributed=90))

    finding = only(world.audit(), "DUP-02")

    count = len(days(FIRST, MATURE)) - 1  # the last day of UTC ends an hour after the account's
    assert finding.expected.value == 64 * count
    assert finding.found.value == 90 * count
    assert finding.at_stake == 360 * count


@pytest.mark.parametrize(("browser", "attributed"), [(0, 90), (64, 64), (64, 24)])
def test_dup_02_is_silent_where_one_alone_sends_or_nothing_is_doubled(
    browser: int, attributed: int
) -> None:
    world = World()
    world.each_count(
        lambda e: replace(e, browser=browser, total=64 + browser, attributed=attributed)
    )

    alone = State.NOT_APPLICABLE if browser == 0 else State.PASSED
    assert state(world.audit(), "DUP-02") is alone


def without_ids(count: int, browser: int, on: date = MATURE, reason: str = "derived") -> World:
    row = IssueRow(hour(on, 12), "web", "Purchase", "event_id", reason, count)
    world = World(more={"issues": [row]})
    world.each_count(lambda e: replace(e, browser=browser, total=64 + browser))
    return world


def test_dup_03_events_without_an_id_beside_a_browser_pixel() -> None:
    finding = only(without_ids(269, 64).audit(), "DUP-03")

    assert finding.found.value == Decimal("10.0")
    assert f"269 of {42 * 64}" in finding.says
    assert finding.since == MATURE


def test_dup_03_is_milder_where_the_order_stands_in() -> None:
    finding = only(without_ids(269, 64, reason="from_order_id").audit(), "DUP-03")

    assert finding.severity is Severity.MEDIUM
    assert "the order's id stands in" in finding.says
    assert only(without_ids(269, 64).audit(), "DUP-03").severity is Severity.HIGH


def test_dup_03_is_silent_without_a_browser_pixel_or_a_missing_id() -> None:
    assert found(without_ids(200, 0).audit(), "DUP-03") == []
    assert found(without_ids(0, 64).audit(), "DUP-03") == []
    assert found(without_ids(200, 64, FIRST - timedelta(3)).audit(), "DUP-03") == []
