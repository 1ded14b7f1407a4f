"""`python -m tests.bench`: how fast the relay is, beside a bare handler on the same machine.

The relay (or the bare handler) has the first core to itself, the sender and the sandbox share the
second. The whole chain runs: parse, normalize, hash, claim, fsync before the 2xx, deliver to the
sandbox, settle. Relay and bare handler are measured in turn, in short bursts, five times each; a
ratio is the median of the pairs' ratios. CPU is that of the process with all its threads, once
everything is delivered and settled; in brackets that of what stands beside it. A line whose events
did not all arrive, each once, is FAILED.

Where a broker and a database can be started there are lines about relays on those: a topic as a
source, accepting and delivering apart with 1, 2 and 4 processes, a burst, and the price of claims.
There nobody has a core to himself, and what counts is CPU seconds, by kind of process.

Line `ad-account` reads and judges an ad account of 50 000 ads, at the rate that TikTok allows.

Exit code: 0 done, 1 a line failed (or, with `--strict`, an aim was missed), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import orjson
import uvloop
from rich.console import Console

from tests.bench import machine
from tests.bench.bursts import Bench, Plan
from tests.bench.choice import LINES, chosen
from tests.bench.figures import Report
from tests.bench.profiling import PROFILES, profile
from tests.bench.table import exit_code, show

_QUICK = Plan(
    rounds=3, warm_up_s=0.2, window_s=0.8, backlog=20_000, waiting=50_000,
    fleets=1, messages=60_000, burst=50_000, claims=(100_000, 500_000, 1_000_000),
)  # fmt: skip


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="How fast is the relay here?")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a rough picture in five minutes")
    size.add_argument("--full", action="store_true", help="ten million waiting: 4 GB of disk")
    parser.add_argument("--only", action="append", choices=LINES, help="this line; repeatable")
    parser.add_argument("--pairs", type=int, help="how often each thing is measured")
    parser.add_argument("--waiting", type=int, help="how many events wait in line `waiting`")
    parser.add_argument("--folder", type=Path, help="where the journals go: on a real disk")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to FILE")
    parser.add_argument("--strict", action="store_true", help="exit 1 when an aim is missed")
    parser.add_argument("--profile", choices=PROFILES, help="where the relay's time goes, instead")
    return parser.parse_args()


def _plan(given: argparse.Namespace) -> Plan:
    plan = _QUICK if given.quick else Plan()
    return plan._replace(
        pairs=given.pairs or plan.pairs,
        rounds=given.pairs or plan.rounds,
        waiting=given.waiting or (10_000_000 if given.full else plan.waiting),
    )


async def _measure(names: Sequence[str], bench: Bench, folder: Path) -> dict[str, Report]:
    reports = {}
    for name in names:
        began = time.perf_counter()
        own = folder / name
        own.mkdir()
        reports[name] = await LINES[name](bench, own)
        sys.stderr.write(f"{name}: {time.perf_counter() - began:.0f} s\n")
    return reports


def main() -> int:
    given = _arguments()
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    if sys.platform != "linux":
        console.print("The benchmark pins processes to cores and asks /proc: it needs Linux.")
        return 2
    gc.disable()  # the sender's answers would be delayed by it; it collects between bursts
    bench = Bench(_plan(given), machine.cores(), at=int(time.time()))
    os.sched_setaffinity(0, {bench.cores.beside})
    where = given.folder or os.environ.get("TMPDIR") or Path.cwd()
    with tempfile.TemporaryDirectory(prefix="relay-bench-", dir=where) as name:
        folder = Path(name)
        # Programs are started as they are once installed: compiled, and not again at each start.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
        if given.profile:
            console.print(uvloop.run(profile(given.profile, bench, folder)))
            return 0
        facts = machine.description(folder)
        if facts["filesystem"] in ("tmpfs", "ramfs"):
            console.print("[yellow]The journal is in memory: fsync costs nothing there.[/yellow]")
        names, missing = chosen(given.only or ())
        if missing:
            console.print(f"[yellow]Not all is measured: {missing}.[/yellow]")
        reports = uvloop.run(_measure(names, bench, folder))
    show(console, facts, reports)
    if given.json:
        found = {"machine": facts, "lines": reports}
        given.json.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    return exit_code(reports, strict=given.strict)


if __name__ == "__main__":
    sys.exit(main())
