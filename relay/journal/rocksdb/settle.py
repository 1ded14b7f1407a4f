"""Settling: outcomes, the attempt that led to them, dead letters, released claims and sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rocksdict import WriteBatch

from relay.journal import layout, ledger
from relay.journal.intervals import ranges_of
from relay.journal.queue import Queue
from relay.journal.rocksdb import claims
from relay.journal.rocksdb.folder import DEAD, LOG
from relay.journal.rocksdb.state import State
from relay.model import CLAIM_RELEASING, DEAD_LETTER, Attempt, Entry, Outcome, Reason, Settlement


@dataclass(slots=True)
class SettleJob:
    """An attempt (None where nothing was sent) and what it settles. `again` marks a job that is
    repeated because storing it failed: what it had settled already is passed over."""

    destination: str
    attempt: Attempt | None
    settlements: Sequence[Settlement]
    covers: Sequence[int]
    again: bool = False


@dataclass(slots=True)
class LostJob:
    """Entries that can no longer be read: they end as invalid, damaged."""

    destination: str
    start: int
    end: int


class Settler:
    """Turns settle jobs into rows."""

    def __init__(self, state: State) -> None:
        self._state = state

    def check(self, job: SettleJob) -> None:
        """Raises ValueError when an entry is settled already or unknown."""
        queue = self._state.queues[job.destination]
        for settlement in job.settlements:
            for entry in settlement.entries:
                if entry.seq in queue.settled or entry.seq >= queue.next_seq:
                    raise ValueError("an entry can be settled only once")

    def write(self, job: SettleJob, batch: WriteBatch, now: float) -> None:
        """Put the job into `batch`. Raises ValueError like `check`, before anything is changed."""
        queue = self._state.queues[job.destination]
        if job.again:
            job.settlements = [_unsettled(queue, settlement) for settlement in job.settlements]
        else:
            self.check(job)
        settled = []
        for entries, outcome, reason in job.settlements:
            if not entries:
                continue
            for start, end in self._settle(queue, entries, outcome):
                settled.append((start, end, outcome, reason))
            if outcome in CLAIM_RELEASING:
                self._release(queue, entries, batch)
            if outcome in DEAD_LETTER:
                self._bury(queue, job.attempt, Settlement(entries, outcome, reason), batch, now)
        self._record(queue, job.attempt, settled, job.covers, batch, now)
        self._finish(queue, batch)

    def write_lost(self, job: LostJob, batch: WriteBatch, now: float) -> None:
        """Book entries whose record is damaged."""
        queue = self._state.queues[job.destination]
        lost = 0
        at = job.start
        while (at := queue.settled.free_from(at)) < job.end:
            end = queue.settled.free_until(at, job.end)
            queue.settle(at, end, 0)
            lost += end - at
            settled = (at, end, Outcome.INVALID, Reason.DAMAGED)
            self._record(queue, None, [settled], (), batch, now)
            at = end
        sums = ledger.Sums(lost)
        self._state.book(queue, ledger.hour_of(None, now), "", str(Outcome.INVALID), sums)
        self._finish(queue, batch)

    def _finish(self, queue: Queue, batch: WriteBatch) -> None:
        self._state.store_settled(queue, batch)
        self._state.store_counters(queue, batch)
        self._state.store_ledger(batch)

    def _settle(
        self, queue: Queue, entries: Sequence[Entry], outcome: Outcome
    ) -> list[tuple[int, int]]:
        sizes = {entry.seq: len(entry.body) for entry in entries}
        ranges = ranges_of(sorted(sizes))
        for start, end in ranges:
            queue.settle(start, end, sum([sizes[seq] for seq in range(start, end)]))
        for (hour, name), sums in ledger.sum_entries(entries).items():
            self._state.book(queue, hour, name, str(outcome), sums)
        return ranges

    def _release(self, queue: Queue, entries: Sequence[Entry], batch: WriteBatch) -> None:
        keys = [
            (
                layout.claim_key(queue.number, layout.claim_digest(entry.name, entry.event_id)),
                entry.seq,
            )
            for entry in entries
        ]
        claims.release(self._state.folder, batch, keys)

    def _bury(
        self, queue: Queue, attempt: Attempt | None, dead: Settlement, batch: WriteBatch, now: float
    ) -> None:
        for entry in dead.entries:
            letter = {
                **entry._asdict(),
                "body": entry.body.decode(),
                "at": now,
                "outcome": dead.outcome,
                "reason": dead.reason,
                "attempt": None if attempt is None else asdict(attempt),
                "replayed_at": None,
            }
            key = layout.dead_key(now, queue.number, entry.seq)
            batch.put(key, layout.json(letter), self._state.folder.handle(DEAD))

    def _record(
        self,
        queue: Queue,
        attempt: Attempt | None,
        settled: Sequence[tuple[int, int, Outcome, Reason]],
        covers: Sequence[int],
        batch: WriteBatch,
        now: float,
    ) -> None:
        covered = ranges_of(sorted(covers)) or [(start, end) for start, end, _, _ in settled]
        if not covered:
            return
        self._state.open_day(now)
        first = min(start for start, _ in covered)
        name = attempt.attempt_id if attempt else f"{int(now * 1000):013d}"
        record = {
            "at": now,
            "attempt": None if attempt is None else asdict(attempt),
            "covers": covered,
            "settled": settled,
        }
        key = layout.row_key(b"a", queue.number, first) + name.encode()
        batch.put(key, layout.json(record), self._state.folder.handle(LOG + self._state.today))


def _unsettled(queue: Queue, settlement: Settlement) -> Settlement:
    entries = [entry for entry in settlement.entries if entry.seq not in queue.settled]
    return settlement._replace(entries=entries)
