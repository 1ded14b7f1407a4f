"""Reports, the deciding part: what is refused, how a request is cut, which way it goes."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.management import By, FileTaskStore, Level, ReportRequest, Way
from relay.management.errors import RequestInvalid
from relay.management.reports.choice import by_size, early
from relay.management.reports.metrics import METRICS, MetricKind
from relay.management.reports.request import last_days
from relay.management.reports.restated import days_to_read_again, is_mature, restated_days
from relay.management.reports.slices import (
    Slice,
    filtering,
    narrowed,
    page_params,
    slices_of,
    task_params,
    wants_campaigns,
    whole,
)
from relay.management.reports.table import Broken, Scan, batches
from relay.management.reports.tasks import Remembered, TaskState, key_of, state_of
from relay.management.zones import zone_named
from relay.sandbox.marketing.metrics import KNOWN, is_asked_rightly
from tests.unit.management.conftest import ACCOUNT

FIRST, LAST = date(2026, 9, 1), date(2026, 11, 29)


def a_request(**changes: Any) -> ReportRequest:
    given: dict[str, Any] = {"level": Level.AD, "metrics": ("spend",), "first": FIRST, "last": LAST}
    given |= changes
    return ReportRequest(ACCOUNT, **given)


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "mend"),
    [
        ({"metrics": ("cpa",)}, "cost_per_conversion"),
        ({"metrics": ("conversion_7d_click",)}, "attribution window"),
        ({"metrics": ("impresions",)}, "`impressions`"),
        ({"metrics": ("no_such_thing_at_all",)}, "unlisted"),
        ({"metrics": ("cash_spend",)}, "At: ACCOUNT"),
        ({"metrics": ("cash_spend",), "level": Level.ACCOUNT, "by": By.NONE}, "By: DAY"),
        ({"metrics": ("campaign_id",), "level": Level.CAMPAIGN}, "At: ADGROUP, AD"),
        ({"metrics": ("skan_result",), "by": By.HOUR}, "By: DAY, NONE"),
        ({"metrics": ("billed_cost",), "way": Way.TASK}, "Way.SYNC"),
        ({"metrics": ()}, "spend"),
        ({"metrics": tuple(METRICS)[:101]}, "Ask twice"),
        ({"first": LAST, "last": FIRST}, "Exchange"),
        ({"ids": ("1.5",)}, "text"),
        ({"level": Level.ACCOUNT, "ids": ("1",)}, "Level.CAMPAIGN"),
        ({"level": Level.CAMPAIGN, "campaign_ids": ("1",)}, "`ids`"),
        ({"as_smart_plus_ads": True, "level": Level.ADGROUP}, "Level.AD"),
        ({"totals": True, "by": By.HOUR}, "DAY"),
        ({"way": Way.SYNC, "by": By.NONE, "first": date(2024, 1, 1)}, "Way.TASK"),
        ({"ids": tuple(map(str, range(20_001)))}, "in parts"),
    ],
    ids=str,
)
def test_what_tiktok_would_refuse_is_refused_with_the_mend(
    changes: dict[str, Any], mend: str
) -> None:
    with pytest.raises(RequestInvalid) as caught:
        a_request(**changes)

    assert mend in str(caught.value)


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("by", list(By))
def test_the_list_of_metrics_is_the_sandbox_s(level: Level, by: By) -> None:
    """What is let through here, the strict stand-in lets through too; and nothing else is kept."""
    time = None if by is By.NONE else by.value
    theirs = {
        name
        for name in KNOWN
        if is_asked_rightly(name, level, by=time, with_id=True, day_wise=by is By.DAY)
    }
    ours = {
        metric.name
        for metric in METRICS.values()
        if level in metric.levels and by in metric.only_by
    }

    assert ours == theirs


def test_a_metric_that_is_not_listed_can_be_asked_for_on_one_s_own_risk() -> None:
    request = a_request(metrics=("spend",), unlisted=("brand_new",))

    assert [metric.name for metric in request.columns] == ["spend", "brand_new"]
    assert request.columns[1].kind is MetricKind.UNKNOWN


# --- slices ---------------------------------------------------------------------------------------


def covered(request: ReportRequest, slices: list[Slice]) -> list[tuple[Any, ...]]:
    """Every (day, id, campaign) that these slices ask for."""
    found = []
    for part in slices:
        days = (part.last - part.first).days + 1
        for day in range(days):
            at = part.first + timedelta(days=day)
            for each in part.ids or ("",):
                found += [(at, each, campaign) for campaign in part.campaign_ids or ("",)]
    return found


requests = st.builds(
    lambda days, ids, campaigns, by: a_request(
        level=Level.AD,
        first=FIRST,
        last=FIRST + timedelta(days=days),
        ids=tuple(map(str, range(1, ids + 1))),
        campaign_ids=tuple(map(str, range(1, campaigns + 1))),
        by=by,
    ),
    st.integers(0, 65),
    st.sampled_from((0, 1, 100, 101)),
    st.sampled_from((0, 1, 2, 31)),
    st.sampled_from((By.DAY, By.NONE)),
)


@given(requests)
def test_slices_cover_the_request_once_and_keep_to_the_limits(request: ReportRequest) -> None:
    slices = slices_of(request)

    asked = covered(request, slices)
    assert len(asked) == len(set(asked))
    assert sorted(asked) == sorted(covered(request, [whole(request)]))
    for part in slices:
        assert (part.last - part.first).days + 1 <= (30 if request.by is By.DAY else 365)
        assert len(part.ids) <= 100
        assert len(part.campaign_ids) <= 30


def test_hours_are_asked_for_a_day_at_a_time() -> None:
    request = a_request(by=By.HOUR, level=Level.ACCOUNT)

    assert len(slices_of(request)) == 90
    assert all(part.first == part.last for part in slices_of(request))


def test_campaigns_themselves_are_filtered_thirty_at_a_time() -> None:
    request = a_request(level=Level.CAMPAIGN, ids=tuple(map(str, range(61))), last=FIRST)

    assert [len(part.ids) for part in slices_of(request)] == [30, 30, 1]


@given(requests)
def test_a_narrowed_slice_is_the_same_in_smaller_parts_down_to_the_end(
    request: ReportRequest,
) -> None:
    part = slices_of(request)[0]
    campaigns = [str(number) for number in range(45)]
    steps = 0
    while smaller := narrowed(part, request, campaigns):
        steps += 1
        assert steps < 40
        if not wants_campaigns(part, request):
            assert sorted(covered(request, smaller)) == sorted(covered(request, [part]))
        assert all(each != part for each in smaller)
        part = smaller[0]

    assert part.first == part.last or request.by is By.NONE
    assert len(part.ids) <= 1
    assert len(part.campaign_ids) <= 1


def test_a_sum_of_the_whole_time_is_never_cut_by_days() -> None:
    request = a_request(by=By.NONE)

    smaller = narrowed(whole(request), request, ["1", "2"])

    assert {(part.first, part.last) for part in smaller} == {(FIRST, LAST)}
    assert [part.campaign_ids for part in smaller] == [("1", "2")]


@pytest.mark.parametrize(
    ("level", "field"),
    [
        (Level.CAMPAIGN, "campaign_status"),
        (Level.ADGROUP, "adgroup_status"),
        (Level.AD, "ad_status"),
    ],
)
def test_deleted_objects_are_let_in_by_the_filter_of_their_level(level: Level, field: str) -> None:
    request = a_request(level=level)

    assert filtering(request, whole(request), with_status=True) == [
        {"field_name": field, "filter_type": "IN", "filter_value": '["STATUS_ALL"]'}
    ]
    assert filtering(request, whole(request), with_status=False) == []
    assert a_request(level=Level.ACCOUNT).status_filter is None
    assert a_request(level=level, include_deleted=False).status_filter is None


def test_a_task_is_told_to_leave_the_titles_alone() -> None:
    request = a_request(ids=("1", "2"))

    body = task_params(request, whole(request))

    assert body["enable_report_title_translation"] is False
    assert "page" not in page_params(request, whole(request))
    assert orjson.loads(body["filtering"][0]["filter_value"]) == ["1", "2"]


# --- the way --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "objects", "is_cut", "way"),
    [
        ({}, 8, False, Way.SYNC),
        ({}, 10_000, False, Way.SYNC),
        ({}, 12_000, False, Way.TASK),
        ({"by": By.NONE}, 19_999, False, Way.SYNC),
        ({"by": By.NONE}, 20_000, False, Way.TASK),
        ({}, 100, True, Way.TASK),
        ({"by": By.HOUR, "level": Level.ADGROUP}, 2_000, False, Way.TASK),
    ],
)
def test_the_way_is_chosen_by_size(
    changes: dict[str, Any],
    objects: int,
    is_cut: bool,
    way: Way,
) -> None:
    request = a_request(**changes)

    choice = by_size(request, slices_of(request), objects, is_cut=is_cut)

    assert choice.way is way
    assert choice.reason


@pytest.mark.parametrize(
    ("changes", "way"),
    [
        ({"level": Level.ACCOUNT}, Way.SYNC),
        ({"way": Way.TASK}, Way.TASK),
        ({"way": Way.SYNC}, Way.SYNC),
        ({"metrics": ("billed_cost",)}, Way.SYNC),
        ({"by": By.NONE, "first": date(2024, 1, 1)}, Way.TASK),
        ({}, None),
    ],
)
def test_sometimes_nobody_needs_to_count(changes: dict[str, Any], way: Way | None) -> None:
    choice = early(a_request(**changes))

    assert (choice.way if choice else None) is way


# --- tasks and their files ------------------------------------------------------------------------


def test_a_task_is_remembered_by_request_and_token_and_shows_neither() -> None:
    key = key_of(a_request(), "token-1")

    assert key == key_of(a_request(way=Way.TASK, totals=True), "token-1")
    assert key != key_of(a_request(), "token-2")
    assert key != key_of(a_request(ids=("1",)), "token-1")
    assert key != key_of(a_request(by=By.NONE), "token-1")
    assert "token-1" not in key


def test_an_unknown_state_is_under_way() -> None:
    assert state_of("SUCCESS") is TaskState.DONE
    assert state_of("ALMOST") is TaskState.MAKING


def test_tasks_outlive_the_process_in_a_file_of_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "state" / "tasks.json"
    FileTaskStore(path).remember("a", Remembered("17", 1000.0))
    FileTaskStore(path).remember("b", Remembered("18", 2000.0))

    store = FileTaskStore(path)
    store.forget("a")

    assert store.recall("a") is None
    assert store.recall("b") == Remembered("18", 2000.0)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["tasks.json"]


def test_tasks_that_tiktok_has_dropped_are_dropped(tmp_path: Path) -> None:
    store = FileTaskStore(tmp_path / "tasks.json")
    store.remember("old", Remembered("17", 0.0))

    store.remember("new", Remembered("18", 40 * 86_400.0))

    assert store.recall("old") is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"tasks":5}', b'{"tasks":{"a":{"task_id":5}}}', b"\xff"]
)
def test_a_file_that_cannot_be_read_counts_as_empty(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tasks.json"
    path.write_bytes(content)
    store = FileTaskStore(path)

    assert store.recall("a") is None
    store.remember("a", Remembered("17", 1.0))
    assert store.recall("a") == Remembered("17", 1.0)


def scanned(content: bytes) -> Scan:
    scan = Scan(io.BytesIO(content))
    list(scan)
    return scan


def test_a_whole_file_is_counted_and_read() -> None:
    content = '﻿ad_id,ad_name,spend\r\n1,"two\nlines, ""quoted""",1.50\r\n2,ü,2\r\n'.encode()

    table = scanned(content).table

    assert table is not None
    assert (table.titles, table.rows) == (("ad_id", "ad_name", "spend"), 2)
    assert table.ends_with_newline
    assert [row for batch in batches(io.BytesIO(content)) for row in batch] == [
        ["1", 'two\nlines, "quoted"', "1.50"],
        ["2", "ü", "2"],
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"ad_id,spend\n1,2\n3",
        b"ad_id,spend\n1,2\n3,4,5\n",
        b'ad_id,spend\n1,"2',
        "ad_id,spend\n1,ü".encode()[:-1],
    ],
)
def test_a_file_that_was_cut_is_noticed(content: bytes) -> None:
    with pytest.raises(Broken):
        scanned(content)


