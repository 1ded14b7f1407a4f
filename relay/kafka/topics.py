"""Topics: made where that is allowed; where it is not, said exactly how to make them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    InvalidReplicationFactorError,
    PolicyViolationError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)

from relay.errors import TopicsMissing
from relay.kafka.connection import KafkaConnection

_TIMEOUT_MS = 10_000


@dataclass(frozen=True, slots=True)
class TopicWanted:
    """A topic that has to be there; where it is, it is taken as it is."""

    name: str
    partitions: int
    replication: int
    settings: Mapping[str, str] = field(default_factory=dict)

    def command(self, brokers: str) -> str:
        """What a person types to make it."""
        settings = [f"--config {name}={value}" for name, value in self.settings.items()]
        words = [
            f"kafka-topics.sh --bootstrap-server {brokers} --create --topic",
            shlex.quote(self.name),
            f"--partitions {self.partitions} --replication-factor {self.replication}",
            *settings,
        ]
        return " ".join(words)


async def missing_topics(connection: KafkaConnection, names: Iterable[str]) -> list[str]:
    """Those of the topics that are not there. Raises aiokafka's errors."""
    admin = AIOKafkaAdminClient(**connection.options(), request_timeout_ms=_TIMEOUT_MS)
    await admin.start()
    try:
        there = set(await admin.list_topics())
    finally:
        await admin.close()
    return [name for name in names if name not in there]


async def ensure_topics(connection: KafkaConnection, wanted: Sequence[TopicWanted]) -> list[str]:
    """Make the topics that are missing; returns their names.

    Several replicas may ask at once. Raises `TopicsMissing` where they may not be made from here,
    and aiokafka's errors (`KafkaConnectionError` for a cluster that is away).
    """
    admin = AIOKafkaAdminClient(**connection.options(), request_timeout_ms=_TIMEOUT_MS)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        missing = [each for each in wanted if each.name not in there]
        refused = {
            each.name: why for each in missing if (why := await _create(admin, each)) is not None
        }
    finally:
        await admin.close()
    if refused:
        commands = [each.command(connection.brokers) for each in missing if each.name in refused]
        reasons = ", ".join(sorted(set(refused.values())))
        raise TopicsMissing(
            f"topics are missing and could not be made ({reasons}). Make them:\n  "
            + "\n  ".join(commands)
        )
    return [each.name for each in missing]


async def _create(admin: AIOKafkaAdminClient, wanted: TopicWanted) -> str | None:
    """None when it is there now, else why it is not."""
    topic = NewTopic(
        wanted.name, wanted.partitions, wanted.replication, topic_configs=dict(wanted.settings)
    )
    answer = await admin.create_topics([topic], timeout_ms=_TIMEOUT_MS)
    for _, code, message, *_ in answer.topic_errors:
        error = for_code(code)
        if code == 0 or error is TopicAlreadyExistsError:
            return None
        if error is InvalidReplicationFactorError:
            brokers = len(admin._client.cluster.brokers())  # noqa: SLF001  # no public way to ask
            return (
                f"replication {wanted.replication} is more than the {brokers} brokers there are: "
                "set journal.replication"
            )
        if error in (ClusterAuthorizationFailedError, TopicAuthorizationFailedError):
            return "the relay's user may not create topics"
        if error is PolicyViolationError:
            return f"the cluster's policy forbids it: {message}"
        return f"{error.__name__}: {message}"
    return None
