"""Chunks in memory: what was just written is delivered without reading it back.

Bounded in bytes over all destinations; what does not fit any more is read from the log.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from relay.journal.chunk import Chunk
from relay.model import Entry

#: Bodies of this many bytes are kept; with the objects around them it is about three times that.
MEMORY_BYTES = 4 << 20


@dataclass(slots=True)
class _Kept:
    first: int
    chunk: Chunk
    size_bytes: int
    entries: list[Entry] | None = None

    def holds(self, seq: int) -> bool:
        return self.first <= seq < self.first + self.chunk.size


class Memory:
    """The chunks that were written or read last."""

    def __init__(self, limit_bytes: int = MEMORY_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._size_bytes = 0
        self._kept: OrderedDict[tuple[int, int], _Kept] = OrderedDict()
        self._reading: dict[int, int] = {}  # lane: first seq of the chunk that was read last

    def keep(self, lane: int, first: int, chunk: Chunk) -> None:
        """Remember a chunk that begins at seq `first`."""
        self.drop(lane, first)
        kept = self._kept[lane, first] = _Kept(first, chunk, sum(map(len, chunk.bodies)))
        self._size_bytes += kept.size_bytes
        while self._size_bytes > self._limit_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._size_bytes -= dropped.size_bytes

    def entries_at(self, lane: int, seq: int) -> list[Entry] | None:
        """The entries of the chunk that holds `seq`, if it is here.

        Lanes read in order: it is the chunk that was read last, or one that begins at `seq`.
        """
        reading = self._reading.get(lane, seq)
        kept = self._kept.get((lane, reading))
        if kept is None or not kept.holds(seq):
            if kept is not None and seq > reading:
                self.drop(lane, reading)  # it was read to its end
            kept = self._kept.get((lane, seq))
            if kept is None:
                return None
            self._reading[lane] = seq
        if kept.entries is None:
            kept.entries = kept.chunk.entries(kept.first)
        return kept.entries

    def read(self, lane: int, first: int, chunk: Chunk) -> list[Entry]:
        """Remember a chunk that was read from the log, and return its entries."""
        self.keep(lane, first, chunk)
        self._reading[lane] = first
        return self.entries_at(lane, first) or chunk.entries(first)

    def drop(self, lane: int, first: int) -> None:
        """Forget the chunk that begins there, if it is here."""
        dropped = self._kept.pop((lane, first), None)
        if dropped is not None:
            self._size_bytes -= dropped.size_bytes

    def forget(self) -> None:
        """Forget everything: what is in memory may not be what is on disk."""
        self._kept.clear()
        self._reading.clear()
        self._size_bytes = 0
