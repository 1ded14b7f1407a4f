"""What every endpoint of the Marketing API asks first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from relay.sandbox import inspection
from relay.sandbox.settings import AccessPlan
from relay.sandbox.world import Call, World

ADVERTISER = "7106541027904733185"
PIXEL = "7291000000000000077"
BC = "7212000000000000010"
CAMPAIGNS = "/campaign/get/"

Market = Callable[..., World]
Ask = Callable[..., Any]

REPORT = {
    "advertiser_id": ADVERTISER,
    "report_type": "BASIC",
    "data_level": "AUCTION_ADVERTISER",
    "dimensions": ["advertiser_id"],
    "start_date": "2026-05-01",
    "end_date": "2026-05-02",
}


def _say(world: World, **rule: object) -> None:
    world.access.change(AccessPlan.model_validate({"tokens": [{"token": "TOKEN", **rule}]}))


@pytest.mark.parametrize(
    ("token", "code"), [(None, 40104), ("", 40104), ("REVOKED", 40105), ("OLD", 40102)]
)
def test_a_token_that_is_not_good_is_refused(
    token: str | None, code: int, a_market: Market, ask: Ask
) -> None:
    world = a_market()
    world.access.change(
        AccessPlan.model_validate(
            {
                "tokens": [
                    {"token": "REVOKED", "state": "revoked"},
                    {"token": "OLD", "state": "expired"},
                ]
            }
        )
    )

    assert ask(world, CAMPAIGNS, token=token, advertiser_id=ADVERTISER)["code"] == code
    assert world.desk.limits.calls == {}


def test_a_token_may_be_revoked_in_the_middle(a_market: Market, ask: Ask) -> None:
    world = a_market()
    assert ask(world, CAMPAIGNS, advertiser_id=ADVERTISER)["code"] == 0

    _say(world, state="revoked")

    said = ask(world, CAMPAIGNS, advertiser_id=ADVERTISER)
    assert (said["code"], said["data"]) == (40105, {})
    assert said["message"] == "Access token is incorrect or has been revoked."


def test_an_account_may_be_lost_in_the_middle(a_market: Market, ask: Ask) -> None:
    world = a_market()
    _say(world, advertiser_ids=[ADVERTISER])
    assert ask(world, CAMPAIGNS, advertiser_id=ADVERTISER)["code"] == 0

    _say(world, advertiser_ids=["1"])

    said = ask(world, CAMPAIGNS, advertiser_id=ADVERTISER)
    assert said["code"] == 40001
    assert said["message"] == f"No permission to operate advertiser {ADVERTISER}"


def test_an_account_that_is_not_there_is_not_permitted(a_market: Market, ask: Ask) -> None:
    said = ask(a_market(), CAMPAIGNS, advertiser_id="1")

    assert (said["code"], said["message"]) == (40001, "No permission to operate advertiser 1")


@pytest.mark.parametrize(
    ("path", "scope", "query"),
    [
        (CAMPAIGNS, 2, {"advertiser_id": ADVERTISER}),
        ("/advertiser/info/", 100, {"advertiser_ids": [ADVERTISER]}),
        ("/pixel/list/", 8, {"advertiser_id": ADVERTISER}),
        ("/report/integrated/get/", 44, REPORT),
        ("/report/integrated/get/", 4, REPORT),
    ],
)
def test_what_was_not_consented_to_is_refused(
    path: str, scope: int, query: dict[str, object], a_market: Market, ask: Ask
) -> None:
    world = a_market()
    _say(world, scopes=[1234])
    assert ask(world, path, **query)["code"] == 40130

    _say(world, scopes=[1234, scope])
    assert ask(world, path, **query)["code"] == 0


@pytest.mark.parametrize(
    ("path", "query", "code", "message"),
    [
        (CAMPAIGNS, {}, 40002, "advertiser_id: Missing data for required field."),
        (CAMPAIGNS, {"advertiser_id": "7.1e18"}, 40002, "advertiser_id: Not a valid id"),
        (CAMPAIGNS, {"page": "0"}, 40002, "page: "),
        (CAMPAIGNS, {"page": "x"}, 40002, "page: Not a valid integer"),
        (CAMPAIGNS, {"page_size": "1001"}, 40002, "page_size: "),
        (CAMPAIGNS, {"page_size": "0"}, 40002, "page_size: "),
        ("/pixel/list/", {"page_size": "21"}, 40002, "page_size: "),
        ("/bc/get/", {"page_size": "51"}, 40002, "page_size: "),
        (CAMPAIGNS, {"filtering": "{"}, 40002, "filtering: Not a valid JSON"),
        (CAMPAIGNS, {"filtering": "campaign_ids"}, 40002, "filtering: Not a valid JSON"),
        (CAMPAIGNS, {"fields": "campaign_id,budget"}, 40002, "fields: Not a valid JSON"),
        (CAMPAIGNS, {"fields": {}}, 40002, "fields: Not a valid list"),
        (CAMPAIGNS, {"fields": ["id"]}, 40002, "fields: Not a valid choice: id"),
        (CAMPAIGNS, {"limit": "5"}, 40002, "limit: Unknown field."),
        (CAMPAIGNS, {"filtering": {"status": "X"}}, 40002, "filtering.status: Unknown field."),
        (
            CAMPAIGNS,
            {"filtering": {"campaign_ids": [1]}},
            40002,
            "filtering.campaign_ids.0: Not a valid string",
        ),
        (
            CAMPAIGNS,
            {"filtering": {"campaign_ids": [str(n) for n in range(101)]}},
            40011,
            "filtering.campaign_ids: ",
        ),
        ("/advertiser/info/", {"advertiser_ids": [str(n) for n in range(101)]}, 40011, "adv"),
        ("/pixel/event/stats/", {"pixel_ids": ["1"] * 11}, 40011, "pixel_ids: "),
    ],
)
def test_wrong_parameters_are_named(  # fixtures
    path: str,
    query: dict[str, object],
    code: int,
    message: str,
    a_market: Market,
    ask: Ask,
) -> None:
    always = {"advertiser_id": ADVERTISER} if query and path != "/bc/get/" else {}

    said = ask(a_market(), path, **(always | query))

    assert (said["code"], said["message"][: len(message)]) == (code, message)


def test_unknown_parameters_may_be_passed_over(a_market: Market, data: Ask) -> None:
    world = a_market(unknown_parameters=True)
    strange = {"limit": "5", "filtering": {"colour": "red", "primary_status": "STATUS_DELETE"}}

    assert data(world, CAMPAIGNS, advertiser_id=ADVERTISER, **strange)["list"] == []


def test_more_than_ten_calls_in_a_second_are_refused(a_market: Market, ask: Ask) -> None:
    world = a_market(calls_per_second=10)

    said = [ask(world, "/user/info/", at=n / 20) for n in range(12)]

    assert [each["code"] for each in said] == [0] * 10 + [40100] * 2
    assert said[-1]["message"] == "App reaches the QPS limit."
    assert ask(world, "/user/info/", at=1.0)["code"] == 0


def test_too_many_calls_in_a_minute_are_restricted_for_five_minutes(
    a_market: Market, ask: Ask
) -> None:
    world = a_market(calls_per_minute=20)
    assert {ask(world, "/user/info/", at=n)["code"] for n in range(20)} == {0}

    breach = ask(world, "/user/info/", at=20)
    later = ask(world, "/user/info/", at=319.9)

    assert (breach["code"], later["code"]) == (40100, 40100)
    assert breach["message"] == "Too many requests. Please retry in some time."
    assert later["message"] == (
        "Due to too many requests, requests from App 7336580000000000001 "
        "are temporarily restricted."
    )
    assert ask(world, "/user/info/", at=320)["code"] == 0


def test_apps_are_limited_each_on_its_own(a_market: Market, ask: Ask) -> None:
    world = a_market(calls_per_second=1)
    _say(world, app_id="2")

    assert ask(world, "/user/info/")["code"] == 0
    assert ask(world, "/user/info/", token="ANOTHER")["code"] == 0
    assert ask(world, "/user/info/")["code"] == 40100


def test_the_summary_says_how_many_calls_came_too_early(a_market: Market, ask: Ask) -> None:
    world = a_market(calls_per_second=2)
    for n in range(4):
        ask(world, "/user/info/", at=n / 10)
    ask(world, CAMPAIGNS, at=5, advertiser_id=ADVERTISER)

    question = next(each for each in inspection.QUESTIONS if each.path == "/sandbox/summary")
    page = inspection.ask(question, world, Call("GET", "", {}, None, "", "", b""), now=0.0)

    marketing = page.document["marketing"]
    assert (marketing["calls"], marketing["throttled"]) == (5, 2)
    assert marketing["throttled_by_path"] == {"/open_api/v1.3/user/info/": 2}
    assert marketing["by_path"][f"/open_api/v1.3{CAMPAIGNS}"] == 1
    assert marketing["most_per_second"] == 3
