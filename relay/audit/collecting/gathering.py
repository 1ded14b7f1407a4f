"""What was gathered, part by part, and what is missing of each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from relay.audit.facts import Gathered, Part
from relay.clock import Clock
from relay.errors import JournalUnavailable
from relay.management import Listing, Notice
from relay.management.errors import ManagementError

T = TypeVar("T")
U = TypeVar("U")


class Gathering:
    """Keeps the books of one collection. A part may come in pieces: its rows add up, and its first
    problem stands."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.parts: dict[Part, Gathered] = {}

    async def listed(self, part: Part, listing: Listing[T]) -> list[T]:
        """All rows of a list of TikTok's; none of them where it could not be read."""
        return await self.made(part, listing, lambda row: row)

    async def made(self, part: Part, listing: Listing[T], make: Callable[[T], U]) -> list[U]:
        """The same, each row made into something as it comes: rows are many, and wider than what is
        kept of them."""

        async def rows() -> list[U]:
            return [make(row) async for row in listing]

        found = await self.asked(part, rows) or []
        self.note(part, len(found), told(listing.notices))
        return found

    async def asked(self, part: Part, work: Callable[[], Awaitable[T]]) -> T | None:
        """What `work` gives; None, and a problem noted, where it fails."""
        try:
            return await work()
        except ManagementError as error:
            self.note(part, 0, str(error), error.code)
        except JournalUnavailable as error:
            self.note(part, 0, str(error))
        return None

    def note(
        self, part: Part, rows: int, problem: str | None = None, code: int | None = None
    ) -> None:
        before = self.parts.get(part)
        if before is not None:
            rows += before.rows
            if before.problem is not None:
                problem, code = before.problem, before.code
        self.parts[part] = Gathered(part, self._clock.now(), rows, problem, code)

    def is_whole(self, *parts: Part) -> bool:
        """Were these asked for, with nothing missing?"""
        found = [self.parts.get(part) for part in parts]
        return all(each is not None and each.problem is None for each in found)


def told(notices: Iterable[Notice]) -> str | None:
    """What TikTok left out, in a sentence; None where nothing is missing."""
    return "; ".join(notice.text for notice in notices if notice.incomplete) or None
