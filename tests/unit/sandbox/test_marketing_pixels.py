"""Pixels, what they counted, event sets, conversions, diagnosis and zones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from relay.sandbox.ads.model import (
    Advertiser,
    CustomConversion,
    EventStatistic,
    OfflineSet,
    Suggestion,
)
from relay.sandbox.world import Reply, World

NOON = 1_780_000_000.0
ADVERTISER = "7106541027904733185"
OTHER = "7002238017842757633"
PIXEL = "7291000000000000077"
CODE = "C0PIXELCODE0EXAMPLE0"
TODAY = {"start_date": "2026-05-28", "end_date": "2026-05-28"}

Market = Callable[..., World]
Ask = Callable[..., Any]
Account = Callable[..., Advertiser]


def test_a_pixel_has_its_code_its_events_and_its_owner(a_market: Market, data: Ask) -> None:
    shown = data(a_market(), "/pixel/list/", advertiser_id=ADVERTISER)

    (pixel,) = shown["pixels"]
    assert (pixel["pixel_id"], pixel["pixel_code"]) == (PIXEL, CODE)
    assert pixel["asset_ownership"]["owner_bc_id"] == "7212000000000000010"
    assert [event["event_type"] for event in pixel["events"]] == [
        "SHOPPING",
        "ON_WEB_CART",
        "PAGE_VIEW",
    ]
    assert pixel["events"][2]["optimization_event"] is None
    assert shown["page_info"]["total_number"] == 1


def test_a_pixel_is_listed_where_it_is_linked(
    a_market: Market, an_account: Account, data: Ask
) -> None:
    mine, other = an_account(), an_account(OTHER)
    other.pixels.clear()
    world = a_market(mine, other)
    assert data(world, "/pixel/list/", advertiser_id=OTHER)["pixels"] == []

    mine.pixels[PIXEL].linked_advertisers.add(OTHER)

    (shared,) = data(world, "/pixel/list/", advertiser_id=OTHER)["pixels"]
    assert shared["pixel_id"] == PIXEL


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, [PIXEL, "8"]),
        ({"order_by": "LATEST_CREATE"}, ["8", PIXEL]),
        ({"code": CODE}, [PIXEL]),
        ({"pixel_id": "8"}, ["8"]),
        ({"name": "second"}, ["8"]),
        ({"page_size": "1", "page": "2"}, ["8"]),
    ],
)
def test_pixels_can_be_found(
    query: dict[str, str], ids: list[str], a_market: Market, an_account: Account, data: Ask
) -> None:
    account = an_account()
    account.pixels["8"] = replace(
        account.pixels[PIXEL],
        pixel_id="8",
        pixel_code="C8",
        pixel_name="The second",
        create_time=NOON,
    )

    shown = data(a_market(account), "/pixel/list/", advertiser_id=ADVERTISER, **query)

    assert [pixel["pixel_id"] for pixel in shown["pixels"]] == ids


def test_statistics_are_by_code_and_move_with_the_events_that_came(
    a_market: Market, a_request: Callable[..., Any], send: Callable[..., Reply], data: Ask
) -> None:
    world = a_market()

    def statistics() -> dict[str, Any]:
        query = {"advertiser_id": ADVERTISER, "pixel_ids": [PIXEL], "date_range": TODAY}
        (row,) = data(world, "/pixel/event/stats/", **query)["list"]
        assert row["pixel_id"] == PIXEL
        return {
            each.get("pixel_event_type") or each["custom_event_type"]: each
            for each in row["statistics"]
        }

    before = statistics()
    for name in ("Purchase", "CompletePayment", "QuizDone"):
        send(world, a_request(name, event=name) | {"event_source_id": CODE})
    after = statistics()

    assert before["SHOPPING"]["server_event_total_count"] == 0
    assert after["SHOPPING"]["server_event_total_count"] == 2
    assert after["SHOPPING"]["total_count"] == before["SHOPPING"]["total_count"] + 2
    assert after["QuizDone"]["server_event_total_count"] == 1
    assert "pixel_event_type" not in after["QuizDone"]
    assert set(after["SHOPPING"]) == {
        "pixel_event_type",
        "total_count",
        "browser_event_total_count",
        "server_event_total_count",
        "attributed_count",
        "preview_count",
    }


def test_events_by_the_events_api_s_names_are_shown_by_code(
    a_market: Market, data: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = a_market()
    counted = [
        EventStatistic("Purchase", False, 3, 1, 2, 1),
        EventStatistic("Lead", True, 1, 0, 1, 0),
    ]
    monkeypatch.setattr(world.ads, "statistics", lambda *_: counted)
    query = {"advertiser_id": ADVERTISER, "pixel_ids": [PIXEL], "date_range": TODAY}

    (row,) = data(world, "/pixel/event/stats/", **query)["list"]

    bought, custom = row["statistics"]
    assert (bought["pixel_event_type"], bought["total_count"]) == ("SHOPPING", 3)
    assert custom["custom_event_type"] == "Lead"


class _Listener:
    """An ad world that only notes what it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def receive(self, _source: str, source_id: str, events: Any, now: float) -> None:
        assert (source_id, now) == (CODE, NOON)
        self.heard += [event["event_id"] for event in events]


