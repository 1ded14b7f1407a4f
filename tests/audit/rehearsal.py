"""A relay in fast-forward: a season's conversions at their simulated times, through the real
normalizer and the real journal, to the strict stand-in, which answers each batch.

    rehearsal = await Relay([season], folder).live(until=end)
    audit = await audited(rehearsal)

What the shop hands over within three quarters of an hour is stored at once and settled at once;
TikTok gets each of it a second after it was handed over, as from a relay that keeps up.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from relay.assembly import policy_of
from relay.audit.collecting import Collector
from relay.audit.facts import Target
from relay.audit.findings import Audit
from relay.audit.run import audit_accounts
from relay.config import Destination
from relay.config.audit import Thresholds
from relay.deliver import request, verdict
from relay.deliver.codes import VerdictKind
from relay.deliver.split import halves, isolate
from relay.journal.protocol import End
from relay.journal.rocksdb import JournalSettings, RocksJournal
from relay.management import Client, Limits
from relay.model import (
    Arrival,
    Attempt,
    Entry,
    Event,
    EventSource,
    Outcome,
    Reason,
    Refusal,
    Settlement,
)
from relay.normalize.event import Normalizer
from relay.sandbox import events, gateway
from relay.sandbox.ads.life import LivingWorld
from relay.sandbox.ads.market import Market
from relay.sandbox.ads.model import AdWorld
from relay.sandbox.ads.plan import WorldPlan
from relay.sandbox.ads.season import Handed, Season
from relay.sandbox.http import running
from relay.sandbox.settings import SandboxSettings
from relay.sandbox.world import Call, World
from tests.audit.simulated import SimulatedClock

#: What is stored and settled in one go: less than the hour from which on an event is late.
WINDOW_S: Final = 2700.0
#: From the shop's request to TikTok.
SENT_AFTER_S: Final = 1.0
#: What is sent within so many seconds of one another shares a request.
_TOGETHER_S: Final = 5.0

TOKEN: Final = "rehearsal-token"
_ROUTE: Final = events.ROUTES[0]


@dataclass
class Truth:
    """What really happened, beside all books: by event name where it says so."""

    handed: Counter[str] = field(default_factory=Counter)
    delivered: list[Event] = field(default_factory=list)
    tests: list[Event] = field(default_factory=list)
    rejected: list[Event] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    def purchases(self) -> list[Event]:
        return [each for each in self.delivered if each.name == "Purchase"]


@dataclass
class Rehearsal:
    """What was lived: the world at `now`, the journal's folder, the truth of each destination."""

    world: AdWorld
    folder: Path
    now: float
    targets: Sequence[Target] = ()
    truth: Mapping[str, Truth] = field(default_factory=dict)
    rates: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def market(self) -> Market:
        assert isinstance(self.world, LivingWorld)
        return next(iter(self.world.markets.values()))

    @property
    def plan(self) -> WorldPlan:
        return self.market.plan

    @property
    def true(self) -> Truth:
        """Of the only destination."""
        (truth,) = self.truth.values()
        return truth


def destination_of(name: str, event_source_id: str, plan: WorldPlan) -> Destination:
    return Destination.model_validate(
        {
            "name": name,
            "event_source": "web",
            "event_source_id": event_source_id,
            "access_token": "env:TIKTOK_TOKEN",
            "default_country": plan.country,
        }
    )


def journal_at(folder: Path, clock: SimulatedClock) -> RocksJournal:
    return RocksJournal(JournalSettings(folder), clock)


