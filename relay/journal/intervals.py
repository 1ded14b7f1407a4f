"""A set of integers kept as sorted, disjoint, half-open intervals."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence


def ranges_of(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Group ascending integers into half-open ranges: `1 2 3 7` becomes `(1, 4), (7, 8)`."""
    ranges: list[tuple[int, int]] = []
    start = end = -1
    for number in numbers:
        if number == end:
            end += 1
            continue
        if start >= 0:
            ranges.append((start, end))
        start, end = number, number + 1
    if start >= 0:
        ranges.append((start, end))
    return ranges


class IntervalSet:
    """Integers as intervals: cheap while they are mostly contiguous, which settled entries are."""

    __slots__ = ("_ends", "_starts", "total")

    def __init__(self, intervals: Iterable[Sequence[int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self.total = 0
        for start, end in intervals:
            self.add(start, end)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(list(zip(self._starts, self._ends, strict=True)))

    def __len__(self) -> int:
        """How many intervals, not how many integers: that is `total`."""
        return len(self._starts)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._starts, number) - 1
        return at >= 0 and number < self._ends[at]

    @property
    def end(self) -> int:
        """The smallest integer above all in the set; 0 where it is empty."""
        return self._ends[-1] if self._ends else 0

    def add(self, start: int, end: int) -> None:
        """Add `start <= n < end`; what is there already stays there."""
        if start >= end:
            return
        low = bisect_left(self._ends, start)  # the first interval that touches or follows
        high = bisect_right(self._starts, end)  # the first interval beyond
        if low < high:
            start = min(start, self._starts[low])
            end = max(end, self._ends[high - 1])
            self.total -= sum(self._ends[low:high]) - sum(self._starts[low:high])
        self._starts[low:high] = [start]
        self._ends[low:high] = [end]
        self.total += end - start

    def remove(self, start: int, end: int) -> None:
        """Remove `start <= n < end`; what is not there is no error."""
        low = bisect_right(self._ends, start)
        high = bisect_left(self._starts, end)
        if low >= high or start >= end:
            return
        first, last = self._starts[low], self._ends[high - 1]
        self.total -= sum(self._ends[low:high]) - sum(self._starts[low:high])
        kept = [(first, start)] if first < start else []
        if end < last:
            kept.append((end, last))
        self._starts[low:high] = [a for a, _ in kept]
        self._ends[low:high] = [b for _, b in kept]
        self.total += sum(b - a for a, b in kept)

    def overlaps(self, start: int, end: int) -> bool:
        """Is any `start <= n < end` in the set?"""
        at = bisect_right(self._ends, start)
        return start < end and at < len(self._starts) and self._starts[at] < end

    def free_from(self, number: int) -> int:
        """The smallest integer `>= number` that is not in the set."""
        at = bisect_right(self._starts, number) - 1
        return self._ends[at] if at >= 0 and number < self._ends[at] else number

    def free_until(self, number: int, limit: int) -> int:
        """The end of the run of absent integers that begins at `number`, at most `limit`."""
        at = bisect_right(self._starts, number)
        return min(limit, self._starts[at]) if at < len(self._starts) else limit

    def last_free_run(self, limit: int) -> tuple[int, int]:
        """The last run of absent integers below `limit`; `(limit, limit)` when there is none."""
        at = bisect_left(self._starts, limit) - 1  # the last interval that begins below
        if at < 0:
            return 0, limit
        if self._ends[at] < limit:
            return self._ends[at], limit
        # It reaches the limit: the run before it is the last one.
        end = self._starts[at]
        start = self._ends[at - 1] if at > 0 else 0
        return (start, end) if end > 0 else (limit, limit)
