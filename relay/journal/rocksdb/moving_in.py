"""A moved journal into a folder that no relay has open.

Each batch is one write, with how far the import is: cut off anywhere, it goes on from there.
Arrivals get seqs of this folder, and lie in the log of today: they are kept for another
`retention`. What the counters know and no row tells of, because it is past its time, is a range of
seqs that are settled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import singledispatchmethod
from pathlib import Path

from rocksdict import WriteBatch

from relay.clock import Clock
from relay.journal import layout, ledger, sample
from relay.journal.moving import standing as standings
from relay.journal.moving.framing import Header, Trailer
from relay.journal.moving.rows import Claim, Issues, Ledger, Moved, Note, Remembered, Row, Total
from relay.journal.moving.standing import Standing
from relay.journal.moving.target import refuse_repetition
from relay.journal.rocksdb import identity, notes, seal
from relay.journal.rocksdb.folder import CLAIMS, META, NOTES, SAMPLES
from relay.journal.rocksdb.letters import Letters
from relay.journal.rocksdb.lock import FolderLock
from relay.journal.rocksdb.moved_arrivals import MovedArrivals
from relay.journal.rocksdb.moved_claims import MovedClaims, Taking
from relay.journal.rocksdb.notes import NoteJob
from relay.journal.rocksdb.opening import open_folder
from relay.journal.rocksdb.scan import pass_by, rows
from relay.journal.rocksdb.state import State
from relay.journal.sample import Sample
from relay.model import DeadLetter


class FolderTarget:
    """Use as `async with FolderTarget(...)`; see `moving.target.Target`. `window_s` says how long a
    destination's claims last.

    Opening raises `JournalLocked`, `JournalSealed`, `JournalFormat` and `JournalUnavailable`.
    """

    def __init__(
        self, path: Path, min_free_bytes: int, clock: Clock, window_s: Callable[[str], float]
    ) -> None:
        self._path = path
        self._clock = clock
        self._window_s = window_s
        self._lock = FolderLock(path)
        try:
            seal.check(path, allowing=seal.Why.FILLING)
            self._folder = open_folder(path, create=True, min_free_bytes=min_free_bytes).folder
        except BaseException:
            self._lock.release()
            raise
        self._state = State(self._folder)
        self._key = b""
        self._destinations: Sequence[str] = ()
        self._standing = Standing()

    async def __aenter__(self) -> FolderTarget:
        return self

    async def __aexit__(self, *error: object) -> None:
        self._folder.close()
        self._lock.release()

    async def begin(self, header: Header, trailer: Trailer) -> Standing:
        """See `moving.target.Target`."""
        self._key = layout.import_key(trailer.contents)
        self._destinations = header.destinations
        known = self._folder.get(META, self._key)
        if known is not None:
            self._standing = standings.unpack(known)
            if self._standing.done:
                self._unseal()
            else:
                seal.put(self._path, self._clock.now(), seal.Why.FILLING)
            return self._standing.copy()
        refuse_repetition(header, identity.journals_of(self._folder))
        seal.put(self._path, self._clock.now(), seal.Why.FILLING)
        self._standing.journals = header.journals
        batch = self._folder.batch()
        if header.salt is not None and not self._has_samples():
            batch.put(b"salt", header.salt, self._folder.handle(META))
        elif header.salt is not None:
            self._standing.keeps_samples = False
        self._store(batch)
        return self._standing.copy()

    def _has_samples(self) -> bool:
        family = self._folder.family(SAMPLES)
        return next(rows(family, layout.FIRST, layout.BEHIND_ALL, pass_by), None) is not None

    async def take(self, rows: Sequence[Row]) -> None:
        """See `moving.target.Target`."""
        self._folder.check()
        batch = self._folder.batch()
        now = self._clock.now()
        self._state.open_day(now, batch)
        taking = Taking(self._state, batch, now, self._window_s)
        claims = MovedClaims(taking, self._destinations, rows)
        _Rows(taking, claims, self._standing, self._key).take(rows)
        self._standing.rows += len(rows)
        self._store(batch)
        for queue in self._state.queues.values():
            queue.is_durable()

    def _store(self, batch: WriteBatch) -> None:
        batch.put(self._key, self._standing.pack(), self._folder.handle(META))
        self._folder.write(batch)
        self._folder.sync()

    async def finish(self) -> Standing:
        """See `moving.target.Target`."""
        self._standing.done = True
        self._store(self._folder.batch())
        self._unseal()
        return self._standing.copy()

    def _unseal(self) -> None:
        """Relays may open the folder once no import into it is unfinished."""
        if all(each.done for each in identity.imports_of(self._folder)):
            seal.lift(self._path)


class _Rows:
    """Rows on their way into one write; `contents` names the file that they are of."""

    def __init__(
        self, taking: Taking, claims: MovedClaims, standing: Standing, contents: bytes
    ) -> None:
        self._taking = taking
        self._state = taking.state
        self._folder = taking.state.folder
        self._batch = taking.batch
        self._claims = claims
        self._standing = standing
        self._contents = contents
        self._place = standing.rows

    def take(self, rows: Sequence[Row]) -> None:
        # What waits first: servers tell its claim among the others, and that is not another's.
        arrivals = MovedArrivals(self._taking, self._claims, self._standing)
        arrivals.take([row for row in rows if isinstance(row, Moved)])
        for place, row in enumerate(rows, self._standing.rows):
            self._place = place
            if not isinstance(row, Moved):
                self._put(row)
        for row in rows:
            if isinstance(row, Total):
                arrivals.forgotten(row)
        self._state.store_ledger(self._batch)
        arrivals.store_queues()

    @singledispatchmethod
    def _put(self, row: Row) -> None:
        """What has a place of its own."""

    @_put.register
    def _(self, row: Claim) -> None:
        self._standing.found["claims"] += self._claims.take(row)

    @_put.register
    def _(self, row: Remembered) -> None:
        name = CLAIMS + self._taking.day_of(row.at - 0.001)  # a day's end is that day's
        key = layout.REMEMBERED + row.key
        self._folder.create(name)
        if self._folder.get(name, key) is None:
            self._batch.put(key, row.value, self._folder.handle(name))
        self._standing.found["remembered"] += 1

    @_put.register
    def _(self, row: DeadLetter) -> None:
        Letters(self._state).receive(self._taking.queue(row.destination), row, self._batch)
        self._standing.found["dead_letters"] += 1

    @_put.register
    def _(self, row: Ledger) -> None:
        queue = self._taking.queue(row.destination)
        for outcome, sums in row.sums.items():
            self._state.book(queue, row.hour, row.event, outcome, sums)

    @_put.register
    def _(self, row: Issues) -> None:
        queue = self._taking.queue(row.destination)
        self._state.book_issues(queue, row.hour, row.event, row.counts)

    @_put.register
    def _(self, row: Sample) -> None:
        if not self._standing.keeps_samples:
            self._standing.found["samples_left_out"] += 1
            return
        self._standing.found["samples"] += 1
        lane = self._taking.queue(row.destination).number
        seq = layout.received_seq(f"{self._contents.decode()}/{self._place}")
        key = layout.sample_key(ledger.hour_of(row.event_time), lane, seq)
        self._batch.put(key, sample.pack(row), self._folder.handle(SAMPLES))

    @_put.register
    def _(self, row: Note) -> None:
        if self._folder.get(NOTES, row.key.encode()) is None:
            notes.write(self._folder, NoteJob(row.key, row.value), self._batch)
        self._standing.found["notes"] += 1
