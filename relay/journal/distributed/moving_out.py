"""The journal of topics and tables as rows, for `relay journal export`, while no relay runs.

What is in the topics and nobody claimed yet is claimed first, as a relay would: only then is known
what it is. That raises the partitions' epochs, so a process that is forgotten can settle nothing.
"""

from __future__ import annotations

import os
import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from relay.clock import Clock
from relay.errors import JournalLocked, JournalUnavailable
from relay.journal import attempts, layout, ledger
from relay.journal.distributed import history, identity, message, moved_tables, sampled
from relay.journal.distributed.days import Days
from relay.journal.distributed.erasing import Erasures
from relay.journal.distributed.holding import Listeners, Surroundings
from relay.journal.distributed.message import Arrived
from relay.journal.distributed.rest import committed_of, require_nobody, require_rest
from relay.journal.distributed.settings import DAY_S, DistributedSettings
from relay.journal.distributed.share import Share
from relay.journal.distributed.spot import Spot
from relay.journal.distributed.takeover import TopicReplaced, take_over
from relay.journal.moving.rows import Ledger, Moved, Row, Total
from relay.model import Attempt, Outcome, Reason
from relay.postgres.database import Database

_AT_ONCE = 1000
_POLL_MS = 1000
#: A fetch of what is not there holds its connection, and whatever is asked on it, for so long.
_WAIT_MS = 20
#: A broker that hands out nothing for so many polls is away.
_SILENT = 15
_ERASED = b"{}"
#: Whoever works asks once a second whether the journal was sealed, in seconds.
_HEARD_S = 3.0

#: How an entry ended: outcome, reason, when.
_End = tuple[Outcome, Reason, float]


