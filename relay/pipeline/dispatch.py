"""From the journal to TikTok and back: one loop per destination."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from relay.batch.composer import Composer, due
from relay.clock import Clock, Steady
from relay.config import Destination
from relay.deliver import request, story, verdict
from relay.deliver.breaker import LaneState
from relay.deliver.http import Sender
from relay.deliver.lane import Lane
from relay.deliver.plan import TIKTOK_REMEMBERS_S, Again, Decision, Finished, Fresh, Wait
from relay.deliver.verdict import Reply, Verdict
from relay.deliver.work import Work
from relay.errors import JournalUnavailable
from relay.journal.protocol import End, Outlet, Parked
from relay.model import Attempt, Entry, Outcome, Reason, Settlement
from relay.secrets import Secret, SecretUnavailable
from relay.telemetry import Log, Telemetry
from relay.traces import OFF, Traces

#: While a lane does not run, its token is looked at this often, in seconds.
_TOKEN_LOOK_S = 1.0

#: While the journal cannot be read, it is asked this often, in seconds.
_JOURNAL_LOOK_S = 0.2

#: A lane's loop looks again after this long at the latest, in seconds, whatever it waits for.
_LONGEST_WAIT_S = 30.0


class Sharing(Protocol):
    """Other replicas that drive the same destinations: what this one finds they know, and what they
    find its lanes are told. Like `relay.deliver.shared.postgres.Sharing`."""

    @property
    def steady(self) -> Steady:
        """The clock of every lane."""

    def attach(self, destination: str, lane: Lane, heard: Callable[[LaneState], None]) -> None:
        """`heard` is called, with the state before, when the lane was told something."""

    def changed(self, destination: str) -> None:
        """The lane may have found something."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What every lane shares; `sharing` where replicas deliver together."""

    journal: Outlet
    sender: Sender
    clock: Clock
    telemetry: Telemetry
    log: Log
    roll: Callable[[], float] = random.random
    sharing: Sharing | None = None
    traces: Traces = OFF


