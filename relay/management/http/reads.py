"""What the parts of the client have in common: the way to ask, and the way to read a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from relay.management.endpoints import Endpoint
from relay.management.fields import Record
from relay.management.http.calls import Caller
from relay.management.http.lists import Listing, Lists, Question, Read
from relay.management.query import Params

T = TypeVar("T")


class Reads:
    """Base of the groups of reads that make up the client."""

    _caller: Caller
    _lists: Lists

    def _listing(
        self, endpoint: Endpoint, params: Params, read: Callable[[Record], T]
    ) -> Listing[T]:
        """One list, one value for each row."""
        return Listing(self._lists, [(Question(endpoint, params), one_each(read))])

    def _listings(self, questions: Iterable[tuple[Question, Read[T]]]) -> Listing[T]:
        """Several lists after each other."""
        return Listing(self._lists, questions)


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
