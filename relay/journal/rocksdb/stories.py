"""What was tried and how it ended, for entries that are read in order: one pass over all records.

`attempt_rows` answers for a few entries; here all are asked for, and each record is read once.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field

from relay.journal import attempts, layout
from relay.journal.attempts import AttemptRecord
from relay.journal.moving.groups import End
from relay.journal.queue import Queue
from relay.journal.rocksdb.folder import LOG, Folder
from relay.journal.rocksdb.scan import rows
from relay.model import Attempt

#: The first seq that a record may be about, and the record.
_Placed = tuple[int, AttemptRecord]


@dataclass(slots=True)
class Story:
    """The attempts that carried an entry, by id, and its end."""

    attempts: dict[str, Attempt] = field(default_factory=dict)
    end: End | None = None


class Stories:
    """The records of one destination, about entries from `first` on. Ask for ranges in ascending
    order. Raises `Damaged`."""

    def __init__(self, folder: Folder, queue: Queue, first: int) -> None:
        arrived = queue.day_of(first) or ""
        days = [_records(folder, queue, day, first) for day in folder.days(LOG) if day >= arrived]
        self._coming = heapq.merge(*days, key=_first)
        self._next: _Placed | None = next(self._coming, None)
        self._window: list[AttemptRecord] = []

    def about(self, start: int, end: int) -> dict[int, Story]:
        """By seq, of those of `start <= seq < end` that something is known of."""
        while self._next is not None and self._next[0] < end:
            self._window.append(self._next[1])
            self._next = next(self._coming, None)
        self._window = [each for each in self._window if _behind(each) > start]
        found: dict[int, Story] = {}
        for record in self._window:
            _tell(record, start, end, found)
        return found


def _tell(record: AttemptRecord, start: int, end: int, found: dict[int, Story]) -> None:
    attempt = record.attempt
    if attempt is not None:
        for first, behind in record.covers:
            for seq in range(max(first, start), min(behind, end)):
                found.setdefault(seq, Story()).attempts[attempt.attempt_id] = attempt
    for ended in record.ended:
        for seq in range(max(ended.start, start), min(ended.end, end)):
            found.setdefault(seq, Story()).end = End(ended.outcome, ended.reason, record.at)


def _records(folder: Folder, queue: Queue, day: str, first: int) -> Iterator[_Placed]:
    start = layout.row_key(b"a", queue.number, max(0, first - layout.MAX_SPAN))
    stop = layout.lane_key(b"a", queue.number + 1)
    for key, value in rows(folder.family(LOG + day), start, stop):
        yield layout.row_seq(key), attempts.unpack(value)


def _first(placed: _Placed) -> int:
    return placed[0]


def _behind(record: AttemptRecord) -> int:
    return max([end for _, end in record.covers] + [each.end for each in record.ended], default=0)