@given(st.integers(1, 60))
def test_wherever_a_file_is_cut_it_is_not_taken_for_whole(cut: int) -> None:
    whole_file = b"ad_id,day,spend\n1,2026-11-01 00:00:00,10.50\n2,2026-11-01 00:00:00,7\n"

    try:
        table = scanned(whole_file[:-cut]).table
    except Broken:
        return
    # What is left ends between rows, or within the last value of one.
    assert table is not None
    assert not table.ends_with_newline or whole_file[:-cut].count(b"\n") < 3


# --- what has to be read again --------------------------------------------------------------------

BERLIN = zone_named("Europe/Berlin") or UTC


def at(day: int, hour: int, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def test_a_day_stands_still_after_the_longest_window_and_the_next_mending() -> None:
    day = date(2026, 11, 1)

    assert not is_mature(day, [1, 7], at(10, 11), UTC)
    assert is_mature(day, [1, 7], at(10, 12), UTC)
    assert not is_mature(day, [7, None], at(20, 12), UTC)
    assert is_mature(day, [0], at(3, 12), UTC)


def test_the_days_that_still_change_are_those_of_the_longest_window() -> None:
    days = restated_days([7, 1], at(22, 13), UTC)

    assert days == [date(2026, 11, 14) + timedelta(days=n) for n in range(9)]
    assert restated_days([7, 1], at(22, 11), UTC)[0] == date(2026, 11, 13)


def test_today_is_the_account_s() -> None:
    west = zone_named("Etc/GMT+8") or UTC

    assert restated_days([1], at(22, 5), west)[-1] == date(2026, 11, 21)
    assert restated_days([1], at(22, 23), BERLIN)[-1] == date(2026, 11, 23)


def test_a_day_that_was_read_after_its_last_mending_is_not_read_again() -> None:
    read = {date(2026, 11, 1): at(10, 13), date(2026, 11, 2): at(10, 13)}

    assert days_to_read_again(read, [7], at(22, 13), UTC) == [date(2026, 11, 2)]


def test_before_the_next_mending_there_is_nothing_new() -> None:
    read = {date(2026, 11, 18): at(21, 13)}

    assert days_to_read_again(read, [7], at(22, 11), UTC) == []
    assert days_to_read_again(read, [7], at(22, 12), UTC) == [date(2026, 11, 18)]


def test_today_and_yesterday_change_all_the_time() -> None:
    read = {date(2026, 11, 22): at(22, 10), date(2026, 11, 21): at(22, 10)}

    assert days_to_read_again(read, [7], at(22, 11), UTC) == sorted(read)


def test_the_last_whole_days() -> None:
    assert last_days(date(2026, 11, 22), 7) == (date(2026, 11, 15), date(2026, 11, 21))
