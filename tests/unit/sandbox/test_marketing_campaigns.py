"""Campaigns, ad groups and ads: what is listed, in which order, with which fields."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from relay.sandbox.ads.model import Advertiser
from relay.sandbox.world import World

ADVERTISER = "7106541027904733185"
KEYS = {"/campaign/get/": "campaign_id", "/adgroup/get/": "adgroup_id", "/ad/get/": "ad_id"}

Market = Callable[..., World]
Ask = Callable[..., Any]
Account = Callable[..., Advertiser]


def _ids(data: Ask, world: World, path: str, **query: Any) -> list[str]:
    rows = data(world, path, advertiser_id=ADVERTISER, page_size="1000", **query)["list"]
    return [row[KEYS[path]] for row in rows]


@pytest.mark.parametrize(("path", "number"), [*zip(KEYS, (2, 4, 8), strict=True)])
def test_a_list_has_the_greatest_id_first(
    path: str, number: int, a_market: Market, data: Ask
) -> None:
    ids = _ids(data, a_market(), path)

    assert len(ids) == number
    assert ids == sorted(ids, key=int, reverse=True)


def test_ids_of_different_length_are_ordered_as_numbers(
    a_market: Market, an_account: Account, data: Ask
) -> None:
    account = an_account()
    for ad_id in ("999", "1000"):
        ad = next(iter(account.ads.values()))
        account.ads[ad_id] = type(ad)(ADVERTISER, ad.campaign_id, ad.adgroup_id, ad_id, ad_id)

    assert _ids(data, a_market(account), "/ad/get/")[-2:] == ["1000", "999"]


def test_pages_hold_the_whole_list_once(a_market: Market, an_account: Account, data: Ask) -> None:
    world = a_market(an_account(more_ads=17))

    pages = [
        data(world, "/ad/get/", advertiser_id=ADVERTISER, page=str(page), page_size="10")
        for page in (1, 2, 3, 4)
    ]

    assert [len(page["list"]) for page in pages] == [10, 10, 5, 0]
    ids = [row["ad_id"] for page in pages for row in page["list"]]
    assert len(set(ids)) == 25
    assert pages[1]["page_info"] == {
        "page": 2,
        "page_size": 10,
        "total_number": 25,
        "total_page": 3,
    }


def test_ten_rows_are_a_page_where_nothing_is_said(
    a_market: Market, an_account: Account, data: Ask
) -> None:
    page = data(a_market(an_account(more_ads=17)), "/ad/get/", advertiser_id=ADVERTISER)

    assert len(page["list"]) == page["page_info"]["page_size"] == 10


def test_a_campaign_as_tiktok_writes_it(a_market: Market, an_account: Account, data: Ask) -> None:
    account = an_account()
    campaign = account.campaigns["1790018437245954"]
    campaign.budget, campaign.budget_optimize_on = Decimal("300.50"), True
    campaign.create_time = 1_778_000_000.0

    shown = data(
        a_market(account),
        "/campaign/get/",
        advertiser_id=ADVERTISER,
        filtering={"campaign_ids": ["1790018437245954"]},
    )["list"]

    (row,) = shown
    assert row["budget"] == 300.5
    assert row["budget_optimize_on"] is True
    assert row["create_time"] == "2026-05-05 16:53:20"
    assert row["optimization_goal"] == "CONVERT"
    assert (row["objective_type"], row["virtual_objective_type"]) == ("WEB_CONVERSIONS", "SALES")
    assert row["secondary_status"] == "CAMPAIGN_STATUS_ENABLE"


def test_budget_optimization_is_shown_only_where_it_is_on(a_market: Market, data: Ask) -> None:
    row = data(a_market(), "/campaign/get/", advertiser_id=ADVERTISER)["list"][0]

    assert "budget_optimize_on" not in row


def test_an_ad_group_has_what_attribution_needs(a_market: Market, data: Ask) -> None:
    row = data(a_market(), "/adgroup/get/", advertiser_id=ADVERTISER)["list"][0]

    assert row["pixel_id"] == "7291000000000000077"
    assert row["click_attribution_window"] == "SEVEN_DAYS"
    assert row["engaged_view_attribution_window"] == row["view_attribution_window"] == "ONE_DAY"
    assert (row["optimization_goal"], row["optimization_event"]) == ("CONVERT", "SHOPPING")
    assert row["campaign_name"] == "Sales 2"


def test_a_tracking_pixel_is_a_number_and_a_smart_ad_may_have_no_time(
    a_market: Market, an_account: Account, data: Ask
) -> None:
    account = an_account()
    for ad in account.ads.values():
        ad.modify_time = None

    row = data(a_market(account), "/ad/get/", advertiser_id=ADVERTISER)["list"][0]

    assert row["tracking_pixel_id"] == 7291000000000000077
    assert row["modify_time"] is None


def test_only_the_fields_asked_for_come(a_market: Market, data: Ask) -> None:
    fields = ["ad_id", "campaign_id", "modify_time"]

    rows = data(a_market(), "/ad/get/", advertiser_id=ADVERTISER, fields=fields)["list"]

    assert {frozenset(row) for row in rows} == {frozenset(fields)}


def test_fields_without_a_value_may_be_left_out(a_market: Market, data: Ask) -> None:
    asked = {"advertiser_id": ADVERTISER, "exclude_field_types_in_response": ["NULL_FIELD"]}

    rows = data(a_market(), "/adgroup/get/", **asked)["list"]

    assert all(None not in row.values() for row in rows)


@pytest.fixture
def mixed(a_market: Market, an_account: Account) -> World:
    """Of eight ads one is deleted, one disabled, one not approved; one ad's group is deleted."""
    account = an_account()
    ads = sorted(account.ads.values(), key=lambda ad: ad.ad_id)
    ads[0].operation_status, ads[0].secondary_status = "DELETE", "AD_STATUS_DELETE"
    ads[1].secondary_status = "AD_STATUS_ADGROUP_DELETE"
    ads[2].operation_status, ads[2].secondary_status = "DISABLE", "AD_STATUS_DISABLE"
    ads[3].secondary_status = "AD_STATUS_AUDIT_DENY"
    return a_market(account)


