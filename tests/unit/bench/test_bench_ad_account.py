"""The books beside the big account agree with it, and its line says what was aimed at."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from relay.model import EventSource
from relay.sandbox.ads.big import big_account
from tests.bench.ad_account import _report
from tests.bench.ad_books import ADGROUPS, ADS, LOOKED_AT, NOW, AccountBooks, period_of

PARTS = (
    "campaigns", "ad groups", "ads", "account report", "campaign report", "ad group report",
    "ad report", "hourly report",
)  # fmt: skip


def found(**changes: Any) -> dict[str, Any]:
    phase = {"s": 60.0, "cpu_s": 2.5, "memory_bytes": 2e8, "peak_bytes": 2e8}
    return {
        "phases": {"collect": phase, "judge": phase},
        "there after": dict.fromkeys(PARTS, 10.0) | {"ads": 12.0, "ad group report": 59.0},
        "before_bytes": 8e7, "peak_bytes": 2.2e8, "partial": [], "loud": [],
        "rows": {"ads": ADS, "ad groups": ADGROUPS, "days": 200_000},
    } | changes  # fmt: skip


async def test_the_ledger_has_what_tiktok_counted_of_the_server() -> None:
    account = big_account(ads=40, adgroups=20, days=100)
    books = AccountBooks(account, NOW)
    (pixel_id,) = next(iter(account.advertisers.values())).pixels
    # The account's day, an hour ahead of UTC.
    first = int(datetime(2026, 10, 31, 23, tzinfo=UTC).timestamp()) // 3600

    rows = [row async for row in books.sums(None, first, first + 24)]
    (counted,) = account.statistics(pixel_id, date(2026, 11, 1), date(2026, 11, 1), NOW)

    assert sum(row.sums.count for row in rows) == counted.server_event_total_count > 0
    assert {row.destination for row in rows} == {each.name for each in books.targets}
    assert [each.event_source for each in books.targets] == [EventSource.WEB]


def test_the_days_looked_at_end_with_the_day_of_the_audit() -> None:
    first, last = period_of(NOW)

    assert (last - first).days == LOOKED_AT - 1
    assert last == datetime.fromtimestamp(NOW, UTC).date()


def test_what_meets_its_aims_is_said_to() -> None:
    report = _report(found(), calls=470, throttled=2)

    assert [row.met for row in report.rows] == [True, True, None, None, True, True]
    assert report.rows[0].ratio == "0.979"
    assert [row.measured for row in report.rows[2:4]] == ["12.00 s", "59.00 s"]
    assert report.failed == []


def test_what_misses_them_is_said_to() -> None:
    slow = {"s": 60.0, "cpu_s": 5.5, "memory_bytes": 2e8, "peak_bytes": 2e8}
    phases = {"collect": slow, "judge": slow}

    report = _report(found(phases=phases, peak_bytes=2.6e8), calls=400, throttled=3)

    assert [row.met for row in report.rows] == [False, False, None, None, False, False]


def test_an_audit_that_lacks_or_blames_something_fails() -> None:
    rows = {"ads": 49_999, "ad groups": ADGROUPS, "days": 1}

    report = _report(found(partial=["ads: throttled"], loud=["REC-01: no"], rows=rows), 470, 0)

    assert len(report.failed) == 3
