"""What takes a moved journal in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from relay.errors import RelayError
from relay.journal.moving.framing import Header, Trailer
from relay.journal.moving.rows import Row
from relay.journal.moving.standing import Standing

#: So many rows, or bytes of them, are taken at once: one transaction, or one write.
MOST_ROWS = 2000
MOST_BYTES = 4 * 2**20


class AlreadyHere(RelayError):
    """This journal, or a part of it, is here already, and would count twice."""

    def __init__(self) -> None:
        super().__init__(
            "the journal that this file was made of is in here already, from another export or "
            "from before it was moved away, and would count twice: import into a journal of its "
            "own (journal.path; or journal.topic_prefix and journal.database_schema)"
        )


def refuse_repetition(header: Header, here: Iterable[str]) -> None:
    """Raise `AlreadyHere` where one of the journals in a file is among those that are `here`."""
    if not set(header.journals).isdisjoint(here):
        raise AlreadyHere


class Target(Protocol):
    """A journal that takes rows in, each once, however often it is tried."""

    async def begin(self, header: Header, trailer: Trailer) -> Standing:
        """How far this import is: the rows behind that are wanted.

        Raises `AlreadyHere`, `JournalUnavailable`.
        """
        ...

    async def take(self, rows: Sequence[Row]) -> None:
        """The rows that follow. When it returns, they and the standing are durable, together.

        Raises `JournalUnavailable`: the import goes on when it is begun anew.
        """
        ...

    async def finish(self) -> Standing:
        """All rows were taken."""
        ...
