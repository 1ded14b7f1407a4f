"""One burst of requests against one server, and everything that is measured about it."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from statistics import median
from time import perf_counter
from typing import NamedTuple

from tests.bench.corpus import Corpus
from tests.bench.figures import median_ratio, per_million, percentile, ratio
from tests.bench.load import Load
from tests.bench.machine import Child, Cores, busy_s
from tests.bench.rig import Rig

#: Requests made for one burst take about as much memory as so many events of 900 bytes.
_MOST_EVENTS = 450_000


class Plan(NamedTuple):
    """How much is measured: `pairs` of relay and bare handler, `rounds` of all else; on a broker
    and a database `fleets` rounds of `messages` each, one burst, and a look at each size of
    stored `claims`."""

    pairs: int = 5
    rounds: int = 5
    warm_up_s: float = 1.0
    window_s: float = 4.0
    connections: int = 32
    backlog: int = 150_000
    waiting: int = 1_000_000
    fleets: int = 3
    messages: int = 300_000
    burst: int = 1_000_000
    claims: tuple[int, ...] = (1_000_000, 10_000_000, 50_000_000)


@dataclass(frozen=True, slots=True)
class Burst:
    """What was measured. `events_per_s` is the whole chain's rate: the lower of what was accepted
    and what reached the sandbox within the window, so that nothing is put off until later.

    `cpu_s_per_million` is the server's for all it did about these events: it is read when they are
    delivered and settled. `others` is the share of the server's core that went to other processes,
    `beside` how busy the sender's core was.
    """

    events_per_s: float
    p50_s: float
    p99_s: float
    cpu_s_per_million: float
    accepted: int
    others: float
    beside: float


class _Mark(NamedTuple):
    """A moment: how far the sandbox was, and how much the cores and the server had done."""

    at: float
    effects: int
    cpu_s: float
    measured_s: float
    beside_s: float


class Bench:
    """What the lines share: plan, cores, and requests that nobody has seen before."""

    def __init__(self, plan: Plan, cores: Cores, at: int) -> None:
        """`at` is the Unix time of the events."""
        self.plan = plan
        self.cores = cores
        self.corpus = Corpus(at)
        self._rates: dict[int, float] = {}

    async def bare(self, child: Child, port: int, events: int) -> Burst:
        """A burst against the bare handler, which does not mind the same events again."""
        some = list(self.corpus.requests(4000 // events, events))
        cpu_before = child.cpu_s()
        load, begin, end = await self._drive(child, port, cycle(some), None)
        rate = ratio(len(load.latencies) * events, load.seconds)
        cost = per_million(child.cpu_s() - cpu_before, load.statuses.total() * events)
        return _burst(load, begin, end, (rate, cost))

    async def chain(self, rig: Rig, events: int) -> tuple[Burst, list[str]]:
        """A burst against the relay, until everything is delivered; and what went wrong."""
        before, cpu_before = await rig.sink.effects(), rig.relay.cpu_s()
        load, begin, end = await self._drive(rig.relay, rig.port, self._fresh(events), rig)
        total = before + load.accepted
        await rig.sink.until_effects(total)
        wrong = faults_of(load) + await rig.sink.unequal(total)
        await rig.relay.until_quiet()
        accepted_per_s = ratio(load.timed_events, load.seconds)
        delivered_per_s = ratio(end.effects - begin.effects, end.at - begin.at)
        self._rates[events] = accepted_per_s
        cost = per_million(rig.relay.cpu_s() - cpu_before, load.accepted)
        return _burst(load, begin, end, (min(accepted_per_s, delivered_per_s), cost)), wrong

    async def door(self, rig: Rig, events: int) -> tuple[Burst, list[str]]:
        """A burst against a relay whose lane is paused: what accepting alone takes."""
        cpu_before = rig.relay.cpu_s()
        load, begin, end = await self._drive(rig.relay, rig.port, self._fresh(events), None)
        await rig.relay.until_quiet()
        rate = self._rates[events] = ratio(load.timed_events, load.seconds)
        cost = per_million(rig.relay.cpu_s() - cpu_before, load.accepted)
        return _burst(load, begin, end, (rate, cost)), faults_of(load)

    def _fresh(self, events: int) -> Sequence[bytes]:
        """Requests of so many events, enough for a burst at the rate seen last."""
        rate = self._rates.get(events, 15_000 if events == 1 else 50_000)
        wanted = min(_MOST_EVENTS, rate * 1.5 * (self.plan.warm_up_s + self.plan.window_s))
        return list(self.corpus.requests(int(wanted / events) + 1, events))

    async def _drive(
        self, child: Child, port: int, requests: Sequence[bytes] | cycle[bytes], rig: Rig | None
    ) -> tuple[Load, _Mark, _Mark]:
        gc.collect()
        async with Load(port, iter(requests), connections=self.plan.connections) as load:
            await load.last(self.plan.warm_up_s)
            begin = await self._mark(child, rig)
            load.start_timing()
            await load.last(self.plan.window_s)
            load.stop_timing()
            end = await self._mark(child, rig)
        return load, begin, end

    async def _mark(self, child: Child, rig: Rig | None) -> _Mark:
        effects = 0 if rig is None else await rig.sink.effects()
        return _Mark(perf_counter(), effects, child.cpu_s(), *map(busy_s, self.cores))


def _burst(load: Load, begin: _Mark, end: _Mark, found: tuple[float, float]) -> Burst:
    ordered = sorted(load.latencies)
    others_s = (end.measured_s - begin.measured_s) - (end.cpu_s - begin.cpu_s)
    return Burst(
        events_per_s=found[0],
        p50_s=percentile(ordered, 0.50),
        p99_s=percentile(ordered, 0.99),
        cpu_s_per_million=found[1],
        accepted=load.accepted,
        others=max(0.0, ratio(others_s, end.at - begin.at)),
        beside=ratio(end.beside_s - begin.beside_s, end.at - begin.at),
    )


def faults_of(load: Load) -> list[str]:
    """What went wrong at the door, if anything did."""
    wrong = [f"statuses {dict(load.statuses)}"] if set(load.statuses) != {202} else []
    if load.odd or load.broken:
        wrong.append(f"{load.odd} odd answers, {load.broken} connections broken")
    return wrong


def remarks(ours: Sequence[Burst], others: Sequence[Burst]) -> list[str]:
    """What makes a ratio doubtful: a sender that was the limit, a core that others used; and what
    the ratio is by CPU time, which suffers from neither."""
    every = [*ours, *others]
    busy, taken = median(b.beside for b in every), median(b.others for b in every)
    found = []
    if busy > 0.95:
        found.append(f"the sender's core was {busy:.0%} busy: it may be the limit")
    if taken > 0.10:
        found.append(f"others took {taken:.0%} of the measured core")
    if found:
        pairs = [
            (b.cpu_s_per_million, a.cpu_s_per_million) for a, b in zip(ours, others, strict=True)
        ]
        found.append(f"by CPU time alone the ratio is {median_ratio(pairs):.2f}")
    return found
