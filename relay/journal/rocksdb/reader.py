"""Reading entries back: chunk by chunk, never more than a batch in memory, past what is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from rocksdict import Rdict

from relay.journal import chunk, layout
from relay.journal.chunk import Chunk
from relay.journal.queue import Queue
from relay.journal.rocksdb import scan
from relay.journal.rocksdb.folder import LOG
from relay.journal.rocksdb.memory import Memory
from relay.journal.rocksdb.state import State
from relay.journal.rocksdb.trouble import Damaged
from relay.model import Entry


class Reader:
    """Entries by seq. Told of a gap through `lost(queue, start, end)`; it then reads on behind.

    Raises `Damaged` where nothing behind a damage can be read: then more may be wrong than a
    record, and nothing must be given up before the folder is mended. `JournalUnavailable` for
    what may be readable later.
    """

    def __init__(
        self,
        state: State,
        lost: Callable[[Queue, int, int], None] = lambda queue, start, end: None,
        memory: Memory | None = None,
    ) -> None:
        self._state = state
        self._lost = lost
        self._memory = Memory() if memory is None else memory

    def entries(self, queue: Queue, start: int, end: int) -> Iterator[Entry]:
        """Entries `start <= seq < end`, in order; lost ones are reported and left out."""
        for piece in self.pieces(queue, start, end):
            yield from piece

    def pieces(self, queue: Queue, start: int, end: int) -> Iterator[list[Entry]]:
        """The same, in the pieces that chunks have."""
        at = start
        while at < end:
            before = at
            for entries in self._chunks(queue, at, end):
                first = entries[0].seq
                behind = first + len(entries)
                yield (
                    entries if first == at and behind <= end else entries[at - first : end - first]
                )
                at = behind
            if at == before:
                behind = min(self._readable_behind(queue, at), end)
                self._lost(queue, at, behind)
                at = behind

    def accepted_at(self, queue: Queue, seq: int) -> float | None:
        """When an entry was accepted; None when its chunk is lost."""
        known = queue.accepted_at(seq)
        if known is not None:
            return known
        entries = next(self._chunks(queue, seq, seq + 1), None)
        return None if entries is None else entries[0].accepted_at

    def _chunks(self, queue: Queue, start: int, end: int) -> Iterator[list[Entry]]:
        """Chunks of one day that follow each other without a gap, the first holding `start`."""
        at = start
        while at < end:
            entries = self._memory.entries_at(queue.number, at)
            if entries is None:
                break
            yield entries
            at = entries[0].seq + len(entries)
        if at < end:
            for first, stored in self._stored(queue, at, end):
                yield self._memory.read(queue.number, first, stored)

    def claims(
        self, queue: Queue, ranges: Iterable[tuple[int, int]]
    ) -> Iterator[tuple[int, bytes]]:
        """(seq, claim) of the entries in these ranges, as far as they can be read."""
        for start, end in ranges:
            at = start
            while at < end:
                before = at
                for first, stored in self._stored(queue, at, end):
                    for seq in range(at, min(end, first + stored.size)):
                        yield seq, stored.claim(seq - first)
                    at = first + stored.size
                if at == before:
                    at = queue.day_end(at)

    def _stored(self, queue: Queue, start: int, end: int) -> Iterator[tuple[int, Chunk]]:
        """Chunks in the log of one day, with their first seqs, as `_chunks` wants them."""
        day = queue.day_of(start)
        if day is None or LOG + day not in self._state.folder.names:
            return
        at = start
        for key, value in self._rows(self._state.folder.family(LOG + day), queue.number, start):
            first = layout.row_seq(key)
            try:
                stored = chunk.unpack(value)
            except ValueError:
                return
            if at >= end or not first <= at < first + stored.size:
                return
            yield first, stored
            at = first + stored.size

    @staticmethod
    def _rows(family: Rdict, lane: int, start: int) -> Iterator[tuple[bytes, bytes]]:
        """Rows of chunks up to a damage, the first holding `start` if it is there at all."""
        prefix, key = layout.lane_key(b"e", lane), layout.row_key(b"e", lane, start)
        iterator = scan.opened(family)
        iterator.seek_for_prev(key)
        if not iterator.valid() and scan.damage_of(iterator) is not None:
            row = scan.row_at_or_before(family, key, prefix, chunk.MAX_ENTRIES)
            if row is None:
                return
            iterator = scan.opened(family)
            iterator.seek(row[0])
        while iterator.valid() and iterator.key().startswith(prefix):
            yield iterator.key(), iterator.value()
            iterator.next()
        if not iterator.valid():
            scan.damage_of(iterator)  # raises what is not damage

    def _readable_behind(self, queue: Queue, seq: int) -> int:
        """The first seq behind `seq` whose chunk can be read, or the first one of the next day."""
        boundary = queue.day_end(seq)
        day = queue.day_of(seq)
        if day is None or LOG + day not in self._state.folder.names:
            return boundary
        start = layout.row_key(b"e", queue.number, seq)
        stop = layout.row_key(b"e", queue.number, boundary)
        for key, value in scan.rows(self._state.folder.family(LOG + day), start, stop, _pass_some):
            first = layout.row_seq(key)
            if first > seq and _is_chunk(value):
                return first
        return boundary


def _is_chunk(value: bytes) -> bool:
    try:
        chunk.unpack(value)
    except ValueError:
        return False
    return True


def _pass_some(last: bytes, found: bytes | None) -> None:
    """A damage that ends is passed by; behind one that does not, anything may be left."""
    if found is None:
        raise Damaged("the journal is damaged: rows of its log cannot be read")
