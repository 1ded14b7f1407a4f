"""CFG: each check at its fault, and at the nearest thing that is none."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from relay.audit.facts import Ad, Advice, CustomConversion, PixelEvent, Target
from relay.audit.findings import Severity, State
from relay.journal.ledger import Sums
from relay.model import EventSource
from tests.unit.audit.world import (
    CODE,
    FIRST,
    PIXEL_ID,
    World,
    a_pixel,
    a_sample,
    an_adgroup,
    found,
    only,
    some_samples,
    state,
    why,
)

# --- CFG-01 --------------------------------------------------------------------------------------


def test_cfg_01_an_event_that_nobody_sends() -> None:
    world = World(adgroups=[an_adgroup("g1"), an_adgroup("g2", optimization_event="FORM")])

    finding = only(world.audit(), "CFG-01")

    assert finding.severity is Severity.CRITICAL
    assert finding.subject.id == f"{CODE}/FORM"
    assert '"Group g2"' in finding.says
    assert "`Lead`" in finding.do
    assert finding.found.value == 0
    assert finding.at_stake == 6 * 180  # of seven days, today spent nothing yet
    assert finding.since == date(2026, 11, 16)


def test_cfg_01_is_silent_where_the_browser_sends_it() -> None:
    world = World(adgroups=[an_adgroup("g1"), an_adgroup("g2", optimization_event="FORM")])
    world.event_counts.append(
        replace(world.event_counts[-1], event="FORM", server=0, browser=3, total=3)
    )

    assert state(world.audit(), "CFG-01") is State.PASSED


def test_cfg_01_leaves_alone_what_does_not_deliver() -> None:
    paused = an_adgroup("g2", optimization_event="FORM", operation_status="DISABLE")

    assert state(World(adgroups=[an_adgroup(), paused]).audit(), "CFG-01") is State.PASSED


def test_cfg_01_looks_at_deep_events_too() -> None:
    world = World(adgroups=[an_adgroup("g1", deep_event="ON_WEB_SUBSCRIBE")])

    assert only(world.audit(), "CFG-01").subject.id == f"{CODE}/ON_WEB_SUBSCRIBE"


# --- CFG-02 --------------------------------------------------------------------------------------


def test_cfg_02_a_pixel_that_the_relay_does_not_feed() -> None:
    other = a_pixel(id="2", code="OTHER", name="Old shop")
    world = World(pixels=[a_pixel(), other])
    world.adgroups[1] = replace(world.adgroups[1], pixel_id="2")

    finding = only(world.audit(), "CFG-02")

    assert (finding.expected.value, finding.found.value) == (CODE, "OTHER")
    assert finding.at_stake == 42 * 180
    assert finding.since == FIRST


def test_cfg_02_tells_a_pixel_id_that_was_pasted_for_its_code() -> None:
    world = World(targets=[Target("web", EventSource.WEB, PIXEL_ID)])

    finding = only(world.audit(), "CFG-02")

    assert "numeric id" in finding.do
    assert f'event_source_id = "{CODE}"' in finding.do


def test_cfg_02_is_silent_for_ad_groups_that_do_not_optimise_for_conversions() -> None:
    world = World(pixels=[a_pixel(), a_pixel(id="2", code="OTHER")])
    world.adgroups[1] = replace(world.adgroups[1], pixel_id="2", optimization_goal="CLICK")

    assert state(world.audit(), "CFG-02") is State.PASSED


def test_cfg_02_has_nothing_to_say_without_a_web_destination() -> None:
    world = World(targets=[Target("web", EventSource.CRM, CODE)])

    assert state(world.audit(), "CFG-02") is State.NOT_APPLICABLE


# --- CFG-03 --------------------------------------------------------------------------------------


def test_cfg_03_conversions_without_a_pixel() -> None:
    finding = only(World(adgroups=[an_adgroup("g1", pixel_id=None)]).audit(), "CFG-03")

    assert finding.subject.id == "g1"
    assert finding.at_stake == 42 * 180


@pytest.mark.parametrize(
    "changes",
    [
        {"optimization_goal": "CLICK"},
        {"promotion_type": "APP_ANDROID"},
        {"operation_status": "DISABLE"},
        {"secondary_status": "ADGROUP_STATUS_TIME_DONE"},
    ],
)
def test_cfg_03_is_silent_where_no_pixel_is_needed(changes: dict[str, str]) -> None:
    groups = [an_adgroup("g1"), an_adgroup("g2", pixel_id=None, **changes)]

    assert found(World(adgroups=groups).audit(), "CFG-03") == []


# --- CFG-04 --------------------------------------------------------------------------------------


def test_cfg_04_an_ad_group_whose_pixel_is_unbound() -> None:
    world = World()
    world.adgroups[0] = replace(world.adgroups[0], secondary_status="ADGROUP_STATUS_PIXEL_UNBIND")

    finding = only(world.audit(), "CFG-04")

    assert (finding.subject.kind, finding.subject.id) == ("adgroup", "g1")
    assert finding.found.value == "ADGROUP_STATUS_PIXEL_UNBIND"


def test_cfg_04_knows_tiktok_s_own_spelling_of_an_ad_s_status() -> None:
    world = World(ads=[Ad("a1", "Ad", "g1", "c1", "ENABLE", "AD_STAUS_PIXEL_UNBIND")])

    assert only(world.audit(), "CFG-04").subject.id == "a1"


@pytest.mark.parametrize("changes", [{"relation_status": "UNBOUND"}, {"linked": False}])
def test_cfg_04_a_pixel_that_the_account_may_not_use(changes: dict[str, object]) -> None:
    finding = only(World(pixels=[a_pixel(**changes)]).audit(), "CFG-04")

    assert finding.subject.id == CODE
    assert finding.at_stake == 2 * 42 * 180


@pytest.mark.parametrize(
    "pixel",
    [
        a_pixel(linked=None),
        a_pixel(relation_status="SHARED"),
        a_pixel(relation_status=None),
    ],
)
def test_cfg_04_is_silent_where_it_may_or_nobody_knows(pixel: object) -> None:
    assert state(World(pixels=[pixel]).audit(), "CFG-04") is State.PASSED  # type: ignore[list-item]


def test_cfg_04_is_silent_about_a_pixel_that_nobody_uses() -> None:
    unused = a_pixel(id="2", code="OTHER", linked=False)

    assert state(World(pixels=[a_pixel(), unused]).audit(), "CFG-04") is State.PASSED


# --- CFG-05 --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("event", "instead"), [("ON_WEB_ORDER", "SHOPPING"), ("BUTTON", "FORM")])
def test_cfg_05_a_deprecated_event(event: str, instead: str) -> None:
    world = World(adgroups=[an_adgroup("g1"), an_adgroup("g2", optimization_event=event)])

    finding = only(world.audit(), "CFG-05")

    assert (finding.expected.value, finding.found.value) == (instead, event)
    assert finding.severity is Severity.MEDIUM


def test_cfg_05_an_event_that_the_pixel_calls_deprecated() -> None:
    events = (PixelEvent("SHOPPING", "Purchase", None, deprecated=True),)

    assert len(found(World(pixels=[a_pixel(events=events)]).audit(), "CFG-05")) == 1


def test_cfg_05_is_silent_about_a_deprecated_event_that_nobody_optimises_for() -> None:
    events = (PixelEvent("BUTTON", "ClickButton", None, deprecated=True),)

    assert state(World(pixels=[a_pixel(events=events)]).audit(), "CFG-05") is State.PASSED


# --- CFG-06 … CFG-09 -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes", [{"click_window": 28}, {"view_window": 0}, {"counting": "ONCE"}]
)
def test_cfg_06_ad_groups_that_are_counted_in_different_ways(changes: dict[str, object]) -> None:
    finding = only(World(adgroups=[an_adgroup(), an_adgroup("g2", **changes)]).audit(), "CFG-06")

    assert (finding.expected.value, finding.found.value) == (1, 2)


def test_cfg_06_is_silent_where_the_other_one_rests() -> None:
    groups = [an_adgroup(), an_adgroup("g2", click_window=28, operation_status="DISABLE")]

    assert state(World(adgroups=groups).audit(), "CFG-06") is State.PASSED


def slow_buyers(late: int, days: float) -> World:
    """100 buyers, so many of whom take so many days."""
    world = World(samples=some_samples(100 - late))
    start = datetime(2026, 11, 12, 12, tzinfo=UTC).timestamp()
    for number in range(1000, 1000 + late):
        world.samples += [
            a_sample(number, start),
            a_sample(number, start - days * 86_400)._replace(event="ViewContent", order=None),
        ]
    return world


def test_cfg_07_people_take_longer_than_the_window() -> None:
    finding = only(slow_buyers(20, 9).audit(), "CFG-07")

    assert finding.expected.value == Decimal("9.00")
    assert finding.found.value == 7
    assert "20.0 %" in finding.says
    assert "100 sampled" in finding.says
    assert finding.at_stake == Decimal("0.2") * 2 * 42 * 180


@pytest.mark.parametrize("world", [slow_buyers(9, 9), slow_buyers(20, 6.9)])
def test_cfg_07_is_silent_while_nine_of_ten_are_in_time(world: World) -> None:
    assert state(world.audit(), "CFG-07") is State.PASSED


def test_cfg_07_wants_enough_purchases() -> None:
    audit = World(samples=some_samples(19)).audit()

    assert state(audit, "CFG-07") is State.NOT_APPLICABLE
    assert "19 sampled" in why(audit, "CFG-07")


@pytest.mark.parametrize(("click", "view"), [(0, 1), (0, 0), (1, 7)])
def test_cfg_08_windows_that_count_views(click: int, view: int) -> None:
    world = World(adgroups=[an_adgroup("g1", click_window=click, view_window=view)])

    assert only(world.audit(), "CFG-08").subject.id == "g1"


@pytest.mark.parametrize(("click", "view"), [(1, 1), (7, 7), (7, 0)])
def test_cfg_08_is_silent_about_ordinary_windows(click: int, view: int) -> None:
    world = World(adgroups=[an_adgroup("g1", click_window=click, view_window=view)])

    assert state(world.audit(), "CFG-08") is State.PASSED


def repeat_buyers(again: int, **changes: object) -> World:
    """100 purchases; so many of them by one who had bought before."""
    world = World(samples=some_samples(100))
    buyers = [each for each in world.samples if each.event == "Purchase"]
    for number in range(again):
        second = a_sample(5000 + number, buyers[number].event_time + 3600.0)
        world.samples.append(second._replace(buyer=buyers[number].buyer))
    world.each_group(**changes)
    return world


def test_cfg_09_repeat_purchases_that_count_once() -> None:
    finding = only(repeat_buyers(30, counting="ONCE").audit(), "CFG-09")

    assert finding.found.value == Decimal("30.0")
    assert "30 of 100" in finding.says


def test_cfg_09_reads_the_pixel_s_counting_too() -> None:
    world = repeat_buyers(30)
    world.pixels = [a_pixel(events=(PixelEvent("SHOPPING", "Purchase", "ONCE"),))]

    assert len(found(world.audit(), "CFG-09")) == 1


@pytest.mark.parametrize(
    "world", [repeat_buyers(30, counting="EVERY"), repeat_buyers(8, counting="ONCE")]
)
def test_cfg_09_is_silent_where_each_counts_or_few_come_again(world: World) -> None:
    assert state(world.audit(), "CFG-09") is State.PASSED


# --- CFG-10 … CFG-12 -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["WAITING_FOR_ACTIVITY", "NO_RECENT_ACTIVITY"])
def test_cfg_10_a_custom_conversion_that_sleeps(status: str) -> None:
    world = World(more={"custom_conversions": [CustomConversion("7", "Big", PIXEL_ID, status)]})
    world.adgroups[0] = replace(world.adgroups[0], custom_conversion_id="7")

    finding = only(world.audit(), "CFG-10")

    assert finding.found.value == status
    assert finding.at_stake == 42 * 180


@pytest.mark.parametrize(("status", "used"), [("ACTIVE", "7"), ("NO_RECENT_ACTIVITY", None)])
def test_cfg_10_is_silent_where_it_is_awake_or_unused(status: str, used: str | None) -> None:
    world = World(more={"custom_conversions": [CustomConversion("7", "Big", PIXEL_ID, status)]})
    world.adgroups[0] = replace(world.adgroups[0], custom_conversion_id=used)

    assert found(world.audit(), "CFG-10") == []


def test_cfg_11_tiktok_s_own_diagnosis() -> None:
    advice = [Advice("g1", "EVENT_TRACK", "PIXEL", CODE), Advice("g2", "EVENT_TRACK", "PIXEL")]

    finding = only(World(more={"advice": advice}).audit(), "CFG-11")

    assert finding.subject.id == CODE
    assert finding.at_stake == 2 * 42 * 180


def test_cfg_11_is_silent_about_other_advice() -> None:
    advice = [Advice("g1", "BID_AND_BUDGET", "SUGGEST_BID")]

    assert state(World(more={"advice": advice}).audit(), "CFG-11") is State.PASSED


def without_contacts(world: World) -> World:
    def stripped(sums: Sums) -> Sums:
        contacts = {"email", "phone"}
        keys = {key: count for key, count in sums.keys.items() if key not in contacts}
        return replace(sums, keys=Counter(keys))

    world.each_sums(stripped)
    return world


@pytest.mark.parametrize(
    "changes",
    [
        {"advanced_matching": {"email": False, "phone_number": True}},
        {"first_party_cookies": False},
    ],
)
def test_cfg_12_matching_is_off_and_the_relay_sends_no_keys(changes: dict[str, object]) -> None:
    finding = only(without_contacts(World(pixels=[a_pixel(**changes)])).audit(), "CFG-12")

    assert finding.severity is Severity.LOW
    assert finding.expected.value == 42 * 64


def test_cfg_12_is_silent_where_the_relay_sends_keys_or_nothing_is_off() -> None:
    off = a_pixel(first_party_cookies=False)

    assert state(World(pixels=[off]).audit(), "CFG-12") is State.PASSED
    assert state(without_contacts(World()).audit(), "CFG-12") is State.PASSED


def test_a_day_is_a_day_of_the_account() -> None:
    """The spend of the last seven days, for an account whose today is another than UTC's."""
    world = World(adgroups=[an_adgroup("g1", optimization_event="FORM")])
    world.now = datetime(2026, 11, 22, 23, 30, tzinfo=UTC).timestamp()

    assert only(world.audit(), "CFG-01").since == date(2026, 11, 16) + timedelta(1)
