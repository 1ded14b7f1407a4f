"""What a journal promises. `rocksdb.RocksJournal` keeps these promises on one machine.

The contract tests in `tests/contract/` run against every implementation.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol

from relay.journal.issues import IssueRow
from relay.journal.ledger import LedgerRow
from relay.journal.sample import Sample
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


class Parked(NamedTuple):
    """Entries of one request that need no attempt before `due_at` (Unix seconds). `story` is what
    their lane must know of them then; nobody else reads it."""

    seqs: Sequence[int]
    due_at: float
    story: bytes


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
        again is `known`, another one is a duplicate. Receipts that begin with `http:` are never
        used twice; every other one is `known` when it comes again within the window, however it
        ended. `remember` is stored with them, see `recall`.

        Raises `JournalUnavailable` (or `JournalFull`): then no receipt may be given. It may be
        stored nevertheless, and so may what was cancelled: what comes again is told by its claim.
        Raises ValueError or TypeError for an arrival that no journal could store.
        """
        ...

    async def recall(self, key: bytes) -> bytes | None:
        """What was remembered under `key` within the last dedupe window, or None.

        Raises `JournalUnavailable`.
        """
        ...

    async def erase(self, digests: Sequence[str]) -> int:
        """Forget a person, named by digests of identifiers (64 lower-case hex each).

        What waits is settled as withheld, what is recorded loses its body, dead letters go;
        entries on their way to TikTok follow when they are back. Returns how many events lost
        their body by now. Raises `JournalUnavailable`.
        """
        ...


class Outlet(Protocol):
    """The side of the journal that delivery uses. Entries taken stay taken until settled or
    given back; only durable entries are handed out."""

    def waiting(self, destination: str) -> Waiting:
        """All that is not settled, taken or not."""
        ...

    def available(self, destination: str) -> Waiting:
        """What can be taken now; cheap. `oldest_at` is None just when there is nothing."""
        ...

    async def wait_for_entries(self, destination: str) -> None:
        """Return once the destination has an entry that is not taken."""
        ...

    def take(self, destination: str, end: End, fits: Fits) -> Sequence[Entry]:
        """Take entries in order for one batch; empty when none waits, the first does not fit, or
        the journal cannot be read in this moment."""
        ...

    def read(self, destination: str, seqs: Sequence[int]) -> Sequence[Entry]:
        """Read taken entries again, for another attempt.

        An entry that cannot be read any more is left out, and settled as invalid by the journal.
        Raises `JournalUnavailable`: ask again later.
        """
        ...

    def unknown_since(self, destination: str, seqs: Sequence[int]) -> float | None:
        """When the first attempt with an unknown outcome began that carried one of these entries;
        None when TikTok cannot have them. Raises `JournalUnavailable`."""
        ...

    def give_back(self, destination: str, seqs: Sequence[int]) -> None: ...

    async def park(self, destination: str, parked: Parked) -> bool:
        """Lay taken entries aside until they are due, so that they hold nothing up: then they are
        taken no more, and come back through `due`, here or at another replica.

        False where that is of no use, because entries hold nothing up here: they stay taken.
        Raises `JournalUnavailable`: they stay taken, too.
        """
        ...

    def due(self, destination: str) -> Sequence[Parked]:
        """Parked entries whose time has come and that this process has to send: they are taken.
        Each is told once."""
        ...

    async def settle(
        self,
        destination: str,
        attempt: Attempt | None,
        settlements: Sequence[Settlement],
        covers: Sequence[int] = (),
    ) -> None:
        """Record the attempt and the outcomes in one atomic write, ledger included.

        `covers` names the seqs the attempt carried, settled or not, so that `find` shows every
        answer. Settling an entry twice is an error of the caller: it raises ValueError. A journal
        that cannot store is waited for; raises `JournalUnavailable` only when it is closed.
        """
        ...


#: A note: its key, and what it says.
Note = tuple[str, bytes]


class Archive(Protocol):
    """What people ask a journal. All of it raises `JournalUnavailable`."""

    async def find(self, token: str, *, limit: int = 100) -> Sequence[Trace]:
        """By receipt, event id, order id or digest, within `retention`: the newest ones, oldest
        first."""
        ...

    def dead_letters(self, destination: str | None = None) -> AsyncIterator[DeadLetter]:
        """Oldest first."""
        ...

    async def dead_letter(self, letter_id: str) -> DeadLetter | None: ...

    def sums(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[LedgerRow]:
        """The ledger of `start_hour <= hour < end_hour` (hours since 1970, UTC), in that order."""
        ...

    def issues(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[IssueRow]:
        """What was wrong with fields at the door, counted; by hour, as `sums`, and kept as long."""
        ...

    def samples(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[Sample]:
        """A sample of what was delivered, no test events, by hour of the event's time; of an hour
        in any order. Kept for `retention` after that hour."""
        ...

    def notes(self, prefix: str) -> AsyncIterator[Note]:
        """The notes whose keys begin so, in the order of their keys (by code point)."""
        ...


class Notes(Protocol):
    """A small room for what must outlive a process: audits keep there what they saw. A key is text
    of at most 512 bytes without NUL, a value has at most 16 MiB; raises ValueError for any other,
    and `JournalUnavailable`."""

    async def put_note(self, key: str, value: bytes) -> None:
        """Durable when it returns; a note of this key is replaced."""
        ...

    def notes(self, prefix: str) -> AsyncIterator[Note]:
        """See `Archive.notes`."""
        ...

    async def drop_notes(self, prefix: str, before: str) -> None:
        """Forget the notes whose keys begin so and sort before `before`."""
        ...


class Records(Archive, Notes, Protocol):
    """The side of the journal that people ask, and the metrics."""

    def counts(self) -> Mapping[str, Counts]:
        """The stored counters of every destination; cheap, and never raises."""
        ...

    async def mark_replayed(self, letter_id: str) -> None:
        """Note that a dead letter was replayed; a letter that is gone is no error."""
        ...


class Journal(Intake, Outlet, Records, Protocol):
    """A journal as a whole."""

    @property
    def healthy(self) -> bool:
        """Can it store what comes, and hand out what waits? It recovers by itself."""
        ...

    @property
    def has_room(self) -> bool:
        """False when it holds as much as it may."""
        ...

    def drain(self) -> None:
        """The process is about to leave: hand out nothing that others could take over."""
        ...

    async def tidy(self) -> None:
        """Forget what is past its time, a small step at a time. Raises `JournalUnavailable`."""
        ...
