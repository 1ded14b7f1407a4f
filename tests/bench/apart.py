"""The lines about relays apart: accepting into topics, delivering from them, and both at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from tests.bench.bursts import Bench, faults_of
from tests.bench.figures import (
    Report,
    Row,
    count,
    in_seconds,
    middle_rate,
    milliseconds,
    percentile,
    ratio,
)
from tests.bench.fleet import Fleet, Servers, Spent, running_fleet, running_servers
from tests.bench.fresh import Fresh
from tests.bench.load import Load

#: CPU seconds that a million events may cost the relay, of accepting and of delivering.
_AIM = 30.0

#: Processes that deliver, one after the other.
_SIZES = (1, 2, 4)

#: What a delivering process reads ahead while its lane is paused.
_READ_AHEAD = 12_000


@dataclass(frozen=True, slots=True)
class Run:
    """So many events: how quickly, and what they cost by kind of process (CPU s per million)."""

    events: int
    events_per_s: float
    cost: Spent
    p50_s: float = 0.0
    p99_s: float = 0.0


async def distributed(bench: Bench, folder: Path) -> Report:
    """In requests of 50 into topics, then out of them, then both at once."""
    report = Report()
    with running_servers() as servers:
        filled: list[Run] = []
        for size in _SIZES:
            own = folder / f"bench-{size}"
            own.mkdir()
            async with running_fleet(own, servers, delivering=size) as fleet:
                fills, drains, boths = await _measured(bench, fleet, report)
            filled += fills
            report.figures[str(size)] = {"fill": fills, "drain": drains, "both": boths}
            word = "process" if size == 1 else "processes"
            report.rows += [
                _row(f"deliver, {size} {word}", drains, "deliver"),
                _row("  while accepting", boths, "both"),
            ]
    report.rows.insert(0, _row("ingest, requests of 50", filled, "ingest"))
    p50, p99 = (median(getattr(run, name) for run in filled) for name in ("p50_s", "p99_s"))
    report.notes.append(f"ingest answers in {milliseconds(p50)} (p50), {milliseconds(p99)} (p99)")
    return report


async def _measured(
    bench: Bench, fleet: Fleet, report: Report
) -> tuple[list[Run], list[Run], list[Run]]:
    fills, drains, boths = [], [], []
    _, wrong = await both(bench, fleet, bench.plan.messages // 10)  # warms everything up
    report.failed += wrong
    for _ in range(bench.plan.fleets):
        fill, drain = await _apart(bench, fleet, bench.plan.messages, report)
        fills.append(fill)
        drains.append(drain)
        run, wrong = await both(bench, fleet, bench.plan.messages)
        boths.append(run)
        report.failed += wrong
        if report.failed:
            break
    return fills, drains, boths


async def _apart(bench: Bench, fleet: Fleet, events: int, report: Report) -> tuple[Run, Run]:
    """Accept while nothing is delivered, then deliver while nothing is accepted.

    What delivering processes read ahead meanwhile counts as theirs; the rate is that of the rest.
    """
    await fleet.sink.pause()
    before = fleet.spent()
    total = await fleet.sink.effects() + events
    load = await _send(bench, fleet, events)
    await fleet.ingest.until_quiet()
    filled = fleet.spent()
    await fleet.sink.resume()
    samples = await fleet.sink.until_effects(total)
    report.failed += faults_of(load) + await fleet.sink.unequal(total)
    await fleet.until_quiet()
    drained = fleet.spent()
    # The broker's work of the first half is the ingest's; reading ahead is little beside it.
    first = filled.since(before)
    second = drained.since(filled)._replace(deliver=drained.deliver - before.deliver)
    ahead = min(0.5, _READ_AHEAD * len(fleet.delivering) / events)
    return (
        _run(load, first),
        Run(events, middle_rate(samples, skip=max(0.02, ahead)), second.per_million(events)),
    )


async def both(bench: Bench, fleet: Fleet, events: int) -> tuple[Run, list[str]]:
    """Accept and deliver at once; and what went wrong."""
    before, begin = fleet.spent(), perf_counter()
    total = await fleet.sink.effects() + events
    load = await _send(bench, fleet, events)
    samples = await fleet.sink.until_effects(total)
    wrong = faults_of(load) + await fleet.sink.unequal(total)
    await fleet.until_quiet()
    rate = ratio(events, samples[-1][0] - begin)
    return Run(events, rate, fleet.spent().since(before).per_million(events)), wrong


async def _send(bench: Bench, fleet: Fleet, events: int) -> Load:
    """All of them in requests of 50, made before the clock runs."""
    requests = list(bench.corpus.requests(events // 50, 50))
    return await _drive(bench, fleet, iter(requests))


async def _drive(bench: Bench, fleet: Fleet, requests: Iterator[bytes]) -> Load:
    async with Load(fleet.port, requests, connections=bench.plan.connections) as load:
        load.start_timing()
        await load.ran_out.wait()
        load.stop_timing()
    return load


def _run(load: Load, spent: Spent) -> Run:
    ordered = sorted(load.latencies)
    return Run(
        load.accepted,
        ratio(load.timed_events, load.seconds),
        spent.per_million(load.accepted),
        percentile(ordered, 0.50),
        percentile(ordered, 0.99),
    )


def _row(name: str, runs: Sequence[Run], whose: str) -> Row:
    """`whose` cost is the relay's here: `ingest`, `deliver` or (nothing is aimed at) `both`."""
    rate = median(run.events_per_s for run in runs)
    cost = Spent(*[median(column) for column in zip(*[run.cost for run in runs], strict=True)])
    if whose == "both":
        own = f"{cost.ingest:.1f} + {cost.deliver:.1f}"
        return Row(name, f"{count(rate)} /s", cost.both_servers(), cpu=own)
    value = cost.ingest if whose == "ingest" else cost.deliver
    return Row(
        name, f"{count(rate)} /s", cost.both_servers(), "", f"CPU ≤ {_AIM:.0f}", value <= _AIM,
        f"{value:.1f}",
    )  # fmt: skip


