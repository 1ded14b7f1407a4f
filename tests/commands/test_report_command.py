"""`relay report`: days of the account's zone, numbers as they are, tasks that end with it."""

from __future__ import annotations

import csv
import io
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.cli.report_options import Days, Query, listed, metrics_of
from relay.errors import ConfigError
from relay.management import By, Level
from relay.management.reports.metrics import METRICS
from relay.sandbox.ads.still import StillWorld, small_account
from relay.sandbox.http import Running

RELAY = Callable[..., Any]
START = Callable[..., Running]

BERLIN, SEATTLE = "7106541027904733185", "7106541027904733999"
TODAY = date(2026, 11, 28)


def rows_of(said: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(said.out, newline="")))


def asked(sandbox: Running, path: str) -> int:
    """How often the stand-in was asked for a path."""
    seen = sandbox.world.received.requests
    return sum(each.path == f"/open_api/v1.3{path}" for each in seen)


# --- what is asked for ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "first", "last"),
    [
        (Days(), "2026-11-21", "2026-11-27"),
        (Days(since="1d"), "2026-11-27", "2026-11-27"),
        (Days(since="30d"), "2026-10-29", "2026-11-27"),
        (Days(since="2w"), "2026-11-14", "2026-11-27"),
        (Days(first="2026-11-01"), "2026-11-01", "2026-11-28"),
        (Days(first="2026-11-01", last="yesterday"), "2026-11-01", "2026-11-27"),
        (Days(first="today", last="today"), "2026-11-28", "2026-11-28"),
    ],
)
def test_days_are_those_of_the_account(days: Days, first: str, last: str) -> None:
    assert days.within(TODAY) == (date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    ("days", "key"),
    [
        (Days(since="30"), "--since"),
        (Days(since="0d"), "--since"),
        (Days(since="7d", first="today"), "--since"),
        (Days(last="today"), "--from"),
        (Days(first="1.11.2026"), "--from"),
        (Days(first="today", last="yesterday"), "--to"),
        (Days(first="1999-01-01"), "--from"),
    ],
)
def test_days_that_make_no_sense_are_named(days: Days, key: str) -> None:
    with pytest.raises(ConfigError) as raised:
        days.within(TODAY)

    assert [each.key for each in raised.value.mistakes] == [key]


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("by", list(By))
def test_the_good_beginning_can_be_had_everywhere(level: Level, by: By) -> None:
    request = Query(level, by, Days("1d"), metrics_of(None, level)).check(TODAY)

    assert {metric.name for metric in request.columns} <= set(METRICS)


@given(st.lists(st.sampled_from(sorted(METRICS)), min_size=1), st.sampled_from(["", " ", "\t"]))
def test_lists_have_commas_and_perhaps_blanks(names: list[str], blank: str) -> None:
    assert listed(f",{blank}".join(names) + ",") == tuple(names)


# --- what comes -----------------------------------------------------------------------------------


def test_levels_add_up_to_the_account(relay: RELAY, ad_account: START) -> None:
    ad_account()

    sums = {}
    for level in ("account", "campaign", "adgroup", "ad"):
        said = relay("report", "--level", level, "--since", "3d", "--csv")
        assert said.code == 0, said.err
        rows = rows_of(said)
        sums[level] = sum(Decimal(row["spend"]) for row in rows)
        assert {row["currency"] for row in rows} == {"EUR"}
        assert len({row["stat_time_day"] for row in rows}) == 3
    assert len(set(sums.values())) == 1


def test_each_account_has_its_own_days_zone_and_currency(relay: RELAY, ad_account: START) -> None:
    east, west = small_account(time.time(), BERLIN), small_account(time.time(), SEATTLE)
    east.timezone, west.timezone, west.currency = "Etc/GMT-14", "Etc/GMT+12", "USD"
    ad_account(StillWorld(time.time(), east, west))

    said = relay("report", "--level", "account", "--since", "1d", "--csv")

    days = {row["timezone"]: row["stat_time_day"] for row in rows_of(said)}
    assert said.code == 0
    # A day of the one never is a day of the other: 26 hours lie between them.
    assert days["Etc/GMT-14"] > days["Etc/GMT+12"]
    assert "days of Etc/GMT-14 (UTC+14:00), in EUR" in said.err
    assert "days of Etc/GMT+12 (UTC-12:00), in USD" in said.err


def test_hours_and_whole_times(relay: RELAY, ad_account: START) -> None:
    ad_account()

    hours = rows_of(relay("report", "--by", "hour", "--since", "1d", "--level", "account", "--csv"))
    whole = rows_of(relay("report", "--by", "none", "--since", "3d", "--csv"))

    assert len(hours) == 24
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:00", row["stat_time_hour"]) for row in hours)
    assert len(whole) == 2
    assert "stat_time_day" not in whole[0]


