"""Reading entries back: chunk by chunk, never more than a batch in memory, past what is damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from relay.journal import layout
from relay.journal.queue import Queue
from relay.journal.rocksdb.folder import LOG
from relay.journal.rocksdb.scan import rows
from relay.journal.rocksdb.state import State
from relay.model import Entry


class Reader:
    """Entries by seq. Told of a gap through `lost(queue, start, end)`; it then reads on behind."""

    def __init__(self, state: State, lost: Callable[[Queue, int, int], None]) -> None:
        self._state = state
        self._lost = lost
        self._last: tuple[Queue, int, list[Entry]] | None = None

    def forget(self) -> None:
        self._last = None

    def entries(self, queue: Queue, start: int, end: int) -> Iterator[Entry]:
        """Entries `start <= seq < end`, in order; unreadable ones are reported and left out."""
        at = start
        while at < end:
            before = at
            for chunk in self._chunks(queue, at, end):
                first = chunk[0].seq
                yield from chunk[at - first : end - first]
                at = first + len(chunk)
            if at == before:
                behind = min(self._readable_behind(queue, at), end)
                self._lost(queue, at, behind)
                at = behind

    def accepted_at(self, queue: Queue, seq: int) -> float | None:
        """When an entry was accepted; None when its chunk cannot be read."""
        known = queue.accepted_at(seq)
        if known is not None:
            return known
        chunk = next(self._chunks(queue, seq, seq + 1), None)
        return None if chunk is None else chunk[0].accepted_at

    def _chunks(self, queue: Queue, start: int, end: int) -> Iterator[list[Entry]]:
        """Chunks of one day that follow each other without a gap, the first holding `start`."""
        at = start
        if self._last is not None and self._last[0] is queue:
            _, first, chunk = self._last
            if first <= at < first + len(chunk):
                yield chunk
                at = first + len(chunk)
        day = queue.day_of(at)
        if at >= end or day is None or LOG + day not in self._state.folder.names:
            return
        prefix = layout.lane_key(b"e", queue.number)
        iterator = self._state.folder.family(LOG + day).iter()
        iterator.seek_for_prev(layout.row_key(b"e", queue.number, at))
        while at < end and iterator.valid() and iterator.key().startswith(prefix):
            first = layout.row_seq(iterator.key())
            try:
                chunk = layout.unpack_chunk(first, iterator.value())
            except ValueError:
                return
            if not first <= at < first + len(chunk):
                return
            self._last = (queue, first, chunk)
            yield chunk
            at = first + len(chunk)
            iterator.next()

    def _readable_behind(self, queue: Queue, seq: int) -> int:
        """The first seq behind `seq` whose chunk can be read, or the end of the queue."""
        boundary = min([first for first, _, _ in queue.days if first > seq], default=queue.next_seq)
        day = queue.day_of(seq)
        if day is None or LOG + day not in self._state.folder.names:
            return boundary
        start = layout.row_key(b"e", queue.number, seq + 1)
        stop = layout.row_key(b"e", queue.number, boundary)
        for key, value in rows(
            self._state.folder.family(LOG + day), start, stop, damaged=lambda *_: None
        ):
            first = layout.row_seq(key)
            try:
                layout.unpack_chunk(first, value)
            except ValueError:
                continue
            return first
        return boundary
