"""Settling: outcomes, the attempt that led to them, dead letters, released claims, sums and the
partitions' progress, as one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from relay.journal import ledger
from relay.journal.attempts import AttemptRecord, Ended
from relay.journal.distributed import book, claims, letters, ownership
from relay.journal.distributed.claiming import OldestAt, write_attempts
from relay.journal.distributed.claims import Owner, key_of, tag_of
from relay.journal.distributed.days import Days
from relay.journal.distributed.message import digest_of
from relay.journal.distributed.ownership import Booking
from relay.journal.distributed.progress import Progress
from relay.journal.distributed.sampled import Samples
from relay.journal.distributed.stock import Place
from relay.journal.intervals import ranges_of
from relay.journal.receipts import may_come_again
from relay.model import CLAIM_RELEASING, DEAD_LETTER, Attempt, Entry, Outcome, Reason
from relay.postgres.database import Connection


class Ending(NamedTuple):
    """Entries that end alike, each with its place."""

    outcome: Outcome
    reason: Reason
    held: Sequence[tuple[Entry, Place]]


class Taken(Exception):  # no mistake: the lease ran out
    """These parked rows are in other hands by now."""

    def __init__(self, ids: frozenset[int]) -> None:
        super().__init__(sorted(ids))
        self.ids = ids


class Settlement(NamedTuple):
    """What one call of `Outlet.settle` asks for. `covered` are the places that the attempt
    carried, settled or not."""

    attempt: Attempt | None
    endings: Sequence[Ending]
    covered: Sequence[Place]

    def offsets(self) -> Mapping[int, list[int]]:
        """By partition, the offsets that are done with this."""
        return offsets_of(place for ending in self.endings for _, place in ending.held)

    def parked(self) -> list[int]:
        """The parked rows that go with this."""
        return [
            place.parked
            for ending in self.endings
            for _, place in ending.held
            if place.parked is not None
        ]


def offsets_of(places: Iterable[Place]) -> Mapping[int, list[int]]:
    """By partition, the open offsets among these places."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for place in places:
        if place.parked is None:
            found[place.partition].append(place.offset)
    return found


class Settler:
    """Settles entries of one destination for the process `owner`."""

    def __init__(
        self,
        destination: str,
        owner: str,
        window_s: float,
        days: Days,
        unknown_since: Callable[[Place], float | None],
        erased: Callable[[Entry], bool],
    ) -> None:
        self._destination = destination
        self._owner = owner
        self._window_s = window_s
        self._days = days
        self._unknown_since = unknown_since
        self._erased = erased
        self._samples = Samples(destination)

    async def settle(
        self,
        connection: Connection,
        settlement: Settlement,
        progress: Mapping[int, Progress],
        oldest_at: OldestAt,
        now: float,
    ) -> Mapping[int, Progress]:
        """Within a transaction; returns how far the partitions are then.

        Raises `Fenced`, `Taken` and `DatabaseUnavailable`.
        """
        await self._days.ensure(connection, claims.day_of(now))
        offsets = settlement.offsets()
        later = {at: progress[at].after(0, done) for at, done in offsets.items()}
        if later:
            bookings = self._bookings(settlement, later, oldest_at)
            await ownership.book(connection, self._destination, bookings)
        await self._take_parked(connection, settlement.parked())
        await self._record(connection, settlement, now)
        for ending in settlement.endings:
            if ending.outcome in CLAIM_RELEASING:
                await self._release(connection, ending.held, now)
            if ending.outcome in DEAD_LETTER:
                await self._bury(connection, ending, settlement.attempt, now)
        await self._sum_up(connection, settlement, now)
        await self._sample(connection, settlement, now)
        return later

    def _bookings(
        self,
        settlement: Settlement,
        later: Mapping[int, Progress],
        oldest_at: OldestAt,
    ) -> Mapping[int, Booking]:
        bookings = {at: Booking(each, oldest_at=oldest_at(at, each)) for at, each in later.items()}
        for ending in settlement.endings:
            for entry, place in ending.held:
                if place.parked is None:
                    bookings[place.partition].settled += 1
                    bookings[place.partition].grown_bytes -= len(entry.body)
        return bookings

    async def _take_parked(self, connection: Connection, ids: Sequence[int]) -> None:
        if not ids:
            return
        gone = await connection.fetch(
            "delete from parked where id = any($1::bigint[]) and taken_by = $2 returning id",
            ids, self._owner,
        )  # fmt: skip
        lost = frozenset(ids) - {row["id"] for row in gone}
        if lost:
            raise Taken(lost)
        await ownership.book_parked(connection, self._destination, len(ids))

    async def _record(self, connection: Connection, settlement: Settlement, now: float) -> None:
        covers: defaultdict[int, list[int]] = defaultdict(list)
        for place in settlement.covered:
            covers[place.partition].append(place.offset)
        ended: defaultdict[int, list[Ended]] = defaultdict(list)
        for ending in settlement.endings:
            for partition, offsets in _by_partition(place for _, place in ending.held).items():
                ended[partition] += [
                    Ended(*each, ending.outcome, ending.reason) for each in ranges_of(offsets)
                ]
        records = []
        for partition in sorted({*covers, *ended}):
            carried = ranges_of(sorted(covers[partition]))
            carried = carried or [(each.start, each.end) for each in ended[partition]]
            record = AttemptRecord(now, settlement.attempt, carried, ended[partition])
            records.append((partition, record))
        await write_attempts(connection, self._destination, records)

    async def _release(
        self, connection: Connection, held: Sequence[tuple[Entry, Place]], now: float
    ) -> None:
        """Give claims back. A receipt that may come again keeps one of its own, so that it is
        known: only another receipt brings the event again."""
        since = now - self._window_s - 86_400
        keys = [key_of(self._destination, place.claim) for _, place in held]
        tags = [tag_of(entry.receipt) for entry, _ in held]
        await claims.release(connection, keys, tags, since)
        again = {
            key_of(self._destination, digest_of(entry.receipt)): Owner(tag_of(entry.receipt), now)
            for entry, _ in held
            if may_come_again(entry.receipt)
        }
        await claims.put(connection, self._days, again, now, now)

    async def _bury(
        self, connection: Connection, ending: Ending, attempt: Attempt | None, now: float
    ) -> None:
        dead = [
            letters.Dead(entry, place, self._unknown_since(place))
            for entry, place in ending.held
            if not self._erased(entry)
        ]
        await letters.bury(
            connection, self._destination, dead, (ending.outcome, ending.reason), attempt, now
        )

    async def _sum_up(self, connection: Connection, settlement: Settlement, now: float) -> None:
        lines: dict[book.Line, ledger.Sums] = {}
        for ending in settlement.endings:
            entries = [entry for entry, _ in ending.held]
            for (hour, name), sums in ledger.sum_entries(entries, ending.reason, now).items():
                lines.setdefault((hour, name, ending.outcome.value), ledger.Sums()).plus(sums)
        shard = min(settlement.offsets(), default=-1)
        await book.add(connection, self._destination, shard, lines)

    async def _sample(self, connection: Connection, settlement: Settlement, now: float) -> None:
        """Last, for the sampler counts what it is given: a transaction that fails is repeated."""
        for ending in settlement.endings:
            if ending.outcome is Outcome.DELIVERED:
                entries = [entry for entry, _ in ending.held if not self._erased(entry)]
                await self._samples.add(connection, entries, now)


def _by_partition(places: Iterable[Place]) -> Mapping[int, list[int]]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    for place in places:
        found[place.partition].append(place.offset)
    return {partition: sorted(offsets) for partition, offsets in found.items()}