async def lag(bench: Bench, folder: Path) -> Report:
    """What came while nothing could be delivered, and what becomes of fresh events behind it."""
    report = Report()
    own = folder / "bench-lag"
    own.mkdir()
    with running_servers() as servers:
        await _lag(bench, own, servers, report)
    return report


async def _lag(bench: Bench, folder: Path, servers: Servers, report: Report) -> None:
    events = bench.plan.burst
    async with running_fleet(folder, servers, delivering=2) as fleet:
        await both(bench, fleet, 5_000)
        usual = Fresh(fleet, bench.corpus)
        async with usual:
            await asyncio.sleep(5)
        await fleet.sink.pause()
        expected = await fleet.sink.effects()
        load = await _drive(bench, fleet, bench.corpus.requests(events // 50, 50))
        behind = Fresh(fleet, bench.corpus)
        begin = perf_counter()
        async with behind:
            await fleet.sink.resume()
            wanted = expected + load.accepted
            samples = await fleet.sink.until_effects(lambda: wanted + behind.sent, every_s=0.1)
            drained_s = perf_counter() - begin
        total = wanted + behind.sent
        await fleet.sink.until_effects(total)
        report.failed += faults_of(load) + await fleet.sink.unequal(total)
    report.rows += [
        Row(f"burst of {count(events)}, 2 processes", f"{count(middle_rate(samples))} /s"),
        Row("  until none waits", in_seconds(drained_s)),
        _fresh_row("  fresh events behind it", behind),
        _fresh_row("  fresh events otherwise", usual),
    ]
    report.figures = {
        "drained_s": drained_s,
        "fresh_s": sorted(behind.seconds),
        "usual_s": sorted(usual.seconds),
    }


def _fresh_row(name: str, fresh: Fresh) -> Row:
    ordered = sorted(fresh.seconds)
    p50, most = percentile(ordered, 0.5), percentile(ordered, 1.0)
    return Row(name, f"{in_seconds(p50)}", f"at most {in_seconds(most)}")
