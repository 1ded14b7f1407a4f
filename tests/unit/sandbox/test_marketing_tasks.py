"""Reports in the background and the log of changes: ordered, waited for, fetched."""

from __future__ import annotations

import ast
import csv
from collections.abc import Callable
from io import BytesIO, StringIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree
from zipfile import ZipFile

import orjson
import pytest

from relay.sandbox.ads.model import Advertiser, Change
from relay.sandbox.world import Reply, World

NOON = 1_780_000_000.0
ADVERTISER = "7106541027904733185"
OTHER = "7002238017842757633"
CREATE, CHECK = "/report/task/create/", "/report/task/check/"
DOWNLOAD, CANCEL = "/report/task/download/", "/report/task/cancel/"
DONE = 10.0

Market = Callable[..., World]
Ask = Callable[..., Any]
Account = Callable[..., Advertiser]
CallIt = Callable[..., Reply]


def _order(**changes: Any) -> dict[str, Any]:
    order = {
        "advertiser_id": ADVERTISER,
        "report_type": "BASIC",
        "data_level": "AUCTION_AD",
        "dimensions": ["ad_id", "stat_time_day"],
        "metrics": ["spend", "conversion", "ad_name"],
        "start_date": "2026-05-01",
        "end_date": "2026-05-02",
        "enable_report_title_translation": False,
    } | changes
    return {name: value for name, value in order.items() if value is not None}


def _whole(reply: Reply) -> bytes:
    return reply.body + b"".join(reply.chunks or ())


@pytest.fixture
def ordered(data: Ask) -> Callable[..., dict[str, str]]:
    """Order a report: what then asks for it."""

    def make(world: World, **changes: Any) -> dict[str, str]:
        task_id = data(world, CREATE, body=_order(**changes))["task_id"]
        return {"advertiser_id": ADVERTISER, "task_id": task_id}

    return make


@pytest.mark.parametrize(
    ("at", "status"),
    [
        (0.0, "QUEUING"),
        (1.9, "QUEUING"),
        (2.0, "PROCESSING"),
        (4.9, "PROCESSING"),
        (5.0, "SUCCESS"),
    ],
)
def test_a_task_waits_is_worked_on_and_ends(
    at: float, status: str, a_market: Market, ordered: Ask, data: Ask, ask: Ask
) -> None:
    world = a_market(task_queue_s=2, task_run_s=3)
    task = ordered(world)

    assert data(world, CHECK, at=at, **task) == {"status": status, "message": ""}
    if status != "SUCCESS":
        assert ask(world, DOWNLOAD, at=at, **task)["code"] == 40201


def test_a_text_is_the_answer_itself(a_market: Market, ordered: Ask, call: CallIt) -> None:
    world = a_market()

    reply = call(world, DOWNLOAD, at=DONE, **ordered(world))

    assert reply.content_type == "text/csv"
    rows = list(csv.DictReader(StringIO(_whole(reply).decode())))
    assert len(rows) == 16
    assert list(rows[0]) == ["ad_id", "stat_time_day", "spend", "conversion", "ad_name"]
    assert {row["stat_time_day"] for row in rows} == {
        "2026-05-01 00:00:00",
        "2026-05-02 00:00:00",
    }


def test_titles_are_translated_where_nothing_is_said(
    a_market: Market, ordered: Ask, call: CallIt
) -> None:
    world = a_market()
    task = ordered(world, enable_report_title_translation=None)

    header = _whole(call(world, DOWNLOAD, at=DONE, **task)).split(b"\n")[0]

    assert header == b"Ad ID,By Day,Cost,Conversions,Ad name"


def test_a_file_and_the_report_at_once_say_the_same(
    a_market: Market, ordered: Ask, call: CallIt, data: Ask
) -> None:
    world = a_market()
    reply = call(world, DOWNLOAD, at=DONE, **ordered(world))
    query = _order(enable_report_title_translation=None, page_size="1000")

    at_once = data(world, "/report/integrated/get/", **query)["list"]

    rows = list(csv.DictReader(StringIO(_whole(reply).decode())))
    both = [{**row["dimensions"], **row["metrics"]} for row in at_once]
    assert sorted(map(repr, rows)) == sorted(map(repr, both))


def test_names_are_written_so_that_a_table_stays_one(
    a_market: Market, an_account: Account, ordered: Ask, call: CallIt
) -> None:
    account = an_account()
    name = 'A "quoted", two-\nline <name> & more'
    for ad in account.ads.values():
        ad.ad_name = name
    world = a_market(account)

    text = _whole(call(world, DOWNLOAD, at=DONE, **ordered(world))).decode()

    assert {row["ad_name"] for row in csv.DictReader(StringIO(text))} == {name}


def test_deleted_objects_are_in_the_file_and_no_ids_are_cut(
    a_market: Market, an_account: Account, ordered: Ask, call: CallIt
) -> None:
    account = an_account(more_ads=4)
    next(iter(account.ads.values())).operation_status = "DELETE"
    world = a_market(account, most_ids=2)
    task = ordered(world, dimensions=["ad_id"], end_date="2026-06-30", start_date="2025-01-01")

    assert _whole(call(world, DOWNLOAD, at=DONE, **task)).count(b"\n") == 13


