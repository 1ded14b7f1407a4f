"""The line of the big ad account: it is read at the rate that TikTok allows, judged, and held.

The audit is a process of its own, and so is the stand-in. Before it is measured the stand-in has
made the big reports once: while it makes one it answers nobody, as TikTok would. What is measured
is what `relay audit --since 90d` does, at the rate budget it has by default.
"""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson

from relay.audit.collecting import translate
from relay.audit.facts import Part
from relay.management import By, Level, ReportRequest
from relay.management.budget import Limits
from relay.management.query import Params, query_of
from relay.management.reports.slices import count_params, page_params, slices_of, whole
from relay.sandbox.ads.big import big_account
from tests.bench.ad_books import ADGROUPS, ADS, NOW, period_of
from tests.bench.bursts import Bench
from tests.bench.figures import Report, Row, count, in_seconds, megabytes
from tests.bench.machine import Child, free_port

_LIMITS: Final = Limits()
#: Of the stand-in: TikTok's lowest level, which the budget stays below.
_PER_SECOND, _PER_MINUTE = 10, 600

_USED = 0.95
_THROTTLED = 0.005
_JUDGED_S = 5.0
_MEMORY = 250_000_000

_HIERARCHY: Final = (Part.CAMPAIGNS, Part.ADGROUPS, Part.ADS)
_REPORTS: Final = (
    Part.ACCOUNT_REPORT, Part.CAMPAIGN_REPORT, Part.ADGROUP_REPORT, Part.AD_REPORT,
    Part.HOURLY_REPORT,
)  # fmt: skip

_PATIENCE_S: Final = 900.0
_WARM: Final = {"Access-Token": "bench-warming-0123456789"}


async def ad_account(bench: Bench, folder: Path) -> Report:
    """An account of 50 000 ads in 2 000 ad groups, 90 days of it."""
    port, offset_s = free_port(), NOW - time.time()
    arguments = [
        "-m", "tests.bench.ad_server", str(port), str(offset_s), str(_PER_SECOND), str(_PER_MINUTE),
    ]  # fmt: skip
    server = await Child.start(arguments, core=bench.cores.beside, log=folder / "server.log")
    try:
        await server.until_answers(port, "/sandbox")
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            await _warm(session)
            before = await _summary(session)
            found = await _audited(bench, folder, port, offset_s)
            after = await _summary(session)
    finally:
        await server.stop()
    calls = after["calls"] - before["calls"]
    throttled = after["throttled"] - before["throttled"]
    return _report(found, calls, throttled)


async def _audited(bench: Bench, folder: Path, port: int, offset_s: float) -> dict[str, Any]:
    file = folder / "audit.json"
    arguments = [
        "-m", "tests.bench.ad_audit", str(port), str(offset_s), str(_LIMITS.qps), str(_LIMITS.qpm),
        str(file),
    ]  # fmt: skip
    audit = await Child.start(arguments, core=bench.cores.measured, log=folder / "audit.log")
    try:
        await audit.ended(within_s=_PATIENCE_S)
    finally:
        await audit.stop()
    found: dict[str, Any] = orjson.loads(file.read_bytes())
    return found


async def _warm(session: aiohttp.ClientSession) -> None:
    """Have every big report made, then wait until the minute in which that was is over."""
    for params in _big_reports():
        path = "/open_api/v1.3/report/integrated/get/"
        async with session.get(path, params=query_of(params), headers=_WARM) as answer:
            said = await answer.json()
            if said["code"] != 0:
                raise RuntimeError(f"the stand-in makes no report: {said['message']}")


def _big_reports() -> list[Params]:
    (advertiser_id,) = big_account(2 * ADGROUPS, ADGROUPS, 1).advertisers
    first, last = period_of(NOW)
    found: list[Params] = []
    hours = last - timedelta(days=7), last - timedelta(days=1)
    requests = [
        *(
            ReportRequest(advertiser_id, level, translate.METRICS, first, last, By.DAY)
            for level in (Level.ACCOUNT, Level.CAMPAIGN, Level.ADGROUP)
        ),
        ReportRequest(advertiser_id, Level.ACCOUNT, translate.HOURLY_METRICS, *hours, By.HOUR),
        ReportRequest(advertiser_id, Level.AD, translate.AD_METRICS, first, last, By.NONE),
    ]
    for request in requests:
        found.append(count_params(request, whole(request)))
        if request.level is not Level.AD:  # they become a task
            found += [
                {**page_params(request, part), "page": 1, "page_size": 1000}
                for part in slices_of(request)
            ]
    return found


async def _summary(session: aiohttp.ClientSession) -> dict[str, Any]:
    async with session.get("/sandbox/summary") as answer:
        found: dict[str, Any] = (await answer.json())["marketing"]
        return found


def _report(found: dict[str, Any], calls: int, throttled: int) -> Report:
    phases, there = found["phases"], found["there after"]
    collect, judged = phases["collect"], phases["judge"]
    rate = calls / collect["s"]
    used, lost = rate / _LIMITS.qps, throttled / calls
    rows = found["rows"]
    report = Report(figures=found | {"calls": calls, "throttled": throttled})
    report.rows += [
        Row(
            f"audit of {count(rows['ads'])} ads", f"{rate:.2f} calls/s", f"budget {_LIMITS.qps:g}",
            f"{used:.3f}", f"≥ {_USED:.2f}", used >= _USED,
        ),
        Row("  throttled", f"{lost:.2%}", f"{count(calls)} calls", "", f"≤ {_THROTTLED:.1%}",
            lost <= _THROTTLED),
        Row("  hierarchy, there after", in_seconds(max(map(there.__getitem__, _HIERARCHY)))),
        Row("  reports, there after", in_seconds(max(map(there.__getitem__, _REPORTS))),
            f"{count(rows['days'])} rows"),
        # It waits for nothing: what it computes is how long it takes where nobody else does.
        Row("  judging", in_seconds(judged["cpu_s"]), f"by the clock {in_seconds(judged['s'])}", "",
            f"≤ {in_seconds(_JUDGED_S)}", judged["cpu_s"] <= _JUDGED_S),
        Row("  memory, peak", megabytes(found["peak_bytes"]),
            f"at first {megabytes(found['before_bytes'])}", "",
            f"≤ {megabytes(_MEMORY)}", found["peak_bytes"] <= _MEMORY),
    ]  # fmt: skip
    report.notes.append(f"the audit computed for {in_seconds(collect['cpu_s'])} while it read")
    report.failed += [f"not all was read: {each}" for each in found["partial"]]
    report.failed += [f"a clean account is blamed: {each}" for each in found["loud"]]
    if rows["ads"] != ADS or rows["ad groups"] != ADGROUPS:
        report.failed.append(f"{rows['ads']} ads and {rows['ad groups']} ad groups were read")
    return report
