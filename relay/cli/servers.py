"""`relay journal` where the journal is on Kafka and PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from relay import assembly
from relay.cli.archive import quiet_watchers
from relay.clock import SystemClock
from relay.config import Settings
from relay.errors import JournalUnavailable
from relay.journal.findings import Verification
from relay.role import Role

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


class Prepared(NamedTuple):
    """What was missing and is there now: versions of the schema, names of topics."""

    versions: Sequence[int]
    topics: Sequence[str]


async def prepare(settings: Settings) -> Prepared:
    """Bring the tables up to date, and make the topics that are missing. May be done again, and by
    several at once. Raises `DatabaseUnavailable`, `JournalUnavailable`, `TopicsMissing` and
    `ConfigError`."""
    from aiokafka.errors import KafkaError  # noqa: PLC0415  # costs a moment, and is rarely needed

    from relay.kafka.topics import ensure_topics  # noqa: PLC0415  # as above

    versions = await assembly.database_of(settings, quiet_watchers()).migrate()
    journal = assembly.distributed_settings_of(settings, Role.INGEST)
    try:
        topics = await ensure_topics(journal.kafka, journal.topics.wanted(journal.destinations))
    except (KafkaError, OSError, TimeoutError) as error:
        raise JournalUnavailable(journal.kafka.silent(error)) from error
    return Prepared(versions, topics)


async def verify(settings: Settings) -> Verification:
    """Read what waits in the topics, and hold it against the tables.

    Raises `JournalUnavailable`.
    """
    async with assembly.records_of(settings, SystemClock(), quiet_watchers()) as records:
        return await records.verify()