@pytest.mark.parametrize("kind", ["CSV_DOWNLOAD", "XLSX_DOWNLOAD"])
def test_a_download_has_an_address_that_holds_for_an_hour(
    kind: str, a_market: Market, ordered: Ask, call: CallIt, data: Ask
) -> None:
    world = a_market()
    task = ordered(world, output_format=kind, file_name="audit")

    said = data(world, DOWNLOAD, at=DONE, **task)

    assert said["output_format"] == kind
    assert said["file_name"] == f"audit.{kind.partition('_')[0].lower()}"
    address = urlsplit(said["download_url"])
    assert address.netloc == "tiktok.example"
    query = dict(parse_qsl(address.query))

    def status(at: float, **changes: str) -> int:
        return call(world, address.path, at=at, token=None, **(query | changes)).status

    assert status(DONE) == status(DONE + 3600) == 200
    assert status(DONE + 3601) == 403
    assert status(DONE + 3601, expire=f"{int(NOON) + 9999}") == 403
    assert status(DONE, sign="x") == 403
    again = data(world, DOWNLOAD, at=DONE + 3601, **task)["download_url"]
    assert again != said["download_url"]


def test_a_sheet_is_one_that_a_reader_of_sheets_can_read(
    a_market: Market, ordered: Ask, call: CallIt, data: Ask
) -> None:
    world = a_market()
    task = ordered(world, output_format="XLSX_DOWNLOAD")
    address = urlsplit(data(world, DOWNLOAD, at=DONE, **task)["download_url"])

    reply = call(world, address.path, at=DONE, token=None, **dict(parse_qsl(address.query)))

    with ZipFile(BytesIO(_whole(reply))) as package:
        assert package.testzip() is None
        parts = {name: ElementTree.fromstring(package.read(name)) for name in package.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    rows = [["".join(cell.itertext()) for cell in row] for row in sheet[0]]
    assert rows[0] == ["ad_id", "stat_time_day", "spend", "conversion", "ad_name"]
    assert len(rows) == 17


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"metrics": ["billed_cost"]}, 40002),
        ({"metrics": ["cpa"]}, 40002),
        ({"file_name": "a/b"}, 40002),
        ({"file_name": "x" * 256}, 40002),
        ({"output_format": "PDF"}, 40002),
        ({"page": 1}, 40002),
        ({"advertiser_id": None}, 40002),
        ({"advertiser_id": OTHER}, 40001),
        ({"advertiser_id": 7106541027904733185}, 40002),
        ({"report_type": "PLAYABLE_MATERIAL"}, 40008),
        ({"dimensions": ["ad_id", "campaign_id"]}, 40002),
        (
            {
                "filtering": [
                    {
                        "field_name": "ad_status",
                        "filter_type": "IN",
                        "filter_value": '["STATUS_ALL"]',
                    }
                ]
            },
            40002,
        ),
    ],
)
def test_orders_that_are_refused(
    changes: dict[str, Any], code: int, a_market: Market, ask: Ask
) -> None:
    world = a_market()

    assert ask(world, CREATE, body=_order(**changes))["code"] == code
    assert not world.desk.tasks.by_status(NOON)


def test_orders_may_be_of_years_and_of_many_ids(a_market: Market, ask: Ask) -> None:
    ids = orjson.dumps([f"{n}" for n in range(20_000)]).decode()
    filtering = [{"field_name": "ad_ids", "filter_type": "IN", "filter_value": ids}]

    said = ask(a_market(), CREATE, body=_order(start_date="2023-01-01", filtering=filtering))

    assert said["code"] == 0


def test_a_task_is_its_token_s_and_its_account_s(
    a_market: Market, an_account: Account, ordered: Ask, ask: Ask
) -> None:
    world = a_market(an_account(), an_account(OTHER))
    task = ordered(world)

    for path in (CHECK, DOWNLOAD):
        assert ask(world, path, at=DONE, token="ANOTHER", **task)["code"] == 40001
        assert ask(world, path, at=DONE, **(task | {"advertiser_id": OTHER}))["code"] == 40007
        assert ask(world, path, at=DONE, **(task | {"task_id": "1"}))["code"] == 40007
    assert ask(world, "/changelog/task/check/", at=DONE, **task)["code"] == 40007


def test_a_task_is_gone_after_thirty_days(a_market: Market, ordered: Ask, ask: Ask) -> None:
    world = a_market()
    task = ordered(world)

    assert ask(world, CHECK, at=30 * 86_400, **task)["code"] == 0
    assert ask(world, CHECK, at=30 * 86_400 + 1, **task)["code"] == 40007