@pytest.mark.parametrize(
    ("filtering", "ads"),
    [
        ({}, {2, 3, 4, 5, 6, 7}),
        ({"primary_status": "STATUS_NOT_DELETE"}, {2, 3, 4, 5, 6, 7}),
        ({"primary_status": "STATUS_ALL"}, set(range(8))),
        ({"primary_status": "STATUS_DELETE"}, {0, 1}),
        ({"primary_status": "STATUS_DISABLE"}, {2}),
        ({"primary_status": "STATUS_NOT_DELIVERY"}, {3}),
        ({"primary_status": "STATUS_DELIVERY_OK"}, {4, 5, 6, 7}),
        ({"secondary_status": "AD_STATUS_ALL"}, set(range(8))),
        ({"secondary_status": "AD_STATUS_DELETE"}, {0}),
        ({"secondary_status": "AD_STATUS_AUDIT_DENY"}, {3}),
        ({"campaign_ids": ["1790018437245954"], "primary_status": "STATUS_ALL"}, {0, 1, 2, 3}),
        ({"adgroup_ids": ["1790018438247954"]}, {6, 7}),
        ({"ad_ids": ["1790018438247956", "1"]}, {7}),
        ({"ad_name": "ad 6955"}, {4}),
        ({"ad_name": "nothing"}, set()),
        ({"objective_type": "CONVERSIONS"}, {2, 3, 4, 5, 6, 7}),
        ({"objective_type": "TRAFFIC"}, set()),
        ({"optimization_goal": "CLICK"}, set()),
        ({"optimization_goal": "CONVERT"}, {2, 3, 4, 5, 6, 7}),
        ({"buying_types": ["RESERVATION_TOP_VIEW"]}, set()),
        ({"campaign_system_origins": ["PROMOTE"]}, set()),
        ({"creation_filter_start_time": "2026-05-01 00:00:00"}, set()),
        ({"creation_filter_end_time": "2026-05-01 00:00:00"}, {2, 3, 4, 5, 6, 7}),
        ({"modified_after": "2026-03-01 00:00:00"}, {2, 3, 4, 5, 6, 7}),
        ({"modified_after": "2026-05-01 00:00:00"}, set()),
    ],
)
def test_ads_are_filtered(
    filtering: dict[str, object], ads: set[int], mixed: World, data: Ask
) -> None:
    all_ids = sorted(mixed.ads.advertisers[ADVERTISER].ads)

    found = _ids(data, mixed, "/ad/get/", filtering=filtering)

    assert {all_ids.index(ad_id) for ad_id in found} == ads


@pytest.mark.parametrize(
    ("filtering", "number"),
    [
        ({"promotion_type": "WEBSITE"}, 4),
        ({"promotion_type": "APP_IOS"}, 0),
        ({"billing_events": ["OCPM", "CPC"]}, 4),
        ({"billing_events": ["CPC"]}, 0),
        ({"adgroup_name": "group 1."}, 2),
    ],
)
def test_ad_groups_have_filters_of_their_own(
    filtering: dict[str, object], number: int, a_market: Market, data: Ask
) -> None:
    assert len(_ids(data, a_market(), "/adgroup/get/", filtering=filtering)) == number


@pytest.mark.parametrize(
    ("path", "filtering"),
    [
        ("/campaign/get/", {"adgroup_ids": ["1"]}),
        ("/adgroup/get/", {"ad_ids": ["1"]}),
        ("/adgroup/get/", {"modified_after": "2026-05-01 00:00:00"}),
        ("/ad/get/", {"modified_after": "2026-05-01"}),
        ("/ad/get/", {"primary_status": "ACTIVE"}),
        ("/ad/get/", {"ad_ids": []}),
    ],
)
def test_filters_of_another_level_or_form_are_refused(
    path: str, filtering: dict[str, object], a_market: Market, ask: Ask
) -> None:
    said = ask(a_market(), path, advertiser_id=ADVERTISER, filtering=filtering)

    assert said["code"] == 40002


def test_upgraded_smart_campaigns_have_endpoints_of_their_own(
    a_market: Market, an_account: Account, data: Ask
) -> None:
    account = an_account()
    account.campaigns["1790018438245954"].campaign_automation_type = "UPGRADED_SMART_PLUS"
    world = a_market(account)

    def smart(kind: str, **query: Any) -> list[Any]:
        path = f"/smart_plus/{kind}/get/"
        rows: list[Any] = data(world, path, advertiser_id=ADVERTISER, **query)["list"]
        return rows

    assert [row["campaign_id"] for row in smart("campaign")] == ["1790018438245954"]
    assert [row["min_budget"] for row in smart("adgroup")] == [None, None]
    ads = smart("ad", filtering={"smart_plus_ad_ids": ["1790018438247956"]})
    assert [ad["smart_plus_ad_id"] for ad in ads] == ["1790018438247956"]
    assert ads[0]["landing_page_url_list"] == [{"landing_page_url": "https://shop.example/p/42"}]
    assert len(_ids(data, world, "/campaign/get/")) == 2
