"""How far a partition of a journal topic is. Pure.

    0 ....... done ....... | low | open | done | open ....... claimed | not read yet

Offsets that are done are settled, or parked in the database. What is open is in the memory of the
partition's owner, and read again by the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from relay.journal.intervals import IntervalSet, ranges_of

Range = tuple[int, int]


class Progress:
    """One partition, as its owner of `epoch` knows it."""

    def __init__(self, epoch: int, claimed: int, low: int, done: Iterable[Sequence[int]]) -> None:
        self.epoch = epoch
        self.claimed = claimed
        self.low = low
        self._done = IntervalSet(done)

    @property
    def done(self) -> list[Range]:
        """Ranges above `low` that are done."""
        return list(self._done)

    @property
    def open(self) -> int:
        """How many claimed offsets are not done."""
        return self.claimed - self.low - self._done.total

    def is_done(self, offset: int) -> bool:
        return offset < self.low or offset in self._done

    def after(self, claimed: int, done: Iterable[int]) -> Progress:
        """The progress once everything below `claimed` is claimed, and these offsets are done."""
        later = Progress(self.epoch, max(claimed, self.claimed), self.low, self._done)
        for start, end in ranges_of(sorted(done)):
            later._done.add(max(start, later.low), end)
        later._settle_low()
        return later

    def without(self, behind: int) -> Progress:
        """The progress once everything below `behind` is gone from the topic."""
        later = Progress(self.epoch, max(behind, self.claimed), self.low, self._done)
        if behind > later.low:
            later._done.add(later.low, behind)
        later._settle_low()
        return later

    def _settle_low(self) -> None:
        low = min(self._done.free_from(self.low), self.claimed)
        if low > self.low:
            self._done.remove(self.low, low)
            self.low = low


def open_ranges(progress: Progress, behind: int) -> list[Range]:
    """Offsets below `behind` that are not done."""
    found = []
    at = progress.low
    for start, end in [*progress.done, (behind, behind)]:
        if at < min(start, behind):
            found.append((at, min(start, behind)))
        at = max(at, end)
    return found
