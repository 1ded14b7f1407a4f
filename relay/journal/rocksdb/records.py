"""What people ask a running journal: the same answers as `Search`, without stopping the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from relay.journal.ledger import LedgerRow
from relay.journal.rocksdb.search import MOST_TRACES, Search
from relay.model import DeadLetter, Trace

_LETTERS_AT_ONCE = 256
_SUMS_AT_ONCE = 500


class Records:
    """Asks in a thread. Raises `JournalUnavailable` while the folder cannot be read."""

    def __init__(self, search: Search) -> None:
        self._search = search

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

    async def sums(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[LedgerRow]:
        hour = start_hour
        while True:
            page = await asyncio.to_thread(
                self._search.some_sums, destination, hour, end_hour, _SUMS_AT_ONCE
            )
            for row in page:
                yield row
            if len(page) < _SUMS_AT_ONCE:
                return
            hour = page[-1].hour + 1
