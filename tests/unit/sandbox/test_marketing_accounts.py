"""Business Centers and ad accounts, as the stand-in shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from relay.sandbox.ads.model import Advertiser
from relay.sandbox.world import World

ADVERTISER = "7106541027904733185"
OTHER = "7002238017842757633"
PIXEL = "7291000000000000077"
BC = "7212000000000000010"

Market = Callable[..., World]
Ask = Callable[..., Any]
Account = Callable[..., Advertiser]


def test_an_account_shows_the_fields_that_were_asked_for(a_market: Market, data: Ask) -> None:
    fields = ["advertiser_id", "currency", "timezone", "display_timezone", "balance", "license_no"]

    shown = data(a_market(), "/advertiser/info/", advertiser_ids=[ADVERTISER], fields=fields)

    assert shown["list"] == [
        {
            "advertiser_id": ADVERTISER,
            "currency": "EUR",
            "timezone": "Etc/GMT-1",
            "display_timezone": "Europe/Berlin",
            "balance": 10000.0,
            "license_no": None,
        }
    ]


def test_an_account_is_made_in_unix_seconds(a_market: Market, data: Ask) -> None:
    (shown,) = data(a_market(), "/advertiser/info/", advertiser_ids=[ADVERTISER])["list"]

    assert shown["create_time"] == 1_780_000_000 - 60 * 86_400
    assert shown["status"] == "STATUS_ENABLE"


def test_one_field_suppresses_the_rest(a_market: Market, data: Ask) -> None:
    fields = ["name", "company_name_editable"]

    (shown,) = data(a_market(), "/advertiser/info/", advertiser_ids=[ADVERTISER], fields=fields)[
        "list"
    ]

    assert shown == {"company_name_editable": False}


def test_one_account_that_is_lost_refuses_them_all(a_market: Market, ask: Ask) -> None:
    said = ask(a_market(), "/advertiser/info/", advertiser_ids=[ADVERTISER, OTHER])

    assert said["code"] == 40001
    assert OTHER in said["message"]


def test_a_business_center_has_its_fields_under_bc_info(a_market: Market, data: Ask) -> None:
    shown = data(a_market(), "/bc/get/")

    (center,) = shown["list"]
    assert center["bc_info"]["bc_id"] == BC
    assert center["user_role"] == "ADMIN"
    assert center["ext_user_role"] == {"finance_role": "ANALYST"}
    assert shown["page_info"] == {"page": 1, "page_size": 10, "total_number": 1, "total_page": 1}


def test_assets_are_what_the_center_owns(a_market: Market, an_account: Account, data: Ask) -> None:
    foreign = an_account(OTHER)
    foreign.owner_bc_id = None
    world = a_market(an_account(), foreign)

    def ids(kind: str) -> list[str]:
        rows = data(world, "/bc/asset/get/", bc_id=BC, asset_type=kind)["list"]
        return [row["asset_id"] for row in rows]

    assert ids("ADVERTISER") == [ADVERTISER]
    assert ids("PIXEL") == [PIXEL, PIXEL]
    assert ids("CATALOG") == []


def test_a_pixel_among_the_assets_has_its_code(a_market: Market, data: Ask) -> None:
    rows = data(a_market(), "/bc/asset/get/", bc_id=BC, asset_type="PIXEL")["list"]

    assert rows[0]["pixel_code"] == "C0PIXELCODE0EXAMPLE0"
    assert rows[0]["relation_status"] == "BOUND"


@pytest.mark.parametrize(
    ("linked", "status", "expected"),
    [
        (set(), "TRANSFERRED", [ADVERTISER]),
        ({OTHER}, "SHARED", [OTHER]),
        ({ADVERTISER, OTHER}, "SHARED", [ADVERTISER, OTHER]),
        (set(), "UNBOUND", []),
    ],
)
def test_links_are_the_accounts_that_may_use_a_pixel(  # fixtures
    linked: set[str],
    status: str,
    expected: list[str],
    a_market: Market,
    an_account: Account,
    data: Ask,
) -> None:
    mine, other = an_account(), an_account(OTHER)
    other.pixels.clear()
    mine.pixels[PIXEL].linked_advertisers = linked
    mine.pixels[PIXEL].asset_relation_status = status

    rows = data(
        a_market(mine, other),
        "/bc/pixel/link/get/",
        bc_id=BC,
        pixel_code="C0PIXELCODE0EXAMPLE0",
    )["list"]

    assert [row["advertiser_id"] for row in rows] == expected


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/bc/get/", {"bc_id": "1"}, 40001),
        ("/bc/asset/get/", {"bc_id": "1", "asset_type": "PIXEL"}, 40001),
        ("/bc/asset/get/", {"bc_id": BC, "asset_type": "SHOP"}, 40002),
        ("/bc/asset/get/", {"bc_id": BC}, 40002),
        ("/bc/pixel/link/get/", {"bc_id": "1", "pixel_code": "C"}, 40001),
        ("/bc/pixel/link/get/", {"bc_id": BC, "pixel_code": "C"}, 40007),
    ],
)
def test_what_is_not_there_or_not_a_choice_is_refused(
    path: str, query: dict[str, str], code: int, a_market: Market, ask: Ask
) -> None:
    assert ask(a_market(), path, **query)["code"] == code


def test_a_keyword_narrows(a_market: Market, data: Ask) -> None:
    world = a_market()

    assert data(world, "/bc/get/", filtering={"keyword": "Süd"})["list"] == []
    assert len(data(world, "/bc/get/", filtering={"keyword": "Nord"})["list"]) == 1
