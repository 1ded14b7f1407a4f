"""Whether relays work on a journal: their consumer group tells, and they do themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from relay.errors import JournalLocked, JournalUnavailable
from relay.journal.distributed import presence
from relay.journal.distributed.settings import DistributedSettings
from relay.postgres.database import Database

_STOPPED = ("Empty", "Dead")
#: A group's coordinator is waited for so often, so long each time, in seconds.
_COORDINATOR_TRIES = 20
_COORDINATOR_PAUSE_S = 0.5


async def require_rest(settings: DistributedSettings, database: Database) -> None:
    """Raise `JournalLocked` while relays deliver or accept, and `JournalUnavailable`."""
    await _nobody_delivers(settings)
    await require_nobody(database)


async def require_nobody(database: Database) -> None:
    """Raise `JournalLocked` where a process said lately that it works. Raises
    `DatabaseUnavailable`."""
    async with database.connection() as connection:
        working = await presence.at_work(connection)
    if working:
        raise JournalLocked(
            f"relays work on this journal ({', '.join(working)}): stop all of them, those that "
            f"accept as well, and try again; one that was killed is forgotten after "
            f"{presence.SILENT_S} seconds"
        )


async def committed_of(settings: DistributedSettings) -> Mapping[TopicPartition, int]:
    """How far the group has read the topics. Raises `JournalUnavailable`."""
    admin = AIOKafkaAdminClient(**settings.kafka.options())
    try:
        await admin.start()
        found = await admin.list_consumer_group_offsets(settings.group)
    except (KafkaError, OSError) as error:
        raise JournalUnavailable(settings.kafka.silent(error)) from error
    finally:
        await admin.close()
    return {place: told.offset for place, told in found.items()}


async def _nobody_delivers(settings: DistributedSettings) -> None:
    group = settings.group
    admin = AIOKafkaAdminClient(**settings.kafka.options())
    try:
        await admin.start()
        answers = await _described(admin, group)
    except (KafkaError, OSError) as error:
        raise JournalUnavailable(settings.kafka.silent(error)) from error
    finally:
        await admin.close()
    states = [each[2] for answer in answers for each in answer.groups]
    if any(state not in _STOPPED for state in states):
        raise JournalLocked(
            f"relays deliver from this journal (consumer group {group}): stop all of them, "
            "those that accept as well, and try again"
        )


async def _described(admin: AIOKafkaAdminClient, group: str) -> Sequence[Any]:
    """A cluster that never had a group makes its coordinator when it is asked for one."""
    left = _COORDINATOR_TRIES
    while True:
        try:
            found: Sequence[Any] = await admin.describe_consumer_groups([group])
        except GroupCoordinatorNotAvailableError:
            left -= 1
            if not left:
                raise
            await asyncio.sleep(_COORDINATOR_PAUSE_S)
        else:
            return found