@pytest.mark.parametrize(
    ("faults", "changes", "heard"),
    [
        ([], {}, ["a", "b"]),
        ([], {"test_event_code": "TEST1"}, []),
        ([{"kind": "reset", "received": True}], {}, ["a", "b"]),
        ([{"kind": "code", "codes": [50002], "received": True}], {}, ["a", "b"]),
        ([{"kind": "code", "codes": [50000]}], {}, []),
        ([{"kind": "partial", "rule": {"event_id": "a"}}], {}, ["b"]),
        ([{"kind": "poison", "rule": {"event_id": "a"}}], {}, []),
    ],
)
def test_the_ad_world_hears_of_what_was_taken(  # fixtures
    faults: list[Any],
    changes: dict[str, Any],
    heard: list[str],
    a_market: Market,
    a_request: Callable[..., Any],
    send: Callable[..., Reply],
) -> None:
    world = a_market(faults=faults)
    listener = _Listener()
    world.ads = listener  # type: ignore[assignment]  # it is asked for nothing else

    send(world, a_request("a", "b") | {"event_source_id": CODE} | changes)

    assert listener.heard == heard


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"pixel_ids": ["1"]}, 40007, "The pixel 1 does not exist."),
        ({"date_range": {"start_date": "2026-05-02", "end_date": "2026-05-01"}}, 40002, "date_r"),
        (
            {"date_range": {"start_date": "2026-04-01", "end_date": "2026-05-01"}},
            40002,
            "date_range: max time span is 30 days",
        ),
        ({"date_range": {"start_date": "2026-05-01"}}, 40002, "date_range.end_date: Missing"),
        ({"date_range": {"start_date": "1.5.2026", "end_date": "x"}}, 40002, "date_range.start"),
        ({"date_range": "2026-05-01"}, 40002, "date_range: Not a valid JSON"),
    ],
)
def test_statistics_that_cannot_be_had(
    change: dict[str, Any], code: int, message: str, a_market: Market, ask: Ask
) -> None:
    query = {"advertiser_id": ADVERTISER, "pixel_ids": [PIXEL], "date_range": TODAY} | change

    said = ask(a_market(), "/pixel/event/stats/", **query)

    assert said["code"] == code
    assert said["message"].startswith(message)


def test_thirty_days_of_statistics_can_be_had(a_market: Market, data: Ask) -> None:
    days = {"start_date": "2026-04-01", "end_date": "2026-04-30"}
    query = {"advertiser_id": ADVERTISER, "pixel_ids": [PIXEL], "date_range": days}

    assert data(a_market(), "/pixel/event/stats/", **query)["list"][0]["statistics"]


