"""From messages to entries: each is claimed once, by the first receipt that brought it.

The claim, what a refusal or a duplicate ends as, the fingerprints to find it by, the sums and the
partition's progress are one transaction: after a crash a message is either claimed with all of
that, or not at all and read again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from zlib import crc32

from relay.journal import attempts, fingerprint, issues, ledger
from relay.journal.attempts import AttemptRecord, Ended
from relay.journal.distributed import book, claims, letters, ownership
from relay.journal.distributed.claims import Owner, day_of, key_of, reserved_tag_of, tag_of
from relay.journal.distributed.days import Days
from relay.journal.distributed.message import Arrived, digest_of, moved_digest_of
from relay.journal.distributed.ownership import Booking
from relay.journal.distributed.progress import Progress
from relay.journal.intervals import ranges_of
from relay.journal.issues import Noted
from relay.journal.receipts import is_dead_letter, may_come_again
from relay.model import Outcome, Reason
from relay.postgres.database import Connection

#: When the first open entry of a partition that is so far was accepted, if that is known.
OldestAt = Callable[[int, Progress], float | None]

#: A message that is no arrival any more: the same receipt was claimed before.
_KNOWN = None


class Fate(NamedTuple):
    """How a message ended at once; `outcome` None: it waits."""

    outcome: Outcome | None
    reason: Reason | None = None


_WAITS = Fate(None)
_DUPLICATE = Fate(Outcome.DUPLICATE, Reason.SAME_EVENT)


@dataclass(slots=True)
class Claimed:
    """What became of a partition's messages: `waiting` are entries from now on."""

    progress: Progress
    waiting: list[Arrived] = field(default_factory=list)
    arrived: list[tuple[Arrived, Fate]] = field(default_factory=list)


