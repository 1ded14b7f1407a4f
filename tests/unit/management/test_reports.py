"""Reports against the strict sandbox: the same rows either way, in full, whatever goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from relay.clock import SystemClock
from relay.management import (
    By,
    Client,
    FileTaskStore,
    Level,
    NoticeKind,
    Output,
    Patience,
    Progress,
    Report,
    ReportRequest,
    ReportRow,
    Way,
    endpoints,
)
from relay.management import Stage as Step
from relay.management.errors import (
    AnswerUnreadable,
    DeadlineExceeded,
    PermissionRefused,
    TaskFailed,
    TimedOut,
    WouldTruncate,
)
from relay.management.reports.slices import task_params, whole
from relay.sandbox.ads.still import small_account
from tests.unit.management.conftest import ACCOUNT, START, TODAY, TOKEN, Play, Stage
from tests.unit.management.test_reads import a_crowded_account

METRICS = ("spend", "impressions", "clicks", "conversion", "complete_payment", "ctr")
FIRST = TODAY - timedelta(days=44)


def a_request(**changes: Any) -> ReportRequest:
    given: dict[str, Any] = {"level": Level.AD, "metrics": METRICS, "first": FIRST, "last": TODAY}
    given |= changes
    return ReportRequest(ACCOUNT, **given)


def by_key(rows: list[ReportRow]) -> Mapping[tuple[str, ...], ReportRow]:
    found = {tuple(row.dimensions.values()): row for row in rows}
    assert len(found) == len(rows)
    return found


def spent(rows: list[ReportRow]) -> Decimal:
    return sum((Decimal(row.metrics["spend"] or 0) for row in rows), Decimal(0))


def kinds(report: Report) -> set[NoticeKind]:
    return {notice.kind for notice in report.notices}


# --- rows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("by", [By.DAY, By.NONE])
async def test_both_ways_give_the_same_rows(play: Play, level: Level, by: By) -> None:
    async with play() as stage:
        at_once = await stage.tiktok.report(a_request(level=level, by=by, way=Way.SYNC)).all()
        by_file = await stage.tiktok.report(a_request(level=level, by=by, way=Way.TASK)).all()
        by_text = await stage.tiktok.report(
            a_request(level=level, by=by, way=Way.TASK, output=Output.TEXT)
        ).all()

    assert at_once
    assert by_key(at_once) == by_key(by_file) == by_key(by_text)


async def test_rows_have_their_types(play: Play) -> None:
    async with play() as stage:
        request = a_request(metrics=("spend", "clicks", "campaign_id", "secondary_goal_result"))
        row = (await stage.tiktok.report(request).all())[0]

    assert set(row.dimensions) == {"ad_id", "stat_time_day"}
    assert isinstance(row.metrics["spend"], Decimal)
    assert isinstance(row.metrics["clicks"], int)
    assert isinstance(row.metrics["campaign_id"], str)
    assert row.metrics["secondary_goal_result"] is None


async def test_levels_and_tiktok_s_own_sums_agree(play: Play) -> None:
    async with play() as stage:
        sums = {}
        for level in Level:
            report = stage.tiktok.report(a_request(level=level, totals=True))
            rows = await report.all()
            assert report.totals is not None
            sums[level] = (spent(rows), report.totals["spend"])

    assert len(set(sums.values())) == 1
    assert sums[Level.AD][0] == sums[Level.AD][1]


async def test_hours_are_read_day_by_day(play: Play) -> None:
    async with play() as stage:
        request = a_request(level=Level.ACCOUNT, by=By.HOUR, first=TODAY - timedelta(days=2))
        rows = await stage.tiktok.report(request).all()

    assert len(rows) == 72
    assert stage.calls("/report/integrated/get/") == 3


async def test_deleted_ads_are_in_the_report(play: Play) -> None:
    account = a_crowded_account(10, deleted=4)
    async with play(account=account) as stage:
        every = await stage.tiktok.report(a_request(by=By.NONE)).all()
        left = await stage.tiktok.report(a_request(by=By.NONE, include_deleted=False)).all()

    assert (len(every), len(left)) == (10, 6)


async def test_more_ids_than_a_filter_takes_are_asked_for_in_parts(play: Play) -> None:
    account = a_crowded_account(250)
    async with play(account=account) as stage:
        request = a_request(ids=tuple(account.ads), by=By.NONE)
        rows = await stage.tiktok.report(request).all()

    assert {row.dimensions["ad_id"] for row in rows} == set(account.ads)
    assert stage.calls("/report/integrated/get/") == 3


async def test_an_account_without_delivery_has_no_rows(play: Play) -> None:
    async with play() as stage:
        report = stage.tiktok.report(a_request(first=date(2024, 1, 1), last=date(2024, 1, 9)))

        assert await report.all() == []
        assert report.is_complete


# --- the way --------------------------------------------------------------------------------------


async def test_the_client_says_how_it_reads_and_how_far_it_is(play: Play) -> None:
    seen: list[Progress] = []
    async with play() as stage:
        report = stage.tiktok.report(a_request(), on_progress=seen.append)
        await report.all()

    assert report.chosen is not None
    assert report.chosen.way is Way.SYNC
    assert report.chosen.objects == 8
    assert NoticeKind.CHOSEN in kinds(report)
    assert seen[0].stage is Step.CHOOSING
    assert seen[-1].stage is Step.DONE
    assert any(each.stage is Step.READING and each.of for each in seen)


async def test_more_ids_than_tiktok_gives_become_a_task(play: Play) -> None:
    account = a_crowded_account(50)
    async with play(account=account, marketing={"most_ids": 20}) as stage:
        report = stage.tiktok.report(a_request(by=By.NONE))
        rows = await report.all()

    assert report.chosen is not None
    assert report.chosen.way is Way.TASK
    assert len(rows) == 50
    assert report.is_complete


async def test_who_wants_no_task_is_not_given_a_part_for_the_whole(play: Play) -> None:
    account = a_crowded_account(50)
    async with play(account=account, marketing={"most_ids": 20}) as stage:
        with pytest.raises(WouldTruncate, match=r"Way\.TASK"):
            await stage.tiktok.report(a_request(way=Way.SYNC)).all()


async def test_an_account_that_grew_over_the_limit_meanwhile_becomes_a_task(play: Play) -> None:
    """Nobody counts when ids are given; TikTok's header still counts."""
    account = a_crowded_account(50)
    async with play(account=account, marketing={"most_ids": 20}) as stage:
        report = stage.tiktok.report(a_request(ids=tuple(account.ads), by=By.NONE))
        rows = await report.all()

    assert len(rows) == 50
    assert NoticeKind.NARROWED in kinds(report)
    assert report.is_complete


