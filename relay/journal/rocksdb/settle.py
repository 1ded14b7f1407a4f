"""Settling: outcomes, the attempt that led to them, dead letters, released claims and sums."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rocksdict import WriteBatch

from relay.journal import attempts, layout, ledger, sample
from relay.journal.attempts import AttemptRecord, Ended, Range
from relay.journal.intervals import IntervalSet, ranges_of
from relay.journal.queue import Queue
from relay.journal.receipts import may_come_again
from relay.journal.rocksdb import claims
from relay.journal.rocksdb.append import NO_ENTRY
from relay.journal.rocksdb.folder import CLAIMS, LOG, SAMPLES
from relay.journal.rocksdb.letters import Letters
from relay.journal.rocksdb.reader import Reader
from relay.journal.rocksdb.state import State
from relay.model import CLAIM_RELEASING, DEAD_LETTER, Attempt, Entry, Outcome, Reason, Settlement


class _Part(NamedTuple):
    """Entries that end alike, and their seqs as ranges."""

    entries: Sequence[Entry]
    ranges: Sequence[Range]
    outcome: Outcome
    reason: Reason


class SettleJob:
    """An attempt (None where nothing was sent) and what it settles.

    `again` marks a job that is repeated because storing it failed: it may be stored nevertheless.
    """

    def __init__(
        self,
        destination: str,
        attempt: Attempt | None,
        settlements: Iterable[Settlement],
        covers: Iterable[int],
    ) -> None:
        self.destination = destination
        self.attempt = attempt
        self.parts = [_part(*settlement) for settlement in settlements if settlement.entries]
        self.covers = ranges_of(sorted(covers))
        self.again = False


@dataclass(slots=True)
class LostJob:
    """Entries that can no longer be read, and their claims: they end as invalid, damaged."""

    destination: str
    start: int
    end: int
    claims: Sequence[claims.Owned]


def _part(entries: Sequence[Entry], outcome: Outcome, reason: Reason) -> _Part:
    return _Part(entries, ranges_of(sorted([entry.seq for entry in entries])), outcome, reason)


class Settler:
    """Turns settle jobs into rows."""

    def __init__(self, state: State, reader: Reader, letters: Letters) -> None:
        self._state = state
        self._reader = reader
        self._letters = letters

    def check(self, job: SettleJob) -> None:
        """Raises ValueError when an entry is settled already, named twice, or unknown."""
        queue = self._state.queues[job.destination]
        seen = IntervalSet()
        for part in job.parts:
            for start, end in part.ranges:
                if seen.overlaps(start, end) or not queue.may_settle(start, end):
                    raise ValueError("an entry can be settled only once")
                seen.add(start, end)

    def write(self, job: SettleJob, batch: WriteBatch, now: float) -> None:
        """Put the job into `batch`. Raises ValueError like `check`, before anything is changed."""
        queue = self._state.queues[job.destination]
        parts = job.parts
        if job.again:
            parts = [_unsettled(queue, part) for part in parts]
            if parts and not any(part.entries for part in parts):
                return  # a job is stored as a whole: this one was, although nobody said so
            parts = [part for part in parts if part.entries]
        else:
            self.check(job)
        for part in parts:
            self._settle(queue, part, now)
            if part.outcome is Outcome.DELIVERED:
                self._sample(queue, part, batch, now)
            if part.outcome in CLAIM_RELEASING:
                self._release(queue, part, batch, now)
            if part.outcome in DEAD_LETTER:
                dead = Settlement(part.entries, part.outcome, part.reason)
                self._letters.bury(queue, dead, job.attempt, batch, now)
        ended = [Ended(*each, part.outcome, part.reason) for part in parts for each in part.ranges]
        self._record(queue, job.attempt, ended, job.covers, batch, now)
        self._finish(queue, batch)

    def write_lost(self, job: LostJob, batch: WriteBatch, now: float) -> None:
        """Book entries whose record is damaged."""
        queue = self._state.queues[job.destination]
        lost: list[Range] = []
        at = job.start
        while (at := queue.settled.free_from(at)) < job.end:
            lost.append((at, queue.settled.free_until(at, job.end)))
            at = lost[-1][1]
        count = sum([end - start for start, end in lost])
        # Their sizes are lost with them: they count as the others do on average.
        queue.settle(lost, queue.size_bytes * count // max(1, queue.waiting))
        claims.release(self._state.folder, batch, job.claims)
        ended = [Ended(*each, Outcome.INVALID, Reason.DAMAGED) for each in lost]
        self._record(queue, None, ended, (), batch, now)
        if count:
            hour = ledger.hour_of(now)
            sums = ledger.sum_at_door([(Reason.DAMAGED.value, False)] * count)
            self._state.book(queue, hour, "", Outcome.INVALID.value, sums)
        self._finish(queue, batch)

    def _finish(self, queue: Queue, batch: WriteBatch) -> None:
        self._state.store_settled(queue, batch)
        self._state.store_counters(queue, batch)
        self._state.store_ledger(batch)

    def _settle(self, queue: Queue, part: _Part, now: float) -> None:
        queue.settle(part.ranges, sum([len(entry.body) for entry in part.entries]))
        for (hour, name), sums in ledger.sum_entries(part.entries, part.reason, now).items():
            self._state.book(queue, hour, name, part.outcome.value, sums)

    def _sample(self, queue: Queue, part: _Part, batch: WriteBatch, now: float) -> None:
        kept = self._state.sampler(batch).sample(queue.destination, part.entries, now)
        if not kept:
            return
        samples = self._state.folder.handle(SAMPLES)
        for entry, found in kept:
            hour = ledger.hour_of(entry.event_time)
            key = layout.sample_key(hour, queue.number, entry.seq)
            batch.put(key, sample.pack(found), samples)

    def _release(self, queue: Queue, part: _Part, batch: WriteBatch, now: float) -> None:
        """Give claims back. A receipt that may come again keeps one of its own, so that it is
        known: only another receipt brings the event again."""
        self._state.open_day(now, batch)
        found = self._reader.claims(queue, part.ranges)
        owned = [(layout.claim_key(queue.number, claim), seq) for seq, claim in found]
        claims.release(self._state.folder, batch, owned)
        today = self._state.folder.handle(CLAIMS + self._state.today)
        for entry in part.entries:
            if may_come_again(entry.receipt):
                tag = layout.receipt_tag(entry.receipt.encode())
                key = layout.receipt_claim_key(queue.number, entry.receipt)
                batch.put(key, layout.pack_claim(NO_ENTRY, now, tag), today)

    def _record(
        self,
        queue: Queue,
        attempt: Attempt | None,
        ended: Sequence[Ended],
        covers: Sequence[Range],
        batch: WriteBatch,
        now: float,
    ) -> None:
        if not ended and not covers:
            return
        self._state.open_day(now, batch)
        log = self._state.folder.handle(LOG + self._state.today)
        name = (attempt.attempt_id if attempt else f"{int(now * 1000):013d}").encode()
        covers = covers or [(start, end) for start, end, _, _ in ended]
        for first, record in attempts.pieces(AttemptRecord(now, attempt, covers, ended)):
            key = layout.row_key(b"a", queue.number, first) + name
            batch.put(key, attempts.pack(record), log)


def _unsettled(queue: Queue, part: _Part) -> _Part:
    entries = [entry for entry in part.entries if entry.seq not in queue.settled]
    return _part(entries, part.outcome, part.reason)
