"""What people ask a running journal: the same answers as `Search`, without stopping the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from relay.journal.issues import IssueRow
from relay.journal.ledger import LedgerRow
from relay.journal.protocol import Note
from relay.journal.rocksdb.books import Keyed
from relay.journal.rocksdb.search import MOST_TRACES, Search
from relay.journal.sample import Sample
from relay.model import DeadLetter, Trace

_LETTERS_AT_ONCE = 256
_ROWS_AT_ONCE = 500
_SAMPLES_AT_ONCE = 2000

_Row = TypeVar("_Row", LedgerRow, IssueRow)

#: Rows of a destination (None: of all) from an hour to another.
_Ask = Callable[[str | None, int, int], Iterator[_Row]]


class Records:
    """Asks in a thread. Raises `JournalUnavailable` while the folder cannot be read."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._books = search.books

    async def find(self, token: str, *, limit: int = MOST_TRACES) -> Sequence[Trace]:
        return await asyncio.to_thread(self._search.find, token, limit=limit)

    async def dead_letter(self, letter_id: str) -> DeadLetter | None:
        return await asyncio.to_thread(self._search.dead_letter, letter_id)

    async def dead_letters(self, destination: str | None = None) -> AsyncIterator[DeadLetter]:
        behind = ""
        while True:
            page = await asyncio.to_thread(self._letters, destination, behind)
            for letter in page:
                yield letter
            if len(page) < _LETTERS_AT_ONCE:
                return
            behind = page[-1].letter_id

    def _letters(self, destination: str | None, behind: str) -> list[DeadLetter]:
        found = self._search.dead_letters(destination, behind=behind, limit=_LETTERS_AT_ONCE)
        return list(found)

    def sums(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[LedgerRow]:
        return _by_hour(self._books.sums, destination, start_hour, end_hour)

    def issues(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[IssueRow]:
        return _by_hour(self._books.issues, destination, start_hour, end_hour)

    async def samples(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[Sample]:
        behind = b""

        def page() -> list[Keyed]:
            found = self._books.samples(destination, start_hour, end_hour, behind=behind)
            return list(islice(found, _SAMPLES_AT_ONCE))

        while rows := await asyncio.to_thread(page):
            for _, sample in rows:
                yield sample
            behind = rows[-1][0]

    async def notes(self, prefix: str) -> AsyncIterator[Note]:
        """One at a time: each may be long."""
        behind = ""

        def following() -> Note | None:
            return next(self._books.notes(prefix, behind=behind), None)

        while note := await asyncio.to_thread(following):
            yield note
            behind = note[0]


async def _by_hour(
    ask: _Ask[_Row], destination: str | None, start_hour: int, end_hour: int
) -> AsyncIterator[_Row]:
    hour = start_hour
    while True:
        page = await asyncio.to_thread(_some, ask, destination, hour, end_hour)
        for row in page:
            yield row
        if len(page) < _ROWS_AT_ONCE:
            return
        hour = page[-1].hour + 1


def _some(ask: _Ask[_Row], destination: str | None, start_hour: int, end_hour: int) -> list[_Row]:
    """Whole hours until there are enough rows."""
    found: list[_Row] = []
    for row in ask(destination, start_hour, end_hour):
        if len(found) >= _ROWS_AT_ONCE and row.hour != found[-1].hour:
            break
        found.append(row)
    return found
