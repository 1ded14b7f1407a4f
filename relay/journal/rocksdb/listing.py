"""Every arrival and how it ended, read row by row: for whoever checks the relay's own counters."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from relay.journal import chunk, door, layout
from relay.journal.queue import Queue
from relay.journal.rocksdb import attempt_rows
from relay.journal.rocksdb.folder import LOG, Folder
from relay.journal.rocksdb.scan import pass_by, rows
from relay.journal.rocksdb.search import Search
from relay.journal.rocksdb.state import State
from relay.model import Counts, DeadLetter, Outcome


class Listed(NamedTuple):
    """One (arrival, destination); `outcome` is None while it waits."""

    receipt: str
    source: str
    destination: str
    outcome: Outcome | None


class Listing(NamedTuple):
    """What a folder holds, and what its counters say of it."""

    arrivals: list[Listed]
    counts: dict[str, Counts]
    dead_letters: list[DeadLetter]


def read(path: Path) -> Listing:
    """All of the journal at `path`, held in memory: for small journals. A relay may be running on
    it. Raises `JournalError`."""
    folder = Folder(path, read_only=True)
    try:
        state = State(folder)
        queues = state.queues.values()
        return Listing(
            [listed for queue in queues for listed in _arrivals(folder, queue)],
            {
                queue.destination: Counts(queue.accepted, queue.settled_count, queue.waiting)
                for queue in queues
            },
            list(Search(state).dead_letters()),
        )
    finally:
        folder.close()


def _arrivals(folder: Folder, queue: Queue) -> Iterator[Listed]:
    ends = _Ends(folder, queue)
    for day in folder.days(LOG):
        family = folder.family(LOG + day)
        for key, value in rows(family, *_all(b"e", queue), pass_by):
            for entry in chunk.unpack(value).entries(layout.row_seq(key)):
                yield Listed(entry.receipt, entry.source, queue.destination, ends.of(entry.seq))
        for _, value in rows(family, *_all(b"d", queue), pass_by):
            for record in door.unpack(value)[1]:
                yield Listed(
                    record.receipt, record.source, queue.destination, Outcome(record.outcome)
                )


class _Ends:
    """Which entries of a destination ended how: intervals, in order."""

    def __init__(self, folder: Folder, queue: Queue) -> None:
        self._intervals = sorted(
            ended
            for day in folder.days(LOG)
            for record in attempt_rows.of_lane(folder, queue.number, day)
            for ended in record.ended
        )
        self._starts = [ended.start for ended in self._intervals]

    def of(self, seq: int) -> Outcome | None:
        place = bisect.bisect_right(self._starts, seq) - 1
        if place < 0 or seq >= self._intervals[place].end:
            return None
        return self._intervals[place].outcome


def _all(kind: bytes, queue: Queue) -> tuple[bytes, bytes]:
    return layout.lane_key(kind, queue.number), layout.lane_key(kind, queue.number + 1)