class Claimer:
    """Claims messages of one destination's topic. `erased` says whether an event is about somebody
    who asked, after it was accepted, to be forgotten."""

    def __init__(
        self,
        destination: str,
        window_s: float,
        days: Days,
        oldest_at: OldestAt,
        erased: Callable[[Arrived], bool],
    ) -> None:
        self._destination = destination
        self._window_s = window_s
        self._days = days
        self._oldest_at = oldest_at
        self._erased = erased

    async def claim(
        self,
        connection: Connection,
        read: Mapping[int, tuple[Progress, Sequence[Arrived], int]],
        now: float,
    ) -> Mapping[int, Claimed]:
        """Claim messages: by partition its progress, the messages, and the offset behind them.

        Within a transaction. Raises `Fenced`, `Raced` (repeat the transaction) and
        `DatabaseUnavailable`.
        """
        await self._days.ensure(connection, day_of(now))
        messages = [each for _, part, _ in read.values() for each in part]
        placing = _Placing(
            self._destination,
            await claims.owners(connection, self._keys(messages), now - self._window_s),
            now,
            self._window_s,
            self._erased,
        )
        found = {
            partition: _place(placing, progress, part, behind)
            for partition, (progress, part, behind) in read.items()
        }
        bookings = {at: self._booking(at, each) for at, each in found.items()}
        await ownership.book(connection, self._destination, bookings)
        await self._take_reserved(connection, messages, now)
        await claims.put(connection, self._days, placing.put, now, now - self._window_s)
        await self._record(connection, found, now)
        return found

    def _keys(self, messages: Iterable[Arrived]) -> list[bytes]:
        keys = []
        for each in messages:
            if each.refusal is None:
                keys.append(key_of(self._destination, each.claim))
            if may_come_again(each.receipt):
                keys.append(key_of(self._destination, digest_of(each.receipt)))
            if each.moved is not None:
                keys.append(key_of(self._destination, moved_digest_of(each.receipt)))
        return keys

    async def _take_reserved(
        self, connection: Connection, messages: Sequence[Arrived], now: float
    ) -> None:
        """The import keeps claims for events of another journal, until they are claimed here."""
        moved = [each for each in messages if each.moved is not None]
        if moved:
            keys = [key_of(self._destination, each.claim) for each in moved]
            tags = [reserved_tag_of(each.receipt) for each in moved]
            await claims.release(connection, keys, tags, now - self._window_s - 86_400)

    def _booking(self, partition: int, claimed: Claimed) -> Booking:
        oldest_at = self._oldest_at(partition, claimed.progress)
        if oldest_at is None and claimed.waiting:
            oldest_at = claimed.waiting[0].accepted_at
        return Booking(
            claimed.progress,
            accepted=len(claimed.arrived),
            settled=len(claimed.arrived) - len(claimed.waiting),
            grown_bytes=sum([len(each.fields[-1]) for each in claimed.waiting]),
            oldest_at=oldest_at,
        )

    async def _record(
        self, connection: Connection, found: Mapping[int, Claimed], now: float
    ) -> None:
        day = day_of(now)
        rows = [
            (day, self._destination, partition, *_fingerprints([each for each, _ in part.arrived]))
            for partition, part in found.items()
            if part.arrived
        ]
        if rows:
            await connection.executemany(
                "insert into fingerprints (day, destination, partition, offsets, row) "
                "values ($1, $2, $3, $4, $5)",
                rows,
            )
        records: list[tuple[int, AttemptRecord]] = []
        lines: defaultdict[book.Line, list[tuple[str, bool]]] = defaultdict(list)
        for partition, part in found.items():
            ended: defaultdict[Fate, list[int]] = defaultdict(list)
            for each, fate in part.arrived:
                if fate.outcome is not None and fate.reason is not None:
                    ended[fate].append(each.offset)
                    is_test = each.test_event_code is not None
                    lines[_line(each, fate.outcome, now)].append((fate.reason.value, is_test))
            invalid = [
                each
                for each, fate in part.arrived
                if each.refusal is not None and is_dead_letter(each.receipt, fate.outcome or "")
            ]
            await letters.bury_refusals(connection, self._destination, partition, invalid, now)
            if ended:
                records.append((partition, _record_of(ended, now)))
        await write_attempts(connection, self._destination, records)
        await self._sum_up(connection, found, lines, now)

    async def _sum_up(
        self,
        connection: Connection,
        found: Mapping[int, Claimed],
        lines: Mapping[book.Line, Sequence[tuple[str, bool]]],
        now: float,
    ) -> None:
        shard = min(found, default=0)
        sums = {line: ledger.sum_at_door(ended) for line, ended in lines.items()}
        await book.add(connection, self._destination, shard, sums)
        noted = [
            _noted(each)
            for part in found.values()
            for each, fate in part.arrived
            if each.issues and fate is not _DUPLICATE and each.test_event_code is None
        ]
        await book.add_issues(connection, self._destination, shard, issues.count(noted, now))


