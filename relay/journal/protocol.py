"""What a journal promises. `rocksdb.py` keeps these promises on one machine.

The contract tests in `tests/contract/` run against every implementation.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from enum import Enum
from typing import Protocol

from relay.model import (
    Answer,
    Arrival,
    Attempt,
    Counts,
    DeadLetter,
    Entry,
    Settlement,
    Trace,
    Waiting,
)

#: Asked for each entry in order: may it join the batch? The first "no" ends the batch.
Fits = Callable[[Entry], bool]


class End(Enum):
    """From which end of the waiting entries to take."""

    OLDEST = "oldest"
    NEWEST = "newest"


class Intake(Protocol):
    """The side of the journal that the door uses."""

    async def append(
        self, arrivals: Sequence[Arrival], remember: Mapping[bytes, bytes] | None = None
    ) -> Sequence[Answer]:
        """Claim and store; durable when it returns, atomic as a whole.

        Refusals are recorded with their outcome; events are claimed: the first receipt that
        brings a (destination, event, event_id) within the dedupe window owns it, the same receipt
        again is `known`, another one is a duplicate. `remember` is stored with them, see `recall`.

        Raises `JournalUnavailable` (or `JournalFull`): then no receipt may be given.
        """
        ...

    def recall(self, key: bytes) -> bytes | None:
        """What was remembered under `key` within the last dedupe window, or None."""
        ...


class Outlet(Protocol):
    """The side of the journal that delivery uses. Entries taken stay taken until settled or
    given back; only durable entries are handed out."""

    def waiting(self, destination: str) -> Waiting: ...

    async def wait_for_entries(self, destination: str) -> None:
        """Return once the destination has an entry that is not taken."""
        ...

    def take(self, destination: str, end: End, fits: Fits) -> Sequence[Entry]:
        """Take entries in order for one batch; empty when none waits or the first does not fit."""
        ...

    def read(self, destination: str, seqs: Sequence[int]) -> Sequence[Entry]:
        """Read taken entries again, for another attempt."""
        ...

    def give_back(self, destination: str, seqs: Sequence[int]) -> None: ...

    async def settle(
        self,
        destination: str,
        attempt: Attempt | None,
        settlements: Sequence[Settlement],
        covers: Sequence[int] = (),
    ) -> None:
        """Record the attempt and the outcomes in one atomic write, ledger included.

        `covers` names the seqs the attempt carried, settled or not, so that `find` shows every
        answer. Settling an entry twice is an error of the caller: it raises ValueError.
        """
        ...


class Records(Protocol):
    """The side of the journal that people ask."""

    def counts(self) -> Mapping[str, Counts]: ...

    def find(self, token: str) -> Sequence[Trace]:
        """By receipt, event id, order id or digest, within `retention`."""
        ...

    def dead_letters(self, destination: str | None = None) -> AsyncIterator[DeadLetter]: ...
