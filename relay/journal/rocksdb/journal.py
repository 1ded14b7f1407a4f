"""The embedded journal: one folder, one process. Keeps the promises of `relay.journal.protocol`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from relay.clock import Clock
from relay.errors import JournalFull, JournalUnavailable
from relay.journal import layout
from relay.journal.intervals import ranges_of
from relay.journal.issues import IssueRow
from relay.journal.ledger import LedgerRow
from relay.journal.notes import check_key, check_note
from relay.journal.protocol import End, Fits, Note, Parked
from relay.journal.queue import Queue
from relay.journal.rocksdb import attempt_rows, claims
from relay.journal.rocksdb.append import AppendJob
from relay.journal.rocksdb.chores import Chores
from relay.journal.rocksdb.engine import Engine, Listeners
from relay.journal.rocksdb.letters import MarkJob
from relay.journal.rocksdb.notes import DropNotesJob, NoteJob
from relay.journal.rocksdb.records import Records
from relay.journal.rocksdb.search import MOST_TRACES, Search
from relay.journal.rocksdb.settle import SettleJob
from relay.journal.rocksdb.upkeep import Keep, Upkeep
from relay.journal.sample import Sample
from relay.model import (
    Answer,
    Arrival,
    Attempt,
    Counts,
    DeadLetter,
    Entry,
    Settlement,
    Trace,
    Waiting,
)

#: `take` from the newest end begins at most so many entries below it.
_NEWEST = 1000


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """Where the journal is and how much it may hold. Sizes in bytes, times in seconds."""

    path: Path
    max_bytes: int = 10 * 2**30
    min_free_bytes: int = 64 * 2**20
    retention_s: float = 30 * 86400.0
    ledger_retention_s: float = 25 * 31 * 86400.0
    dedupe_window_s: float = 7 * 86400.0
    dedupe_windows_s: Mapping[str, float] | None = None

    def window_s(self, destination: str) -> float:
        """How long this destination's claims last."""
        return (self.dedupe_windows_s or {}).get(destination, self.dedupe_window_s)

    @property
    def keep(self) -> Keep:
        longest_s = max([self.dedupe_window_s, *(self.dedupe_windows_s or {}).values()])
        return Keep(longest_s, self.retention_s, self.ledger_retention_s)


