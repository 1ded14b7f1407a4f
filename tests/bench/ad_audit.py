"""One audit of the big ad account, the process that is measured.

`python -m tests.bench.ad_audit PORT OFFSET CALLS_PER_SECOND CALLS_PER_MINUTE FILE` does what
`relay audit --since 90d` does and writes to FILE what it took: JSON.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import orjson

from relay.audit import archive
from relay.audit.collecting import Collector
from relay.audit.document import document
from relay.audit.facts import Facts
from relay.audit.findings import Audit, Severity
from relay.audit.judge import judge
from relay.cli import audit as _command  # noqa: F401  # what it loads is part of what it weighs
from relay.config import Thresholds
from relay.management import Client, Limits
from relay.sandbox.ads.big import big_account
from tests.bench.ad_books import ADGROUPS, DAYS, LOOKED_AT, AccountBooks, Shifted


class Phases:
    """What each phase took: seconds, CPU seconds, memory at its end, the most it ever was."""

    def __init__(self) -> None:
        self.taken: dict[str, dict[str, float]] = {}

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        began, computed = perf_counter(), process_time()
        yield
        now, peak = memory_bytes()
        self.taken[name] = {
            "s": perf_counter() - began, "cpu_s": process_time() - computed,
            "memory_bytes": now, "peak_bytes": peak,
        }  # fmt: skip


def memory_bytes() -> tuple[int, int]:
    lines = Path("/proc/self/status").read_text().splitlines()
    found = dict(line.split(":", 1) for line in lines)
    now, peak = (int(found[key].split()[0]) * 1024 for key in ("VmRSS", "VmHWM"))
    return now, peak


async def _measured(port: int, offset_s: float, limits: Limits) -> dict[str, Any]:
    clock, phases = Shifted(offset_s), Phases()
    # Few ads: of the account only its sums are asked here, and they are not the audit's memory.
    own = AccountBooks(big_account(2 * ADGROUPS, ADGROUPS, DAYS), clock.now())
    began = clock.now()
    url = f"http://127.0.0.1:{port}/open_api/v1.3"
    memory_before = memory_bytes()[0]
    async with Client("bench-token-0123456789", base_url=url, clock=clock, limits=limits) as client:
        collector = Collector(client, own, own.targets, clock, rates={})
        with phases.of("collect"):
            (assignment,) = await collector.assignments([own.advertiser_id])
            facts = await collector.collect(assignment, LOOKED_AT)
        with phases.of("judge"):
            audit = judge(facts, Thresholds())
        with phases.of("document"):
            document([audit], version="bench", made_at=facts.now)
        with phases.of("keep"):
            await collector.remember(facts)
            await archive.keep(own, [audit], version="bench", most=10)
    return {
        "phases": phases.taken,
        "there after": {part.value: each.at - began for part, each in facts.gathered.items()},
        "before_bytes": memory_before,
        "peak_bytes": memory_bytes()[1],
        **_said(facts, audit),
    }


def _said(facts: Facts, audit: Audit) -> dict[str, Any]:
    loud = [each for each in audit.findings if each.severity is not Severity.INFO]
    return {
        "rows": {
            "ads": len(facts.ads), "ad groups": len(facts.adgroups), "days": len(facts.days),
            "samples": len(facts.samples), "event counts": len(facts.event_counts),
        },
        "partial": [str(each) for each in facts.gathered.values() if each.problem is not None],
        "loud": [f"{each.check}: {each.says}" for each in loud],
        "not judged": [each.check for each in audit.judgements if each.why],
    }  # fmt: skip


if __name__ == "__main__":
    _, port, offset_s, per_second, per_minute, file = sys.argv
    pace = Limits(qps=float(per_second), qpm=int(per_minute))
    found = asyncio.run(_measured(int(port), float(offset_s), pace))
    Path(file).write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
