"""What waits for one destination, as numbers: which seqs are settled, taken, free. Pure.

0 ........ settled ........ | free | taken | free ....... durable | next_seq
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from relay.journal.intervals import IntervalSet
from relay.journal.layout import Counters

#: How many recent chunks' acceptance times are kept in memory per destination.
RECENT_CHUNKS = 1024

#: (first seq, first door seq, day): from where on rows lie in the log of that day.
Day = tuple[int, int, str]


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
        self.days: list[Day] = []
        self._busy = IntervalSet()  # settled or taken
        self._taken = IntervalSet()
        self._settling: list[tuple[int, int]] = []  # settled, but not yet durable
        self._recent: deque[tuple[int, float]] = deque(maxlen=RECENT_CHUNKS)

    @property
    def waiting(self) -> int:
        return self.next_seq - self.settled.total

    @property
    def available(self) -> int:
        """Durable entries that are neither settled nor taken."""
        return self.durable - self._busy.total

    def counters(self) -> Counters:
        return Counters(
            self.accepted, self.settled_count, self.next_seq, self.size_bytes, self.next_door
        )

    def load(self, counters: Counters, settled: Iterable[Sequence[int]]) -> None:
        """Take over stored state; what was taken stays taken.

        Where a record was lost that held entries which are taken, their seqs must not be given
        to others: they stay accepted, and are settled by those who took them.
        """
        self.accepted, self.settled_count, self.next_seq, self.size_bytes, self.next_door = counters
        missing = max(0, self._taken.end - self.next_seq)
        self.accepted += missing
        self.next_seq += missing
        self.durable = self.next_seq
        self.settled = IntervalSet(settled)
        self._busy = IntervalSet(settled)
        for start, end in self.settled:
            self._taken.remove(start, end)
        for start, end in self._taken:
            self._busy.add(start, end)
        self._settling.clear()
        self._recent.clear()

    # --- entries come -----------------------------------------------------------------------------

    def appended(self, at: float, count: int, size_bytes: int) -> None:
        """Book a chunk; it begins at what `next_seq` was."""
        self._recent.append((self.next_seq, at))
        self.accepted += count
        self.next_seq += count
        self.size_bytes += size_bytes

    def settled_at_door(self, count: int) -> None:
        self.accepted += count
        self.settled_count += count
        self.next_door += count

    def is_durable(self) -> bool:
        """All that was booked is on disk now; returns whether there is more to hand out."""
        for start, end in self._settling:
            self._taken.remove(start, end)
        self._settling.clear()
        grown = self.durable != self.next_seq
        self.durable = self.next_seq
        return grown

    # --- entries wait -----------------------------------------------------------------------------

    def accepted_at(self, seq: int) -> float | None:
        """When the entry was accepted, if that is still in memory."""
        recent = self._recent
        if not recent or seq < recent[0][0]:
            return None
        return recent[bisect_right(recent, seq, key=lambda chunk: chunk[0]) - 1][1]

    def oldest(self) -> int | None:
        """The first entry that is not settled."""
        first = self.settled.free_from(0)
        return first if first < self.next_seq else None

    def oldest_available(self) -> int | None:
        """The first entry that may be taken."""
        first = self._busy.free_from(0)
        return first if first < self.durable else None

    def free_runs(self) -> Iterator[tuple[int, int]]:
        """Runs of entries that may be taken, ascending."""
        at = 0
        while (at := self._busy.free_from(at)) < self.durable:
            end = self._busy.free_until(at, self.durable)
            yield at, end
            at = end

    def newest_run(self, count: int) -> tuple[int, int]:
        """The newest run of entries that may be taken, at most `count` of them."""
        start, end = self._busy.last_free_run(self.durable)
        return max(start, end - count), end

    # --- entries are taken and settled ------------------------------------------------------------

    def is_on_its_way(self, seq: int) -> bool:
        """Is it taken, and not settled?"""
        return seq in self._taken and seq not in self.settled

    def take(self, start: int, end: int) -> None:
        self._busy.add(start, end)
        self._taken.add(start, end)

    def give_back(self, start: int, end: int) -> None:
        """Raises ValueError when one of them is settled."""
        if self.settled.overlaps(start, end):
            raise ValueError("an entry that is settled cannot be given back")
        self._busy.remove(start, end)
        self._taken.remove(start, end)

    def give_back_free(self, start: int, end: int) -> None:
        """Give back those of the entries that are not settled."""
        at = start
        while (at := self.settled.free_from(at)) < end:
            behind = self.settled.free_until(at, end)
            self.give_back(at, behind)
            at = behind

    def may_settle(self, start: int, end: int) -> bool:
        return end <= self.next_seq and not self.settled.overlaps(start, end)

    def settle(self, ranges: Sequence[tuple[int, int]], size_bytes: int) -> None:
        """Book entries as settled; they stay taken until that is durable."""
        for start, end in ranges:
            self.settled.add(start, end)
            self._busy.add(start, end)
            self.settled_count += end - start
        self._settling.extend(ranges)
        self.size_bytes = max(0, self.size_bytes - size_bytes) if self.waiting else 0

    # --- days -------------------------------------------------------------------------------------

    def day_of(self, seq: int) -> str | None:
        """The day whose log holds the entry."""
        at = bisect_right(self.days, seq, key=lambda day: day[0]) - 1
        return self.days[at][2] if at >= 0 else None

    def door_day_of(self, seq: int) -> str | None:
        """The day whose log holds the door record."""
        at = bisect_right(self.days, seq, key=lambda day: day[1]) - 1
        return self.days[at][2] if at >= 0 else None

    def day_end(self, seq: int) -> int:
        """The first seq that lies in the log of a later day than this one, or the end."""
        return min([first for first, _, _ in self.days if first > seq], default=self.next_seq)

    def needed_days(self) -> set[str]:
        """Days whose logs hold entries that still wait."""
        first = self.oldest()
        if first is None:
            return set()
        begin = max(0, bisect_right(self.days, first, key=lambda day: day[0]) - 1)
        return {day for _, _, day in self.days[begin:]}
