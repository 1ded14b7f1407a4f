"""What a consumer needs from the house behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from relay.model import Arrival, Outcome, Refusal
from relay.traces import Context, Moment


class Message(Protocol):
    """A record as the client hands it over; `timestamp` is in milliseconds, -1 for none."""

    @property
    def topic(self) -> str: ...

    @property
    def partition(self) -> int: ...

    @property
    def offset(self) -> int: ...

    @property
    def timestamp(self) -> int: ...

    @property
    def key(self) -> bytes | None: ...

    @property
    def value(self) -> bytes | None: ...

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Judged(NamedTuple):
    """What became of a message: arrivals, or the reason why there are none. Where traces are on,
    when it was looked at and the span of who wrote it."""

    arrivals: Sequence[Arrival]
    ignored: str | None = None
    began: Moment | None = None
    sender: Context | None = None

    @property
    def is_invalid(self) -> bool:
        """Whether nobody will deliver it, or a part of it."""
        return any(
            isinstance(arrival.result, Refusal) and arrival.result.outcome is Outcome.INVALID
            for arrival in self.arrivals
        )


class Path(Protocol):
    """The way of messages into the journal, in two steps."""

    def judge(self, messages: Sequence[Message]) -> Sequence[Judged]:
        """What each message is; nothing is written or counted."""
        ...

    async def store(self, judged: Sequence[Judged]) -> None:
        """Durable when it returns, and counted once. Raises `JournalUnavailable`: ask again."""
        ...