class Dispatcher:
    """Drives one lane: asks it what to do, does it, and tells it what came of it."""

    def __init__(
        self, destination: Destination, token: Secret, lane: Lane, outside: Outside
    ) -> None:
        self._destination = destination
        self._name = destination.name
        self._token = token
        self._lane = lane
        self._outside = outside
        self._journal = outside.journal
        self._clock = outside.clock
        self._news = asyncio.Event()
        self._last_token = self._token_now() or ""
        self._numbers = itertools.count(1)
        self._run_id = f"{int(outside.clock.now() * 1000):012x}"
        self.progressed_at = outside.clock.now()
        self._sharing = outside.sharing
        if self._sharing is None:
            self._steady = Steady(outside.clock)
        else:
            self._steady = self._sharing.steady
            self._sharing.attach(destination.name, lane, self._heard)
        self._began_at = self._steady.now()

    @property
    def lane(self) -> Lane:
        return self._lane

    @property
    def name(self) -> str:
        return self._name

    async def run(self) -> None:
        """Until the lane has drained. Cancelling cuts: what is under way comes again later."""
        async with asyncio.TaskGroup() as requests:
            while await self._step(requests):
                pass

    async def _step(self, requests: asyncio.TaskGroup) -> bool:
        """Ask the lane once and do what it says; False when it has drained."""
        now = self._now()
        self._take_back(now)
        waiting = self._journal.available(self._name)
        due_at = due(
            waiting,
            now=now,
            linger_s=self._destination.linger,
            max_events=self._destination.max_batch_events,
            max_bytes=self._destination.max_batch_bytes,
        )
        try:
            match self._lane.plan(now, waiting, due_at=due_at):
                case Fresh() as fresh:
                    self._begin(requests, fresh, now)
                case Again(work=work, may_count_twice=late):
                    self._begin_again(requests, work, now, late=late)
                case Wait() as wait:
                    await self._wait(wait, now)
                case Finished():
                    return False
            await self._lay_aside(now)
        except JournalUnavailable:  # it recovers by itself; what was taken stays taken
            await self._clock.sleep(_JOURNAL_LOOK_S)
        return True

    async def _lay_aside(self, now: float) -> None:
        """A work that waits long holds up neither its place in the journal nor this process."""
        for work in self._lane.far(now):
            parked = Parked(work.seqs, work.due_at, story.pack(work))
            if await self._journal.park(self._name, parked):
                self._lane.drop(work.seqs)

    def _take_back(self, now: float) -> None:
        for parked in self._journal.due(self._name):
            self._lane.take_back(parked.story, parked.seqs, now)

    def _now(self) -> float:
        """The lane's time."""
        return self._steady.now()

    def drain(self) -> None:
        """Send what lingers, begin nothing else, and let `run` end."""
        self._lane.drain()
        self._news.set()

    # --- beginning a request --------------------------------------------------------------------

    def _begin(self, requests: asyncio.TaskGroup, fresh: Fresh, now: float) -> None:
        composer = Composer(
            max_events=min(fresh.limit, self._destination.max_batch_events),
            max_bytes=self._destination.max_batch_bytes,
        )
        end = End.NEWEST if fresh.newest else End.OLDEST
        entries = self._journal.take(self._name, end, composer)
        entries = self._without_expired(requests, entries)
        if not entries:
            self._lane.found_nothing(now)
            return
        seqs = [entry.seq for entry in entries]
        since = self._unknown_since(entries, seqs)
        work = self._lane.start(fresh, seqs, now, unknown_since=since)
        if since is not None and now - since >= TIKTOK_REMEMBERS_S:
            self._say_late(len(entries), now - since)
        requests.create_task(self._send(work, entries))

    def _unknown_since(self, entries: Sequence[Entry], seqs: Sequence[int]) -> float | None:
        """What only the journal knows after a restart; asked of entries old enough to matter."""
        old = self._clock.now() - TIKTOK_REMEMBERS_S
        if all(entry.accepted_at > old for entry in entries):
            return None
        return self._journal.unknown_since(self._name, seqs)

    def _say_late(self, events: int, age_s: float) -> None:
        """TikTok may count these twice: the one repeat that is not safe."""
        self._outside.telemetry.resent_late(self._name, events)
        self._outside.log.late_repeat(self._name, events=events, age_s=age_s)

    def _begin_again(
        self, requests: asyncio.TaskGroup, work: Work, now: float, *, late: bool
    ) -> None:
        by_seq = {entry.seq: entry for entry in self._journal.read(self._name, work.seqs)}
        # In the order of the work: a partial success names its events by their place.
        entries: Sequence[Entry] = [by_seq[seq] for seq in work.seqs if seq in by_seq]
        entries = self._without_expired(requests, entries)
        if len(entries) < len(work.seqs):  # grown too old, or its record is damaged
            left = {entry.seq for entry in entries}
            self._lane.drop([seq for seq in work.seqs if seq not in left])
            return
        if late and work.unknown_since is not None:
            self._say_late(len(entries), now - work.unknown_since)
        requests.create_task(self._send(self._lane.start_again(work, now), entries))

    def _without_expired(
        self, requests: asyncio.TaskGroup, entries: Sequence[Entry]
    ) -> Sequence[Entry]:
        oldest = self._clock.now() - self._destination.max_event_age
        expired = [entry for entry in entries if entry.event_time < oldest]
        if not expired:
            return entries
        settlement = Settlement(expired, Outcome.EXPIRED, Reason.WAITED_TOO_LONG)
        requests.create_task(self._expire(settlement))
        return [entry for entry in entries if entry.event_time >= oldest]

    async def _expire(self, settlement: Settlement) -> None:
        await self._settle(None, [settlement], ())
        entries, _, reason = settlement
        self._outside.traces.expired(self._name, entries, reason, self._clock.now())

    # --- one request ------------------------------------------------------------------------------

    async def _send(self, work: Work, entries: Sequence[Entry]) -> None:
        started_at, began = self._clock.now(), self._clock.monotonic()
        body = request.body(
            self._destination.event_source,
            self._destination.event_source_id,
            [entry.body for entry in entries],
            test_event_code=entries[0].test_event_code,
            partner_name=self._destination.partner_name,
        )
        reply = await self._post(body)
        now = self._now()
        read = verdict.read(reply, len(entries), self._clock.now())
        before = self._lane.status.state
        decision = self._lane.answered(work, read, now, self._outside.roll())
        attempt = Attempt(
            attempt_id=f"{self._run_id}{next(self._numbers):x}",
            destination=self._name,
            number=work.attempt,
            started_at=started_at,
            seconds=self._clock.monotonic() - began,
            events=len(entries),
            size_bytes=len(body),
            verdict=read.kind.value,
            status=read.status,
            code=read.code,
            message=read.message,
            request_id=read.request_id,
            error=read.error,
            unknown=read.unknown,
        )
        self._tell(attempt, read, decision, before)
        self._found()
        self._news.set()
        by_seq = {entry.seq: entry for entry in entries}
        settlements = [
            Settlement([by_seq[seq] for seq in seqs], outcome, reason)
            for seqs, outcome, reason in decision.settle
        ]
        await self._settle(attempt, settlements, work.seqs)
        self._outside.traces.attempted(attempt, entries, settlements)

    async def _post(self, body: bytes) -> Reply:
        try:
            self._last_token = self._token.read()
        except SecretUnavailable as missing:
            self._outside.log.secret_unavailable(missing.reference, missing.reason)
            return Reply(None, error="bad_token", sent=False)
        return await self._outside.sender.send(self._last_token, body)

    async def _settle(
        self, attempt: Attempt | None, settlements: Sequence[Settlement], covers: Sequence[int]
    ) -> None:
        await self._journal.settle(self._name, attempt, settlements, covers)
        now = self._clock.now()
        self.progressed_at = now
        for entries, outcome, reason in settlements:
            self._count(entries, outcome, reason)
            if outcome is Outcome.DELIVERED:
                lag = [now - entry.accepted_at for entry in entries]
                self._outside.telemetry.delivered_after(lag)

    # --- telling ----------------------------------------------------------------------------------

    def _count(self, entries: Sequence[Entry], outcome: Outcome, reason: Reason) -> None:
        names: dict[str, int] = {}
        for entry in entries:
            names[entry.name] = names.get(entry.name, 0) + 1
        for name, count in names.items():
            self._outside.telemetry.settled(self._name, name, outcome, reason, count)

    def _tell(self, attempt: Attempt, read: Verdict, decision: Decision, before: str) -> None:
        self._outside.telemetry.attempted(attempt)
        good = read.kind is verdict.VerdictKind.DELIVERED
        self._outside.log.attempted(attempt, level="info" if good else "warning")
        if not read.known and read.code is not None:
            self._outside.log.unknown_code(
                self._name, code=read.code, request_id=read.request_id, verdict=read.kind.value
            )
        if decision.changed:
            status = self._lane.status
            self._outside.log.lane_changed(
                self._name,
                status.state,
                before,
                code=read.code,
                request_id=read.request_id,
                retry_in_s=None if status.probe_at is None else status.probe_at - self._now(),
            )

    # --- waiting ----------------------------------------------------------------------------------

    async def _wait(self, wait: Wait, now: float) -> None:
        """Until its time, an answer, an entry (if it asks for one), or a renewed token."""
        until = now + _LONGEST_WAIT_S if wait.until is None else wait.until
        running = self._lane.status.probe_at is None
        pause_s = max(0.0, min(until - now, _LONGEST_WAIT_S if running else _TOKEN_LOOK_S))
        waits: list[asyncio.Task[object]] = [asyncio.create_task(self._news.wait())]
        if wait.for_entries:
            waits.append(asyncio.create_task(self._journal.wait_for_entries(self._name)))
        try:
            await asyncio.wait(waits, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in waits:
                waiting.cancel()
        self._news.clear()
        if not running:
            self._look_at_token()

    def _look_at_token(self) -> None:
        token = self._token_now()
        if token is not None and token != self._last_token:
            self._last_token = token
            self._probe_now()

    def _token_now(self) -> str | None:
        try:
            return self._token.read()
        except SecretUnavailable:
            return None

    def _probe_now(self) -> None:
        self._lane.probe_now(self._now())
        self._found()

    # --- other replicas ---------------------------------------------------------------------------

    def _found(self) -> None:
        if self._sharing is not None:
            self._sharing.changed(self._name)

    def _heard(self, before: LaneState) -> None:
        """Another replica found something, or what the lane waits for is there."""
        status = self._lane.status
        if status.state is not before:
            self._outside.log.lane_changed(
                self._name,
                status.state,
                before,
                code=None if status.cause is None else status.cause.code,
                retry_in_s=None if status.probe_at is None else status.probe_at - self._now(),
            )
            if status.probe_at is not None and (status.since or 0.0) < self._began_at:
                self._probe_now()  # it stopped before this relay started, maybe with a new token
        self._news.set()
