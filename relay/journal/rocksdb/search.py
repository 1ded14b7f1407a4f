"""Finding: what came, what was sent, every answer. Works on an open journal or a read-only one.

Everything here reads the disk, which may take some hundred milliseconds: beside an event loop it
belongs into a thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from rocksdict import Rdict

from relay.journal import chunk, door, fingerprint, layout
from relay.journal.queue import Queue
from relay.journal.rocksdb import attempt_rows
from relay.journal.rocksdb.books import Books
from relay.journal.rocksdb.folder import LOG
from relay.journal.rocksdb.letters import Letters
from relay.journal.rocksdb.reader import Reader
from relay.journal.rocksdb.scan import pass_by, row_at_or_before, rows
from relay.journal.rocksdb.state import State
from relay.journal.rocksdb.trouble import Damaged
from relay.model import Attempt, DeadLetter, Entry, FieldIssue, Outcome, Reason, Trace

#: More traces than this are of no use to a person who looks for one.
MOST_TRACES = 100

_DIGEST_LENGTH = 64


class Place(NamedTuple):
    """Where a token may occur: an entry (`b"e"`) or a door record (`b"d"`), by seq."""

    queue: Queue
    day: str
    kind: bytes
    seq: int


class Search:
    """Answers from the records within `retention`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._letters = Letters(state)
        #: Sums, samples and notes.
        self.books = Books(state)

    # --- by id ------------------------------------------------------------------------------------

    def find(self, token: str, *, limit: int = MOST_TRACES) -> Sequence[Trace]:
        """Traces by receipt, event id, order id or digest (64 hex): the newest ones, oldest first.

        Raises `JournalUnavailable` when the folder cannot be read.
        """
        found: list[Trace] = []
        reader = Reader(self._state)
        # Entries first: a flood of duplicates must not hide the one that was delivered.
        places = sorted(
            self.places(token),
            key=lambda place: (place.kind == b"e", place.day, place.seq),
            reverse=True,
        )
        for place in places:
            if len(found) >= limit:
                break
            if place.kind == b"e":
                found += self._entry(reader, place, token)
            else:
                found += self._settled_at_door(place, token)
        found.reverse()  # what came in one moment stays in its order
        return sorted(found, key=lambda trace: trace.accepted_at)

    def places(self, token: str) -> Iterator[Place]:
        """Where the fingerprint of the token occurs, maybe by chance."""
        for queue in list(self._state.queues.values()):
            for day in self._state.folder.days(LOG):
                for kind in (b"e", b"d"):
                    for seq in self._seqs(queue.number, day, kind, token):
                        yield Place(queue, day, kind, seq)

    def entries(self, seqs: Mapping[str, Iterable[int]]) -> Iterator[Entry]:
        """Those of some seqs by destination that can be read."""
        reader = Reader(self._state)
        for destination, wanted in seqs.items():
            queue = self._state.queues[destination]
            for seq in sorted(wanted):
                with suppress(Damaged):
                    yield from reader.entries(queue, seq, seq + 1)

    def _seqs(self, lane: int, day: str, kind: bytes, token: str) -> set[int]:
        """Single rows before folded ones: a row that is folded meanwhile is met twice, never not
        at all. Where fingerprints are damaged, the records themselves are looked through."""
        family = self._state.folder.family(LOG + day)
        wanted = fingerprint.of(token.encode(errors="replace"))
        damages: list[bytes] = []
        found: set[int] = set()
        start = layout.index_key(lane, kind, 0)
        stop = layout.index_key(lane, kind, 2**64 - 1)
        for key, row in rows(family, start, stop, lambda last, behind: damages.append(last)):
            first = layout.index_seq(key)
            found.update([first + offset for offset in fingerprint.find(row, wanted)])
        start = layout.index_key(lane, kind, 0, family=b"I")
        stop = layout.index_key(lane, kind, 2**64 - 1, family=b"I")
        for _, row in rows(family, start, stop, lambda last, behind: damages.append(last)):
            found.update(fingerprint.find_folded(row, wanted))
        return found | _seqs_in_records(family, lane, kind, token) if damages else found

    def _entry(self, reader: Reader, place: Place, token: str) -> list[Trace]:
        try:
            entries = list(reader.entries(place.queue, place.seq, place.seq + 1))
        except Damaged:
            return []
        return [self.trace(place.queue, entry) for entry in entries if _is_about(entry, token)]

    def _settled_at_door(self, place: Place, token: str) -> list[Trace]:
        lane = place.queue.number
        prefix, key = layout.lane_key(b"d", lane), layout.row_key(b"d", lane, place.seq)
        family = self._state.folder.family(LOG + place.day)
        row = row_at_or_before(family, key, prefix, layout.MAX_DOOR_RECORDS)
        if row is None:
            return []
        at, records = door.unpack(row[1])
        offset = place.seq - layout.row_seq(row[0])
        if offset >= len(records):
            return []
        record = records[offset]
        known_by = (record.receipt, record.event_id, record.order_id)
        return [_door_trace(place.queue, at, record)] if token in known_by else []

    def trace(self, queue: Queue, entry: Entry) -> Trace:
        """One entry's story."""
        attempts: dict[str, Attempt] = {}
        outcome = reason = settled_at = None
        for record in attempt_rows.near(self._state.folder, queue, entry.seq):
            if record.attempt is not None and record.carried(entry.seq):
                attempts[record.attempt.attempt_id] = record.attempt
            ended = record.end_of(entry.seq)
            if ended is not None:
                outcome, reason, settled_at = ended.outcome, ended.reason, record.at
        return Trace(
            entry.receipt, entry.source, queue.destination, entry.accepted_at, entry.name,
            entry.event_id, entry.order_id, entry.event_time, outcome, reason, (), settled_at,
            entry.body, sorted(attempts.values(), key=lambda attempt: attempt.started_at),
        )  # fmt: skip

    # --- dead letters -----------------------------------------------------------------------------

    def dead_letters(
        self, destination: str | None = None, *, behind: str = "", limit: int | None = None
    ) -> Iterator[DeadLetter]:
        """Dead letters, oldest first; those behind the letter `behind`, at most `limit`."""
        return self._letters.all(destination, behind=behind, limit=limit)

    def dead_letter(self, letter_id: str) -> DeadLetter | None:
        """One dead letter by its id, or None."""
        return self._letters.one(letter_id)


def _seqs_in_records(family: Rdict, lane: int, kind: bytes, token: str) -> set[int]:
    """Every record of the rows in which the token occurs."""
    found: set[int] = set()
    start, stop = layout.lane_key(kind, lane), layout.lane_key(kind, lane + 1)
    for key, value in rows(family, start, stop, pass_by):
        if token.encode(errors="replace") in value:
            first = layout.row_seq(key)
            size = chunk.count(value) if kind == b"e" else len(door.unpack(value)[1])
            found.update(range(first, first + size))
    return found


def _is_about(entry: Entry, token: str) -> bool:
    if token in (entry.receipt, entry.event_id, entry.order_id):
        return True
    return len(token) == _DIGEST_LENGTH and token.encode() in entry.body


def _door_trace(queue: Queue, at: float, record: door.DoorRecord) -> Trace:
    return Trace(
        record.receipt, record.source, queue.destination, at, record.name, record.event_id,
        record.order_id, record.event_time, Outcome(record.outcome), Reason(record.reason),
        [FieldIssue(field, why) for field, why in record.errors], at,
    )  # fmt: skip
