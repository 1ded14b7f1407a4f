"""Records gathered into groups of a bounded size. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from relay.journal.moving.groups import End, Events, Group, MovedEvent, MovedRefusal, Refusals
from relay.model import Attempt, Entry

#: A line has at most so many records, and about so many bytes.
MOST_ROWS = 500
MOST_BYTES = 1 << 19

_Row = TypeVar("_Row")


class Gathering:
    """Events of one destination, settled ones or ones that wait; each attempt is told once a group.

    What is full is returned by whatever filled it, the rest by `rest`.
    """

    def __init__(self, destination: str, *, waiting: bool) -> None:
        self._destination = destination
        self._waiting = waiting
        self._begin()

    def _begin(self) -> None:
        self._events: list[MovedEvent] = []
        self._attempts: dict[str, int] = {}
        self._told: list[Attempt] = []
        self._size = 0

    def add(
        self,
        entry: Entry,
        claim: bytes,
        attempts: Sequence[Attempt],
        *,
        unknown_since: float | None = None,
        end: End | None = None,
    ) -> Iterator[Group]:
        places = [self._place(each) for each in sorted(attempts, key=_began)]
        since = [each.started_at for each in attempts if each.unknown]
        since += [] if unknown_since is None else [unknown_since]
        event = MovedEvent(entry._replace(seq=0), claim, places, min(since, default=None), end)
        self._events.append(event)
        self._size += len(entry.body)
        if len(self._events) >= MOST_ROWS or self._size >= MOST_BYTES:
            yield from self.rest()

    def _place(self, attempt: Attempt) -> int:
        place = self._attempts.setdefault(attempt.attempt_id, len(self._told))
        if place == len(self._told):
            self._told.append(attempt)
        return place

    def rest(self) -> Iterator[Group]:
        if self._events:
            yield Events(self._destination, self._told, self._events, self._waiting)
            self._begin()


class GatheredRefusals:
    """Refusals of one destination, likewise."""

    def __init__(self, destination: str) -> None:
        self._destination = destination
        self._refusals: list[MovedRefusal] = []

    def add(self, refusal: MovedRefusal) -> Iterator[Group]:
        self._refusals.append(refusal)
        if len(self._refusals) >= MOST_ROWS:
            yield from self.rest()

    def rest(self) -> Iterator[Group]:
        if self._refusals:
            yield Refusals(self._destination, self._refusals)
            self._refusals = []


def gathered(
    rows: Iterable[_Row],
    make: Callable[[list[_Row]], Group],
    size: Callable[[_Row], int] = lambda row: 0,
    most: int = MOST_ROWS,
) -> Iterator[Group]:
    """Rows of one kind as groups."""
    found: list[_Row] = []
    size_bytes = 0
    for row in rows:
        found.append(row)
        size_bytes += size(row)
        if len(found) >= most or size_bytes >= MOST_BYTES:
            yield make(found)
            found, size_bytes = [], 0
    if found:
        yield make(found)


def _began(attempt: Attempt) -> float:
    return attempt.started_at