# --- time-outs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 2])
async def test_what_timed_out_is_asked_for_in_halves(play: Play, times: int) -> None:
    fault = {"kind": "code", "codes": [51010], "path": "*/integrated/get/", "count": times}
    async with play() as stage:
        plain = await stage.tiktok.report(a_request(way=Way.SYNC)).all()
    async with play(fault) as stage:
        report = stage.tiktok.report(a_request(way=Way.SYNC))
        rows = await report.all()

    assert by_key(rows) == by_key(plain)
    assert NoticeKind.NARROWED in kinds(report)
    assert report.is_complete


async def test_no_report_that_timed_out_is_asked_for_as_it_was(play: Play) -> None:
    fault = {"kind": "code", "codes": [51010], "path": "*/integrated/get/"}
    asked: list[str] = []
    async with play(fault) as stage:
        original = stage.tiktok._connection.exchange

        async def exchange(request: Any, *args: Any, **more: Any) -> Any:
            asked.append(str(sorted(request.query.items())))
            return await original(request, *args, **more)

        stage.tiktok._connection.exchange = exchange  # type: ignore[method-assign]  # a wire-tap
        with pytest.raises(TimedOut):
            await stage.tiktok.report(a_request(way=Way.SYNC, last=FIRST)).all()

    reports = [each for each in asked if "data_level" in each]
    assert len(reports) > 1
    assert len(reports) == len(set(reports))


async def test_a_day_that_times_out_is_taken_apart_by_campaigns(play: Play) -> None:
    fault = {"kind": "code", "codes": [51010], "path": "*/integrated/get/", "count": 1}
    async with play() as stage:
        plain = await stage.tiktok.report(a_request(first=TODAY, way=Way.SYNC)).all()
    async with play(fault) as stage:
        rows = await stage.tiktok.report(a_request(first=TODAY, way=Way.SYNC)).all()

    assert by_key(rows) == by_key(plain)
    assert stage.calls("/campaign/get/") == 1


async def test_what_times_out_again_and_again_becomes_a_task(play: Play) -> None:
    fault = {"kind": "code", "codes": [51010], "path": "*/integrated/get/", "skip": 1}
    async with play() as stage:
        plain = await stage.tiktok.report(a_request(way=Way.SYNC)).all()
    async with play(fault) as stage:
        report = stage.tiktok.report(a_request())
        rows = await report.all()

    assert by_key(rows) == by_key(plain)
    assert stage.world.faults.fired["code"] <= 6


# --- tasks ----------------------------------------------------------------------------------------