def test_event_sets_have_lists_of_their_own(
    a_market: Market, an_account: Account, data: Ask
) -> None:
    account = an_account()
    account.crm_sets["5"] = OfflineSet(ADVERTISER, "5", "CRM", create_time=NOON)
    world = a_market(account)

    (offline,) = data(world, "/offline/get/", advertiser_id=ADVERTISER)["event_set_list"]
    (crm,) = data(world, "/crm/list/", advertiser_id=ADVERTISER)["crm_event_sets"]

    assert (offline["event_set_id"], offline["name"]) == ("7300000000000000009", "Store POS")
    assert crm == {"event_set_id": "5", "name": "CRM", "create_time": "2026-05-28T20:26:40Z"}
    nothing = {"advertiser_id": ADVERTISER, "event_set_ids": ["1"]}
    assert data(world, "/offline/get/", **nothing)["event_set_list"] == []


def test_custom_conversions_are_those_of_one_source(
    a_market: Market, an_account: Account, data: Ask, ask: Ask
) -> None:
    account = an_account()
    for number, source in enumerate((PIXEL, PIXEL, "8"), 1):
        conversion = CustomConversion(f"{number}", f"Over {number}", source, create_time=number)
        account.custom_conversions[f"{number}"] = conversion
    world = a_market(account)
    of_pixel = {
        "advertiser_id": ADVERTISER,
        "event_source_type": "PIXEL",
        "event_source_id": PIXEL,
    }

    def ids(**more: str) -> list[str]:
        rows = data(world, "/custom_conversion/list/", **of_pixel, **more)["list"]
        return [row["custom_conversion_id"] for row in rows]

    assert ids() == ["2", "1"]
    assert ids(sort_type="ASC") == ["1", "2"]
    assert ids(search_keyword="over 1") == ["1"]
    assert ask(world, "/custom_conversion/list/", advertiser_id=ADVERTISER)["code"] == 40002


def test_diagnosis_lists_suggestions_of_a_group_by_kind(
    a_market: Market, an_account: Account, data: Ask
) -> None:
    account = an_account()
    group, other = sorted(account.adgroups)[:2]
    account.suggestions += [
        Suggestion(group, pixel_id=PIXEL, pixel_code=CODE, at=NOON),
        Suggestion(other, category="BID_AND_BUDGET", issue_suggestion="SUGGEST_BUDGET", at=NOON),
    ]
    world = a_market(account)

    def results(**filtering: Any) -> list[Any]:
        query = {"advertiser_id": ADVERTISER, "filtering": filtering}
        found: list[Any] = data(world, "/tool/diagnosis/get/", **query)["results"]
        return found

    (result,) = results(issue_category=["EVENT_TRACK"])
    (suggestions,) = result["diagnosis"]["suggestions"]
    assert result["adgroup_id"] == group
    assert suggestions["creative"] == suggestions["bid_and_budget"] == []
    (said,) = suggestions["event_track"]
    assert (said["issue_suggestion"], said["pixel_code"]) == ("PIXEL", CODE)
    assert said["suggestion_time"] == "2026-05-28 20:26:40"
    assert [each["adgroup_id"] for each in results(adgroup_ids=[other])] == [other]
    assert len(results()) == 2


def test_diagnosis_takes_twenty_groups_at_once(a_market: Market, ask: Ask) -> None:
    filtering = {"adgroup_ids": [f"{n}" for n in range(21)]}

    said = ask(a_market(), "/tool/diagnosis/get/", advertiser_id=ADVERTISER, filtering=filtering)

    assert said["code"] == 40011


def test_zones_have_posix_signs(a_market: Market, data: Ask) -> None:
    zones = {
        each["timezone"]: each["gmt_offset"]
        for each in data(a_market(), "/tool/timezone/")["timezones"]
    }

    assert zones["Etc/GMT+8"] == "GMT-08:00"
    assert zones["Asia/Kolkata"] == "GMT+05:30"
