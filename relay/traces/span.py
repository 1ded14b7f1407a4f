"""A span that has ended, before any library sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from relay.traces.identity import Context

Value = str | int


class Span(NamedTuple):
    """`name` and the keys of `attributes` are of the catalogue; `parent` is a span of the same
    trace; times are nanoseconds since 1970. `failed` marks what a person looks for."""

    name: str
    context: Context
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Value]
    parent: Context | None = None
    links: Sequence[Context] = ()
    failed: bool = False


#: Takes a span and never waits.
Offer = Callable[[Span], None]


class Moment(NamedTuple):
    """A point in time: Unix seconds, and seconds of a clock that does not step."""

    at: float
    monotonic: float

    def ns(self, monotonic: float) -> int:
        """The Unix nanoseconds of a later reading of that clock."""
        return ns(self.at + max(0.0, monotonic - self.monotonic))


def ns(at: float) -> int:
    """Unix seconds as nanoseconds."""
    return int(at * 1_000_000_000)


def without_gaps(attributes: Mapping[str, Value | None]) -> Mapping[str, Value]:
    """An attribute that there is none of is left out."""
    return {name: value for name, value in attributes.items() if value is not None}
