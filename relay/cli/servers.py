"""`relay journal` where the journal is on Kafka and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from relay import assembly
from relay.cli.archive import quiet_watchers
from relay.clock import SystemClock
from relay.config import Settings
from relay.journal.findings import Verification
from relay.role import Role

if TYPE_CHECKING:
    from relay.journal.distributed import DistributedJournal

Row = dict[str, str | int | float | None]


async def rows(settings: Settings) -> list[Row]:
    """What waits, per destination, over all replicas. Raises `JournalUnavailable`."""
    async with _opened(settings) as journal:
        await journal.take_census()
        found: list[Row] = []
        for name, counts in journal.counts().items():
            waiting = journal.waiting(name)
            found.append(
                {
                    "destination": name,
                    "accepted": counts.accepted,
                    "settled": counts.settled,
                    "waiting": counts.waiting,
                    "waiting_bytes": waiting.size_bytes,
                    "oldest_at": waiting.oldest_at,
                    "gap": counts.gap,
                }
            )
        return found


async def verify(settings: Settings) -> Verification:
    """Read what waits in the topics, and hold it against the tables.

    Raises `JournalUnavailable`.
    """
    async with _opened(settings) as journal:
        return await journal.verify()


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[DistributedJournal]:
    """The journal as a looker has it."""
    from relay.journal.distributed import DistributedJournal  # noqa: PLC0415  # see assembly

    async with assembly.journal_of(
        settings, Role.INGEST, SystemClock(), quiet_watchers()
    ) as journal:
        assert isinstance(journal, DistributedJournal)  # noqa: S101  # asked for just then
        yield journal
