"""Arrivals of another journal on their way into a folder, with their stories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby

from relay.journal import attempts, chunk, door, fingerprint, layout, ledger
from relay.journal.attempts import AttemptRecord, Ended
from relay.journal.chunk import Chunk
from relay.journal.door import DoorRecord
from relay.journal.intervals import ranges_of
from relay.journal.moving.rows import Moved, Total
from relay.journal.moving.standing import Standing
from relay.journal.moving.tokens import tokens_of
from relay.journal.queue import Queue
from relay.journal.receipts import may_come_again
from relay.journal.rocksdb.append import NO_ENTRY
from relay.journal.rocksdb.folder import LOG
from relay.journal.rocksdb.moved_claims import MovedClaims, Taking
from relay.model import Attempt, Outcome, Reason

#: Entries of one moment and destination, and whether they wait.
_Kind = tuple[str, float, bool]


class MovedArrivals:
    """Puts arrivals into a write, and counts them in `standing`."""

    def __init__(self, taking: Taking, claims: MovedClaims, standing: Standing) -> None:
        self._taking = taking
        self._state = taking.state
        self._folder = taking.state.folder
        self._batch = taking.batch
        self._claims = claims
        self._standing = standing
        self._touched: dict[str, Queue] = {}

    def store_queues(self) -> None:
        """Counters and what is settled of the queues that took something."""
        for queue in self._touched.values():
            self._state.store_settled(queue, self._batch)
            self._state.store_counters(queue, self._batch)

    def forgotten(self, row: Total) -> None:
        """What the counters know and no row tells of, because it is past its time."""
        queue = self._taking.queue(row.destination)
        count = self._standing.forgotten(row)
        self._standing.settled[row.destination] += count
        if not count:
            return
        self._touch(queue)
        start = queue.next_seq
        queue.appended(self._taking.now, count, 0)
        queue.settle([(start, start + count)], 0)
        # The account is made anew of such records after damage; nothing is found by this one.
        ended = Ended(start, start + count, Outcome.DELIVERED, Reason.ACCEPTED)
        record = AttemptRecord(self._taking.now, None, [(start, start + count)], [ended])
        self._record(queue, start, b"forgotten", record)

    def take(self, moved: Sequence[Moved]) -> None:
        """Those that ended, as they ended; those that wait, as the claims decide."""
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
            self._at_door(self._taking.queue(destination), at, ended)
        for kind, group in groupby(entries, _kind_of):
            self._entries(kind, list(group))

    def _claimed(self, row: Moved) -> Moved | None:
        """The arrival as it goes on: waiting, a duplicate, or (None) known."""
        if row.claim is None:
            return None
        queue = self._taking.queue(row.destination)
        tag = layout.receipt_tag(row.receipt.encode())
        key = layout.claim_key(queue.number, row.claim)
        own = layout.receipt_claim_key(queue.number, row.receipt)
        if self._claims.is_known(key, own, tag):
            self._standing.found["known"] += 1
            return None
        if not self._claims.is_anothers(key, tag, row.destination):
            self._claims.reserve(key, row.accepted_at, tag)
            self._standing.found["waiting"] += 1
            return row
        self._standing.found["duplicates"] += 1
        if may_come_again(row.receipt):
            self._claims.set_down(
                own, layout.Claim(NO_ENTRY, self._taking.now, tag), self._state.today
            )
        at = ledger.hour_of(self._taking.now if row.event_time is None else row.event_time)
        is_test = row.test_event_code is not None
        sums = ledger.sum_at_door([(Reason.SAME_EVENT.value, is_test)])
        self._state.book(queue, at, row.event or "", Outcome.DUPLICATE.value, sums)
        return row._replace(
            outcome=Outcome.DUPLICATE, reason=Reason.SAME_EVENT, settled_at=self._taking.now
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
        queue = self._taking.queue(destination)
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
                claim = layout.Claim(seq, row.accepted_at, tag)
                self._claims.set_down(key, claim, self._state.today)

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