def test_what_has_not_ended_can_be_canceled_once(
    a_market: Market, ordered: Ask, data: Ask, ask: Ask
) -> None:
    world = a_market()
    task, finished = ordered(world), ordered(world)

    assert data(world, CANCEL, body=task) == {"status": "CANCELED"}

    assert data(world, CHECK, at=DONE, **task)["status"] == "CANCELED"
    assert ask(world, CANCEL, body=task)["code"] == 40002
    assert ask(world, DOWNLOAD, at=DONE, **task)["code"] == 40200
    assert ask(world, CANCEL, at=DONE, body=finished)["code"] == 40002


def test_one_task_a_second(a_market: Market, ask: Ask) -> None:
    world = a_market(tasks_per_second=1)

    codes = [ask(world, CREATE, at=at, body=_order())["code"] for at in (0.0, 0.9, 1.0)]

    assert codes == [0, 40016, 0]
    assert world.desk.limits.throttled.total() == 1


def test_so_many_tasks_of_an_account_in_an_hour_and_of_an_app_in_a_day(
    a_market: Market, an_account: Account, ask: Ask
) -> None:
    world = a_market(an_account(), an_account(OTHER), tasks_per_account_hour=2, tasks_per_day=4)

    def code(advertiser_id: str, at: float) -> int:
        said: int = ask(world, CREATE, at=at, body=_order(advertiser_id=advertiser_id))["code"]
        return said

    assert [code(ADVERTISER, at) for at in (0.0, 1.0, 2.0)] == [0, 0, 40133]
    assert [code(OTHER, 3.0), code(ADVERTISER, 3600.0)] == [0, 0]
    assert [code(OTHER, 3601.0), code(OTHER, 86_400.0)] == [40016, 0]


def test_only_the_last_tasks_are_remembered(a_market: Market, ordered: Ask, ask: Ask) -> None:
    world = a_market(keep_tasks=2)
    tasks = [ordered(world) for _ in range(3)]

    assert [ask(world, CHECK, **task)["code"] for task in tasks] == [40007, 0, 0]


LOG = "/changelog/task/create/"


def _change(at: float, module: str, kind: str, object_id: str) -> Change:
    return Change(ADVERTISER, at, module, kind, object_id, "from 100.00 to 150.00")


def _log(data: Ask, world: World, **order: Any) -> list[list[str]]:
    task_id = data(world, LOG, body={"advertiser_id": ADVERTISER, **order})["task_id"]
    task = {"advertiser_id": ADVERTISER, "task_id": task_id}
    assert data(world, "/changelog/task/check/", at=DONE, **task) == {"status": "SUCCESS"}
    said = data(world, "/changelog/task/download/", at=DONE, **task)
    log = orjson.loads(said["changelog"])
    assert log["file_name"] == f"{task_id}.csv"
    return list(csv.reader(StringIO(ast.literal_eval(log["file_data"]).decode())))


@pytest.fixture
def changed(a_market: Market, an_account: Account) -> World:
    account = an_account()
    account.changes += [
        _change(NOON - 86_400, "BUDGET", "ADGROUP", "11"),
        _change(NOON - 3_600, "STATUS", "CAMPAIGN", "12"),
        _change(NOON - 40 * 86_400, "BUDGET", "ADGROUP", "13"),
    ]
    return a_market(account)


def test_the_log_is_a_table_with_counts_on_top(changed: World, data: Ask) -> None:
    rows = _log(data, changed)

    assert rows[:4] == [
        ["Budget changes", "1"],
        ["Bid changes", "0"],
        ["Status changes", "1"],
        ["Targeting changes", "0"],
    ]
    assert rows[5][:3] == ["Time", "log_object_type", "Object ID"]
    assert [row[:4] for row in rows[6:]] == [
        ["2026-05-28 19:26", "Campaign", "12", "Status"],
        ["2026-05-27 20:26", "Ad group", "11", "Budget"],
    ]
    (details,) = orjson.loads(rows[6][-1])
    assert details["before_after"] == [{"after": "from 100.00 to 150.00"}]


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        ({"module": "BUDGET"}, ["11"]),
        ({"object_type": "CAMPAIGN"}, ["12"]),
        ({"object_ids": ["11", "13"]}, ["11"]),
        ({"start_time": "2026-04-10 00:00:00", "end_time": "2026-05-01 00:00:00"}, ["13"]),
    ],
)
def test_the_log_is_filtered(
    order: dict[str, Any], ids: list[str], changed: World, data: Ask
) -> None:
    assert [row[2] for row in _log(data, changed, **order)[6:]] == ids


@pytest.mark.parametrize(
    "order",
    [
        {"start_time": "2026-04-10 00:00:00", "end_time": "2026-05-11 00:00:00"},
        {"start_time": "2026-05-10 00:00:00", "end_time": "2026-05-01 00:00:00"},
        {"start_time": "2026-05-10"},
        {"timezone": "Mars/Olympus"},
        {"module": "NAMES"},
    ],
)
def test_logs_that_cannot_be_had(order: dict[str, str], changed: World, ask: Ask) -> None:
    assert ask(changed, LOG, body={"advertiser_id": ADVERTISER, **order})["code"] == 40002
