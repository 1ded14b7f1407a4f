"""What goes wrong with reads, on demand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from relay.sandbox.ads.model import Advertiser
from relay.sandbox.profiles import plan_from
from relay.sandbox.world import Reply, World

NOON = 1_780_000_000.0
ADVERTISER = "7106541027904733185"
OTHER = "7002238017842757633"
ADS, CAMPAIGNS = "/ad/get/", "/campaign/get/"

Market = Callable[..., World]
Ask = Callable[..., Any]
Account = Callable[..., Advertiser]
CallIt = Callable[..., Reply]


def _pages(data: Ask, world: World, pages: int = 3, size: int = 3) -> list[Any]:
    asked = {"advertiser_id": ADVERTISER, "page_size": f"{size}"}
    return [data(world, ADS, page=f"{page}", **asked) for page in range(1, pages + 1)]


def _rows(pages: list[Any]) -> list[str]:
    return [row["ad_id"] for page in pages for row in page["list"]]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"kind": "code", "codes": [40016]}, 40016),
        ({"kind": "code", "codes": [40132], "path": "*/ad/get/"}, 40132),
        ({"kind": "code", "codes": [40133], "advertiser_ids": [ADVERTISER]}, 40133),
        ({"kind": "code", "codes": [51010]}, 51010),
        ({"kind": "limit", "per_second": 1, "burst": 1, "skip": 0}, 0),
        ({"kind": "code", "codes": [50000], "path": "*/campaign/get/"}, 0),
        ({"kind": "code", "codes": [50000], "advertiser_ids": [OTHER]}, 0),
    ],
)
def test_faults_of_the_events_api_work_here_too(
    fault: dict[str, Any], said: int, a_market: Market, ask: Ask
) -> None:
    assert ask(a_market(faults=[fault]), ADS, advertiser_id=ADVERTISER)["code"] == said


@pytest.mark.parametrize(
    ("fault", "status", "resets"),
    [
        ({"kind": "http", "status": 502}, 502, False),
        ({"kind": "http", "status": 200, "body": "truncated"}, 200, False),
        ({"kind": "reset"}, 200, True),
        ({"kind": "hang", "seconds": 9}, 200, True),
    ],
)
def test_answers_may_be_no_answers(
    fault: dict[str, Any], status: int, resets: bool, a_market: Market, call: CallIt
) -> None:
    reply = call(a_market(faults=[fault]), ADS, advertiser_id=ADVERTISER)

    assert (reply.status, reply.resets) == (status, resets)


def test_an_account_is_lost_from_the_fourth_call_on(
    a_market: Market, an_account: Account, ask: Ask
) -> None:
    fault = {"kind": "lost_advertiser", "advertiser_ids": [ADVERTISER], "skip": 3}
    world = a_market(an_account(), an_account(OTHER), faults=[fault])

    said = [ask(world, CAMPAIGNS, advertiser_id=ADVERTISER) for _ in range(5)]

    assert [each["code"] for each in said] == [0, 0, 0, 40001, 40001]
    assert said[-1]["message"] == f"No permission to operate advertiser {ADVERTISER}"
    assert ask(world, CAMPAIGNS, advertiser_id=OTHER)["code"] == 0
    both = ask(world, "/advertiser/info/", advertiser_ids=[OTHER, ADVERTISER])
    assert ADVERTISER in both["message"]
    assert ask(world, "/user/info/")["code"] == 0


def test_any_account_may_be_lost_and_only_calls_that_name_one_are_counted(
    a_market: Market, ask: Ask
) -> None:
    world = a_market(faults=[{"kind": "lost_advertiser", "count": 1}])

    codes = [
        ask(world, "/user/info/")["code"],
        ask(world, CAMPAIGNS, advertiser_id=ADVERTISER)["code"],
        ask(world, CAMPAIGNS, advertiser_id=ADVERTISER)["code"],
    ]

    assert codes == [0, 40001, 0]


def test_a_row_appears_between_two_pages(a_market: Market, data: Ask) -> None:
    world = a_market(faults=[{"kind": "page_shift"}])

    disturbed, calm = _pages(data, world), _pages(data, world)

    assert [page["page_info"]["total_number"] for page in disturbed] == [7, 8, 8]
    rows = _rows(disturbed)
    assert rows[2] == rows[3]
    assert set(_rows(calm)) - set(rows) == {max(_rows(calm))}
    assert [page["page_info"]["total_number"] for page in calm] == [8, 8, 8]
    assert len(set(_rows(calm))) == 8
    assert world.faults.fired == {"page_shift": 1}


def test_a_list_may_never_be_at_rest(a_market: Market, data: Ask) -> None:
    world = a_market(faults=[{"kind": "page_shift", "count": None, "rows": 2}])

    for _ in range(3):
        totals = [page["page_info"]["total_number"] for page in _pages(data, world)]
        assert totals == [6, 8, 8]


def test_a_shift_may_come_in_the_second_reading(a_market: Market, data: Ask) -> None:
    world = a_market(faults=[{"kind": "page_shift", "skip": 1}])

    totals = [[page["page_info"]["total_number"] for page in _pages(data, world)] for _ in range(3)]

    assert totals == [[8, 8, 8], [7, 8, 8], [8, 8, 8]]


def test_a_list_of_one_page_is_whole(a_market: Market, data: Ask) -> None:
    world = a_market(faults=[{"kind": "page_shift"}])

    (page,) = _pages(data, world, pages=1, size=8)

    assert page["page_info"]["total_number"] == 8


def test_reports_shift_too(a_market: Market, data: Ask) -> None:
    world = a_market(faults=[{"kind": "page_shift"}])
    query = {
        "advertiser_id": ADVERTISER,
        "report_type": "BASIC",
        "data_level": "AUCTION_AD",
        "dimensions": ["ad_id"],
        "start_date": "2026-05-01",
        "end_date": "2026-05-02",
        "page_size": "5",
    }

    first, second = (
        data(world, "/report/integrated/get/", **query, page=page) for page in ("1", "2")
    )

    assert first["list"][-1] == second["list"][0]
    assert (first["page_info"]["total_number"], second["page_info"]["total_number"]) == (7, 8)


def test_a_page_may_be_short_of_rows(a_market: Market, data: Ask) -> None:
    world = a_market(faults=[{"kind": "short_page", "missing": 2, "count": 1}])
    data(world, "/user/info/")

    pages = _pages(data, world)

    assert [len(page["list"]) for page in pages] == [1, 3, 2]
    assert {page["page_info"]["total_number"] for page in pages} == {8}


@pytest.mark.parametrize(
    ("to", "value"),
    [
        ("number", 1790018438247956),
        ("null", None),
        ("list", ["1790018438247956"]),
        ("object", {"value": "1790018438247956"}),
        ("bool", True),
    ],
)
def test_a_field_may_come_as_another_type(
    to: str, value: object, a_market: Market, data: Ask
) -> None:
    fault = {"kind": "changed_type", "path": "*/ad/get/", "field": "list.0.ad_id", "to": to}

    (page,) = _pages(data, a_market(faults=[fault]), pages=1)

    assert page["list"][0]["ad_id"] == value
    assert type(page["list"][0]["ad_id"]) is type(value)
    assert page["list"][1]["ad_id"] == "1790018438247955"


def test_each_row_s_field_may_change_and_only_where_it_is(a_market: Market, data: Ask) -> None:
    fault = {"kind": "changed_type", "field": "list.*.budget", "to": "text", "count": 1}
    world = a_market(faults=[fault])
    _pages(data, world, pages=1)

    shown = data(world, CAMPAIGNS, advertiser_id=ADVERTISER)

    assert [row["budget"] for row in shown["list"]] == ["0.0", "0.0"]
    assert world.faults.fired == {"changed_type": 1}


@pytest.mark.parametrize("body", [None, [], "text", 7, {"code": "0"}, {"data": {"list": 1}}])
def test_junk_may_be_the_answer(body: object, a_market: Market, call: CallIt) -> None:
    world = a_market(faults=[{"kind": "junk", "body": body}])

    reply = call(world, ADS, advertiser_id=ADVERTISER)

    assert orjson.loads(reply.body) == body
    assert world.received.requests[-1].fault == "junk"


def test_junk_may_be_the_data(a_market: Market, ask: Ask) -> None:
    world = a_market(faults=[{"kind": "junk", "body": [1], "data_only": True}])

    said = ask(world, ADS, advertiser_id=ADVERTISER)

    assert (said["code"], said["data"]) == (0, [1])
    assert said["request_id"]


def test_a_clock_may_be_ahead(a_market: Market, call: CallIt, ask: Ask) -> None:
    world = a_market(faults=[{"kind": "clock_skew", "seconds": 7200}])

    reply = call(world, ADS, advertiser_id=ADVERTISER)

    assert reply.at == NOON + 7200
    ahead = f"{datetime.fromtimestamp(NOON + 7200, UTC):%Y%m%d%H%M%S}"
    assert orjson.loads(reply.body)["request_id"].startswith(ahead)


ORDER = {
    "advertiser_id": ADVERTISER,
    "report_type": "BASIC",
    "data_level": "AUCTION_AD",
    "dimensions": ["ad_id"],
    "start_date": "2026-05-01",
    "end_date": "2026-05-02",
}


def _task(data: Ask, world: World) -> dict[str, str]:
    task_id = data(world, "/report/task/create/", body=ORDER)["task_id"]
    return {"advertiser_id": ADVERTISER, "task_id": task_id}


@pytest.mark.parametrize("status", ["QUEUING", "PROCESSING"])
def test_a_task_may_never_end(status: str, a_market: Market, data: Ask, ask: Ask) -> None:
    world = a_market(faults=[{"kind": "stuck_task", "status": status, "count": 1}])
    stuck, well = _task(data, world), _task(data, world)

    year = 29 * 86_400
    assert data(world, "/report/task/check/", at=year, **stuck)["status"] == status
    assert data(world, "/report/task/check/", at=year, **well)["status"] == "SUCCESS"
    assert ask(world, "/report/task/download/", at=year, **stuck)["code"] == 40201
    assert data(world, "/report/task/cancel/", at=year, body=stuck) == {"status": "CANCELED"}


def test_a_task_may_fail(a_market: Market, data: Ask, ask: Ask) -> None:
    world = a_market(faults=[{"kind": "failed_task", "message": "no luck"}])
    task = _task(data, world)

    said = data(world, "/report/task/check/", at=10, **task)

    assert said == {"status": "FAILED", "message": "no luck"}
    assert ask(world, "/report/task/download/", at=10, **task)["code"] == 40200


def test_a_file_may_end_in_the_middle(a_market: Market, data: Ask, call: CallIt) -> None:
    fault = {"kind": "truncated_file", "count": 1}
    page = {"kind": "short_page", "count": 1}
    world = a_market(faults=[fault, page])
    task = _task(data, world)

    cut, whole = (call(world, "/report/task/download/", at=10, **task) for _ in range(2))

    assert whole.chunks is not None
    content = b"".join(whole.chunks)
    assert cut.chunks is None
    assert cut.body == content[: len(content) // 2]
    assert world.faults.fired == {"truncated_file": 1}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "page_shift", "rows": 0},
        {"kind": "changed_type"},
        {"kind": "stuck_task", "status": "SUCCESS"},
        {"kind": "truncated_file", "share": 0},
        {"kind": "reset", "before_body": True, "advertiser_ids": [ADVERTISER]},
    ],
)
def test_faults_that_make_no_sense_are_refused(fault: dict[str, Any], a_market: Market) -> None:
    with pytest.raises(ValidationError):
        a_market(faults=[fault])


def test_all_of_them_can_be_read_from_a_file() -> None:
    kinds: list[dict[str, Any]] = [
        {"kind": "lost_advertiser"},
        {"kind": "junk", "body": {"any": ["thing"]}},
        {"kind": "clock_skew", "seconds": -60},
        {"kind": "page_shift"},
        {"kind": "short_page"},
        {"kind": "changed_type", "field": "list"},
        {"kind": "truncated_file"},
        {"kind": "stuck_task"},
        {"kind": "failed_task"},
    ]

    plan = plan_from(orjson.loads(orjson.dumps({"faults": kinds})))

    assert [fault.kind for fault in plan.faults] == [each["kind"] for each in kinds]
