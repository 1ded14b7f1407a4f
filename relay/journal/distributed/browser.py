"""Reading single messages of the topics, beside the group that delivers them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from relay.errors import JournalUnavailable
from relay.journal.distributed import message
from relay.journal.distributed.message import Arrived
from relay.journal.distributed.spot import Spot
from relay.journal.distributed.topics import Topics

_TIMEOUT_S = 10.0

#: Messages this near to each other are read in one go.
_NEAR = 500


class Browser:
    """A consumer without a group, made when it is first needed."""

    def __init__(self, options: Callable[[], Mapping[str, Any]], topics: Topics) -> None:
        self._options = options
        self._topics = topics
        self._consumer: AIOKafkaConsumer | None = None
        self._known: dict[str, Sequence[int]] = {}
        self._one = asyncio.Lock()
        self._closed = False

    async def close(self) -> None:
        """For good: who still waits for an answer gets `JournalUnavailable`."""
        self._closed = True
        await self._disconnect()

    async def _disconnect(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(2):
                    await consumer.stop()

    async def read(self, spots: Iterable[Spot]) -> Mapping[Spot, Arrived]:
        """The messages at these places; those that the topic no longer has are left out.

        Raises `JournalUnavailable` when the brokers do not answer.
        """
        wanted: defaultdict[TopicPartition, dict[int, Spot]] = defaultdict(dict)
        for spot in spots:
            place = TopicPartition(self._topics.of(spot.destination), spot.partition)
            wanted[place][spot.offset] = spot
        found: dict[Spot, Arrived] = {}
        if not wanted:
            return found
        async with self._one, self._asking() as consumer:
            for place, by_offset in wanted.items():
                consumer.assign([place])
                begin = (await consumer.beginning_offsets([place]))[place]
                end = (await consumer.end_offsets([place]))[place]
                offsets = sorted(each for each in by_offset if begin <= each < end)
                for read in await _read(consumer, place, offsets):
                    found[by_offset[read.offset]] = read
        return found

    async def bounds(
        self, destinations: Sequence[str]
    ) -> Mapping[tuple[str, int], tuple[int, int]]:
        """The first offset, and the one behind the last, by destination and partition.

        Raises `JournalUnavailable`.
        """
        async with self._one, self._asking() as consumer:
            places = await self._places(consumer, destinations)
            begins = await consumer.beginning_offsets(places) if places else {}
            ends = await consumer.end_offsets(places) if places else {}
        return {
            (self._topics.destination(each.topic), each.partition): (begins[each], ends[each])
            for each in places
        }

    async def ends(self, destinations: Sequence[str]) -> Mapping[tuple[str, int], int]:
        """The offset behind the last message, by destination and partition.

        Raises `JournalUnavailable`.
        """
        async with self._one, self._asking() as consumer:
            places = await self._places(consumer, destinations)
            ends = await consumer.end_offsets(places) if places else {}
        return {
            (self._topics.destination(each.topic), each.partition): end
            for each, end in ends.items()
        }

    async def _places(
        self, consumer: AIOKafkaConsumer, destinations: Sequence[str]
    ) -> list[TopicPartition]:
        return [
            TopicPartition(self._topics.of(destination), each)
            for destination in destinations
            for each in await self._partitions(consumer, self._topics.of(destination))
        ]

    async def _partitions(self, consumer: AIOKafkaConsumer, topic: str) -> Sequence[int]:
        """They are asked for once: adding some takes a restart to be counted."""
        if topic not in self._known:
            cluster = await consumer._client.fetch_all_metadata()  # noqa: SLF001  # no public way
            found = sorted(cluster.partitions_for_topic(topic) or ())
            if not found:
                return found
            self._known[topic] = found
        return self._known[topic]

    @contextlib.asynccontextmanager
    async def _asking(self) -> Any:
        if self._closed:
            raise JournalUnavailable("the relay is leaving")
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                if self._consumer is None:
                    self._consumer = await self._connected()
                yield self._consumer
        except (KafkaError, OSError, TimeoutError) as error:
            await self._disconnect()
            raise JournalUnavailable(f"the brokers do not answer ({type(error).__name__})") from (
                error
            )

    async def _connected(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **self._options(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=2**20,
            request_timeout_ms=5000,
        )
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        if self._closed:  # meanwhile
            await consumer.stop()
            raise TimeoutError
        return consumer


async def _read(
    consumer: AIOKafkaConsumer, place: TopicPartition, offsets: Sequence[int]
) -> list[Arrived]:
    found = []
    at = -_NEAR
    pending: list[Any] = []
    for offset in offsets:
        if offset - at > _NEAR or offset < at:
            consumer.seek(place, offset)
            at, pending = offset, []
        while at <= offset:
            if not pending:
                batches = await consumer.getmany(place, timeout_ms=1000, max_records=_NEAR)
                pending = list(batches.get(place, ()))
                if not pending:
                    raise TimeoutError
            record = pending.pop(0)
            at = record.offset + 1
            if record.offset == offset:
                with contextlib.suppress(ValueError):
                    found.append(message.decode(offset, record.key, record.value, record.headers))
    return found
