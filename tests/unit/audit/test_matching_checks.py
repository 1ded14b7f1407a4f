"""MAT: each check at its fault, and at the nearest thing that is none."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from relay.audit.facts import Level
from relay.audit.findings import Severity, State
from relay.journal.issues import IssueRow
from relay.model import MatchKey
from tests.unit.audit.test_configuration import slow_buyers
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
)


def visitors(clicked: int, of: int = 200, **changes: Any) -> World:
    """Sampled purchases of people who came from TikTok, so many with a click id."""
    rows = [each for each in some_samples(of) if each.event == "Purchase"]
    no_click: dict[str, Any] = {"click": None, "match_keys": int(MatchKey.EMAIL), **changes}
    return World(
        samples=[each if n < clicked else each._replace(**no_click) for n, each in enumerate(rows)]
    )


@pytest.mark.parametrize(("clicked", "severity"), [(120, Severity.MEDIUM), (60, Severity.HIGH)])
def test_mat_01_click_ids_get_lost(clicked: int, severity: Severity) -> None:
    finding = only(visitors(clicked).audit(), "MAT-01")

    assert finding.severity is severity
    assert f"{clicked} of 200 sampled" in finding.says
    assert finding.found.value == Decimal(clicked) / 2
    assert finding.since == date(2026, 11, 10)


def test_mat_01_is_silent_about_nearly_all_and_about_people_from_elsewhere() -> None:
    assert state(visitors(160).audit(), "MAT-01") is State.PASSED
    assert state(visitors(60, from_tiktok=False).audit(), "MAT-01") is State.PASSED


def test_mat_01_wants_enough_of_a_sample() -> None:
    assert state(visitors(0, of=19).audit(), "MAT-01") is State.NOT_APPLICABLE


def keyed(world: World, last_days: int = 99, **keys: int) -> World:
    """Of the four purchases of an hour, so many carry this key."""
    since = hour(LAST - timedelta(last_days - 1), 0)
    world.each_row(
        lambda row: (
            row._replace(sums=replace(row.sums, keys=Counter({**row.sums.keys, **keys})))
            if row.hour >= since
            else row
        )
    )
    return world


def test_mat_02_neither_addresses_nor_phones() -> None:
    finding = only(keyed(World(), email=1, phone=0).audit(), "MAT-02")

    assert finding.severity is Severity.MEDIUM
    assert finding.found.value == Decimal("25.0")
    assert [each.value for each in finding.details] == [42 * 16, 0]


def test_mat_02_is_silent_where_one_of_the_two_is_there() -> None:
    assert state(keyed(World(), email=1).audit(), "MAT-02") is State.PASSED


def test_mat_02_is_silent_where_nobody_knows_the_people() -> None:
    world = keyed(World(), email=0, phone=0)
    world.each_row(lambda row: row._replace(event="ViewContent"))

    assert found(world.audit(), "MAT-02") == []


def test_mat_02_the_score_fell_within_a_week() -> None:
    finding = only(keyed(World(), 7, email=0, external_id=0).audit(), "MAT-02")

    assert finding.severity is Severity.HIGH
    # ttclid .25·24/64, email .2·3/4, phone .2·½, external_id .1, ttp .1·½, ip and user agent .15
    before = Decimal("64.38")
    assert finding.expected.value == before
    assert finding.found.value == before - 25
    assert "email" in finding.do
    assert finding.since == date(2026, 11, 15)


def test_mat_02_is_silent_about_a_small_fall() -> None:
    assert state(keyed(World(), 7, ttp=0).audit(), "MAT-02") is State.PASSED


def flawed(count: int, field: str = "user.email", reason: str = "not_an_email") -> World:
    rows = [IssueRow(hour(MATURE, 12), "web", "Purchase", field, reason, count)]
    return World(more={"issues": rows})


@pytest.mark.parametrize("field", ["user.email", "user.email[]", "user.ip", "user.user_agent"])
def test_mat_03_keys_in_a_bad_form(field: str) -> None:
    finding = only(flawed(269, field).audit(), "MAT-03")

    assert finding.found.value == Decimal("10.0")  # of 2 688
    assert field.removesuffix("[]") in finding.says
    assert finding.since == MATURE


@pytest.mark.parametrize(
    "world",
    [flawed(27), flawed(269, reason="missing"), flawed(269, "properties.value", "negative")],
)
def test_mat_03_is_silent_about_few_and_about_what_is_no_bad_key(world: World) -> None:
    assert state(world.audit(), "MAT-03") is State.PASSED


def attributed(count: int, since: date = MATURE - timedelta(3)) -> World:
    """So many of 640 a day; usual are 240."""
    world = World()
    world.each_count(
        lambda e: replace(e, total=640, server=64, attributed=count if e.day >= since else 240)
    )
    return world


def test_mat_04_the_attributed_share_fell() -> None:
    finding = only(attributed(140).audit(), "MAT-04")

    assert finding.expected.value == Decimal("37.5")
    assert finding.found.value == Decimal("21.9")
    assert finding.since == MATURE - timedelta(3)  # the last day of UTC is not whole


def test_mat_04_is_silent_about_a_fifth_less_and_about_days_that_are_not_mature() -> None:
    assert state(attributed(190).audit(), "MAT-04") is State.PASSED
    assert state(attributed(0, MATURE + timedelta(1)).audit(), "MAT-04") is State.PASSED


def test_mat_05_click_ids_older_than_the_window() -> None:
    finding = only(slow_buyers(30, 9).audit(), "MAT-05")

    assert "30 of 100 sampled" in finding.says
    assert finding.found.value == Decimal("30.0")
    assert finding.severity is Severity.LOW


def test_mat_05_is_silent_about_few_old_ones() -> None:
    assert state(slow_buyers(12, 9).audit(), "MAT-05") is State.PASSED


def landings(views: int | None, clicks: int = 300) -> World:
    world = World()
    world.each_day(
        lambda row: (
            replace(row, landing_page_views=views, clicks=clicks) if row.level is Level.AD else row
        )
    )
    return world


def test_mat_06_clicks_do_not_arrive() -> None:
    finding = only(landings(100).audit(), "MAT-06")

    assert f"Of {2 * 42 * 300} clicks" in finding.says  # both ads have one landing page
    assert finding.found.value == Decimal("33.3")
    assert finding.at_stake == 2 * 42 * 180
    assert "https://shop.example/ " in finding.do


def test_mat_06_is_silent_over_half_and_where_nobody_counts_landings() -> None:
    assert state(landings(160).audit(), "MAT-06") is State.PASSED
    assert state(landings(None).audit(), "MAT-06") is State.NOT_APPLICABLE
    assert state(landings(0, clicks=1).audit(), "MAT-06") is State.NOT_APPLICABLE


def test_the_first_day_looked_at_is_the_account_s() -> None:
    early = IssueRow(hour(FIRST - timedelta(1), 23), "web", "Purchase", "user.ip", "not_an_ip", 900)

    assert only(World(more={"issues": [early]}).audit(), "MAT-03").since == FIRST
