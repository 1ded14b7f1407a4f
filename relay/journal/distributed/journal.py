"""The distributed journal: topics of Kafka, tables of PostgreSQL, any number of processes. Keeps
the promises of `relay.journal.protocol`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Coroutine, Mapping, Sequence
from itertools import chain

from aiokafka.errors import KafkaError

from relay.clock import Clock
from relay.errors import (
    DatabaseUnavailable,
    JournalSealed,
    JournalUnavailable,
    ServersSealed,
    TopicsMissing,
)
from relay.journal.distributed import book, erasing, message, parking, presence
from relay.journal.distributed.census import Tally
from relay.journal.distributed.claims import day_of
from relay.journal.distributed.consumer import TopicReader
from relay.journal.distributed.days import Days
from relay.journal.distributed.holding import Change, Listeners, Surroundings
from relay.journal.distributed.producer import TopicWriter
from relay.journal.distributed.records import NOTHING, DistributedRecords, as_journal
from relay.journal.distributed.settings import DAY_S, DistributedSettings, Watchers
from relay.journal.distributed.share import Share
from relay.journal.protocol import End, Fits, Parked
from relay.kafka.topics import ensure_topics
from relay.model import (
    Answer,
    Arrival,
    Attempt,
    Entry,
    Outcome,
    Reason,
    Refusal,
    Settlement,
    Waiting,
)
from relay.postgres.database import Database

#: Sums of all replicas, due retries and leases are looked at this often, in seconds.
_LOOK_EVERY_S = 1.0
_RENEW_EVERY_S = parking.LEASE_S / 3

#: Where replicas tell each other that somebody asked to be forgotten.
_ERASED = "erased"
_WITHHELD = (Outcome.WITHHELD, Reason.ERASED)


class DistributedJournal(DistributedRecords):
    """Use as `async with DistributedJournal(settings, database, clock) as journal`.

    Opening raises `TopicsMissing`, `DatabaseRefused` and `ConfigError`. Brokers or a database that
    are away are no error: the journal is not `healthy` until they are back.
    """

    def __init__(
        self,
        settings: DistributedSettings,
        database: Database,
        clock: Clock,
        watchers: Watchers | None = None,
    ) -> None:
        super().__init__(settings, database, clock)
        self._watchers = watchers or Watchers()
        #: Names this process among all replicas.
        self.owner = f"{socket.gethostname()}/{os.getpid()}/{os.urandom(3).hex()}"
        self._news: dict[str, asyncio.Event] = {}
        self._days = Days()
        self._writer = TopicWriter(settings.kafka.options, self._told("writing"))
        around = Surroundings(
            self.owner, database, self._days, self.erasures, clock,
            Listeners(self._tell, self._changed, self._watchers.claimed, self._watchers.damaged),
        )  # fmt: skip
        names = settings.destinations if settings.delivers else ()
        self._shares = {name: Share(name, settings.window_s(name), around) for name in names}
        self._reader = TopicReader(
            settings.kafka.options, settings.topics, settings.group, self._shares,
            on_trouble=self._told("reading"), on_damage=self._watchers.damaged,
        )  # fmt: skip
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._brokers_answer = True
        self._topics_there = False
        self._moved_away = False

    def _told(self, what: str) -> Callable[[Exception], None]:
        return lambda error: self._watchers.trouble(what, error)

    # --- opening and closing ----------------------------------------------------------------------

    async def __aenter__(self) -> DistributedJournal:
        await self.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Connect to what can be reached. Raises as the class says."""
        await self.database.open()
        await self._make_topics()
        await self._be_seen()
        self._start(self._stay_seen())
        await self._writer.open()
        if self.settings.delivers:
            with contextlib.suppress(DatabaseUnavailable):
                await self.erasures.load(self.database)
            self.database.listen(_ERASED, self._hear_of_erasures)
            self._reader.open()
            self._start(self._look_after_parked())
        with contextlib.suppress(DatabaseUnavailable, JournalUnavailable):
            await self.take_census()
        self._start(self._take_census())

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Leave the group, let go of leases, finish what is on its way."""
        if self._closed:
            return
        self._closed = True
        await self._writer.close()
        if self.settings.delivers:
            await self._reader.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(DatabaseUnavailable):
            await presence.leave(self.database, self.owner)
            if self._shares:
                await parking.leave(self.database, self.owner)
        await self.browser.close()
        await self.database.close()

    async def _make_topics(self) -> None:
        wanted = self.settings.topics.wanted(self.settings.destinations)
        try:
            await ensure_topics(self.settings.kafka, wanted)
        except (KafkaError, OSError, TimeoutError) as error:
            self._watchers.trouble("topics", error)
            return
        self._topics_there = True

    @property
    def healthy(self) -> bool:
        """Can it store what comes, and hand out what waits?"""
        reads = not self.settings.delivers or (self._reader.healthy and self.database.healthy)
        here = not self._closed and not self._moved_away
        return self._writer.healthy and self._brokers_answer and reads and here

    @property
    def has_room(self) -> bool:
        """See `protocol.Journal.has_room`: the brokers say themselves when they have none."""
        return True

    # --- the door's side --------------------------------------------------------------------------

    async def append(
        self, arrivals: Sequence[Arrival], remember: Mapping[bytes, bytes] | None = None
    ) -> Sequence[Answer]:
        """See `protocol.Intake.append`. Whether an event is a duplicate is not known yet: that is
        said when it is claimed."""
        if self._closed:
            raise JournalUnavailable("the relay is leaving")
        if self._moved_away:
            raise JournalUnavailable("the journal was moved elsewhere: `relay journal unseal`")
        now = self.clock.now()
        topic = self.settings.topics.of
        messages = [(topic(each.destination), message.encode(each, now)) for each in arrivals]
        if messages:
            await self._writer.write(messages)
        if remember:
            await self._remember(remember, now)
        return [_answer(each) for each in arrivals]

    async def _remember(self, remember: Mapping[bytes, bytes], now: float) -> None:
        with as_journal():
            await self.database.execute(
                "insert into remembered (key, value, at) "
                "select *, $3 from unnest($1::bytea[], $2::bytea[]) on conflict (key) do update "
                "set value = excluded.value, at = excluded.at",
                list(remember), list(remember.values()), now,
            )  # fmt: skip

    async def recall(self, key: bytes) -> bytes | None:
        """See `protocol.Intake.recall`."""
        since = self.clock.now() - self.settings.longest_window_s - DAY_S
        with as_journal():
            rows = await self.database.fetch(
                "select value from remembered where key = $1 and at > $2", key, since
            )
        return rows[0]["value"] if rows else None

    async def erase(self, digests: Sequence[str]) -> int:
        """See `protocol.Intake.erase`."""
        now = self.clock.now()
        since = now - self.settings.retention_s
        with as_journal():
            known = [
                trace for each in digests for trace in await self.search.find(each, since, 2**31)
            ]
            event_ids = sorted({trace.event_id for trace in known if trace.event_id})
            async with self.database.transaction() as connection:
                await erasing.add(connection, digests, event_ids, now)
                await self.database.notify(connection, _ERASED, "")
            await self._withhold_erased()
        return len(known)

    def _hear_of_erasures(self, payload: str) -> None:
        self._start(self._withhold_erased_later())

    async def _withhold_erased_later(self) -> None:
        with contextlib.suppress(DatabaseUnavailable):
            await self._withhold_erased()

    async def _withhold_erased(self) -> None:
        await self.erasures.load(self.database)
        for share in self._shares.values():
            await share.withhold_erased()

    # --- delivery's side --------------------------------------------------------------------------

    def available(self, destination: str) -> Waiting:
        """See `protocol.Outlet.available`: of this process."""
        share = self._shares.get(destination)
        if share is None or self._closed or self._moved_away:
            return NOTHING
        return share.holding.stock.waiting()

    async def wait_for_entries(self, destination: str) -> None:
        """See `protocol.Outlet.wait_for_entries`. Returns for parked ones that are due, too."""
        news = self._news.setdefault(destination, asyncio.Event())
        share = self._shares[destination]
        while self._moved_away or not (share.holding.stock.available or share.aside.has_due):
            news.clear()
            await news.wait()

    def take(self, destination: str, end: End, fits: Fits) -> Sequence[Entry]:
        """See `protocol.Outlet.take`; the newest are those that were read last."""
        share = self._shares.get(destination)
        if share is None or self._closed or self._moved_away:
            return ()
        return share.holding.stock.take(end, fits)

    def read(self, destination: str, seqs: Sequence[int]) -> Sequence[Entry]:
        """See `protocol.Outlet.read`; what other replicas took over is left out, and so is what
        somebody asked to be forgotten: that is settled as withheld."""
        share = self._shares[destination]
        entries = share.holding.stock.read(seqs)
        cover = self.erasures.cover
        erased = [each for each in entries if cover(each.accepted_at, each.body)]
        if erased:
            self._start(self._withhold(share, erased))
            entries = [each for each in entries if each not in erased]
        return entries

    async def _withhold(self, share: Share, entries: Sequence[Entry]) -> None:
        with contextlib.suppress(ValueError):  # it was read twice, and is being settled
            await share.settle(None, [(entries, *_WITHHELD)], ())

    def unknown_since(self, destination: str, seqs: Sequence[int]) -> float | None:
        """See `protocol.Outlet.unknown_since`."""
        share = self._shares[destination]
        places = [place for seq in seqs if (place := share.holding.stock.place(seq)) is not None]
        found = [at for place in places if (at := share.holding.unknown_of(place)) is not None]
        return min(found, default=None)

    def give_back(self, destination: str, seqs: Sequence[int]) -> None:
        """See `protocol.Outlet.give_back`."""
        self._shares[destination].holding.stock.give_back(seqs)
        if self.erasures:
            self._start(self._withhold_erased_later())
        self._tell(destination)

    async def park(self, destination: str, parked: Parked) -> bool:
        """See `protocol.Outlet.park`."""
        with as_journal():
            await self._shares[destination].aside.park(parked)
        return True

    def due(self, destination: str) -> Sequence[Parked]:
        """See `protocol.Outlet.due`."""
        share = self._shares.get(destination)
        return () if share is None or self._moved_away else share.aside.due()

    async def settle(
        self,
        destination: str,
        attempt: Attempt | None,
        settlements: Sequence[Settlement],
        covers: Sequence[int] = (),
    ) -> None:
        """See `protocol.Outlet.settle`."""
        endings = [(each.entries, each.outcome, each.reason) for each in settlements]
        await self._shares[destination].settle(attempt, endings, covers)

    def _tell(self, destination: str) -> None:
        if destination in self._news:
            self._news[destination].set()

    # --- people, and time -------------------------------------------------------------------------

    def drain(self) -> None:
        """See `protocol.Journal.drain`: what is not on its way is another replica's."""
        self._reader.stop_reading()

    async def tidy(self) -> None:
        """See `protocol.Journal.tidy`."""
        now, settings = self.clock.now(), self.settings
        kept = {
            "claims": settings.longest_window_s + DAY_S,
            "fingerprints": settings.retention_s + DAY_S,
            "attempts": settings.retention_s + DAY_S,
        }
        with as_journal():
            for name, seconds in kept.items():
                async with self.database.transaction() as connection:
                    await self._days.drop(connection, name, day_of(now - seconds))
            past = now - settings.retention_s
            await self.database.execute("delete from dead_letters where at < $1", past)
            await self.database.execute("delete from history where day < $1", day_of(past - DAY_S))
            await self.database.execute("delete from samples where hour < $1", int(past // 3600))
            await self.database.execute("delete from erasures where at < $1", past - DAY_S)
            await self.database.execute(
                "delete from remembered where at < $1", now - settings.longest_window_s - DAY_S
            )
            hour = int((now - settings.ledger_retention_s) // 3600)
            for table in book.BY_HOUR:
                await self.database.execute(f"delete from {table} where hour < $1", hour)  # noqa: S608

    # --- what runs beside -------------------------------------------------------------------------

    def _changed(self, destination: str, change: Change) -> None:
        """Sums as this process changed them, until the next census."""
        tally = self.tallies.setdefault(destination, Tally())
        tally.accepted += change.accepted
        tally.settled += change.settled
        tally.open += change.open
        tally.parked += change.parked
        tally.size_bytes += change.size_bytes
        tally.unread = max(0, tally.unread - change.accepted)
        share = self._shares[destination]
        if tally.open == share.holding.open and not tally.parked:  # nobody else has any
            tally.oldest_at = share.holding.oldest_at()

    async def _take_census(self) -> None:
        while True:
            try:
                if not self._topics_there:
                    await self._make_topics()
                await self.take_census()
            except JournalUnavailable:
                self._brokers_answer = False
            except TopicsMissing as error:
                self._brokers_answer = False
                self._watchers.trouble("topics", error)
            except DatabaseUnavailable:
                self._brokers_answer = True  # they were asked first
            except Exception as error:  # nothing may end the counting for good
                self._watchers.trouble("counting", error)
            else:
                self._brokers_answer = True
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _be_seen(self) -> None:
        """Others are told that this process works on the journal; it hears when that was moved."""
        was = self._moved_away
        try:
            self._moved_away = await presence.tell(self.database, self.owner)
        except ServersSealed:  # it was so when the database could be asked for the first time
            self._moved_away = True
        except DatabaseUnavailable:
            return
        if self._moved_away and not was:
            self._watchers.trouble("moved elsewhere", JournalSealed())
        elif was and not self._moved_away:
            for destination in self._shares:
                self._tell(destination)

    async def _stay_seen(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            await self._be_seen()

    async def _look_after_parked(self) -> None:
        renewed_at = asyncio.get_running_loop().time()
        while True:
            with contextlib.suppress(DatabaseUnavailable):
                for share in self._shares.values():
                    erased = await share.aside.fetch()
                    if erased:
                        await share.settle(None, [(erased, *_WITHHELD)], ())
                if asyncio.get_running_loop().time() - renewed_at > _RENEW_EVERY_S:
                    renewed_at = asyncio.get_running_loop().time()
                    held = [share.holding.stock.parked_ids() for share in self._shares.values()]
                    await parking.renew(self.database, self.owner, list(chain(*held)))
            await asyncio.sleep(_LOOK_EVERY_S)


def _answer(arrival: Arrival) -> Answer:
    result = arrival.result
    if isinstance(result, Refusal):
        return Answer(result.outcome, result.reason)
    return Answer(None, None)
