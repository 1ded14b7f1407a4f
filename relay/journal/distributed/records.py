"""The side of the distributed journal that people ask: it needs no part in the group."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace

from relay.clock import Clock
from relay.errors import DatabaseUnavailable, JournalUnavailable
from relay.journal.distributed import book, census, letters, notes, sampled, verification
from relay.journal.distributed.browser import Browser
from relay.journal.distributed.census import Tally
from relay.journal.distributed.erasing import Erasures
from relay.journal.distributed.search import Search
from relay.journal.distributed.settings import DistributedSettings
from relay.journal.findings import Finding, Verification
from relay.journal.issues import IssueRow
from relay.journal.ledger import LedgerRow
from relay.journal.notes import check_key, check_note
from relay.journal.protocol import Note
from relay.journal.sample import Sample
from relay.model import Counts, DeadLetter, Trace, Waiting
from relay.postgres.database import Database

NOTHING = Waiting(0, 0, None)


@contextlib.contextmanager
def as_journal() -> Iterator[None]:
    """A database that is away is a journal that is unavailable."""
    try:
        yield
    except DatabaseUnavailable as error:
        raise JournalUnavailable(str(error)) from error


class DistributedRecords:
    """Use as `async with DistributedRecords(settings, database, clock) as records`; changes
    nothing but what it is told to mark. Raises `JournalUnavailable`."""

    def __init__(self, settings: DistributedSettings, database: Database, clock: Clock) -> None:
        self.settings = settings
        self.database = database
        self.clock = clock
        self.erasures = Erasures()
        self.tallies: dict[str, Tally] = {}
        self.browser = Browser(settings.kafka.options, settings.topics)
        self.search = Search(database, self.browser, self.erasures)

    async def __aenter__(self) -> DistributedRecords:
        with as_journal():
            await self.database.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.browser.close()
        await self.database.close()

    # --- how much ---------------------------------------------------------------------------------

    async def take_census(self) -> None:
        """Count over all replicas. Raises `DatabaseUnavailable`, `JournalUnavailable`."""
        ends = await self.browser.ends(self.settings.destinations)
        tallies = await census.taken(self.database)
        claimed = await census.claimed(self.database)
        for (destination, partition), end in ends.items():
            tally = tallies.setdefault(destination, Tally())
            tally.unread += max(0, end - claimed.get((destination, partition), 0))
        self.tallies = tallies

    def waiting(self, destination: str) -> Waiting:
        """See `protocol.Outlet.waiting`: over all replicas, as of the last census."""
        tally = self.tallies.get(destination)
        return NOTHING if tally is None else tally.waiting()

    def counts(self) -> Mapping[str, Counts]:
        """See `protocol.Records.counts`: over all replicas, as of the last second."""
        return {name: tally.counts() for name, tally in sorted(self.tallies.items())}

    async def find(self, token: str, *, limit: int = 100) -> Sequence[Trace]:
        """See `protocol.Records.find`."""
        with as_journal():
            await self.erasures.load(self.database)
            since = self.clock.now() - self.settings.retention_s
            return await self.search.find(token, since, limit)

    async def dead_letters(self, destination: str | None = None) -> AsyncIterator[DeadLetter]:
        """See `protocol.Records.dead_letters`."""
        with as_journal():
            async for letter in letters.every(self.database, destination):
                yield letter

    async def dead_letter(self, letter_id: str) -> DeadLetter | None:
        """See `protocol.Records.dead_letter`."""
        with as_journal():
            return await letters.one(self.database, letter_id)

    async def mark_replayed(self, letter_id: str) -> None:
        """See `protocol.Records.mark_replayed`."""
        with as_journal():
            await letters.mark(self.database, letter_id, self.clock.now())

    async def sums(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[LedgerRow]:
        """See `protocol.Archive.sums`."""
        with as_journal():
            async for row in book.sums(self.database, destination, start_hour, end_hour):
                yield row

    async def issues(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[IssueRow]:
        """See `protocol.Archive.issues`."""
        with as_journal():
            async for row in book.issues(self.database, destination, start_hour, end_hour):
                yield row

    async def samples(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[Sample]:
        """See `protocol.Archive.samples`."""
        with as_journal():
            async for sample in sampled.read(self.database, destination, start_hour, end_hour):
                yield sample

    async def put_note(self, key: str, value: bytes) -> None:
        """See `protocol.Notes.put_note`."""
        check_note(key, value)
        with as_journal():
            await notes.put(self.database, key, value)

    async def notes(self, prefix: str) -> AsyncIterator[Note]:
        """See `protocol.Archive.notes`."""
        check_key(prefix)
        with as_journal():
            async for note in notes.read(self.database, prefix):
                yield note

    async def drop_notes(self, prefix: str, before: str) -> None:
        """See `protocol.Notes.drop_notes`."""
        check_key(prefix)
        check_key(before)
        with as_journal():
            await notes.drop(self.database, prefix, before)

    async def verify(self) -> Verification:
        """Read what waits in the topics, and hold it against the tables; nothing is changed.

        Raises `JournalUnavailable`.
        """
        with as_journal():
            found = await verification.verify(
                self.database, self.browser, self.settings.destinations
            )
            await self.take_census()
        gaps = [
            Finding(name, f"accepted is not settled + waiting: {each.gap} apart")
            for name, each in self.counts().items()
            if each.gap
        ]
        return replace(found, findings=(*found.findings, *gaps))
