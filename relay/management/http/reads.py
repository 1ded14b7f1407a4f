"""What the parts of the client have in common: the way to ask, and the way to read a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from relay.management.endpoints import Endpoint
from relay.management.envelope import Answer
from relay.management.fields import Record
from relay.management.http.calls import Caller
from relay.management.http.lists import Listing, Lists, Question, Read
from relay.management.notices import OnNotice
from relay.management.query import Params

T = TypeVar("T")


class Reads:
    """Base of the groups of reads that make up the client."""

    _caller: Caller
    _lists: Lists
    _on_notice: OnNotice

    async def _ask(self, endpoint: Endpoint, params: Params, *, anonymous: bool = False) -> Answer:
        """One answer; what was said beside it is told at once."""
        answer = await self._caller.call(endpoint, params, anonymous=anonymous)
        for notice in answer.notices:
            self._on_notice(notice)
        return answer

    def _listing(
        self, endpoint: Endpoint, params: Params, read: Callable[[Record], T]
    ) -> Listing[T]:
        """One list, one value for each row."""
        return self._listings([(Question(endpoint, params), one_each(read))])

    def _listings(self, questions: Iterable[tuple[Question, Read[T]]]) -> Listing[T]:
        """Several lists after each other."""
        return Listing(self._lists, questions, self._on_notice)


def one_each(read: Callable[[Record], T]) -> Read[T]:
    def values(record: Record) -> Iterator[T]:
        yield read(record)

    return values


def filtered(params: Params, **filters: Sequence[str] | str | None) -> dict[str, object]:
    """`params` with `filtering`; filters that are empty are left out."""
    filtering = {
        name: value if isinstance(value, str) else list(value)
        for name, value in filters.items()
        if value
    }
    return {**params, "filtering": filtering or None}