class ServersOut:
    """Use as `async with ServersOut(...)`. Raises `JournalLocked` while relays deliver, and
    `JournalUnavailable`."""

    def __init__(self, settings: DistributedSettings, database: Database, clock: Clock) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._erasures = Erasures()
        self._shares: dict[str, Share] = {}
        self._ends: dict[TopicPartition, int] = {}
        self._begins: dict[TopicPartition, int] = {}
        self._committed: Mapping[TopicPartition, int] = {}
        self._epochs: dict[tuple[str, int], int] = {}
        self._withheld: defaultdict[str, int] = defaultdict(int)
        self.salt = b""
        self.journals: Sequence[str] = ()
        self.destinations: Sequence[str] = ()

    async def __aenter__(self) -> ServersOut:
        await self._database.open()
        try:
            await require_rest(self._settings, self._database)
        except BaseException:
            await self._database.close()
            raise
        self._consumer = AIOKafkaConsumer(
            **self._settings.kafka.options(), enable_auto_commit=False,
            auto_offset_reset="earliest", max_partition_fetch_bytes=2**21,
            fetch_max_wait_ms=_WAIT_MS,
        )  # fmt: skip
        try:
            await self._consumer.start()
            await self._prepare()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._consumer.stop()
        await self._database.close()

    async def seal(self) -> None:
        """Let no relay work on these servers any more. Raises `JournalLocked`, and takes it back,
        where somebody wrote meanwhile: a relay that began since this export did, or could not be
        seen, hears of the seal within the pause."""
        is_ours = await self._seal()
        await self._clock.sleep(_HEARD_S)
        try:
            await self.still_the_same()
        except BaseException:
            if is_ours:
                await self._unseal()
            raise

    async def _seal(self) -> bool:
        async with self._database.transaction() as connection:
            return await identity.seal(connection, self._clock.now())

    async def _unseal(self) -> None:
        async with self._database.transaction() as connection:
            await identity.unseal(connection)

    # --- bringing it up to date -------------------------------------------------------------------

    async def _prepare(self) -> None:
        async with self._database.connection() as connection:
            self.salt = await sampled.salt_of(connection)
            self.journals = await identity.journals_of(connection)
            names = await connection.fetch("select distinct destination from progress")
        configured = self._settings.destinations
        self.destinations = sorted({*configured, *[row["destination"] for row in names]})
        await self._erasures.load(self._database)
        around = Surroundings(
            f"export/{socket.gethostname()}/{os.getpid()}", self._database, Days(),
            self._erasures, self._clock,
            Listeners(_ignore, _ignore, _ignore, _ignore),
        )  # fmt: skip
        self._committed = await committed_of(self._settings)
        for name in self.destinations:
            share = Share(name, self._settings.window_s(name), around)
            for place in await self._places(name):
                await self._claim(share, place)
            self._shares[name] = share

    async def _places(self, destination: str) -> list[TopicPartition]:
        topic = self._settings.topics.of(destination)
        cluster = await self._consumer._client.fetch_all_metadata()  # noqa: SLF001  # no public way
        places = [
            TopicPartition(topic, each)
            for each in sorted(cluster.partitions_for_topic(topic) or ())
        ]
        await self._require_topic(destination, [each.partition for each in places])
        if places:
            self._begins |= await self._consumer.beginning_offsets(places)
            self._ends |= await self._consumer.end_offsets(places)
        return places

    async def _require_topic(self, destination: str, partitions: Sequence[int]) -> None:
        """Raise `JournalUnavailable` where the tables know of partitions that are not there: what
        waits in them would be missing in the file."""
        rows = await self._database.fetch(
            "select partition from progress where destination = $1 and partition >= 0", destination
        )
        missing = sorted({row["partition"] for row in rows}.difference(partitions))
        topic = self._settings.topics.of(destination)
        if not partitions:
            raise JournalUnavailable(
                f"there is no topic {topic}, or the user may not describe it: correct "
                "journal.topic_prefix or journal.kafka, or let the user see it; where no event has "
                "come yet, `relay journal migrate` makes it"
            )
        if missing:
            raise JournalUnavailable(
                f"the tables know of partition {missing[0]} of the topic {topic}, and the brokers "
                "do not: correct journal.topic_prefix or journal.kafka, or let the user describe "
                "and read that topic"
            )

    async def _claim(self, share: Share, place: TopicPartition) -> None:
        """Claim what nobody claimed yet, and withhold what is erased; nothing stays in memory."""
        partition, holding = place.partition, share.holding
        try:
            start = await take_over(
                holding, partition, self._begins[place], self._ends[place],
                self._committed.get(place, 0),
            )  # fmt: skip
            self._epochs[holding.destination, partition] = holding.progress[partition].epoch
        except TopicReplaced as error:
            raise JournalUnavailable(str(error)) from error
        async for found, behind in self._read(place, start, self._ends[place]):
            await share.take_in({partition: (found, behind)})
            holding.stock.remove(holding.stock.places_of([partition]), lost=True)

    async def _read(
        self, place: TopicPartition, start: int, stop: int
    ) -> AsyncIterator[tuple[list[Arrived], int]]:
        """Messages of `start <= offset < stop`, some at a time, with the offset behind them."""
        if start >= stop:
            return
        self._consumer.assign([place])
        self._consumer.seek(place, start)
        at, silent = start, 0
        while at < stop:
            try:
                read = await self._consumer.getmany(
                    place, timeout_ms=_POLL_MS, max_records=_AT_ONCE
                )
            except KafkaError as error:
                raise JournalUnavailable(self._settings.kafka.silent(error)) from error
            records = [each for each in read.get(place, ()) if each.offset < stop]
            position = await self._consumer.position(place)
            silent = 0 if position > at else silent + 1
            if silent > _SILENT:
                raise JournalUnavailable(self._settings.kafka.silent(TimeoutError()))
            at = position
            if records:
                yield _decoded(records), min(at, stop)

    async def is_sealed(self) -> bool:
        """Does no relay work on these servers any more, by this export or since before?"""
        async with self._database.connection() as connection:
            return await identity.is_sealed(connection)

    async def still_the_same(self) -> None:
        """Raise `JournalLocked` when somebody works or worked here meanwhile: the export lacks what
        came, or tells as waiting what was delivered."""
        await require_nobody(self._database)
        epochs = {
            (row["destination"], row["partition"]): row["epoch"]
            for row in await self._database.fetch(
                "select destination, partition, epoch from progress where partition >= 0"
            )
        }
        if epochs != self._epochs:
            raise JournalLocked(
                "a relay, or another export, took partitions over while the journal was exported, "
                "and the file may tell of what it has done as waiting: stop all, and export anew"
            )
        ends = await self._consumer.end_offsets(list(self._ends)) if self._ends else {}
        if ends != self._ends:
            raise JournalLocked(
                "events came in while the journal was exported, and the file lacks them: stop all "
                "relays, those that accept as well, and export anew"
            )

    # --- rows -------------------------------------------------------------------------------------

    async def rows(self) -> AsyncIterator[Row]:
        """What waits first: it brings its claims."""
        now = self._clock.now()
        since = now - self._settings.longest_window_s - DAY_S
        for part in (
            self._waiting(),
            moved_tables.claims(self._database, since, now + DAY_S),
            moved_tables.remembered(self._database),
            moved_tables.books(self._database),
            self._settled(),
        ):
            async for row in part:
                yield row
        for total in await self._database.fetch(
            "select destination, sum(settled)::bigint as settled from progress group by 1 "
            "order by 1"
        ):
            name = total["destination"]
            yield Total(name, total["settled"] + self._withheld[name])

    async def _waiting(self) -> AsyncIterator[Row]:
        for name in self.destinations:
            async for row in self._parked(name):
                yield row
            async for moved in self._arrivals(name, settled=False):
                yield moved

    async def _settled(self) -> AsyncIterator[Row]:
        for name in self.destinations:
            async for moved in self._arrivals(name, settled=True):
                yield moved
            async for _, moved in history.every(self._database, name):
                if moved.outcome is not None:
                    yield self._covered(moved)

    # --- arrivals ---------------------------------------------------------------------------------

    async def _arrivals(self, destination: str, *, settled: bool) -> AsyncIterator[Moved]:
        holding = self._shares[destination].holding
        for partition, progress in sorted(holding.progress.items()):
            place = TopicPartition(self._settings.topics.of(destination), partition)
            parked = await self._parked_offsets(destination, partition)
            start = self._begins[place] if settled else max(progress.low, self._begins[place])
            async for found, _ in self._read(place, start, progress.claimed):
                wanted = [
                    each
                    for each in found
                    if each.offset not in parked and progress.is_done(each.offset) is settled
                ]
                if wanted:
                    async for moved in self._told(destination, partition, wanted):
                        if (moved.outcome is not None) is settled:
                            yield moved

    async def _parked_offsets(self, destination: str, partition: int) -> frozenset[int]:
        rows = await self._database.fetch(
            "select place from parked where destination = $1 and partition = $2",
            destination, partition,
        )  # fmt: skip
        return frozenset(row["place"] for row in rows)

    async def _told(
        self, destination: str, partition: int, found: Sequence[Arrived]
    ) -> AsyncIterator[Moved]:
        offsets = [each.offset for each in found]
        made, ends = await self._stories(destination, partition, offsets)
        elsewhere = await self._elsewhere(destination, found)
        for each in found:
            mine = [*elsewhere.get(each.offset, ()), *made[each.offset].values()]
            yield self._covered(_moved(destination, each, mine, ends.get(each.offset)))

    async def _stories(
        self, destination: str, partition: int, offsets: Sequence[int]
    ) -> tuple[defaultdict[int, dict[str, Attempt]], dict[int, _End]]:
        made: defaultdict[int, dict[str, Attempt]] = defaultdict(dict)
        ends: dict[int, _End] = {}
        first, behind = offsets[0], offsets[-1] + 1
        for row in await self._database.fetch(
            "select row from attempts where destination = $1 and partition = $2 "
            "and first between $3 and $4 and behind > $5 order by first, day",
            destination, partition, first - layout.MAX_SPAN, behind - 1, first,
        ):  # fmt: skip
            record = attempts.unpack(row["row"])
            for start, end, outcome, reason in record.ended:
                for offset in range(max(start, first), min(end, behind)):
                    ends[offset] = outcome, reason, record.at
            if record.attempt is not None:
                for start, end in record.covers:
                    for offset in range(max(start, first), min(end, behind)):
                        made[offset][record.attempt.attempt_id] = record.attempt
        return made, ends

    async def _elsewhere(
        self, destination: str, found: Iterable[Arrived]
    ) -> Mapping[int, Sequence[Attempt]]:
        """Attempts that were made in an earlier journal, by offset."""
        spots = {
            each.offset: Spot(destination, history.PARTITION, each.moved.place)
            for each in found
            if each.moved is not None
        }
        told = await history.read(self._database, spots.values())
        return {at: told[spot].attempts for at, spot in spots.items() if spot in told}

    async def _parked(self, destination: str) -> AsyncIterator[Row]:
        behind = 0
        while True:
            rows = await self._database.fetch(
                "select * from parked where destination = $1 and id > $2 order by id limit $3",
                destination, behind, _AT_ONCE,
            )  # fmt: skip
            for row in rows:
                entry = message.unpack_entry(0, row["entry"])
                arrived = Arrived(row["place"], row["claim"], (), tuple(entry[1:]), None)
                made, _ = await self._stories(destination, row["partition"], [row["place"]])
                found = _moved(destination, arrived, list(made[row["place"]].values()), None)
                times = [at for at in (found.unknown_since, row["unknown_since"]) if at is not None]
                moved = self._covered(found._replace(unknown_since=min(times, default=None)))
                yield moved
                if moved.outcome is not None:
                    self._withheld[destination] += 1
                    for (hour, event), sums in ledger.sum_entries(
                        [entry], Reason.ERASED, entry.accepted_at
                    ).items():
                        yield Ledger(hour, destination, event, {Outcome.WITHHELD.value: sums})
            if len(rows) < _AT_ONCE:
                return
            behind = rows[-1]["id"]

    def _covered(self, moved: Moved) -> Moved:
        """Without the body, where the person asked to be forgotten; then it is not sent either."""
        if moved.body is None or not self._erasures.cover(moved.accepted_at, moved.body):
            return moved
        if moved.outcome is not None:
            return moved._replace(body=_ERASED)
        return moved._replace(
            body=_ERASED, outcome=Outcome.WITHHELD, reason=Reason.ERASED,
            settled_at=self._clock.now(),
        )  # fmt: skip


