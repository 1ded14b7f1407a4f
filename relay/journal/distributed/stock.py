"""What one process holds of a destination's entries, in memory and bounded. Pure.

Entries are named by a `seq` of this process: it orders them as they came in here. Behind each
stands where it is durable: an offset of a partition, or a parked row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from relay.journal.intervals import IntervalSet, ranges_of
from relay.journal.protocol import End, Fits
from relay.journal.queue import Queue
from relay.model import Entry, Waiting

#: `take` from the newest end begins at most so many entries below it.
_NEWEST = 1000


class Place(NamedTuple):
    """Where an entry is durable: `parked` is the id of its row, None while its offset is open."""

    partition: int
    offset: int
    claim: bytes
    parked: int | None = None
    unknown_since: float | None = None


class Stock:
    """The entries of one destination that this process owns."""

    def __init__(self, destination: str) -> None:
        self._queue = Queue(destination, 0)
        self._entries: dict[int, Entry] = {}
        self._places: dict[int, Place] = {}
        self._offsets: dict[tuple[int, int], int] = {}
        self._lost = IntervalSet()

    # --- coming in --------------------------------------------------------------------------------

    @property
    def next_seq(self) -> int:
        return self._queue.next_seq

    def put(self, entries: Sequence[Entry], places: Sequence[Place]) -> None:
        """Add entries; their seqs run on from `next_seq`."""
        for entry, place in zip(entries, places, strict=True):
            self._entries[entry.seq] = entry
            self._places[entry.seq] = place
            if place.parked is None:
                self._offsets[place.partition, place.offset] = entry.seq
        if entries:
            size_bytes = sum([len(entry.body) for entry in entries])
            self._queue.appended(entries[0].accepted_at, len(entries), size_bytes)
            self._queue.is_durable()

    def holds(self, partition: int, offset: int) -> bool:
        return (partition, offset) in self._offsets

    # --- being looked at --------------------------------------------------------------------------

    @property
    def available(self) -> int:
        return self._queue.available

    @property
    def size_bytes(self) -> int:
        return self._queue.size_bytes

    def waiting(self) -> Waiting:
        """What can be taken; the size is an estimate: the share of what is held."""
        first = self._queue.oldest_available()
        if first is None:
            return Waiting(0, 0, None)
        count = self._queue.available
        size_bytes = self._queue.size_bytes * count // max(1, self._queue.waiting)
        return Waiting(count, size_bytes, self._entries[first].accepted_at)

    def accepted_at(self, partition: int, offset: int) -> float | None:
        """When an entry was accepted; None where it is not held."""
        seq = self._offsets.get((partition, offset))
        return None if seq is None else self._entries[seq].accepted_at

    def place(self, seq: int) -> Place | None:
        """None for an entry that is settled, or was lost to another process."""
        return self._places.get(seq)

    def parked_ids(self) -> list[int]:
        """The parked rows that are held here."""
        return [place.parked for place in self._places.values() if place.parked is not None]

    def parked_rows(self, ids: Iterable[int]) -> list[int]:
        """The seqs of entries that are these parked rows."""
        wanted = frozenset(ids)
        return [seq for seq, place in self._places.items() if place.parked in wanted]

    def places_of(self, partitions: Iterable[int]) -> list[int]:
        """The seqs of entries whose offsets are open in these partitions."""
        wanted = frozenset(partitions)
        return [seq for (partition, _), seq in self._offsets.items() if partition in wanted]

    def taken(self, seqs: Iterable[int]) -> int:
        """How many of them are taken."""
        return sum(self._queue.is_on_its_way(seq) for seq in seqs)

    def free(self) -> list[Entry]:
        """All that can be taken."""
        return [self._entries[seq] for start, end in self._queue.free_runs()
                for seq in range(start, end)]  # fmt: skip

    # --- being taken ------------------------------------------------------------------------------

    def take(self, end: End, fits: Fits) -> list[Entry]:
        queue = self._queue
        taken: list[Entry] = []
        runs = [queue.newest_run(_NEWEST)] if end is End.NEWEST else queue.free_runs()
        for start, behind in list(runs):
            for seq in range(start, behind):
                entry = self._entries[seq]
                if not fits(entry):
                    return self._took(taken)
                taken.append(entry)
        return self._took(taken)

    def _took(self, entries: list[Entry]) -> list[Entry]:
        self.hold([entry.seq for entry in entries])
        return entries

    def hold(self, seqs: Sequence[int]) -> None:
        """Mark entries as taken."""
        for start, end in ranges_of(seqs):
            self._queue.take(start, end)

    def read(self, seqs: Iterable[int]) -> list[Entry]:
        """Those that are still here."""
        return [self._entries[seq] for seq in sorted(seqs) if seq in self._entries]

    def give_back(self, seqs: Iterable[int]) -> None:
        """Raises ValueError for what is settled; what was lost is no error."""
        here = sorted(seq for seq in seqs if seq not in self._lost)
        for start, end in ranges_of(here):
            self._queue.give_back(start, end)

    # --- leaving ----------------------------------------------------------------------------------

    def check(self, seqs: Iterable[int]) -> None:
        """Raises ValueError when an entry is settled already, or named twice."""
        seen = set()
        for seq in seqs:
            if seq in seen or (seq not in self._places and seq not in self._lost):
                raise ValueError("an entry can be settled only once")
            seen.add(seq)

    def remove(self, seqs: Iterable[int], *, lost: bool = False) -> None:
        """They are settled, parked or (`lost`) in other hands."""
        here = sorted(seq for seq in seqs if seq in self._places)
        size_bytes = 0
        for seq in here:
            size_bytes += len(self._entries.pop(seq).body)
            place = self._places.pop(seq)
            if place.parked is None:
                del self._offsets[place.partition, place.offset]
        for start, end in (ranges := ranges_of(here)):
            if lost:
                self._lost.add(start, end)
        self._queue.settle(ranges, size_bytes)
        self._queue.is_durable()
