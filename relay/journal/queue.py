"""What waits for one destination, as numbers: which seqs are settled, taken, free. Pure.

0 ........ settled ........ | free | taken | free ....... durable | next_seq
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator

from relay.journal.intervals import IntervalSet
from relay.journal.layout import Counters

#: How many recent chunks' acceptance times are kept in memory per destination.
RECENT_CHUNKS = 1024


class Queue:
    """The seqs of one destination. Entries beyond `durable` exist but are not handed out yet."""

    def __init__(self, destination: str, number: int) -> None:
        self.destination = destination
        self.number = number
        self.accepted = 0
        self.settled_count = 0
        self.next_seq = 0
        self.durable = 0
        self.size_bytes = 0
        self.next_door = 0
        self.settled = IntervalSet()
        self._busy = IntervalSet()
        self._taken = IntervalSet()
        #: (first seq, first door seq, day): where in the daily logs a seq is found.
        self.days: list[tuple[int, int, str]] = []
        self._recent: deque[tuple[int, float]] = deque(maxlen=RECENT_CHUNKS)

    @property
    def waiting(self) -> int:
        return self.next_seq - self.settled.total

    @property
    def available(self) -> int:
        """Durable entries that are neither settled nor taken."""
        return self.durable - self._busy.total

    def counters(self) -> Counters:
        return Counters(self.accepted, self.settled_count, self.next_seq, self.size_bytes)

    def load(self, counters: Counters, settled: Iterable[tuple[int, int]]) -> None:
        """Take over stored state after opening; what was taken stays taken."""
        self.accepted, self.settled_count, self.next_seq, self.size_bytes = counters
        self.durable = self.next_seq
        self.settled = IntervalSet(settled)
        self._busy = IntervalSet(settled)
        for start, end in self._taken:
            self._busy.add(start, min(end, self.next_seq))
        self._recent.clear()

    def appended(self, at: float, count: int, size_bytes: int) -> int:
        """Book a chunk; returns its first seq."""
        first = self.next_seq
        self._recent.append((first, at))
        self.next_seq += count
        self.size_bytes += size_bytes
        return first

    def accepted_at(self, seq: int) -> float | None:
        """When the entry was accepted, if that is still in memory."""
        recent = self._recent
        if not recent or seq < recent[0][0]:
            return None
        low, high = 0, len(recent)
        while low < high:
            middle = (low + high) // 2
            if recent[middle][0] <= seq:
                low = middle + 1
            else:
                high = middle
        return recent[low - 1][1]

    def oldest(self) -> int | None:
        """The first entry that is not settled."""
        first = self.settled.free_from(0)
        return first if first < self.next_seq else None

    def free_runs(self, start: int, limit: int) -> Iterator[tuple[int, int]]:
        """Runs of entries that may be taken, ascending from `start` and below `limit`."""
        at = start
        while (at := self._busy.free_from(at)) < limit:
            end = self._busy.free_until(at, limit)
            yield at, end
            at = end

    def newest_run(self, count: int) -> int:
        """Where to begin in order to take the newest run of at most `count` entries."""
        return max(self._busy.last_free_run(self.durable), self.durable - count)

    def is_taken(self, seq: int) -> bool:
        return seq in self._taken

    def take(self, start: int, end: int) -> None:
        self._busy.add(start, end)
        self._taken.add(start, end)

    def give_back(self, start: int, end: int) -> None:
        if self.settled.overlaps(start, end):
            raise ValueError("an entry that is settled cannot be given back")
        self._busy.remove(start, end)
        self._taken.remove(start, end)

    def settle(self, start: int, end: int, size_bytes: int) -> None:
        """Raises ValueError when one of them is settled already or was never appended."""
        if self.settled.overlaps(start, end):
            raise ValueError("an entry can be settled only once")
        if end > self.next_seq:
            raise ValueError("an entry that was never appended cannot be settled")
        self.settled.add(start, end)
        self._busy.add(start, end)
        self._taken.remove(start, end)
        self.settled_count += end - start
        self.size_bytes -= size_bytes

    def day_of(self, seq: int) -> str | None:
        """The day whose log holds the entry."""
        at = bisect_right(self.days, seq, key=lambda day: day[0]) - 1
        return self.days[at][2] if at >= 0 else None

    def needed_days(self) -> set[str]:
        """Days whose logs hold entries that still wait."""
        first = self.oldest()
        if first is None:
            return set()
        begin = max(0, bisect_right(self.days, first, key=lambda day: day[0]) - 1)
        return {day for _, _, day in self.days[begin:]}