def _decoded(records: Iterable[Any]) -> list[Arrived]:
    found = []
    for record in records:
        try:
            found.append(message.decode(record.offset, record.key, record.value, record.headers))
        except message.LaterVersion as error:
            raise JournalUnavailable(
                "a newer release wrote into this journal: export with that one"
            ) from error
        except ValueError:  # none of ours: no relay would deliver it
            continue
    return found


def _moved(destination: str, arrived: Arrived, made: Sequence[Attempt], end: _End | None) -> Moved:
    (
        at, receipt, source, name, event_id, event_time, order_id, test_event_code, value,
        currency, match_keys, body,
    ) = arrived.fields  # fmt: skip
    refusal = arrived.refusal
    outcome, reason, settled_at = (None, None, None) if end is None else end
    times = [each.started_at for each in made if each.unknown]
    if arrived.moved is not None and arrived.moved.unknown_since is not None:
        times.append(arrived.moved.unknown_since)
    return Moved(
        destination, receipt, source, at, name or None, event_id or None, order_id,
        refusal.event_time if refusal else event_time, test_event_code, value, currency,
        match_keys, None if refusal else arrived.claim, None if refusal else body,
        refusal.errors if refusal else (), outcome, reason, settled_at,
        min(times, default=None), sorted(made, key=lambda each: each.started_at),
    )  # fmt: skip


def _ignore(*_: object) -> None:
    """Nobody watches."""
