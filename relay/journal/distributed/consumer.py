"""Out of the topics: one member of the group of delivering processes.

It reads what its shares have room for, hands it over to be claimed, and commits how far they are;
the truth about that is in the database, the committed offsets are for those who watch the lag.
When the group is balanced anew: hand out nothing more, let what is on its way settle within a
budget, commit, release.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from relay.errors import DatabaseUnavailable
from relay.journal.distributed import message
from relay.journal.distributed.message import Arrived
from relay.journal.distributed.share import Share
from relay.journal.distributed.takeover import TopicReplaced, take_over
from relay.journal.distributed.topics import Topics

#: So many free entries of a destination are enough; below half of it more is read.
_PLENTY: Final = 8000
_PLENTY_BYTES: Final = 16 * 2**20

#: So many messages are claimed at once.
_AT_ONCE = 4000

#: A poll waits this long for messages, in seconds.
_POLL_S = 0.2

_COMMIT_EVERY_S = 1.0
_LOOK_S = 0.02
_AGAIN_S = 0.5

#: What is on its way may settle for this long, in seconds, when partitions leave.
_REVOKE_BUDGET_S = 5.0


class TopicReader:
    """Feeds the shares. `on_trouble` is told of each error that stops reading, `on_damage` of
    messages that are none of ours."""

    def __init__(
        self,
        options: Callable[[], Mapping[str, Any]],
        topics: Topics,
        group: str,
        shares: Mapping[str, Share],
        *,
        on_trouble: Callable[[Exception], None],
        on_damage: Callable[[int], None],
    ) -> None:
        self._options = options
        self._topics = topics
        self._group = group
        self._shares = shares
        self._on_trouble = on_trouble
        self._on_damage = on_damage
        self._consumer: AIOKafkaConsumer | None = None
        self._unowned: set[TopicPartition] = set()
        self._beyond_us: set[TopicPartition] = set()
        self._held = False
        self._leaving = False
        self._stopping = asyncio.Event()
        self._committed_at = float("-inf")
        self._task: asyncio.Task[None] | None = None

    @property
    def healthy(self) -> bool:
        alive = self._task is not None and not self._task.done()
        well = not self._held and not self._beyond_us
        return alive and well and self._consumer is not None

    def open(self) -> None:
        """Begin in the background: brokers that are away are no error."""
        self._task = asyncio.create_task(self._run(), name="topic reader")

    async def close(self) -> None:
        """Leave the group, so that others take over at once."""
        self._stopping.set()
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2 * _REVOKE_BUDGET_S):
                    await asyncio.shield(asyncio.gather(self._task, return_exceptions=True))
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def stop_reading(self) -> None:
        """Take nothing more in, and hand out nothing that is not on its way: the next owner reads
        it."""
        self._leaving = True
        for share in self._shares.values():
            share.holding.stop_taking(list(share.holding.progress))

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._connected()
            except Exception as error:  # nothing may end the reading for good
                self._on_trouble(error)
            await self._release()
            if not self._stopping.is_set():
                await asyncio.sleep(_AGAIN_S)

    async def _connected(self) -> None:
        consumer = AIOKafkaConsumer(
            **self._options(),
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=2**19,
            fetch_max_bytes=2**23,
            request_timeout_ms=8_000,
            session_timeout_ms=6_000,
            heartbeat_interval_ms=1_000,
            rebalance_timeout_ms=15_000,
            max_poll_interval_ms=300_000,
            metadata_max_age_ms=30_000,
            partition_assignment_strategy=(StickyPartitionAssignor,),
        )
        self._consumer = consumer
        try:
            topics = [self._topics.of(each) for each in self._shares]
            consumer.subscribe(topics=topics, listener=_Listener(self))
            await consumer.start()
            while not self._stopping.is_set():
                await self._step(consumer)
        finally:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(2 * _REVOKE_BUDGET_S):
                    if self._stopping.is_set():
                        await self.revoked(consumer.assignment())  # the client would just leave
                    await consumer.stop()

    async def _release(self) -> None:
        self._consumer = None
        self._unowned.clear()
        for share in self._shares.values():
            share.holding.lose(list(share.holding.progress))

    # --- reading ----------------------------------------------------------------------------------

    async def _step(self, consumer: AIOKafkaConsumer) -> None:
        try:
            await self._own(consumer)
            for destination, share in self._shares.items():
                for partition, offset in share.holding.to_reread().items():
                    _seek(consumer, self._place(destination, partition), offset)
            self._steer(consumer)
            batches = await consumer.getmany(timeout_ms=int(_POLL_S * 1000), max_records=_AT_ONCE)
            await self._take_in(consumer, batches)
            self._held = False
        except DatabaseUnavailable:
            self._held = True
            self._rewind(consumer)
            await asyncio.sleep(_AGAIN_S)
        if asyncio.get_running_loop().time() - self._committed_at > _COMMIT_EVERY_S:
            await self._commit(consumer)

    async def _own(self, consumer: AIOKafkaConsumer) -> None:
        """Take over what was assigned. Raises `DatabaseUnavailable`: asked again."""
        for place in sorted(self._unowned):
            if place not in consumer.assignment():
                self._unowned.discard(place)
                continue
            begin = (await consumer.beginning_offsets([place]))[place]
            end = (await consumer.end_offsets([place]))[place]
            share = self._shares[self._topics.destination(place.topic)]
            try:
                committed = await consumer.committed(place) or 0
                offset = await take_over(share.holding, place.partition, begin, end, committed)
            except TopicReplaced as error:
                self._on_trouble(error)
                self._beyond_us.add(place)
                self._unowned.discard(place)
                continue
            if place not in self._unowned:  # revoked meanwhile
                share.holding.lose([place.partition])
                continue
            self._unowned.discard(place)
            _seek(consumer, place, offset)

    def _steer(self, consumer: AIOKafkaConsumer) -> None:
        """Read just what there is room for, and of partitions that are ours by now."""
        assigned = consumer.assignment()
        paused = consumer.paused()
        wanted = set()
        for destination, share in self._shares.items():
            stock = share.holding.stock
            full = stock.available >= _PLENTY or stock.size_bytes >= _PLENTY_BYTES
            low = stock.available < _PLENTY // 2 and stock.size_bytes < _PLENTY_BYTES // 2
            places = {self._place(destination, each) for each in share.holding.progress} & assigned
            was_paused = bool(places) and places <= paused
            if not self._leaving and not full and (low or not was_paused):
                wanted |= places - self._beyond_us
        consumer.pause(*(assigned - wanted - paused))
        consumer.resume(*(wanted & paused))

    async def _take_in(
        self, consumer: AIOKafkaConsumer, batches: Mapping[TopicPartition, Sequence[Any]]
    ) -> None:
        read: defaultdict[str, dict[int, tuple[list[Arrived], int]]] = defaultdict(dict)
        for place, records in batches.items():
            if not records or place in self._unowned or self._leaving:
                continue
            destination = self._topics.destination(place.topic)
            read[destination][place.partition] = self._decoded(place, records)
        for destination, parts in read.items():
            await self._shares[destination].take_in(parts)

    def _decoded(self, place: TopicPartition, records: Sequence[Any]) -> tuple[list[Arrived], int]:
        """The messages, and the offset behind them. What a newer release wrote stays where it is,
        and so does all that follows it, for a process that can read it."""
        found = []
        for record in records:
            try:
                found.append(
                    message.decode(record.offset, record.key, record.value, record.headers)
                )
            except message.LaterVersion as error:
                self._beyond_us.add(place)
                self._on_trouble(error)
                return found, record.offset
            except ValueError:
                self._on_damage(1)
        return found, records[-1].offset + 1

    def _rewind(self, consumer: AIOKafkaConsumer) -> None:
        """What was read and not claimed is read again, and what is open and was not read yet."""
        for destination, share in self._shares.items():
            for partition, progress in share.holding.progress.items():
                _seek(consumer, self._place(destination, partition), progress.low)

    def _place(self, destination: str, partition: int) -> TopicPartition:
        return TopicPartition(self._topics.of(destination), partition)

    # --- committing -------------------------------------------------------------------------------

    async def _commit(self, consumer: AIOKafkaConsumer) -> None:
        self._committed_at = asyncio.get_running_loop().time()
        assigned = consumer.assignment()
        offsets = {
            place: progress.low
            for destination, share in self._shares.items()
            for partition, progress in share.holding.progress.items()
            if (place := self._place(destination, partition)) in assigned
        }
        if not offsets:
            return
        try:
            async with asyncio.timeout(_REVOKE_BUDGET_S):
                await consumer.commit(offsets)
        except CommitFailedError:
            pass  # the group is being balanced: the next owner reads the database
        except (KafkaError, IllegalStateError, TimeoutError) as error:
            self._on_trouble(error)

    # --- the group is balanced anew ---------------------------------------------------------------

    async def revoked(self, places: Iterable[TopicPartition]) -> None:
        """Hand out nothing more, let what is on its way settle, commit, release."""
        leaving: defaultdict[Share, list[int]] = defaultdict(list)
        for place in places:
            self._unowned.discard(place)
            leaving[self._shares[self._topics.destination(place.topic)]].append(place.partition)
        for share, partitions in leaving.items():
            share.holding.stop_taking(partitions)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REVOKE_BUDGET_S):
                while any(  # noqa: ASYNC110  # settling tells nobody
                    share.holding.on_their_way(each) for share, each in leaving.items()
                ):
                    await asyncio.sleep(_LOOK_S)
        if self._consumer is not None:
            await self._commit(self._consumer)
        for share, partitions in leaving.items():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_REVOKE_BUDGET_S):
                    await share.holding.release(partitions)
            share.holding.lose(partitions)

    def assigned(self, places: Iterable[TopicPartition]) -> None:
        """Nothing is read of these until they are taken over in the database."""
        self._unowned.update(places)
        self._beyond_us.clear()
        if self._consumer is not None:
            self._consumer.pause(*places)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    def __init__(self, reader: TopicReader) -> None:
        self._reader = reader

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await self._reader.revoked(revoked)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._reader.assigned(assigned)


def _seek(consumer: AIOKafkaConsumer, place: TopicPartition, offset: int) -> None:
    with contextlib.suppress(IllegalStateError):  # it was revoked this moment
        consumer.seek(place, offset)
