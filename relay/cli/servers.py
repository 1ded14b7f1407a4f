"""`relay journal` where the journal is on Kafka and PostgreSQL."""

from __future__ import annotations

from relay import assembly
from relay.cli.archive import quiet_watchers
from relay.clock import SystemClock
from relay.config import Settings
from relay.journal.findings import Verification

Row = dict[str, str | int | float | None]


async def rows(settings: Settings) -> list[Row]:
    """What waits, per destination, over all replicas. Raises `JournalUnavailable`."""
    async with assembly.records_of(settings, SystemClock(), quiet_watchers()) as records:
        await records.take_census()
        found: list[Row] = []
        for name, counts in records.counts().items():
            waiting = records.waiting(name)
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
    async with assembly.records_of(settings, SystemClock(), quiet_watchers()) as records:
        return await records.verify()