def test_json_has_tiktoks_shape_and_every_digit(relay: RELAY, ad_account: START) -> None:
    ad_account()

    said = relay("report", "--since", "1d", "--metrics", "spend,clicks", "--json")

    for row in said.lines:
        assert set(row) == {"advertiser_id", "currency", "timezone", "dimensions", "metrics"}
        assert set(row["dimensions"]) == {"campaign_id", "stat_time_day"}
        assert re.fullmatch(r"\d+\.\d\d", row["metrics"]["spend"])
        assert isinstance(row["metrics"]["clicks"], int)


def test_a_table_is_for_people(relay: RELAY, ad_account: START) -> None:
    ad_account()

    said = relay("report", "--since", "2d")

    assert re.search(r"\d\.\d\d EUR", said.out)
    assert all(title in said.out for title in ("purchases", "ROAS", "Sales 1", "1790018437245954"))
    assert "at once: 2 objects" in said.err
    assert "the first 3 rows" in relay("report", "--since", "2d", "--rows", "3").err


def test_ids_narrow_down(relay: RELAY, ad_account: START) -> None:
    ad_account()

    said = relay("report", "--ids", "1790018437245954", "--since", "1d", "--csv")
    group = relay(
        "report", "--level", "adgroup", "--campaign", "1790018437245954", "--since", "1d", "--csv"
    )

    assert [row["campaign_id"] for row in rows_of(said)] == ["1790018437245954"]
    assert {row["campaign_name"] for row in rows_of(group)} == {"Sales 1"}


def test_metrics_can_be_looked_up_without_a_token(relay: RELAY, folder: Path) -> None:
    said = relay("report", "--metrics", "help", "--level", "account", "--csv")

    names = {row["metric"] for row in rows_of(said)}
    assert said.code == 0
    assert "cash_spend" in names
    assert "ad_name" not in names


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--metrics", "cpa"), "cost_per_conversion"),
        (("--metrics", "cash_spend"), "`cash_spend` is not there at level CAMPAIGN"),
        (("--level", "account", "--ids", "1"), "--level campaign"),
        (("--since", "month"), "7d, 30d or 12w"),
        (("--level", "campaign", "--by", "none", "--since", "400d", "--sync"), "--async"),
    ],
)
def test_what_tiktok_would_refuse_is_refused_before_anybody_is_asked(
    relay: RELAY, folder: Path, arguments: tuple[str, ...], words: str
) -> None:
    said = relay("report", *arguments)

    assert said.code == 2
    assert words in said.err


def test_rows_that_are_missing_make_it_fail(relay: RELAY, ad_account: START) -> None:
    ad_account(marketing={"most_ids": 3})

    said = relay("report", "--level", "ad", "--since", "1d", "--sync", "--csv")

    assert said.code == 1
    assert "Traceback" not in said.err


def test_an_account_that_is_lost_holds_up_no_other(relay: RELAY, ad_account: START) -> None:
    both = StillWorld(
        time.time(), small_account(time.time(), BERLIN), small_account(time.time(), SEATTLE)
    )
    ad_account(both, rule={"advertiser_ids": [BERLIN]})

    said = relay("report", SEATTLE, "--advertiser", BERLIN, "--since", "1d", "--csv")

    assert said.code == 1
    assert f"left out  {SEATTLE}" in said.err
    assert len(rows_of(said)) == 2


# --- in the background ----------------------------------------------------------------------------


def test_a_task_has_the_same_rows(relay: RELAY, ad_account: START) -> None:
    ad_account(marketing={"task_queue_s": 0, "task_run_s": 0})
    asked_for = ("report", "--since", "2d", "--level", "ad", "--csv")

    at_once, made = relay(*asked_for, "--sync"), relay(*asked_for, "--async")

    assert made.code == 0, made.err
    assert "as a task: as asked for" in made.err
    assert sorted(at_once.out.splitlines()) == sorted(made.out.splitlines())


def begun() -> subprocess.Popen[str]:
    """A report that TikTok is making."""
    process = subprocess.Popen(
        [sys.executable, "-m", "relay", "report", BERLIN, "--async", "--since", "2d", "--csv"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "TikTok makes the report" in line or "waits at TikTok" in line:
            return process
    pytest.fail("no task was made")


def test_ctrl_c_cancels_the_task(ad_account: START) -> None:
    sandbox = ad_account(marketing={"task_run_s": 600})
    process = begun()

    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=20)

    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    assert asked(sandbox, "/report/task/cancel/") == 1


def test_after_a_crash_the_same_command_goes_on(
    relay: RELAY, ad_account: START, folder: Path
) -> None:
    sandbox = ad_account(marketing={"task_queue_s": 0, "task_run_s": 2})
    process = begun()
    process.kill()
    process.communicate()

    said = relay("report", BERLIN, "--async", "--since", "2d", "--csv")

    assert said.code == 0, said.err
    assert len(rows_of(said)) == 4
    assert asked(sandbox, "/report/task/create/") == 1
    assert (folder / "home/.local/state/relay/report-tasks.json").stat().st_mode & 0o077 == 0
