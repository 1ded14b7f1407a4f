"""The lines of the table. Each starts what it measures, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from tests.bench.bursts import Bench, Burst, faults_of, remarks
from tests.bench.figures import (
    Report,
    Row,
    count,
    in_seconds,
    median_ratio,
    megabytes,
    middle_rate,
    milliseconds,
    per_million,
)
from tests.bench.load import Load
from tests.bench.rig import Rig, running_bare, running_rig

_MEMORY = 300_000_000
_IDLE_MEMORY = 80_000_000
_READY_S = 1.5
_P99_S = 0.010


async def single(bench: Bench, folder: Path) -> Report:
    """Requests of one event."""
    return await _beside_bare(bench, folder, events=1, aim=0.70)


async def fifty(bench: Bench, folder: Path) -> Report:
    """Requests of fifty events."""
    return await _beside_bare(bench, folder, events=50, aim=0.25)


async def _beside_bare(bench: Bench, folder: Path, *, events: int, aim: float) -> Report:
    report = Report()
    chains: list[Burst] = []
    bares: list[Burst] = []
    async with (
        running_bare(folder, bench.cores) as (bare, port),
        running_rig(folder, bench.cores) as rig,
    ):
        await bench.chain(rig, events)  # finds out the rate, and warms everything up
        # Bare, relay, relay, bare, bare, …: neither is always the one that comes after the other.
        for number in range(2 * bench.plan.pairs):
            if number % 4 in (0, 3):
                bares.append(await bench.bare(bare, port, events))
                continue
            burst, wrong = await bench.chain(rig, events)
            chains.append(burst)
            report.failed += wrong
        peak = rig.relay.memory_bytes()[1]
    name = "single events" if events == 1 else f"requests of {events}"
    report.rows += [
        _rates(name, chains, bares, beside="bare", aim=aim),
        _latency(chains, bares, aimed=events == 1),
    ]
    report.notes += [*remarks(chains, bares), f"peak memory {megabytes(peak)}"]
    report.figures = {"relay": chains, "bare": bares}
    return report


def _rates(
    name: str, ours: Sequence[Burst], others: Sequence[Burst], *, beside: str, aim: float
) -> Row:
    pairs = [(a.events_per_s, b.events_per_s) for a, b in zip(ours, others, strict=True)]
    rate, yardstick = (median(column) for column in zip(*pairs, strict=True))
    cost, other_cost = (median(b.cpu_s_per_million for b in bursts) for bursts in (ours, others))
    share = median_ratio(pairs)
    return Row(
        name,
        f"{count(rate)} /s",
        f"{beside} {count(yardstick)}",
        f"{share:.2f}",
        f"≥ {aim:.2f}",
        share >= aim,
        f"{cost:.1f} ({other_cost:.1f})",
    )


def _latency(ours: Sequence[Burst], bares: Sequence[Burst], *, aimed: bool) -> Row:
    longer_s = median(a.p99_s - b.p99_s for a, b in zip(ours, bares, strict=True))
    (p50, p99), (bare_p50, bare_p99) = (
        (median(b.p50_s for b in bursts) * 1e3, median(b.p99_s for b in bursts) * 1e3)
        for bursts in (ours, bares)
    )
    return Row(
        "  p50 / p99",
        f"{p50:.1f} / {p99:.1f} ms",
        f"bare {bare_p50:.1f} / {bare_p99:.1f} ms",
        f"{longer_s * 1000:+.1f} ms",
        f"≤ +{milliseconds(_P99_S)}" if aimed else "",
        longer_s <= _P99_S if aimed else None,
    )


def _most(
    name: str, shown: Callable[[float], str], value: float, most: float, *, beside: str = ""
) -> Row:
    return Row(name, shown(value), beside, "", f"≤ {shown(most)}", value <= most)


async def drain(bench: Bench, folder: Path) -> Report:
    """A backlog that grew while the token was refused, once the token works again."""
    report = Report()
    rates: list[tuple[float, float]] = []
    costs: list[float] = []
    async with running_rig(folder, bench.cores) as rig:
        await bench.chain(rig, 50)
        for _ in range(bench.plan.rounds):
            live, wrong = await bench.chain(rig, 50)
            await rig.sink.pause()
            total = await rig.sink.effects()
            total += await _fill(bench, rig, bench.plan.backlog, 50, report)
            await rig.relay.until_quiet()
            cpu_before = rig.relay.cpu_s()
            await rig.sink.resume()
            samples = await rig.sink.until_effects(total)
            report.failed += wrong + await rig.sink.unequal(total)
            await rig.relay.until_quiet()
            rates.append((middle_rate(samples), live.events_per_s))
            costs.append(per_million(rig.relay.cpu_s() - cpu_before, bench.plan.backlog))
            if report.failed:
                break
    drained, live_rate = (median(column) for column in zip(*rates, strict=True))
    share = median_ratio(rates)
    report.rows.append(
        Row(
            f"drain of {count(bench.plan.backlog)}",
            f"{count(drained)} /s",
            f"live {count(live_rate)}",
            f"{share:.2f}",
            "≥ 2.00",
            share >= 2,
            f"{median(costs):.1f}",
        )
    )
    report.figures = {"drained, requests of 50": rates, "cpu_s_per_million": costs}
    return report


async def waiting(bench: Bench, folder: Path) -> Report:
    """Accepting while many events wait, beside a relay where nearly none do; both are paused.

    The many are small and come in requests of 1000; what is measured are full events in requests
    of 50. The empty journal is emptied before each of its bursts.
    """
    report = Report()
    bursts: dict[str, list[Burst]] = {"full": [], "empty": []}
    for name in bursts:
        (folder / name).mkdir()
    async with (
        running_rig(folder / "full", bench.cores) as full,
        running_rig(folder / "empty", bench.cores) as empty,
    ):
        await full.sink.pause()
        expected = await _fill(bench, full, bench.plan.waiting, 1000, report)
        await full.relay.until_quiet(deadline_s=60)
        for _ in range(bench.plan.rounds + 1):
            await _empty(empty)
            for name, rig in (("full", full), ("empty", empty)):
                burst, wrong = await bench.door(rig, 50)
                report.failed += wrong
                bursts[name].append(burst)
        waits, peak = await full.waiting(), full.relay.memory_bytes()[1]
        beside = empty.relay.memory_bytes()[1]
        await full.relay.stop()
        await full.start_relay()
        ready_s = full.ready_s
    expected += sum(burst.accepted for burst in bursts["full"])
    if waits != expected:
        report.failed.append(f"{expected} were accepted, {waits} wait")
    # The first of each found out the rate, and filled what is filled once.
    fulls, empties = bursts["full"][1:], bursts["empty"][1:]
    report.rows += [
        _rates(f"door, {count(waits)} waiting", fulls, empties, beside="empty", aim=0.90),
        _most("  memory, peak", megabytes, peak, _MEMORY, beside=f"empty {megabytes(beside)}"),
        _most("  restart to ready", in_seconds, ready_s, _READY_S),
    ]
    report.notes += remarks(fulls, empties)
    report.figures = {**bursts, "peak_bytes": peak, "ready_s": ready_s}
    return report


async def _empty(rig: Rig) -> None:
    """Deliver everything, and pause again."""
    await rig.sink.resume()
    await rig.until_empty()
    await rig.sink.pause()


async def _fill(bench: Bench, rig: Rig, events: int, each: int, report: Report) -> int:
    """Put so many events into the journal; gives how many were accepted."""
    requests = bench.corpus.requests(events // each, each, small=each > 50)
    async with Load(rig.port, requests, connections=8) as load:
        await load.ran_out.wait()
    report.failed += faults_of(load)
    return load.accepted


async def start(bench: Bench, folder: Path) -> Report:
    """From the start of the process to ready, and what it weighs when nothing happens."""
    times, computed, weights = [], [], []
    for number in range(1 + bench.plan.rounds):
        own = folder / str(number)
        own.mkdir()
        async with running_rig(own, bench.cores) as rig:
            await rig.relay.until_quiet()
            times.append(rig.ready_s)
            computed.append(rig.ready_cpu_s)
            weights.append(rig.relay.memory_bytes()[0])
    del times[0], computed[0], weights[0]  # the first had to compile
    rows = [
        _most(
            "start to ready",
            in_seconds,
            median(times),
            _READY_S,
            beside=f"CPU {in_seconds(median(computed))}",
        ),
        _most("memory, idle", megabytes, median(weights), _IDLE_MEMORY),
    ]
    return Report(rows, {"ready_s": times, "ready_cpu_s": computed, "memory_bytes": weights})


LINES = {"single": single, "fifty": fifty, "drain": drain, "waiting": waiting, "start": start}
