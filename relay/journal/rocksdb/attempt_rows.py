"""Reading attempt records back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from relay.journal import attempts, layout
from relay.journal.attempts import AttemptRecord
from relay.journal.queue import Queue
from relay.journal.rocksdb.folder import LOG, Folder
from relay.journal.rocksdb.scan import pass_by, rows


def near(folder: Folder, queue: Queue, seq: int) -> Iterator[AttemptRecord]:
    """The records that may tell of an entry, from the day of its arrival on."""
    start = layout.row_key(b"a", queue.number, max(0, seq - layout.MAX_SPAN))
    stop = layout.row_key(b"a", queue.number, seq + 1)
    arrived = queue.day_of(seq) or ""
    for day in folder.days(LOG):
        if day >= arrived:
            yield from _between(folder, day, start, stop)


def unknown_since(folder: Folder, queue: Queue, seqs: Sequence[int]) -> float | None:
    """When TikTok may first have taken one of these entries without our having read its answer."""
    first, last = min(seqs), max(seqs)
    start = layout.row_key(b"a", queue.number, max(0, first - layout.MAX_SPAN))
    stop = layout.row_key(b"a", queue.number, last + 1)
    arrived = queue.day_of(first) or ""
    found = [
        record.attempt.started_at
        for day in folder.days(LOG)
        if day >= arrived
        for record in _between(folder, day, start, stop)
        if record.attempt and record.attempt.unknown and any(map(record.carried, seqs))
    ]
    return min(found, default=None)


def of_range(
    folder: Folder, queue: Queue, seqs: tuple[int, int], arrived: str
) -> Iterator[AttemptRecord]:
    """All records that may tell of the entries `start <= seq < end`, which came on one day."""
    start = layout.row_key(b"a", queue.number, max(0, seqs[0] - layout.MAX_SPAN))
    stop = layout.row_key(b"a", queue.number, seqs[1])
    for day in folder.days(LOG):
        if day >= arrived:
            for _, value in rows(folder.family(LOG + day), start, stop):
                yield attempts.unpack(value)


def _between(folder: Folder, day: str, start: bytes, stop: bytes) -> Iterator[AttemptRecord]:
    for _, value in rows(folder.family(LOG + day), start, stop, pass_by):
        yield attempts.unpack(value)


def of_lane(folder: Folder, lane: int, day: str) -> Iterator[AttemptRecord]:
    """All records that were stored on one day for a destination."""
    start, stop = layout.lane_key(b"a", lane), layout.lane_key(b"a", lane + 1)
    yield from _between(folder, day, start, stop)