class RocksJournal:
    """Use as `async with RocksJournal(settings, clock) as journal`.

    Opening raises `JournalLocked`, `JournalFormat` or `JournalUnavailable`. `on_damage` is told
    how many records could not be read, `on_failure` of each error that stops storing.
    """

    def __init__(
        self,
        settings: JournalSettings,
        clock: Clock,
        *,
        on_damage: Callable[[int], None] = lambda count: None,
        on_failure: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._news: dict[str, asyncio.Event] = {}
        listeners = Listeners(on_damage, on_failure, self._lost, self._tell)
        self._engine = Engine(
            settings.path, settings.min_free_bytes, clock, settings.window_s, listeners
        )
        self._store = self._engine.store
        self._queues = self._store.state.queues
        self._search = Search(self._store.state)
        self._records = Records(self._search)
        self._chores = Chores(self._engine, self._search, Upkeep(self._store.state, settings.keep))

    async def __aenter__(self) -> RocksJournal:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Finish what is being written, then let go of the folder."""
        await self._chores.close()
        await self._engine.close()

    @property
    def healthy(self) -> bool:
        return self._engine.healthy

    # --- the door's side --------------------------------------------------------------------------

    async def append(
        self, arrivals: Sequence[Arrival], remember: Mapping[bytes, bytes] | None = None
    ) -> Sequence[Answer]:
        """See `protocol.Intake.append`."""
        self._engine.check()
        if not self.has_room:
            raise JournalFull
        answers: Sequence[Answer] = await self._engine.submit(AppendJob(arrivals, remember or {}))
        return answers

    async def recall(self, key: bytes) -> bytes | None:
        """See `protocol.Intake.recall`."""
        with self._engine.reading():
            return claims.recall(self._store.folder, key)

    async def erase(self, digests: Sequence[str]) -> int:
        """See `protocol.Intake.erase`."""
        return await self._chores.erase(digests)

    @property
    def size_bytes(self) -> int:
        """Bytes of the events that wait, over all destinations."""
        return sum([queue.size_bytes for queue in self._queues.values()])

    @property
    def has_room(self) -> bool:
        """See `protocol.Journal.has_room`."""
        return self.size_bytes < self.settings.max_bytes

    # --- delivery's side --------------------------------------------------------------------------

    def waiting(self, destination: str) -> Waiting:
        """See `protocol.Outlet.waiting`."""
        queue = self._queues.get(destination)
        first = None if queue is None else queue.oldest()
        if queue is None or first is None:
            return Waiting(0, 0, None)
        return Waiting(queue.waiting, queue.size_bytes, self._accepted_at(queue, first))

    def available(self, destination: str) -> Waiting:
        """See `protocol.Outlet.available`. The size is an estimate: the share of what waits."""
        queue = self._queues.get(destination)
        first = None if queue is None else queue.oldest_available()
        if queue is None or first is None or not self.healthy:
            return Waiting(0, 0, None)
        count = queue.available
        size_bytes = queue.size_bytes * count // max(1, queue.waiting)
        return Waiting(count, size_bytes, self._accepted_at(queue, first))

    def _accepted_at(self, queue: Queue, seq: int) -> float:
        """When an entry was accepted; the beginning of its day where that cannot be read, so that
        whoever waits for entries to grow old comes and finds out."""
        with suppress(JournalUnavailable), self._engine.reading():
            found = self._store.reader.accepted_at(queue, seq)
            if found is not None:
                return found
        day = queue.day_of(seq)
        return 0.0 if day is None else layout.day_start(day)

    async def wait_for_entries(self, destination: str) -> None:
        """See `protocol.Outlet.wait_for_entries`."""
        news = self._news.setdefault(destination, asyncio.Event())
        while not self.available(destination).entries:
            news.clear()
            await news.wait()

    def take(self, destination: str, end: End, fits: Fits) -> Sequence[Entry]:
        """See `protocol.Outlet.take`."""
        queue = self._queues.get(destination)
        if queue is None or queue.available <= 0:
            return ()
        try:
            with self._engine.reading():
                taken = self._fitting(queue, end, fits)
        except JournalUnavailable:
            return ()
        for first, behind in ranges_of([entry.seq for entry in taken]):
            queue.take(first, behind)
        return taken

    def _fitting(self, queue: Queue, end: End, fits: Fits) -> list[Entry]:
        taken: list[Entry] = []
        farthest = queue.durable
        runs = iter([queue.newest_run(_NEWEST)]) if end is End.NEWEST else queue.free_runs()
        for first, behind in runs:
            for piece in self._store.reader.pieces(queue, first, min(behind, farthest)):
                for entry in piece:
                    if not fits(entry):
                        return taken
                    taken.append(entry)
                farthest = min(farthest, taken[0].seq + layout.MAX_SPAN)
            if behind >= farthest:
                break
        return taken

    def read(self, destination: str, seqs: Sequence[int]) -> Sequence[Entry]:
        """See `protocol.Outlet.read`."""
        queue = self._queues[destination]
        with self._engine.reading():
            return [
                entry
                for start, end in ranges_of(sorted(seqs))
                for entry in self._store.reader.entries(queue, start, end)
            ]

    def unknown_since(self, destination: str, seqs: Sequence[int]) -> float | None:
        """See `protocol.Outlet.unknown_since`."""
        with self._engine.reading():
            folder = self._store.folder
            return attempt_rows.unknown_since(folder, self._queues[destination], seqs)

    def give_back(self, destination: str, seqs: Sequence[int]) -> None:
        """See `protocol.Outlet.give_back`."""
        queue = self._queues[destination]
        for start, end in ranges_of(sorted(seqs)):
            queue.give_back(start, end)
        self._tell(destination)

    async def park(self, destination: str, parked: Parked) -> bool:
        """See `protocol.Outlet.park`: an entry holds nothing up in a folder."""
        return False

    def due(self, destination: str) -> Sequence[Parked]:
        """See `protocol.Outlet.due`."""
        return ()

    async def settle(
        self,
        destination: str,
        attempt: Attempt | None,
        settlements: Sequence[Settlement],
        covers: Sequence[int] = (),
    ) -> None:
        """See `protocol.Outlet.settle`."""
        job = SettleJob(destination, attempt, settlements, covers)
        self._store.settler.check(job)
        while True:
            await self._engine.recovery.until_healthy()
            try:
                await self._engine.submit(job)
            except JournalUnavailable:
                job.again = True
                continue
            return

    def _tell(self, destination: str) -> None:
        if destination in self._news:
            self._news[destination].set()

    def _lost(self, queue: Queue, start: int, end: int) -> None:
        self._chores.lost(queue, start, end)

    # --- people, and time -------------------------------------------------------------------------

    def upkeep(self) -> bool:
        """Forget what is past its time, one small step; True when there is more to do at once."""
        return self._chores.step(self._clock.now())

    def drain(self) -> None:
        """See `protocol.Journal.drain`: nobody else has this folder."""

    async def tidy(self) -> None:
        """See `protocol.Journal.tidy`."""
        while self.upkeep():
            await self._clock.sleep(0.01)  # events come first

    def counts(self) -> Mapping[str, Counts]:
        """See `protocol.Records.counts`."""
        return {
            name: Counts(queue.accepted, queue.settled_count, queue.waiting)
            for name, queue in self._queues.items()
        }

    @property
    def records(self) -> Search:
        """Traces, dead letters and sums, to be asked in a thread."""
        return self._search

    async def find(self, token: str, *, limit: int = MOST_TRACES) -> Sequence[Trace]:
        """See `protocol.Records.find`."""
        return await self._records.find(token, limit=limit)

    def dead_letters(self, destination: str | None = None) -> AsyncIterator[DeadLetter]:
        """See `protocol.Records.dead_letters`."""
        return self._records.dead_letters(destination)

    async def dead_letter(self, letter_id: str) -> DeadLetter | None:
        """See `protocol.Records.dead_letter`."""
        return await self._records.dead_letter(letter_id)

    async def mark_replayed(self, letter_id: str) -> None:
        """See `protocol.Records.mark_replayed`."""
        await self._engine.submit(MarkJob(letter_id))

    def sums(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[LedgerRow]:
        """See `protocol.Archive.sums`."""
        return self._records.sums(destination, start_hour, end_hour)

    def issues(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[IssueRow]:
        """See `protocol.Archive.issues`."""
        return self._records.issues(destination, start_hour, end_hour)

    def samples(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[Sample]:
        """See `protocol.Archive.samples`."""
        return self._records.samples(destination, start_hour, end_hour)

    async def put_note(self, key: str, value: bytes) -> None:
        """See `protocol.Notes.put_note`."""
        check_note(key, value)
        self._engine.check()
        await self._engine.submit(NoteJob(key, value))

    def notes(self, prefix: str) -> AsyncIterator[Note]:
        """See `protocol.Archive.notes`."""
        return self._records.notes(prefix)

    async def drop_notes(self, prefix: str, before: str) -> None:
        """See `protocol.Notes.drop_notes`."""
        check_key(prefix)
        check_key(before)
        await self._engine.submit(DropNotesJob(prefix, before))