async def test_a_task_goes_on_after_a_crash(play: Play, tmp_path: Path) -> None:
    async with play({"kind": "stuck_task", "count": 1}) as stage:
        store = FileTaskStore(tmp_path / "tasks.json")
        async with a_client(stage, patience=Patience(task_s=60)) as tiktok:
            with pytest.raises(DeadlineExceeded, match="go on"):
                await tiktok.report(a_request(way=Way.TASK), store=store).all()
        stage.world.desk.tasks.by_status(stage.clock.now())
        release(stage)

        again = FileTaskStore(tmp_path / "tasks.json")
        rows = await stage.tiktok.report(a_request(way=Way.TASK), store=again).all()
        created = stage.calls("/report/task/create/")
        await stage.tiktok.report(a_request(way=Way.TASK), store=again).all()

    assert len(rows) == 45 * 8
    assert created == 1
    assert stage.calls("/report/task/create/") == 2  # taken rows are forgotten


def a_client(stage: Stage, **given: Any) -> Client:
    return Client(TOKEN, base_url=stage.base_url, clock=stage.clock, roll=lambda: 0.5, **given)


def release(stage: Stage) -> None:
    """What was stuck is under way again."""
    for task in stage.world.desk.tasks._tasks.values():
        task.fate = None


@pytest.mark.parametrize("why", ["old", "gone", "failed"])
async def test_a_remembered_task_that_is_no_good_is_made_anew(
    play: Play, tmp_path: Path, why: str
) -> None:
    faults = [{"kind": "failed_task", "count": 1}] if why == "failed" else []
    store = FileTaskStore(tmp_path / "tasks.json")
    async with play(*faults) as stage:
        reading = asyncio.ensure_future(
            stage.tiktok.report(a_request(way=Way.TASK), store=store).all()
        )
        await until(lambda: stage.calls("/report/task/create/") == 1)
        kept = dict(store._read())
        if why == "failed":
            with pytest.raises(TaskFailed):
                await reading
        else:
            await reading
        for key, task in kept.items():
            old = task.created_at - 7 * 3600 if why == "old" else task.created_at
            task_id = "179235000000000099" if why == "gone" else task.task_id
            store.remember(key, task._replace(task_id=task_id, created_at=old))

        rows = await stage.tiktok.report(a_request(way=Way.TASK), store=store).all()

    assert len(rows) == 45 * 8
    assert stage.calls("/report/task/create/") == 2


async def test_a_task_that_fails_says_why(play: Play) -> None:
    async with play({"kind": "failed_task", "message": "Internal service timed out."}) as stage:
        with pytest.raises(TaskFailed, match="Internal service timed out") as caught:
            await stage.tiktok.report(a_request(way=Way.TASK)).all()

    assert caught.value.status == "FAILED"
    assert caught.value.task_id


async def test_whoever_stops_waiting_cancels_the_task(play: Play, tmp_path: Path) -> None:
    store = FileTaskStore(tmp_path / "tasks.json")
    async with play({"kind": "stuck_task"}, clock=SystemClock()) as stage:
        reading = asyncio.ensure_future(
            stage.tiktok.report(a_request(way=Way.TASK), store=store).all()
        )
        await until(lambda: stage.calls("/report/task/check/") >= 1)

        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

        assert stage.world.desk.tasks.by_status(stage.clock.now()) == {"CANCELED": 1}
        assert store._read() == {}
        assert len(stage.tiktok._tasks) == 0


