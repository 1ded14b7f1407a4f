"""A moved journal into a folder that no relay has open.

Each batch is one write, with how far the import is: cut off anywhere, it goes on from there.
Arrivals get seqs of this folder, and lie in the log of today: they are kept for another
`retention`. What the counters know and no row tells of, because it is past its time, is a range of
seqs that are settled.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import singledispatchmethod
from itertools import groupby
from pathlib import Path

from rocksdict import WriteBatch

from relay.clock import Clock
from relay.journal import attempts, chunk, door, fingerprint, layout, ledger, sample
from relay.journal.attempts import AttemptRecord, Ended
from relay.journal.chunk import Chunk
from relay.journal.door import DoorRecord
from relay.journal.intervals import ranges_of
from relay.journal.moving import standing as standings
from relay.journal.moving.framing import Header, Trailer
from relay.journal.moving.rows import (
    Claim,
    Issues,
    Ledger,
    Moved,
    Note,
    Remembered,
    Row,
    Total,
)
from relay.journal.moving.standing import Standing
from relay.journal.moving.target import refuse_repetition
from relay.journal.moving.tokens import tokens_of
from relay.journal.queue import Queue
from relay.journal.receipts import may_come_again
from relay.journal.rocksdb import claims, identity, notes, seal
from relay.journal.rocksdb.append import NO_ENTRY
from relay.journal.rocksdb.folder import CLAIMS, LOG, META, NOTES, SAMPLES, Folder
from relay.journal.rocksdb.letters import Letters
from relay.journal.rocksdb.lock import FolderLock
from relay.journal.rocksdb.notes import NoteJob
from relay.journal.rocksdb.opening import open_folder
from relay.journal.rocksdb.scan import pass_by, rows
from relay.journal.rocksdb.state import State
from relay.journal.sample import Sample
from relay.model import Attempt, DeadLetter, Outcome, Reason

_DAY_S = 86_400.0

#: Entries of one moment and destination, and whether they wait.
_Kind = tuple[str, float, bool]


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
            self._unseal()
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
        taking = _Batch(self._state, batch, now, self._standing, self._window_s)
        taking.contents = self._key
        taking.destinations = self._destinations
        taking.take(rows)
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


class _Batch:
    """Rows on their way into one write."""

    def __init__(
        self,
        state: State,
        batch: WriteBatch,
        now: float,
        standing: Standing,
        window_s: Callable[[str], float],
    ) -> None:
        self._state = state
        self._folder: Folder = state.folder
        self._batch = batch
        self._now = now
        self._standing = standing
        self._window_s = window_s
        self._owners: dict[bytes, bytes] = {}
        self._touched: dict[str, Queue] = {}
        self.contents = b""
        self.destinations: Sequence[str] = ()
        self._place = standing.rows

    def take(self, rows: Sequence[Row]) -> None:
        self._look_up(rows)
        # What waits first: servers tell its claim among the others, and that is not another's.
        self._arrivals([row for row in rows if isinstance(row, Moved)])
        for place, row in enumerate(rows, self._standing.rows):
            self._place = place
            if not isinstance(row, Moved):
                self._put(row)
        for row in rows:
            if isinstance(row, Total):
                self._total(row)
        self._state.store_ledger(self._batch)
        for queue in self._touched.values():
            self._state.store_settled(queue, self._batch)
            self._state.store_counters(queue, self._batch)

    def _queue(self, destination: str) -> Queue:
        return self._state.queue(destination, self._batch)

    # --- claims -----------------------------------------------------------------------------------

    def _look_up(self, rows: Sequence[Row]) -> None:
        """All claims that these rows could meet."""
        keys: list[bytes] = []
        for row in rows:
            if isinstance(row, Claim):
                keys += self._keys(row)
            elif isinstance(row, Moved) and row.outcome is None and row.claim is not None:
                lane = self._queue(row.destination).number
                keys.append(layout.claim_key(lane, row.claim))
                keys.append(layout.receipt_claim_key(lane, row.receipt))
        found = claims.lookup(self._folder, keys)
        self._owners = {key: value for key, value in zip(keys, found, strict=True) if value}

    def _keys(self, claim: Claim) -> list[bytes]:
        """Where the destination is mixed into the claim, it is set down for each: for any other
        one it is a number that no event ever has."""
        names = self.destinations if claim.destination is None else (claim.destination,)
        return [
            layout.claim_key(
                self._queue(name).number,
                claim.claim if claim.destination else layout.mixed_claim(name, claim.claim),
            )
            for name in names
        ]

    def _owned_by_another(self, key: bytes, tag: tuple[int, int], destination: str) -> bool:
        owner = self._owners.get(key)
        if owner is None:
            return False
        claim = layout.unpack_claim(owner)
        return claim.tag != tag and self._now - claim.at < self._window_s(destination)

    def _claim(self, key: bytes, claim: layout.Claim, day: str) -> None:
        packed = layout.pack_claim(*claim)
        self._owners[key] = packed
        self._folder.create(CLAIMS + day)
        self._batch.put(key, packed, self._folder.handle(CLAIMS + day))

    def _day_of(self, at: float) -> str:
        return min(layout.day_name(at), self._state.today)

    # --- what is no arrival -----------------------------------------------------------------------

    @singledispatchmethod
    def _put(self, row: Row) -> None:
        """What has a place of its own."""

    @_put.register
    def _(self, row: Claim) -> None:
        longest_s = max(map(self._window_s, self.destinations), default=0.0)
        if row.at < self._now - longest_s - _DAY_S:
            return
        self._standing.found["claims"] += 1
        for key in self._keys(row):
            owner = self._owners.get(key)
            known = None if owner is None else layout.unpack_claim(owner)
            if known is None or (known.tag != row.tag and known.at < row.at - longest_s):
                self._claim(key, layout.Claim(NO_ENTRY, row.at, row.tag), self._day_of(row.at))

    @_put.register
    def _(self, row: Remembered) -> None:
        name = CLAIMS + self._day_of(row.at - 0.001)  # a day's end is that day's
        key = layout.REMEMBERED + row.key
        self._folder.create(name)
        if self._folder.get(name, key) is None:
            self._batch.put(key, row.value, self._folder.handle(name))
        self._standing.found["remembered"] += 1

    @_put.register
    def _(self, row: DeadLetter) -> None:
        Letters(self._state).receive(self._queue(row.destination), row, self._batch)
        self._standing.found["dead_letters"] += 1

    @_put.register
    def _(self, row: Ledger) -> None:
        queue = self._queue(row.destination)
        for outcome, sums in row.sums.items():
            self._state.book(queue, row.hour, row.event, outcome, sums)

    @_put.register
    def _(self, row: Issues) -> None:
        queue = self._queue(row.destination)
        self._state.book_issues(queue, row.hour, row.event, row.counts)

    @_put.register
    def _(self, row: Sample) -> None:
        if not self._standing.keeps_samples:
            self._standing.found["samples_left_out"] += 1
            return
        self._standing.found["samples"] += 1
        lane = self._queue(row.destination).number
        seq = layout.received_seq(f"{self.contents.decode()}/{self._place}")
        key = layout.sample_key(ledger.hour_of(row.event_time), lane, seq)
        self._batch.put(key, sample.pack(row), self._folder.handle(SAMPLES))

    @_put.register
    def _(self, row: Note) -> None:
        if self._folder.get(NOTES, row.key.encode()) is None:
            notes.write(self._folder, NoteJob(row.key, row.value), self._batch)
        self._standing.found["notes"] += 1

    def _total(self, row: Total) -> None:
        queue = self._queue(row.destination)
        count = self._standing.forgotten(row)
        self._standing.settled[row.destination] += count
        if not count:
            return
        self._touch(queue)
        start = queue.next_seq
        queue.appended(self._now, count, 0)
        queue.settle([(start, start + count)], 0)
        # The account is made anew of such records after damage; nothing is found by this one.
        ended = Ended(start, start + count, Outcome.DELIVERED, Reason.ACCEPTED)
        record = AttemptRecord(self._now, None, [(start, start + count)], [ended])
        self._record(queue, start, b"forgotten", record)

    # --- arrivals ---------------------------------------------------------------------------------

    def _arrivals(self, moved: Sequence[Moved]) -> None:
        entries: list[Moved] = []
        doors: defaultdict[tuple[str, float], list[Moved]] = defaultdict(list)
        for each in moved:
            if each.outcome is not None:
                self._standing.ended(each)
            row = self._claimed(each) if each.outcome is None else each
            if row is None:
                continue
            if row.ended_at_door:
                doors[row.destination, row.accepted_at].append(row)
            else:
                entries.append(row)
        for (destination, at), ended in doors.items():
            self._at_door(self._queue(destination), at, ended)
        for kind, group in groupby(entries, _kind_of):
            self._entries(kind, list(group))

    def _claimed(self, row: Moved) -> Moved | None:
        """The arrival as it goes on: waiting, a duplicate, or (None) known."""
        if row.claim is None:
            return None
        queue = self._queue(row.destination)
        tag = layout.receipt_tag(row.receipt.encode())
        key = layout.claim_key(queue.number, row.claim)
        own = layout.receipt_claim_key(queue.number, row.receipt)
        owner = self._owners.get(key)
        if own in self._owners or (owner and layout.unpack_claim(owner).tag == tag):
            self._standing.found["known"] += 1
            return None
        if not self._owned_by_another(key, tag, row.destination):
            self._owners[key] = layout.pack_claim(NO_ENTRY, row.accepted_at, tag)
            self._standing.found["waiting"] += 1
            return row
        self._standing.found["duplicates"] += 1
        if may_come_again(row.receipt):
            self._claim(own, layout.Claim(NO_ENTRY, self._now, tag), self._state.today)
        at = ledger.hour_of(self._now if row.event_time is None else row.event_time)
        is_test = row.test_event_code is not None
        sums = ledger.sum_at_door([(Reason.SAME_EVENT.value, is_test)])
        self._state.book(queue, at, row.event or "", Outcome.DUPLICATE.value, sums)
        return row._replace(
            outcome=Outcome.DUPLICATE, reason=Reason.SAME_EVENT, settled_at=self._now
        )

    def _touch(self, queue: Queue) -> None:
        self._state.mark_day(queue, self._batch)
        self._touched[queue.destination] = queue

    def _at_door(self, queue: Queue, at: float, moved: Sequence[Moved]) -> None:
        self._touch(queue)
        log = self._folder.handle(LOG + self._state.today)
        for start in range(0, len(moved), layout.MAX_DOOR_RECORDS):
            part = moved[start : start + layout.MAX_DOOR_RECORDS]
            records = [_record_of(row) for row in part]
            first = queue.next_door
            self._batch.put(layout.row_key(b"d", queue.number, first), door.pack(at, records), log)
            tokens = [record.tokens for record in records]
            self._index(queue, b"d", first, part, tokens)
            queue.settled_at_door(len(records))

    def _entries(self, kind: _Kind, moved: Sequence[Moved]) -> None:
        destination, at, waits = kind
        queue = self._queue(destination)
        self._touch(queue)
        sizes = [len(row.body or b"") for row in moved]
        for start, end in chunk.portions(sizes):
            part = moved[start:end]
            first = queue.next_seq
            self._chunk(queue, at, part)
            if waits:
                self._claim_entries(queue, first, part)
            else:
                queue.settle([(first, first + len(part))], sum(sizes[start:end]))
            self._stories(queue, first, part)

    def _chunk(self, queue: Queue, at: float, moved: Sequence[Moved]) -> None:
        log = self._folder.handle(LOG + self._state.today)
        first = queue.next_seq
        stored = _chunk_of(at, moved)
        self._batch.put(layout.row_key(b"e", queue.number, first), chunk.pack(stored), log)
        tokens = [tokens_of(row.event_id, row.order_id, row.body) for row in moved]
        self._index(queue, b"e", first, moved, tokens)
        queue.appended(at, stored.size, stored.size_bytes)

    def _index(
        self,
        queue: Queue,
        kind: bytes,
        first: int,
        moved: Sequence[Moved],
        tokens: Sequence[Sequence[bytes]],
    ) -> None:
        prints = [layout.receipt_tag(row.receipt.encode())[0] for row in moved]
        log = self._folder.handle(LOG + self._state.today)
        key = layout.index_key(queue.number, kind, first)
        self._batch.put(key, fingerprint.row(prints, tokens), log)

    def _claim_entries(self, queue: Queue, first: int, moved: Sequence[Moved]) -> None:
        for seq, row in enumerate(moved, first):
            if row.claim is not None:
                tag = layout.receipt_tag(row.receipt.encode())
                key = layout.claim_key(queue.number, row.claim)
                self._claim(key, layout.Claim(seq, row.accepted_at, tag), self._state.today)

    # --- stories ----------------------------------------------------------------------------------

    def _stories(self, queue: Queue, first: int, moved: Sequence[Moved]) -> None:
        """Attempts and ends of entries whose seqs begin at `first`."""
        made: dict[str, tuple[Attempt, list[int]]] = {}
        ends: defaultdict[float, list[Ended]] = defaultdict(list)
        for seq, row in enumerate(moved, first):
            for attempt in _attempts_of(row):
                made.setdefault(attempt.attempt_id, (attempt, []))[1].append(seq)
            if row.outcome is not None and row.reason is not None:
                _extend(ends[row.settled_at or row.accepted_at], seq, row.outcome, row.reason)
        for name, (attempt, seqs) in made.items():
            record = AttemptRecord(attempt.started_at, attempt, ranges_of(seqs), ())
            self._record(queue, seqs[0], name.encode(), record)
        for at, ended in ends.items():
            record = AttemptRecord(at, None, [(each.start, each.end) for each in ended], ended)
            self._record(queue, ended[0].start, b"ended", record)

    def _record(self, queue: Queue, first: int, name: bytes, record: AttemptRecord) -> None:
        log = self._folder.handle(LOG + self._state.today)
        key = layout.row_key(b"a", queue.number, first) + name
        self._batch.put(key, attempts.pack(record), log)


def _kind_of(row: Moved) -> _Kind:
    return row.destination, row.accepted_at, row.outcome is None


def _extend(ended: list[Ended], seq: int, outcome: Outcome, reason: Reason) -> None:
    """Add an end, to the last one where it goes on."""
    if ended and ended[-1][1:] == (seq, outcome, reason):
        ended[-1] = ended[-1]._replace(end=seq + 1)
    else:
        ended.append(Ended(seq, seq + 1, outcome, reason))


def _attempts_of(row: Moved) -> Iterator[Attempt]:
    """Its attempts; one is made up where it is only known that TikTok may have it since then."""
    yield from row.attempts
    since = row.unknown_since
    if since is not None and not any(
        each.unknown and each.started_at <= since for each in row.attempts
    ):
        yield Attempt(
            f"{int(since * 1000):013d}-moved", row.destination, 1, since, 0.0, 1,
            len(row.body or b""), "retry", error="its answer was not read", unknown=True,
        )  # fmt: skip


def _record_of(row: Moved) -> DoorRecord:
    return DoorRecord(
        row.receipt, row.source, row.event, row.event_id, row.order_id, row.event_time,
        str(row.outcome), str(row.reason), [list(error) for error in row.errors],
    )  # fmt: skip


def _chunk_of(at: float, moved: Sequence[Moved]) -> Chunk:
    columns = [
        (
            row.receipt, row.source, row.event or "", row.event_id or "", row.event_time or 0,
            row.order_id, row.test_event_code, row.value, row.currency, row.match_keys,
            row.body or b"",
        )
        for row in moved
    ]  # fmt: skip
    owned = b"".join([row.claim or bytes(chunk.CLAIM_BYTES) for row in moved])
    return Chunk(at, list(zip(*columns, strict=True)), owned)
