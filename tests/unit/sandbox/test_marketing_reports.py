"""Reports at once: what may be asked, what is refused, and what the numbers are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest

from relay.sandbox.ads.model import Advertiser, Row
from relay.sandbox.ads.still import StillWorld
from relay.sandbox.world import Reply, World

ADVERTISER = "7106541027904733185"
OTHER = "7002238017842757633"
REPORT = "/report/integrated/get/"

Market = Callable[..., World]
Ask = Callable[..., Any]
Account = Callable[..., Advertiser]


def _query(**changes: Any) -> dict[str, Any]:
    query = {
        "advertiser_id": ADVERTISER,
        "report_type": "BASIC",
        "data_level": "AUCTION_ADGROUP",
        "dimensions": ["adgroup_id", "stat_time_day"],
        "metrics": ["spend", "impressions", "clicks", "conversion"],
        "start_date": "2026-05-01",
        "end_date": "2026-05-02",
        "page_size": "1000",
    } | changes
    return {name: value for name, value in query.items() if value is not None}


def _status(level: str, status: str, **changes: Any) -> dict[str, Any]:
    return {
        "field_name": f"{level}_status",
        "filter_type": "IN",
        "filter_value": f'["{status}"]',
    } | changes


class _Known:
    """The small account, of which each object did the same each day, whatever its level."""

    def __init__(self, still: StillWorld, counted: dict[str, Decimal | int]) -> None:
        self.advertisers = still.advertisers
        self.business_centers = still.business_centers
        self.counted = counted
        self.asked = 0

    def receive(self, *_: object) -> None:
        raise AssertionError

    def statistics(self, *_: object) -> list[Any]:
        raise AssertionError

    def rows(
        self, advertiser_id: str, level: str, start: date, end: date, *, by: str | None, now: float
    ) -> Iterator[Row]:
        self.asked += 1
        account = self.advertisers[advertiser_id]
        objects: dict[str, Any] = {
            "AUCTION_ADVERTISER": self.advertisers,
            "AUCTION_CAMPAIGN": account.campaigns,
            "AUCTION_ADGROUP": account.adgroups,
            "AUCTION_AD": account.ads,
        }
        days = [start + timedelta(n) for n in range((end - start).days + 1)] if by else [start]
        for each in objects[level]:
            for day in reversed(days):
                yield Row(each, f"{day} 00:00:00" if by else "", self.counted)


@pytest.fixture
def known(a_market: Market) -> Callable[..., World]:
    def make(account: Advertiser | None = None, **counted: Any) -> World:
        world = a_market(*([account] if account else []))
        assert isinstance(world.ads, StillWorld)
        world.ads = _Known(world.ads, counted)
        return world

    return make


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"report_type": None}, 40002, "report_type: Missing data"),
        ({"report_type": "AUDIENCE"}, 40008, "report_type AUDIENCE"),
        ({"advertiser_id": None}, 40002, "advertiser_id: Missing data"),
        ({"data_level": None}, 40002, "data_level: Missing data"),
        ({"data_level": "RESERVATION_AD"}, 40002, "data_level: "),
        ({"dimensions": "adgroup_id"}, 40002, "dimensions: Not a valid JSON"),
        ({"dimensions": []}, 40002, "dimensions: "),
        ({"dimensions": ["campaign_id"]}, 40002, "dimensions: campaign_id is not supported"),
        ({"dimensions": ["adgroup_id", "campaign_id"]}, 40002, "dimensions: campaign_id is not"),
        ({"dimensions": ["ad_id"]}, 40002, "dimensions: ad_id is not supported"),
        ({"dimensions": ["adgroup_id", "hour"]}, 40002, "dimensions: Not a valid choice: hour"),
        ({"dimensions": ["adgroup_id", "country_code"]}, 40008, "dimension country_code"),
        (
            {"dimensions": ["stat_time_day", "stat_time_hour"]},
            40002,
            "dimensions: At most one ID dimension and one time dimension.",
        ),
        (
            {"data_level": "AUCTION_AD", "dimensions": ["ad_id", "ad_id_v2"]},
            40002,
            "dimensions: At most one ID",
        ),
        ({"start_date": None}, 40002, "start_date: Missing data"),
        ({"end_date": "2026-04-30"}, 40002, "end_date: Must not be before"),
        ({"end_date": "20260502"}, 40002, "end_date: "),
        (
            {"end_date": "2026-05-31"},
            40002,
            "max time span is 30 days when use stat_time_day",
        ),
        (
            {"dimensions": ["adgroup_id", "stat_time_hour"]},
            40002,
            "max time span is 1 day when use stat_time_hour",
        ),
        (
            {"dimensions": ["adgroup_id"], "start_date": "2025-05-02"},
            40002,
            "max time span is 365 days",
        ),
        ({"query_lifetime": "true"}, 40002, "dimensions: stat_time_day is not supported"),
        (
            {"metrics": ["spend", "voucher_spend", "cash_spend"]},
            40002,
            (
                "Please correct the information in invalid metric fields and try again. "
                "Invalid metric fields: ['voucher_spend', 'cash_spend']. "
            ),
        ),
        ({"metrics": ["cpa"]}, 40002, "Please correct the information in invalid metric fields"),
        ({"metrics": ["ad_name"]}, 40002, "Please correct the information in invalid metric"),
        ({"dimensions": ["stat_time_day"], "metrics": ["currency"]}, 40002, "Please correct"),
        ({"filtering": [_status("campaign", "STATUS_ALL")]}, 40002, "filtering: Invalid filter"),
        ({"filtering": [_status("adgroup", "ALL")]}, 40002, "filtering: Not a valid adgroup_st"),
        ({"filtering": [_status("adgroup", "STATUS_ALL", filter_type="MATCH")]}, 40002, "filte"),
        ({"filtering": [_status("adgroup", "", filter_value="STATUS_ALL")]}, 40002, "filtering"),
        ({"filtering": [{"field_name": "adgroup_ids"}]}, 40002, "filtering.0.filter_type: Miss"),
        ({"filtering": {"adgroup_ids": ["1"]}}, 40002, "filtering: Not a valid list"),
        (
            {
                "filtering": [
                    {
                        "field_name": "campaign_ids",
                        "filter_type": "IN",
                        "filter_value": orjson.dumps([f"{n}" for n in range(101)]).decode(),
                    }
                ]
            },
            40011,
            "filtering: at most 100 campaign_ids.",
        ),
        ({"order_field": "ctr"}, 40002, "order_field: Not a valid choice: ctr"),
        ({"page_size": "1001"}, 40002, "page_size: "),
        ({"query_mode": "CHUNK"}, 40002, "query_mode: "),
        ({"advertiser_ids": [ADVERTISER] * 6}, 40011, "advertiser_ids: "),
        ({"multi_adv_report_in_utc_time": "true"}, 40002, "multi_adv_report_in_utc_time: "),
        (
            {
                "dimensions": ["adgroup_id", "stat_time_hour"],
                "end_date": "2026-05-01",
                "enable_total_metrics": "true",
            },
            40002,
            "enable_total_metrics: ",
        ),
    ],
)
def test_what_tiktok_refuses_is_refused(
    changes: dict[str, Any], code: int, message: str, a_market: Market, ask: Ask
) -> None:
    said = ask(a_market(), REPORT, **_query(**changes))

    assert (said["code"], said["data"]) == (code, {})
    assert said["message"].startswith(message)


@pytest.mark.parametrize(
    "changes",
    [
        {"end_date": "2026-05-30"},
        {"dimensions": ["adgroup_id", "stat_time_hour"], "end_date": "2026-05-01"},
        {"dimensions": ["adgroup_id"], "start_date": "2025-05-03"},
        {"dimensions": ["stat_time_day"]},
        {"dimensions": ["adgroup_id"], "query_lifetime": "true", "start_date": None},
        {"data_level": "AUCTION_AD", "dimensions": ["ad_id_v2"], "metrics": ["campaign_id"]},
        {
            "data_level": "AUCTION_ADVERTISER",
            "dimensions": ["advertiser_id", "stat_time_day"],
            "metrics": ["cash_spend", "voucher_spend", "advertiser_name"],
        },
    ],
)
def test_what_the_limits_allow_is_answered(
    changes: dict[str, Any], a_market: Market, data: Ask
) -> None:
    assert data(a_market(), REPORT, **_query(**changes))["list"]


def test_rows_are_texts_by_falling_id_and_rising_day(
    known: Callable[..., World], data: Ask
) -> None:
    world = known(spend=Decimal("12.345"), impressions=1000, clicks=30, conversion=2)

    shown = data(world, REPORT, **_query(metrics=["spend", "impressions", "conversion"]))

    ids = sorted(world.ads.advertisers[ADVERTISER].adgroups, reverse=True)
    assert [row["dimensions"]["adgroup_id"] for row in shown["list"]] == [
        each for each in ids for _ in range(2)
    ]
    assert [row["dimensions"]["stat_time_day"] for row in shown["list"][:2]] == [
        "2026-05-01 00:00:00",
        "2026-05-02 00:00:00",
    ]
    assert shown["list"][0]["metrics"] == {
        "spend": "12.34",
        "impressions": "1000",
        "conversion": "2",
    }
    assert shown["page_info"] == {
        "page": 1,
        "page_size": 1000,
        "total_number": 8,
        "total_page": 1,
    }


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("ctr", "3.00"),
        ("cpc", "0.40"),
        ("cpm", "12.00"),
        ("cost_per_conversion", "6.00"),
        ("conversion_rate_v2", "0.20"),
        ("result", "2"),
        ("cost_per_result", "6.00"),
        ("complete_payment_roas", "10.00"),
        ("value_per_complete_payment", "60.00"),
        ("cost_per_form", "0.00"),
        ("reach", "-"),
        ("frequency", "-"),
        ("secondary_goal_result", "-"),
        ("on_web_order", "-"),
        ("app_install", "0"),
        ("total_purchase_value", "0.00"),
    ],
)
def test_metrics_that_follow_from_others(
    metric: str, said: str, known: Callable[..., World], data: Ask
) -> None:
    world = known(
        spend=Decimal(12),
        impressions=1000,
        clicks=30,
        conversion=2,
        complete_payment=2,
        total_complete_payment_rate=Decimal(120),
        form=0,
    )

    rows = data(world, REPORT, **_query(metrics=[metric]))["list"]

    assert {row["metrics"][metric] for row in rows} == {said}


def test_what_the_world_counts_itself_is_not_made_up(
    known: Callable[..., World], data: Ask
) -> None:
    world = known(spend=Decimal(12), clicks=30, cpc=Decimal("9.9"), app_install=4)

    row = data(world, REPORT, **_query(metrics=["cpc", "app_install"]))["list"][0]

    assert row["metrics"] == {"cpc": "9.90", "app_install": "4"}


def test_attributes_are_what_an_object_is(a_market: Market, an_account: Account, data: Ask) -> None:
    account = an_account()
    account.ads["1790018438247956"].ad_name = 'A "quoted" näme, 100 %s'
    metrics = ["campaign_id", "campaign_name", "adgroup_id", "ad_name", "currency", "budget"]

    row = data(
        a_market(account),
        REPORT,
        **_query(data_level="AUCTION_AD", dimensions=["ad_id"], metrics=metrics),
    )["list"][0]

    assert row["dimensions"] == {"ad_id": "1790018438247956"}
    assert row["metrics"] == {
        "campaign_id": "1790018438245954",
        "campaign_name": "Sales 2",
        "adgroup_id": "1790018438247954",
        "ad_name": 'A "quoted" näme, 100 %s',
        "currency": "EUR",
        "budget": "200.00",
    }


def test_metrics_that_the_sandbox_is_told_of_are_known(a_market: Market, data: Ask) -> None:
    world = a_market(extra_metrics=["brand_new"])

    row = data(world, REPORT, **_query(metrics=["brand_new"]))["list"][0]

    assert row["metrics"] == {"brand_new": "-"}


@pytest.fixture
def with_deleted(an_account: Account) -> Advertiser:
    account = an_account()
    first = min(account.adgroups)
    account.adgroups[first].operation_status = "DELETE"
    account.adgroups[first].secondary_status = "ADGROUP_STATUS_DELETE"
    return account


@pytest.mark.parametrize(
    ("filtering", "number"),
    [
        ([], 3),
        ([_status("adgroup", "STATUS_ALL")], 4),
        ([_status("adgroup", "STATUS_DELETE")], 1),
        ([_status("adgroup", "STATUS_NOT_DELETE")], 3),
    ],
)
def test_deleted_objects_are_left_out_unless_asked_for(
    filtering: list[Any], number: int, with_deleted: Advertiser, a_market: Market, data: Ask
) -> None:
    query = _query(dimensions=["adgroup_id"], filtering=filtering)

    assert len(data(a_market(with_deleted), REPORT, **query)["list"]) == number


def test_an_account_s_own_report_is_complete(
    with_deleted: Advertiser, a_market: Market, data: Ask
) -> None:
    query = _query(data_level="AUCTION_ADVERTISER", dimensions=["advertiser_id"])
    whole, deleted = a_market(), a_market(with_deleted)

    assert data(whole, REPORT, **query)["list"] == data(deleted, REPORT, **query)["list"]


@pytest.mark.parametrize(
    ("field", "kind", "values", "number"),
    [
        ("campaign_ids", "IN", ["1790018437245954"], 4),
        ("campaign_ids", "NOT_IN", ["1790018437245954"], 4),
        ("adgroup_ids", "IN", ["1790018437246954", "1"], 2),
        ("ad_ids", "IN", ["1790018437246955"], 1),
        ("ad_ids_v2", "IN", ["1790018437246955"], 1),
        ("objective_type", "IN", ["TRAFFIC"], 0),
        ("promotion_type", "IN", ["WEBSITE"], 8),
        ("campaign_automation_type", "NOT_IN", ["MANUAL"], 0),
        ("buying_type", "IN", ["RESERVATION_TOP_VIEW"], 0),
    ],
)
def test_reports_are_filtered(  # fixtures
    field: str, kind: str, values: list[str], number: int, a_market: Market, data: Ask
) -> None:
    value = orjson.dumps(values).decode()
    filtering = [{"field_name": field, "filter_type": kind, "filter_value": value}]
    query = _query(data_level="AUCTION_AD", dimensions=["ad_id"], filtering=filtering)

    shown = data(a_market(), REPORT, **query)

    assert len(shown["list"]) == shown["page_info"]["total_number"] == number


def test_days_are_the_account_s_and_levels_add_up(a_market: Market, data: Ask) -> None:
    world = a_market()

    def spend(level: str, name: str, **changes: Any) -> Decimal:
        query = _query(data_level=level, dimensions=[name], metrics=["spend"], **changes)
        rows = data(world, REPORT, **query)["list"]
        return sum((Decimal(row["metrics"]["spend"]) for row in rows), Decimal(0))

    whole = spend("AUCTION_ADVERTISER", "advertiser_id")
    assert whole > 0
    assert spend("AUCTION_CAMPAIGN", "campaign_id") == whole
    assert spend("AUCTION_AD", "ad_id") == whole
    assert spend("AUCTION_CAMPAIGN", "stat_time_day") == whole
    day = {"start_date": "2026-05-01", "end_date": "2026-05-01"}
    assert spend("AUCTION_AD", "stat_time_hour", **day) == spend("AUCTION_AD", "ad_id", **day)


def test_totals_are_of_all_pages_and_attributes_have_none(
    known: Callable[..., World], data: Ask
) -> None:
    world = known(spend=Decimal("1.50"), impressions=100, clicks=3, reach=80)
    metrics = ["spend", "ctr", "reach", "adgroup_name"]

    shown = data(
        world, REPORT, **_query(metrics=metrics, page_size="3", enable_total_metrics="true")
    )

    assert len(shown["list"]) == 3
    assert shown["total_metrics"] == {
        "spend": "12.00",
        "ctr": "3.00",
        "reach": "-",
        "adgroup_name": "-",
    }


def test_an_order_is_by_a_metric_s_number(a_market: Market, data: Ask) -> None:
    world = a_market()

    def spends(**order: str) -> list[Decimal]:
        query = _query(data_level="AUCTION_AD", dimensions=["ad_id"], **order)
        return [Decimal(row["metrics"]["spend"]) for row in data(world, REPORT, **query)["list"]]

    falling = spends(order_field="spend")
    assert falling == sorted(falling, reverse=True)
    assert spends(order_field="spend", order_type="ASC") == falling[::-1]
    assert spends() != falling


def test_beyond_the_most_ids_the_newest_are_left_and_it_is_said(
    an_account: Account, a_market: Market, call: Callable[..., Reply]
) -> None:
    world = a_market(an_account(more_ads=5), most_ids=10)
    query = _query(
        data_level="AUCTION_AD", dimensions=["ad_id"], enable_total_metrics="true", page_size="10"
    )

    reply = call(world, REPORT, **query)

    said = orjson.loads(reply.body)
    assert said["code"] == 0
    assert said["data"]["page_info"]["total_number"] == 10
    assert "20k" in reply.headers["X-Tt-Ads-Throttle"]
    assert said["extra_info"]["search_ads_throttle"]
    left = {row["dimensions"]["ad_id"] for row in said["data"]["list"]}
    newest = sorted(world.ads.advertisers[ADVERTISER].ads)[-5:]
    assert set(newest) <= left


def test_within_the_most_ids_nothing_is_said(a_market: Market, call: Callable[..., Reply]) -> None:
    reply = call(
        a_market(most_ids=8), REPORT, **_query(data_level="AUCTION_AD", dimensions=["ad_id"])
    )

    assert "X-Tt-Ads-Throttle" not in reply.headers
    assert "extra_info" not in orjson.loads(reply.body)


def test_several_accounts_have_money_without_decimals(
    known: Callable[..., World], a_market: Market, an_account: Account, data: Ask
) -> None:
    world = a_market(an_account(), an_account(OTHER))
    assert isinstance(world.ads, StillWorld)
    counted: dict[str, Decimal | int] = {"spend": Decimal("12.6"), "clicks": 5}
    world.ads = _Known(world.ads, counted)
    query = _query(
        advertiser_ids=[ADVERTISER, OTHER],
        data_level="AUCTION_CAMPAIGN",
        dimensions=["campaign_id"],
        metrics=["spend", "clicks", "advertiser_id", "currency"],
    )

    rows = data(world, REPORT, **query)["list"]

    assert {row["metrics"]["spend"] for row in rows} == {"13"}
    assert {row["metrics"]["clicks"] for row in rows} == {"5"}
    assert {row["metrics"]["advertiser_id"] for row in rows} == {ADVERTISER, OTHER}
    without = query | {"dimensions": ["stat_time_day"], "metrics": ["spend", "clicks"]}
    for row in data(world, REPORT, **without)["list"]:
        assert row["metrics"] == {"spend": "-", "clicks": "20"}


def test_pages_are_of_one_moment_and_made_once(known: Callable[..., World], data: Ask) -> None:
    world = known(spend=Decimal(1))
    query = _query(page_size="3")

    pages = [data(world, REPORT, **query, page=f"{page}") for page in (1, 2, 3)]

    assert isinstance(world.ads, _Known)
    assert world.ads.asked == 1
    rows = [orjson.dumps(row["dimensions"]) for page in pages for row in page["list"]]
    assert len(set(rows)) == len(rows) == 8
    world.ads.counted["spend"] = Decimal(2)
    again = data(world, REPORT, **query)
    assert world.ads.asked == 2
    assert again["list"][0]["metrics"]["spend"] == "2.00"


def test_for_measuring_a_report_is_made_once(known: Callable[..., World], data: Ask) -> None:
    world = known(spend=Decimal(1))
    marketing = world.settings.marketing.model_copy(update={"repeats_reports": True})
    world.settings = world.settings.model_copy(update={"marketing": marketing})

    first = data(world, REPORT, **_query())
    world.ads.counted["spend"] = Decimal(2)  # type: ignore[attr-defined]  # it is `_Known`

    assert data(world, REPORT, **_query()) == first
    assert data(world, REPORT, **_query(end_date="2026-05-01")) != first


def test_kept_reports_are_bounded(known: Callable[..., World], data: Ask) -> None:
    world = known(spend=Decimal(1))
    shelf = world.desk.reports
    shelf._most_bytes = 2_000
    for n in range(1, 30):
        data(world, REPORT, **_query(start_date=f"2026-05-{n:02}", end_date=f"2026-05-{n:02}"))

    kept = sum(size for _, size in shelf._sheets.values())

    assert kept == shelf._size <= 2_000
    assert shelf._sheets


def test_nothing_delivered_is_an_empty_list(a_market: Market, data: Ask) -> None:
    shown = data(a_market(), REPORT, **_query(start_date="2025-01-01", end_date="2025-01-02"))

    assert shown["list"] == []
    assert shown["page_info"]["total_number"] == 0
