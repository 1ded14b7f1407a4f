"""One connection to the brokers: fetch, judge, store, commit; and let go when told to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.structs import TopicPartition

from relay.clock import Clock
from relay.errors import JournalUnavailable, RelayError
from relay.ingest.kafka.client import ClientTrouble, Offsets, of_client, unless
from relay.ingest.kafka.protocol import Judged, Message, Path
from relay.ingest.kafka.share import Share
from relay.ingest.kafka.standing import Partition, Sample, Standing
from relay.telemetry import Log, Telemetry

#: Between two calls of the client; it says goodbye to the group for who takes longer.
POLL_INTERVAL_S: Final = 60.0

#: What is in hand when partitions are taken away has so long to settle.
_SETTLE_S: Final = 0.2 * POLL_INTERVAL_S

_COMMIT_EVERY_S: Final = 1.0

#: A batch: some 15 ms of normalizing; a part of it, before others have their turn.
_BATCH: Final = 500
_PART: Final = 100
_FETCH_WAIT_MS: Final = 500

#: The journal is asked again after so many seconds, doubled each time.
_FIRST_WAIT_S: Final = 0.1
_LONGEST_WAIT_S: Final = 5.0

_Fetched = Mapping[TopicPartition, Sequence[Message]]


class TooManyInvalid(RelayError):
    """More of a partition's messages are invalid than the source allows; `offset` is the first one
    that was left there."""

    def __init__(self, partition: Partition, offset: int, share: Share) -> None:
        super().__init__(
            f"{share.invalid} of the last {share.seen} messages of {partition} are invalid"
        )
        self.partition = partition
        self.offset = offset
        self.invalid = share.invalid
        self.seen = share.seen


@dataclass(frozen=True, slots=True)
class Terms:
    """What a session goes by, whatever the connection."""

    source: str
    topics: Sequence[str]
    starts_at_end: bool
    max_invalid_share: float
    path: Path
    standing: Standing
    clock: Clock
    telemetry: Telemetry
    log: Log


class Session(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """One connection. `waits_for_journal` is true while what is in hand cannot be stored;
    `in_hand_since` is monotonic time, None while nothing is."""

    def __init__(self, consumer: AIOKafkaConsumer, terms: Terms, stop: asyncio.Event) -> None:
        self._consumer: Any = consumer
        self._terms = terms
        self._stop = stop
        self._offsets = Offsets(consumer, terms.source, terms.telemetry, terms.log)
        self._shares: dict[Partition, Share] = {}
        self._empty_handed = asyncio.Event()
        self._empty_handed.set()
        self._let_go = asyncio.Event()  # partitions are being taken away
        self._epoch = 0  # of assignments: what was fetched in an earlier one is not ours any more
        self._taking_place = False  # where to begin is not committed yet
        self._failed: BaseException | None = None
        self.waits_for_journal = False
        self.in_hand_since: float | None = None

    async def read(self) -> None:
        """Until told to stop. Raises `ClientTrouble` and `TooManyInvalid`."""
        with of_client():
            self._consumer.subscribe(list(self._terms.topics), listener=self)
        now = self._terms.clock.monotonic
        commit_at = now() + _COMMIT_EVERY_S
        try:
            while not self._stop.is_set():
                await self._take(await self._fetch())
                await self._sample()
                if now() >= commit_at:
                    await self._commit()
                    commit_at = now() + _COMMIT_EVERY_S
        except ClientTrouble:
            with suppress(ClientTrouble):
                await self._sample()
            raise
        finally:
            await self._commit()

    def missing_topics(self) -> Sequence[str]:
        """Those that the brokers do not know, or do not show us."""
        known = self._consumer.partitions_for_topic
        return [each for each in self._terms.topics if known(each) is None]

    # --- fetching ---------------------------------------------------------------------------------

    async def _fetch(self) -> _Fetched:
        """What came within half a second; in a rebalance the client waits for its end."""
        return await unless(self._stop, self._poll(_FETCH_WAIT_MS)) or {}

    async def _poll(self, timeout_ms: int) -> _Fetched:
        """Messages are in hand from the very moment that the client gives them: it never gives any
        of an assignment once `on_partitions_revoked` was called for it."""
        if self._failed is not None:
            raise ClientTrouble(type(self._failed).__name__) from self._failed
        with of_client():
            fetched: _Fetched = await self._consumer.getmany(
                timeout_ms=timeout_ms, max_records=_BATCH
            )
        if fetched:
            self._empty_handed.clear()
        return fetched

    # --- onto the path ----------------------------------------------------------------------------

    async def _take(self, fetched: _Fetched) -> None:
        if not fetched:
            return
        self.in_hand_since = self._terms.clock.monotonic()
        epoch = self._epoch
        try:
            for place, messages in fetched.items():
                if not await self._take_partition(Partition(*place), messages, epoch):
                    return
        finally:
            self.in_hand_since = None
            self._empty_handed.set()

    async def _take_partition(
        self, partition: Partition, messages: Sequence[Message], epoch: int
    ) -> bool:
        """False when the messages had to be let go."""
        judged = await self._judge(messages)
        good = self._before_too_many(partition, judged)
        if good:
            if not await self._store(judged[:good], epoch):
                return False
            self._offsets.stored(partition, messages[good - 1].offset)
            self._terms.telemetry.kafka_consumed(self._terms.source, partition.topic, good)
        if good < len(judged):
            raise TooManyInvalid(partition, messages[good].offset, self._shares[partition])
        return True

    async def _judge(self, messages: Sequence[Message]) -> Sequence[Judged]:
        judged: list[Judged] = []
        for start in range(0, len(messages), _PART):
            judged += self._terms.path.judge(messages[start : start + _PART])
            await asyncio.sleep(0)
        return judged

    def _before_too_many(self, partition: Partition, judged: Sequence[Judged]) -> int:
        """How many of these messages may be stored: all, or those before the first invalid one."""
        share = self._shares.setdefault(partition, Share(self._terms.max_invalid_share))
        invalid = [each.is_invalid for each in judged]
        if share.exceeded_by(each.is_invalid for each in judged if each.ignored is None):
            return invalid.index(True)
        return len(judged)

    async def _store(self, judged: Sequence[Judged], epoch: int) -> bool:
        """Store, as soon as the journal can; False when they had to be let go before."""
        wait_s = _FIRST_WAIT_S
        try:
            while not self._has_to_let_go(epoch):
                try:
                    await self._terms.path.store(judged)
                except JournalUnavailable:
                    self._pause()
                    await self._wait_for_journal(wait_s, epoch)
                    wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
                else:
                    return epoch == self._epoch
            return False
        finally:
            self._resume(epoch)

    def _has_to_let_go(self, epoch: int) -> bool:
        leaving = self._stop.is_set() and self.waits_for_journal
        return leaving or self._let_go.is_set() or epoch != self._epoch

    async def _wait_for_journal(self, seconds: float, epoch: int) -> None:
        waiting = [asyncio.ensure_future(each.wait()) for each in (self._let_go, self._stop)]
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
        # The client counts the time between calls; of paused partitions it gives nothing.
        if not self._has_to_let_go(epoch) and await self._poll(0):
            raise ClientTrouble("paused partitions gave messages")

    def _pause(self) -> None:
        if not self.waits_for_journal:
            self.waits_for_journal = True
            with of_client():
                self._consumer.pause(*self._consumer.assignment())

    def _resume(self, epoch: int) -> None:
        """Partitions of a new assignment are not paused, or not by us."""
        was_waiting, self.waits_for_journal = self.waits_for_journal, False
        if was_waiting and epoch == self._epoch:
            with of_client():
                self._consumer.resume(*self._consumer.assignment())

    # --- telling how far it is --------------------------------------------------------------------

    async def _commit(self) -> None:
        """A rebalance waits for it: a late commit would set the next owner back."""
        if self._offsets and not self._let_go.is_set():
            self._empty_handed.clear()
            try:
                await self._offsets.commit()
            finally:
                self._empty_handed.set()

    async def _sample(self) -> None:
        if self._taking_place:  # were it lost now, it would begin elsewhere
            return
        consumer = self._consumer
        samples = []
        with of_client():
            for place in consumer.assignment():
                ends = (consumer.last_stable_offset(place), consumer.highwater(place))
                end = next((each for each in ends if each is not None and each >= 0), None)
                if end is not None:  # fetched from, so the position is there without waiting
                    position = await consumer.position(place)
                    answered = consumer.last_poll_timestamp(place) or 0
                    samples.append(Sample(Partition(*place), position, end, answered))
        self._terms.standing.sampled(samples, self._terms.clock.monotonic())

    # --- partitions come and go -------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Called by the client when a rebalance begins; the group waits for it."""
        self._let_go.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(_SETTLE_S):
                await self._empty_handed.wait()
        await self._offsets.commit()
        self._epoch += 1
        self._offsets.forget()
        self._shares.clear()
        self._let_go.clear()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Called by the client when a rebalance has ended; it fetches already."""
        terms = self._terms
        terms.standing.assigned([Partition(*each) for each in assigned], terms.clock.monotonic())
        terms.log.kafka_assigned(terms.source, len(assigned))
        if terms.starts_at_end and assigned:
            self._taking_place = True
            try:
                await self._begin_at_the_end(assigned)
            except ClientTrouble as trouble:
                self._failed = trouble.cause
            finally:
                self._taking_place = False

    async def _begin_at_the_end(self, assigned: set[TopicPartition]) -> None:
        consumer = self._consumer
        with of_client():
            consumer.pause(*assigned)
            async with asyncio.timeout(_SETTLE_S):
                fresh = [each for each in assigned if await consumer.committed(each) is None]
                if fresh:
                    await consumer.seek_to_end(*fresh)
                    await consumer.commit({each: await consumer.position(each) for each in fresh})
            consumer.resume(*assigned)
