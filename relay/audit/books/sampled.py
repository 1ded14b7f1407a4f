"""The sample of delivered events: orders, clicks and buyers over time.

Orders and clicks are sampled whole, by their digest: one below `share` of all digests is in it with
every event. Rows of different shares are made comparable by the smallest of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from relay.audit.books.deliveries import Feed, code_of
from relay.journal.sample import Sample

_DIGESTS: Final = 2**64


class Sampled:
    """The samples of the destinations that belong to the account."""

    def __init__(self, rows: Iterable[Sample], destinations: frozenset[str]) -> None:
        kept = [row for row in rows if row.destination in destinations]
        self.share = min((row.share for row in kept), default=1.0)
        self._rows: defaultdict[Feed, list[Sample]] = defaultdict(list)
        self._first_seen: dict[int, int] = {}
        for row in kept:
            self._rows[row.destination, code_of(row.event)].append(row)
            if row.click is not None:
                seen = self._first_seen.get(row.click, row.event_time)
                self._first_seen[row.click] = min(seen, row.event_time)

    @property
    def feeds(self) -> Collection[Feed]:
        return self._rows.keys()

    def of(self, destinations: Iterable[str], code: str) -> Sequence[Sample]:
        """All rows, sampled by their order or by their click."""
        return [row for each in destinations for row in self._rows.get((each, code), ())]

    def orders(self, destinations: Iterable[str], code: str) -> Sequence[Sample]:
        """Rows whose order was sampled whole. Where all are sampled, those without an order,
        too."""
        return [row for row in self.of(destinations, code) if self._holds(row.order)]

    def clicks(self, destinations: Iterable[str], code: str) -> Sequence[Sample]:
        """Rows whose click was sampled whole."""
        rows = self.of(destinations, code)
        return [row for row in rows if row.click is not None and self._holds(row.click)]

    def click_age_s(self, row: Sample) -> int | None:
        """From the first sighting of its click to the event; None without a click."""
        if row.click is None:
            return None
        return row.event_time - self._first_seen.get(row.click, row.event_time)

    def clicked_at(self, row: Sample) -> int:
        """When its click was first seen; of an event without one, when it happened."""
        return row.event_time - (self.click_age_s(row) or 0)

    def _holds(self, digest: int | None) -> bool:
        if self.share >= 1:
            return True
        return digest is not None and digest % _DIGESTS < self.share * _DIGESTS


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of them do not exceed; there is at least one."""
    ordered = sorted(values)
    place = -int(-(share * len(ordered)) // 1)
    return ordered[min(max(place, 1), len(ordered)) - 1]


def median(values: Iterable[float]) -> float | None:
    """None of nothing; of an even number, the mean of the two in the middle."""
    ordered = sorted(values)
    if not ordered:
        return None
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
