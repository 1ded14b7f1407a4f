"""Whether relays deliver from a journal: their consumer group tells."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from relay.errors import JournalLocked, JournalUnavailable
from relay.journal.distributed.settings import DistributedSettings

_STOPPED = ("Empty", "Dead")
#: A group's coordinator is waited for so often, so long each time, in seconds.
_COORDINATOR_TRIES = 20
_COORDINATOR_PAUSE_S = 0.5


async def require_rest(settings: DistributedSettings) -> None:
    """Raise `JournalLocked` while relays deliver, and `JournalUnavailable`."""
    group = settings.group
    admin = AIOKafkaAdminClient(**settings.kafka.options())
    try:
        await admin.start()
        answers = await _described(admin, group)
    except (KafkaError, OSError) as error:
        raise JournalUnavailable(f"the brokers do not answer ({type(error).__name__})") from error
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