class Relay:
    """Season by season of one world, each with a destination: `web`, `web-2`, …

    `faults` are those of the stand-in that takes the events.
    """

    def __init__(
        self,
        seasons: Sequence[Season],
        folder: Path,
        *,
        faults: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self._folder = folder
        self._lanes = [
            Lane(season, f"web-{number}" if number > 1 else "web")
            for number, season in enumerate(seasons, 1)
        ]
        self._plan = seasons[0].market.plan
        self._at = self._plan.started_at
        self._clock = SimulatedClock(self._at)
        self._world = seasons[0].world
        self._tiktok = World(
            SandboxSettings.model_validate({"faults": {"faults": list(faults)}, "keep_events": 0}),
            started_at=self._at,
            roll=random.Random(1).random,
            ads=self._world,
        )

    async def live(self, until: float) -> Rehearsal:
        """Go on until then."""
        async with journal_at(self._folder, self._clock) as journal:
            while self._at < until:
                end = min(self._at + WINDOW_S, until)
                for lane in self._lanes:
                    handed = lane.season.between(self._at, end)
                    self._clock.set(end)
                    if handed:
                        await lane.carry(handed, journal, self._tiktok)
                self._at = end
        return Rehearsal(
            self._world,
            self._folder,
            until,
            [lane.target for lane in self._lanes],
            {lane.target.name: lane.truth for lane in self._lanes},
            {**self._plan.rates, self._plan.currency: Decimal(1)},
        )


class Lane:
    """One destination's way from the shop to TikTok."""

    def __init__(self, season: Season, name: str) -> None:
        self.season = season
        destination = destination_of(name, season.market.pixel_code, season.market.plan)
        self.target = Target(name, EventSource.WEB, destination.event_source_id)
        self.truth = Truth()
        self._normalize = Normalizer(policy_of(destination))
        self._receipts = 0
        self._requests = 0

    async def carry(self, handed: Sequence[Handed], journal: RocksJournal, tiktok: World) -> None:
        """Store what was handed over, send it, and settle it by TikTok's answers."""
        arrivals, sent_at = [], {}
        for each in handed:
            result = self._normalize(each.conversion, now=each.at)
            self._receipts += 1
            receipt = f"http:{self.target.name}{self._receipts}/0"
            arrivals.append(Arrival(receipt, "shop", self.target.name, result))
            sent_at[receipt] = each.at + SENT_AFTER_S, result
            self.truth.handed[str(each.conversion["event"])] += 1
            if isinstance(result, Refusal):
                self.truth.refused.append(result)
        await journal.append(arrivals)
        taken = journal.take(self.target.name, End.OLDEST, lambda entry: True)
        delivered: list[Entry] = []
        last: Attempt | None = None
        for at, batch in _batches(taken, {key: at for key, (at, _) in sent_at.items()}):
            for answered in self._sent(batch, tiktok, at):
                kept = [sent_at[entry.receipt][1] for entry in answered.entries]
                self._book(answered.outcome, [each for each in kept if isinstance(each, Event)])
                if answered.outcome is Outcome.DELIVERED:
                    delivered += answered.entries
                    last = answered.attempt
                else:
                    await self._settle(journal, answered)
        if delivered and last is not None:
            accepted = _Answered(delivered, Outcome.DELIVERED, Reason.ACCEPTED, last)
            await self._settle(journal, accepted)

    async def _settle(self, journal: RocksJournal, answered: _Answered) -> None:
        await journal.settle(
            self.target.name,
            answered.attempt,
            [Settlement(answered.entries, answered.outcome, answered.reason)],
            [entry.seq for entry in answered.entries],
        )

    def _book(self, outcome: Outcome, ended: Sequence[Event]) -> None:
        if outcome is not Outcome.DELIVERED:
            self.truth.rejected += ended
            return
        for each in ended:
            (self.truth.tests if each.test_event_code else self.truth.delivered).append(each)

    def _sent(self, batch: Sequence[Entry], tiktok: World, at: float) -> Iterator[_Answered]:
        """Send it; what is refused is sent in parts until each event has its answer."""
        said, attempt = self._ask(batch, tiktok, at)
        failed = frozenset(said.failed)
        if said.kind is VerdictKind.SPLIT:
            seqs = tuple(range(len(batch)))
            parts = halves(seqs) if said.culprit is None else isolate(seqs, said.culprit)
            for part in parts:
                yield from self._sent([batch[place] for place in part], tiktok, at)
            return
        if said.kind not in {VerdictKind.DELIVERED, VerdictKind.PARTIAL, VerdictKind.REJECT}:
            raise AssertionError(said)  # the stand-in was told to fail otherwise
        refused = said.kind is VerdictKind.REJECT
        good = [e for place, e in enumerate(batch) if not refused and place not in failed]
        bad = [e for place, e in enumerate(batch) if refused or place in failed]
        if good:
            yield _Answered(good, Outcome.DELIVERED, Reason.ACCEPTED, attempt)
        if bad:
            yield _Answered(bad, Outcome.REJECTED, said.reason or Reason.REFUSED, attempt)

    def _ask(
        self, batch: Sequence[Entry], tiktok: World, at: float
    ) -> tuple[verdict.Verdict, Attempt]:
        body = request.body(
            self.target.event_source,
            self.target.event_source_id,
            [entry.body for entry in batch],
            test_event_code=batch[0].test_event_code,
        )
        call = Call("POST", events.PATH, {}, TOKEN, "application/json", "", body)
        reply = gateway.answer_call(tiktok, _ROUTE, call, now=at)
        said = verdict.read(verdict.Reply(reply.status, reply.body), len(batch), at)
        self._requests += 1
        attempt = Attempt(
            attempt_id=f"{self.target.name}-{self._requests}",
            destination=self.target.name,
            number=1,
            started_at=at,
            seconds=0.1,
            events=len(batch),
            size_bytes=len(body),
            verdict=said.kind.value,
            status=said.status,
            code=said.code,
            message=said.message,
            request_id=said.request_id,
        )
        return said, attempt


class _Answered(NamedTuple):
    entries: Sequence[Entry]
    outcome: Outcome
    reason: Reason
    attempt: Attempt


def _batches(
    entries: Sequence[Entry], sent_at: Mapping[str, float]
) -> Iterator[tuple[float, list[Entry]]]:
    """What leaves together, and when: within moments, with one test code or none."""
    batch: list[Entry] = []
    for entry in entries:
        at = sent_at[entry.receipt]
        if batch and (
            entry.test_event_code != batch[0].test_event_code
            or at - sent_at[batch[0].receipt] > _TOGETHER_S
        ):
            yield sent_at[batch[-1].receipt], batch
            batch = []
        batch.append(entry)
    if batch:
        yield sent_at[batch[-1].receipt], batch


# --- the audit of what was lived ------------------------------------------------------------------


def client_for(base_url: str, clock: SimulatedClock) -> Client:
    """Nothing waits for a rate; what waits for TikTok sets the clock forward."""
    limits = Limits(qps=1e6, qpm=10**6, task_qps=1e6, in_flight=16)
    return Client(TOKEN, base_url=base_url, clock=clock, limits=limits, roll=lambda: 0.5)


async def audited(
    rehearsal: Rehearsal,
    *,
    faults: Sequence[Mapping[str, Any]] = (),
    now: float | None = None,
    advertiser_ids: Sequence[str] | None = None,
    marketing: Mapping[str, Any] | None = None,
) -> list[Audit]:
    """Audit each account, over HTTP, as of `now`; `faults` are those of the stand-in."""
    clock = SimulatedClock(rehearsal.now if now is None else now)
    settings = SandboxSettings.model_validate(
        {
            "faults": {"faults": list(faults)},
            "marketing": {**_UNLIMITED, **(marketing or {})},
            "seed": 1,
        }
    )
    async with (
        journal_at(rehearsal.folder, clock) as journal,
        running(settings, clock, ads=rehearsal.world) as tiktok,
        client_for(tiktok.base_url, clock) as client,
    ):
        collector = Collector(client, journal, rehearsal.targets, clock, rates=rehearsal.rates)
        wanted = advertiser_ids or list(rehearsal.world.advertisers)
        return [audit async for audit in audit_accounts(collector, wanted, DAYS, Thresholds())]


#: As `relay audit` looks back by default.
DAYS: Final = 30
_UNLIMITED: Final = {"calls_per_second": 0, "calls_per_minute": 0, "tasks_per_second": 0}