async def until(true: Callable[[], bool]) -> None:
    """Let others run until it is true."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110  # nobody sets an event for this
            await asyncio.sleep(0.001)


async def test_tasks_are_created_one_a_second(play: Play) -> None:
    async with play() as stage:
        began = stage.clock.now()
        for number in range(5):
            request = a_request(last=TODAY - timedelta(days=number))
            params = task_params(request, whole(request))
            await stage.tiktok._caller.call(endpoints.REPORT_TASK, params)

    assert stage.world.desk.limits.throttled == {}
    assert stage.clock.now() - began == 4


# --- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("output", list(Output))
@pytest.mark.parametrize("share", [0.01, 0.5, 0.9999])
async def test_a_file_that_was_cut_is_downloaded_again(
    play: Play, output: Output, share: float
) -> None:
    fault = {"kind": "truncated_file", "share": share, "count": 2}
    async with play(fault) as stage:
        report = stage.tiktok.report(a_request(way=Way.TASK, output=output))
        rows = await report.all()

    assert len(rows) == 45 * 8
    if share < 0.99:
        assert report.is_complete


async def test_a_file_that_is_always_cut_is_never_taken_for_whole(play: Play) -> None:
    async with play({"kind": "truncated_file", "share": 0.5}) as stage:
        with pytest.raises(AnswerUnreadable, match="not whole") as caught:
            await stage.tiktok.report(a_request(way=Way.TASK)).all()

    assert caught.value.field == "file"


async def test_a_file_that_always_ends_within_its_last_value_is_said_to_be_incomplete(
    play: Play,
) -> None:
    async with play({"kind": "truncated_file", "share": 0.99999}) as stage:
        report = stage.tiktok.report(a_request(way=Way.TASK))
        await report.all()

    assert NoticeKind.NO_FINAL_NEWLINE in kinds(report)
    assert not report.is_complete


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "http", "status": 503, "path": "*wsos*", "count": 2},
        {"kind": "reset", "path": "*wsos*", "count": 2},
        {"kind": "http", "status": 403, "path": "*wsos*", "count": 1},
        {"kind": "code", "codes": [50000], "path": "*/task/download/", "count": 2},
        {"kind": "code", "codes": [40201], "path": "*/task/download/", "count": 2},
        {"kind": "code", "codes": [50000], "path": "*/task/check/", "count": 2},
    ],
    ids=str,
)
async def test_trouble_on_the_way_to_a_file_passes(play: Play, fault: dict[str, Any]) -> None:
    async with play(fault) as stage:
        rows = await stage.tiktok.report(a_request(way=Way.TASK)).all()

    assert len(rows) == 45 * 8


async def test_the_file_s_server_is_sent_no_token(play: Play) -> None:
    async with play() as stage:
        await stage.tiktok.report(a_request(way=Way.TASK)).all()
        fetched = [each for each in stage.world.received.requests if "wsos" in each.path]

    assert len(fetched) == 1
    assert fetched[0].token is None


# --- changes, junk, loss --------------------------------------------------------------------------


async def test_a_report_that_changed_under_the_reader_is_read_again(play: Play) -> None:
    account = a_crowded_account(1_500)
    fault = {"kind": "page_shift", "path": "*/integrated/get/", "count": 1}
    async with play(fault, account=account) as stage:
        report = stage.tiktok.report(a_request(by=By.NONE))
        rows = await report.all()

    assert len(by_key(rows)) == 1_500
    assert NoticeKind.READ_AGAIN in kinds(report)


async def test_a_metric_of_another_type_says_which(play: Play) -> None:
    fault = {"kind": "changed_type", "path": "*/integrated/get/", "to": "object", "skip": 1,
             "field": "list.3.metrics.spend"}  # fmt: skip
    async with play(fault) as stage:
        with pytest.raises(AnswerUnreadable) as caught:
            await stage.tiktok.report(a_request()).all()

    assert caught.value.field == "list[3].metrics.spend"
    assert caught.value.endpoint == "/report/integrated/get/"


async def test_small_numbers_are_masked_and_noticed(play: Play) -> None:
    row = {
        "dimensions": {"ad_id": 1, "stat_time_day": "2026-11-01 00:00:00"},
        "metrics": {"impressions": "<5", "spend": "0.10", "clicks": "-", "conversion": None},
    }
    info = {"total_number": 1, "total_page": 1}
    junk = {"code": 0, "data": {"page_info": info, "list": [row]}}
    async with play({"kind": "junk", "body": junk}) as stage:
        report = stage.tiktok.report(a_request(first=TODAY, way=Way.SYNC))
        (found,) = await report.all()

    assert found.dimensions["ad_id"] == "1"
    assert found.metrics == {
        "impressions": None, "spend": Decimal("0.10"), "clicks": None, "conversion": None,
        "complete_payment": None, "ctr": None,
    }  # fmt: skip
    assert NoticeKind.MASKED in kinds(report)


async def test_an_account_that_is_lost_in_the_middle_ends_the_report(play: Play) -> None:
    fault = {"kind": "lost_advertiser", "advertiser_ids": [ACCOUNT], "skip": 2}
    async with play(fault) as stage:
        with pytest.raises(PermissionRefused):
            await stage.tiktok.report(a_request()).all()


async def test_a_year_of_ads_is_never_in_memory(play: Play) -> None:
    """Rows come one by one, and what waits is bounded."""
    account = small_account(START)
    account.create_time = START - 400 * 86_400
    async with play(account=account) as stage:
        report = stage.tiktok.report(a_request(first=TODAY - timedelta(days=364)))
        seen = 0
        async for _ in report:
            seen += 1
            if seen == 10:
                assert len(stage.tiktok._tasks) <= stage.tiktok._caller.limits.in_flight
                break

    assert report.rows == 10