class _Placing:
    """Decides about messages one after the other, as if each were claimed before the next."""

    def __init__(
        self,
        destination: str,
        owners: Mapping[bytes, Owner],
        now: float,
        window_s: float,
        erased: Callable[[Arrived], bool],
    ) -> None:
        self._destination = destination
        self._owners = owners
        self._now = now
        self._window_s = window_s
        self._erased = erased
        self.put: dict[bytes, Owner] = {}

    def place(self, message: Arrived) -> Fate | None:
        tag = tag_of(message.receipt)
        own = self._own(message)
        if any(self._owner(key) is not None for key in own):
            return _KNOWN
        refusal = message.refusal
        if refusal is None:
            fate = self._claim(message, tag)
        else:
            fate = Fate(refusal.outcome, refusal.reason)
        if fate is not None and (fate.outcome is not None or message.moved is not None):
            self.put.update(dict.fromkeys(self._later(message, fate), Owner(tag, self._now)))
        return fate

    def _own(self, message: Arrived) -> list[bytes]:
        """What this very message is known by when it comes again. One of another journal is,
        whatever its receipt: an import that was cut off may write it once more."""
        found = []
        if message.moved is not None:
            found.append(moved_digest_of(message.receipt))
        if may_come_again(message.receipt):
            found.append(digest_of(message.receipt))
        return [key_of(self._destination, each) for each in found]

    def _later(self, message: Arrived, fate: Fate) -> list[bytes]:
        """Which of these to store: what waits keeps its receipt for its end."""
        own = self._own(message)
        return own if fate.outcome is not None else own[:1]

    def _claim(self, message: Arrived, tag: int) -> Fate | None:
        key = key_of(self._destination, message.claim)
        owner = self._owner(key)
        if owner is not None and not _is_reserved(owner, message):
            if owner.tag == tag:
                return _KNOWN
            if self._now - owner.at < self._window_s:
                return _DUPLICATE
        if self._erased(message):
            return Fate(Outcome.WITHHELD, Reason.ERASED)
        self.put[key] = Owner(tag, self._now)
        return _WAITS

    def _owner(self, key: bytes) -> Owner | None:
        return self.put.get(key) or self._owners.get(key)


def _is_reserved(owner: Owner, message: Arrived) -> bool:
    """Kept for it by the import, or its own claim in the journal that it comes from: servers may
    have claimed it long after they accepted it. That it was met here before is told by `_own`."""
    tags = reserved_tag_of(message.receipt), tag_of(message.receipt)
    return message.moved is not None and owner.tag in tags


def _place(
    placing: _Placing, progress: Progress, messages: Sequence[Arrived], behind: int
) -> Claimed:
    waiting: list[Arrived] = []
    arrived: list[tuple[Arrived, Fate]] = []
    for each in messages:
        fate = placing.place(each)
        if fate is not None:
            arrived.append((each, fate))
            if fate.outcome is None:
                waiting.append(each)
    stay = {each.offset for each in waiting}
    done = [offset for offset in range(progress.claimed, behind) if offset not in stay]
    return Claimed(progress.after(behind, done), waiting, arrived)


def _fingerprints(messages: Sequence[Arrived]) -> tuple[list[int], bytes]:
    receipts = [crc32(each.receipt.encode()) for each in messages]
    row = fingerprint.row_of_prints(receipts, [each.prints for each in messages])
    return [each.offset for each in messages], row


def _line(message: Arrived, outcome: Outcome, now: float) -> book.Line:
    at = message.refusal.event_time if message.refusal else message.fields[5]
    return ledger.hour_of(now if at is None else at), message.fields[3], outcome.value


def _noted(message: Arrived) -> Noted:
    refusal = message.refusal
    at = message.fields[5] if refusal is None else refusal.event_time
    return Noted(message.fields[3], at, message.issues)


def _record_of(ended: Mapping[Fate, Sequence[int]], now: float) -> AttemptRecord:
    parts = [
        Ended(start, end, fate.outcome, fate.reason)
        for fate, offsets in ended.items()
        if fate.outcome is not None and fate.reason is not None
        for start, end in ranges_of(offsets)
    ]
    return AttemptRecord(now, None, [(each.start, each.end) for each in parts], parts)


async def write_attempts(
    connection: Connection, destination: str, records: Iterable[tuple[int, AttemptRecord]]
) -> None:
    """Store records of attempts and endings, by partition; their seqs are offsets."""
    rows = []
    for partition, record in records:
        unknown = record.attempt is not None and record.attempt.unknown
        for first, piece in attempts.pieces(record):
            behind = max(end for _, end, *_ in (*piece.covers, *piece.ended))
            row = attempts.pack(piece)
            rows.append((day_of(piece.at), destination, partition, first, behind, unknown, row))
    if rows:
        await connection.executemany(
            "insert into attempts (day, destination, partition, first, behind, unknown, row) "
            "values ($1, $2, $3, $4, $5, $6, $7)",
            rows,
        )
