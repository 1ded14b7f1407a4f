"""The embedded journal: one folder, one process. Keeps the promises of `relay.journal.protocol`."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from relay.clock import Clock
from relay.errors import JournalError, JournalFull, JournalUnavailable
from relay.journal import layout
from relay.journal.intervals import ranges_of
from relay.journal.protocol import End, Fits
from relay.journal.queue import Queue
from relay.journal.rocksdb import claims
from relay.journal.rocksdb.append import Appender, AppendJob
from relay.journal.rocksdb.commit import GroupCommit
from relay.journal.rocksdb.erase import EraseJob, Eraser
from relay.journal.rocksdb.folder import Folder
from relay.journal.rocksdb.reader import Reader
from relay.journal.rocksdb.search import Search
from relay.journal.rocksdb.settle import LostJob, SettleJob, Settler
from relay.journal.rocksdb.state import State
from relay.journal.rocksdb.upkeep import Keep, upkeep
from relay.model import Answer, Arrival, Attempt, Counts, Entry, Settlement, Waiting

#: How often, in seconds, the folder and its disk are looked at while events come in.
CHECK_INTERVAL_S = 1.0
#: Pauses, in seconds, between attempts to open the folder again after a failure.
REOPEN_PAUSES_S = (0.2, 1.0, 2.0, 5.0)


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
    def longest_window_s(self) -> float:
        return max([self.dedupe_window_s, *(self.dedupe_windows_s or {}).values()])


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
        self._on_damage = on_damage
        self._on_failure = on_failure
        self._folder = Folder(settings.path, min_free_bytes=settings.min_free_bytes)
        self._state = State(self._folder)
        self._appender = Appender(self._state, settings.window_s)
        self._settler = Settler(self._state)
        self._eraser = Eraser(self._state, self._settler)
        self._search = Search(self._state)
        self._reader = Reader(self._state, self._entries_lost)
        self._commit = GroupCommit(self, self._failed)
        self._news: dict[str, asyncio.Event] = {}
        self._healthy = asyncio.Event()
        self._healthy.set()
        self._recovery: asyncio.Task[None] | None = None
        self._lost_jobs: set[asyncio.Future[None]] = set()
        self._checked_at = -1e9
        self._closing = False
        self._written: dict[str, int] = {}
        if self._folder.quarantined:
            on_damage(self._folder.quarantined)

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
        self._closing = True
        if self._recovery is not None:
            self._recovery.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._recovery
        await self._commit.quiesce()
        self._commit.close()
        self._folder.close()

    @property
    def state(self) -> State:
        """For the readers beside this class: search, upkeep, verify."""
        return self._state

    @property
    def healthy(self) -> bool:
        return self._healthy.is_set()

    # --- the door's side --------------------------------------------------------------------------

    async def append(
        self, arrivals: Sequence[Arrival], remember: Mapping[bytes, bytes] | None = None
    ) -> Sequence[Answer]:
        """See `protocol.Intake.append`."""
        self._check_room()
        job = AppendJob(arrivals, remember or {})
        answers: Sequence[Answer] = await self._commit.submit(job)
        return answers

    def recall(self, key: bytes) -> bytes | None:
        if not self.healthy:
            return None
        return claims.recall(self._folder, key)

    def _check_room(self) -> None:
        if not self._healthy.is_set():
            raise JournalUnavailable
        now = self._clock.monotonic()
        if now - self._checked_at > CHECK_INTERVAL_S:
            self._folder.check()
            self._checked_at = now
        if self.size_bytes >= self.settings.max_bytes:
            raise JournalFull

    @property
    def size_bytes(self) -> int:
        """Bytes of the events that wait, over all destinations."""
        return sum([queue.size_bytes for queue in self._state.queues.values()])

    # --- delivery's side --------------------------------------------------------------------------

    def waiting(self, destination: str) -> Waiting:
        queue = self._state.queues.get(destination)
        oldest = queue.oldest() if queue is not None else None
        if queue is None or oldest is None or not self.healthy:
            return Waiting(queue.waiting if queue else 0, queue.size_bytes if queue else 0, None)
        return Waiting(queue.waiting, queue.size_bytes, self._reader.accepted_at(queue, oldest))

    def available(self, destination: str) -> Waiting:
        """Like `waiting`, but only what can be taken now: durable and not taken."""
        queue = self._state.queues.get(destination)
        if queue is None or not self.healthy or queue.available <= 0:
            return Waiting(0, 0, None)
        first, _ = next(queue.free_runs(0, queue.durable))
        share = queue.available / max(1, queue.waiting)
        return Waiting(
            queue.available,
            int(queue.size_bytes * share),
            self._reader.accepted_at(queue, first),
        )

    async def wait_for_entries(self, destination: str) -> None:
        while True:
            news = self._news.setdefault(destination, asyncio.Event())
            queue = self._state.queues.get(destination)
            if self.healthy and queue is not None and queue.available > 0:
                return
            news.clear()
            await news.wait()

    def take(self, destination: str, end: End, fits: Fits) -> Sequence[Entry]:
        queue = self._state.queues.get(destination)
        if queue is None or not self.healthy or queue.available <= 0:
            return ()
        start = queue.newest_run(layout.MAX_CHUNK) if end is End.NEWEST else 0
        taken = self._fitting(queue, start, fits)
        for first, behind in ranges_of([entry.seq for entry in taken]):
            queue.take(first, behind)
        return taken

    def _fitting(self, queue: Queue, start: int, fits: Fits) -> list[Entry]:
        taken: list[Entry] = []
        for first, behind in list(queue.free_runs(start, queue.durable)):
            for entry in self._reader.entries(queue, first, behind):
                far = bool(taken) and entry.seq - taken[0].seq >= layout.MAX_SPAN
                if far or not fits(entry):
                    return taken
                taken.append(entry)
        return taken

    def read(self, destination: str, seqs: Sequence[int]) -> Sequence[Entry]:
        queue = self._state.queues[destination]
        if not self.healthy:
            raise JournalUnavailable
        return [
            entry
            for start, end in ranges_of(sorted(seqs))
            for entry in self._reader.entries(queue, start, end)
        ]

    def give_back(self, destination: str, seqs: Sequence[int]) -> None:
        queue = self._state.queues[destination]
        for start, end in ranges_of(sorted(seqs)):
            queue.give_back(start, end)
        self._tell(destination)

    async def settle(
        self,
        destination: str,
        attempt: Attempt | None,
        settlements: Sequence[Settlement],
        covers: Sequence[int] = (),
    ) -> None:
        """See `protocol.Outlet.settle`. Waits out a journal that cannot store."""
        job = SettleJob(destination, attempt, settlements, covers)
        self._settler.check(job)
        while True:
            await self._healthy.wait()
            try:
                await self._commit.submit(job)
            except JournalUnavailable:
                if self._closing:
                    raise
                job.again = True
                continue
            return

    # --- the group that is committed --------------------------------------------------------------

    def write(self, jobs: Sequence[object]) -> Sequence[object]:
        """For `GroupCommit`: all jobs as one atomic write, not yet durable."""
        batch = self._folder.batch()
        now = self._clock.now()
        appends = [job for job in jobs if isinstance(job, AppendJob)]
        answers = iter(self._appender.write(appends, batch, now) if appends else ())
        results: list[object] = []
        for job in jobs:
            if isinstance(job, AppendJob):
                results.append(next(answers))
            elif isinstance(job, SettleJob):
                self._settler.write(job, batch, now)
                results.append(None)
            elif isinstance(job, EraseJob):
                results.append(self._eraser.write(job, batch, now))
            elif isinstance(job, LostJob):
                self._settler.write_lost(job, batch, now)
                results.append(None)
        self._folder.write(batch)
        self._written = {name: queue.next_seq for name, queue in self._state.queues.items()}
        return results

    def sync(self) -> None:
        """For `GroupCommit`."""
        self._folder.sync()

    def synced(self) -> None:
        """For `GroupCommit`: what was written is durable; hand it out."""
        for destination, durable in self._written.items():
            queue = self._state.queues[destination]
            if queue.durable != durable:
                queue.durable = durable
                self._tell(destination)

    def _tell(self, destination: str) -> None:
        if destination in self._news:
            self._news[destination].set()

    def _entries_lost(self, queue: Queue, start: int, end: int) -> None:
        """Entries that cannot be read: pass them by now, book them with the next group."""
        self._on_damage(end - start)
        queue.take(start, end)
        with contextlib.suppress(JournalUnavailable):
            future = self._commit.submit(LostJob(queue.destination, start, end))
            self._lost_jobs.add(future)
            future.add_done_callback(self._lost_booked)

    def _lost_booked(self, future: asyncio.Future[None]) -> None:
        self._lost_jobs.discard(future)
        if not future.cancelled():
            future.exception()  # told to `on_failure` already; the reader will meet them again

    # --- failure and recovery ---------------------------------------------------------------------

    def _failed(self, error: Exception) -> None:
        self._healthy.clear()
        self._on_failure(error)
        if not self._closing and (self._recovery is None or self._recovery.done()):
            self._recovery = asyncio.get_running_loop().create_task(self._recover())

    async def _recover(self) -> None:
        """Close and open the folder again until it works.

        After a failed sync the kernel may have dropped what was written, so memory is not
        trusted: opening reads the log back from disk and writes it out anew, and the state is
        rebuilt from that.
        """
        pauses = iter(REOPEN_PAUSES_S)
        pause = 0.0
        while True:
            pause = next(pauses, pause)
            await self._clock.sleep(pause)
            try:
                await asyncio.to_thread(self._reopen)
            except JournalError as error:
                self._on_failure(error)
                continue
            self._checked_at = -1e9
            self._healthy.set()
            self._commit.restart()
            for destination in list(self._news):
                self._tell(destination)
            return

    def _reopen(self) -> None:
        with contextlib.suppress(Exception):
            self._folder.close()
        gc.collect()  # whatever still refers to the old database keeps its lock
        folder = Folder(self.settings.path, min_free_bytes=self.settings.min_free_bytes)
        try:
            folder.check()
        except JournalUnavailable:
            folder.close()
            raise
        self._folder = folder
        self._reader.forget()
        self._state.load(folder)
        if folder.quarantined:
            self._on_damage(folder.quarantined)

    # --- for people -------------------------------------------------------------------------------

    @property
    def records(self) -> Search:
        """Traces and dead letters."""
        return self._search

    async def erase(self, digests: Sequence[str]) -> int:
        """Forget a person; returns how many chunks lost a body. See `erase`."""
        erased: int = await self._commit.submit(EraseJob(digests))
        return erased

    def upkeep(self) -> bool:
        """Forget what is past its time, one small step; True when there is more to do at once."""
        if not self.healthy:
            return False
        settings = self.settings
        keep = Keep(
            settings.longest_window_s,
            settings.retention_s,
            settings.ledger_retention_s,
        )
        return upkeep(self._state, keep, self._clock.now())

    def counts(self) -> Mapping[str, Counts]:
        return {
            name: Counts(queue.accepted, queue.settled_count, queue.waiting)
            for name, queue in self._state.queues.items()
        }
