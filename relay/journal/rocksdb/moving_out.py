"""A folder's journal as rows, for `relay journal export`: read-only, in key order, so that an
unchanged journal makes the same rows again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby

from relay.errors import JournalUnavailable
from relay.journal import chunk, door, issues, layout, ledger
from relay.journal.attempts import AttemptRecord
from relay.journal.chunk import Chunk
from relay.journal.door import DoorRecord
from relay.journal.issues import IssueRow
from relay.journal.ledger import LedgerRow
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
from relay.journal.queue import Queue
from relay.journal.rocksdb import attempt_rows, identity
from relay.journal.rocksdb.append import NO_ENTRY
from relay.journal.rocksdb.folder import CLAIMS, LOG, META, Folder
from relay.journal.rocksdb.rebuild import account_is_sound
from relay.journal.rocksdb.scan import rows
from relay.journal.rocksdb.search import Search
from relay.journal.rocksdb.state import State
from relay.journal.rocksdb.trouble import Damaged
from relay.model import Attempt, DeadLetter, Entry, FieldIssue, Outcome, Reason

#: Entries whose attempts are read together; their reading is shared among so many.
_TOGETHER = 4096
_DAY_S = 86_400.0
_ERASED = b"{}"
_MEND = "start the relay on it once, which mends what can be mended, and stop it; then export anew"

#: An entry's place in a chunk: first seq, the chunk, and which of its entries are meant.
_Piece = tuple[int, Chunk, Sequence[int]]


class MovingOut:
    """All that a folder holds. Raises `JournalUnavailable` where it is damaged, with the mend."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._state = State(folder)
        self._queues = sorted(self._state.queues.values(), key=lambda queue: queue.destination)
        self._by_lane = {queue.number: queue for queue in self._queues}
        self._erased = self._state.to_erase
        if not account_is_sound(folder):
            raise JournalUnavailable(f"the journal's account does not fit its logs: {_MEND}")

    @property
    def destinations(self) -> Sequence[str]:
        return [queue.destination for queue in self._queues]

    @property
    def journals(self) -> Sequence[str]:
        """Its own name first, then those that were moved into it."""
        return identity.journals_of(self._folder)

    @property
    def salt(self) -> bytes | None:
        return self._folder.get(META, b"salt")

    @property
    def arrivals(self) -> int:
        """About so many arrivals there are, most of the rows."""
        return sum([queue.next_seq + queue.next_door - _gone(queue) for queue in self._queues])

    def rows(self) -> Iterator[Row]:
        """Claims first, then what waits: from then on a repeat is told, wherever it comes."""
        try:
            yield from self._rows()
        except Damaged as error:
            raise JournalUnavailable(f"{error}; {_MEND}") from error

    def _rows(self) -> Iterator[Row]:
        yield from self._claims()
        for queue in self._queues:
            yield from self._waiting(queue)
        yield from self._letters()
        yield from self._books()
        for queue in self._queues:
            yield from self._settled(queue)
            yield from self._at_door(queue)
        for queue in self._queues:
            yield Total(queue.destination, queue.settled_count + len(self._withheld(queue)))

    # --- claims -----------------------------------------------------------------------------------

    def _claims(self) -> Iterator[Row]:
        for day in self._folder.days(CLAIMS):
            over = layout.day_start(day) + _DAY_S
            for key, value in self._read(CLAIMS + day, layout.FIRST, layout.BEHIND_ALL):
                if key.startswith(layout.REMEMBERED):
                    yield Remembered(key[len(layout.REMEMBERED) :], value, over)
                    continue
                queue = self._by_lane.get(int.from_bytes(key[:2], "big"))
                claim = layout.unpack_claim(value)
                if queue is not None and not self._waits(queue, claim.seq):
                    yield Claim(queue.destination, key[2:], claim.tag, claim.at)

    @staticmethod
    def _waits(queue: Queue, seq: int) -> bool:
        """The claim of an entry that waits moves with the entry."""
        return seq != NO_ENTRY and seq < queue.next_seq and seq not in queue.settled

    # --- arrivals ---------------------------------------------------------------------------------

    def _waiting(self, queue: Queue) -> Iterator[Row]:
        count = 0
        for moved in self._entries(queue, settled=False):
            count += 1
            yield moved
        if count != queue.waiting:
            raise JournalUnavailable(
                f"{queue.waiting - count} events that wait for {queue.destination} cannot be read: "
                f"{_MEND}"
            )
        yield from self._withheld_sums(queue)

    def _settled(self, queue: Queue) -> Iterator[Row]:
        return self._entries(queue, settled=True)

    def _entries(self, queue: Queue, *, settled: bool) -> Iterator[Moved]:
        for day in self._folder.days(LOG):
            group: list[_Piece] = []
            for key, value in self._read(LOG + day, *_all(b"e", queue)):
                first = layout.row_seq(key)
                behind = first + chunk.count(value)
                wanted = [seq for seq in range(first, behind)
                          if (seq in queue.settled) is settled]  # fmt: skip
                if not wanted:
                    continue
                if group and behind - group[0][0] > _TOGETHER:
                    yield from self._told(queue, day, group)
                    group = []
                group.append((first, _unpacked(queue, value), wanted))
            if group:
                yield from self._told(queue, day, group)

    def _told(self, queue: Queue, day: str, group: Sequence[_Piece]) -> Iterator[Moved]:
        seqs = group[0][0], group[-1][0] + group[-1][1].size
        stories = _Stories(seqs, attempt_rows.of_range(self._folder, queue, seqs, day))
        for first, stored, wanted in group:
            entries = stored.entries(first)
            for seq in wanted:
                entry = entries[seq - first]
                yield self._moved(queue, entry, stored.claim(seq - first), stories)

    def _moved(self, queue: Queue, entry: Entry, claim: bytes, stories: _Stories) -> Moved:
        outcome, reason, settled_at = stories.ends.get(entry.seq, (None, None, None))
        body = entry.body
        if (queue.number, entry.seq) in self._erased:
            body = _ERASED
            if outcome is None:
                outcome, reason = Outcome.WITHHELD, Reason.ERASED
        if outcome is None and entry.seq in queue.settled:
            outcome, reason = Outcome.INVALID, Reason.DAMAGED  # the record of its end is lost
        if outcome is not None and settled_at is None:
            settled_at = entry.accepted_at
        attempts = sorted(stories.attempts[entry.seq].values(), key=lambda each: each.started_at)
        unknown = [attempt.started_at for attempt in attempts if attempt.unknown]
        return Moved(
            queue.destination, entry.receipt, entry.source, entry.accepted_at, entry.name,
            entry.event_id, entry.order_id, entry.event_time, entry.test_event_code, entry.value,
            entry.currency, entry.match_keys, claim, body, (), outcome, reason, settled_at,
            min(unknown, default=None), attempts,
        )  # fmt: skip

    def _at_door(self, queue: Queue) -> Iterator[Row]:
        for day in self._folder.days(LOG):
            for _, value in self._read(LOG + day, *_all(b"d", queue)):
                at, records = door.unpack(value)
                for record in records:
                    yield _door(queue, at, record)

    def _withheld(self, queue: Queue) -> Sequence[int]:
        """Entries that were to be erased when they come back: they are withheld by moving."""
        return [seq for lane, seq in self._erased
                if lane == queue.number and seq not in queue.settled]  # fmt: skip

    def _withheld_sums(self, queue: Queue) -> Iterator[Row]:
        gone = frozenset(self._withheld(queue))
        if not gone:
            return
        for day in self._folder.days(LOG):
            for key, value in self._read(LOG + day, *_all(b"e", queue)):
                entries = _unpacked(queue, value).entries(layout.row_seq(key))
                found = [entry for entry in entries if entry.seq in gone]
                for entry in found:
                    sums = ledger.sum_entries([entry], Reason.ERASED, entry.accepted_at)
                    for (hour, event), each in sums.items():
                        row = {Outcome.WITHHELD.value: each}
                        yield Ledger(hour, queue.destination, event, row)

    # --- letters and books ------------------------------------------------------------------------

    def _letters(self) -> Iterator[DeadLetter]:
        gone = [digest.encode() for digests in self._erased.values() for digest in digests]
        for letter in Search(self._state).dead_letters():
            if not any(digest in (letter.wire or b"") for digest in gone):
                yield letter

    def _books(self) -> Iterator[Row]:
        books = Search(self._state).books
        every = (None, 0, ledger.LAST_HOUR)
        for place, sums in groupby(books.sums(*every), _place_of):
            yield Ledger(*place, {row.outcome.value: row.sums for row in sums})
        for place, counted in groupby(books.issues(*every), _place_of):
            counts = {FieldIssue(row.field, row.reason): row.count for row in counted}
            yield Issues(*place, issues.Row(counts))
        for _, sample in books.samples(*every):
            yield sample
        for key, value in books.notes(""):
            yield Note(key, value)

    def _read(self, family: str, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        if family in self._folder.names:
            yield from rows(self._folder.family(family), start, stop)


class _Stories:
    """What became of the entries of a range: by seq their attempts, and their end."""

    def __init__(self, seqs: tuple[int, int], records: Iterator[AttemptRecord]) -> None:
        self.attempts: defaultdict[int, dict[str, Attempt]] = defaultdict(dict)
        self.ends: dict[int, tuple[Outcome, Reason, float]] = {}
        start, behind = seqs
        for record in records:
            for first, end, outcome, reason in record.ended:
                for seq in range(max(first, start), min(end, behind)):
                    self.ends[seq] = outcome, reason, record.at
            if record.attempt is not None:
                for first, end in record.covers:
                    for seq in range(max(first, start), min(end, behind)):
                        self.attempts[seq][record.attempt.attempt_id] = record.attempt


def _door(queue: Queue, at: float, record: DoorRecord) -> Moved:
    return Moved(
        queue.destination, record.receipt, record.source, at, record.name, record.event_id,
        record.order_id, record.event_time,
        errors=[FieldIssue(field, reason) for field, reason in record.errors],
        outcome=Outcome(record.outcome), reason=Reason(record.reason), settled_at=at,
    )  # fmt: skip


def _unpacked(queue: Queue, value: bytes) -> Chunk:
    try:
        return chunk.unpack(value)
    except ValueError:
        raise JournalUnavailable(f"events of {queue.destination} cannot be read: {_MEND}") from None


def _all(kind: bytes, queue: Queue) -> tuple[bytes, bytes]:
    return layout.lane_key(kind, queue.number), layout.lane_key(kind, queue.number + 1)


def _place_of(row: LedgerRow | IssueRow) -> tuple[int, str, str]:
    return row.hour, row.destination, row.event


def _gone(queue: Queue) -> int:
    """Arrivals whose logs are past their time."""
    return queue.days[0][0] + queue.days[0][1] if queue.days else 0
