"""What the client may raise, as one error; and the offsets that it commits."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from relay.errors import RelayError
from relay.ingest.kafka.standing import Partition
from relay.telemetry import Log, Telemetry

_COMMIT_TIMEOUT_S: Final = 5.0

_Result = TypeVar("_Result")


class ClientTrouble(RelayError):
    """The client failed; its cause says how. A new connection goes on from what is committed."""

    @property
    def cause(self) -> BaseException:
        return self.__cause__ or self


@contextmanager
def of_client() -> Iterator[None]:
    """Whatever a call of the client raises is `ClientTrouble`: its documentation lists few."""
    try:
        yield
    except Exception as error:
        raise ClientTrouble(type(error).__name__) from error


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, _Result]) -> _Result | None:
    """Wait for what the client may be long about; None when told to stop before it was done."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        stopping.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait({working})


class Offsets:
    """How far the journal has each partition, where the brokers do not know it yet."""

    def __init__(
        self, consumer: AIOKafkaConsumer, source: str, telemetry: Telemetry, log: Log
    ) -> None:
        self._consumer: Any = consumer
        self._source = source
        self._telemetry = telemetry
        self._log = log
        self._next: dict[Partition, int] = {}

    def __bool__(self) -> bool:
        return bool(self._next)

    def stored(self, partition: Partition, last: int) -> None:
        """All messages up to `last` are durable."""
        self._next[partition] = last + 1

    def forget(self) -> None:
        """The partitions are somebody else's now."""
        self._next.clear()

    async def commit(self) -> None:
        """Tell the brokers; one that fails is made up for by the next."""
        offsets = dict(self._next)
        if not offsets:
            return
        try:
            with of_client():
                async with asyncio.timeout(_COMMIT_TIMEOUT_S):
                    await self._consumer.commit(
                        {TopicPartition(*each): offset for each, offset in offsets.items()}
                    )
        except ClientTrouble as trouble:
            self._telemetry.kafka_committed(self._source, done=False)
            self._log.kafka_commit_failed(self._source, trouble.cause)
            return
        self._telemetry.kafka_committed(self._source, done=True)
        for each, offset in offsets.items():
            if self._next.get(each) == offset:
                del self._next[each]
