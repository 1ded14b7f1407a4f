"""One process's share of a destination: the partitions it owns, and the entries it holds of them.

Every change is a transaction first, and applied here when it is committed. Where the answer to a
COMMIT was lost, the rows are read again before anything else is written. What another process took
over meanwhile is dropped: that one settles it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from relay.clock import Clock
from relay.errors import DatabaseUnavailable
from relay.journal import attempts
from relay.journal.attempts import AttemptRecord, Ended
from relay.journal.distributed import ownership, parking
from relay.journal.distributed.claiming import Claimed, Claimer, Fate, write_attempts
from relay.journal.distributed.claims import Raced, day_of
from relay.journal.distributed.days import Days
from relay.journal.distributed.erasing import Erasures
from relay.journal.distributed.message import Arrived
from relay.journal.distributed.ownership import Booking, Fenced
from relay.journal.distributed.progress import Progress, open_ranges
from relay.journal.distributed.settling import Ending, Settlement, Settler, Taken
from relay.journal.distributed.stock import Place, Stock
from relay.journal.protocol import Parked
from relay.model import Attempt, Entry, Outcome, Reason
from relay.postgres.database import Connection, Database

#: While the database does not answer, it is asked this often, in seconds.
_AGAIN_S = 0.2

#: With so many bytes of entries in memory none is fetched that waits elsewhere.
_PLENTY_BYTES = 16 * 2**20

_ERASED = (Outcome.WITHHELD, Reason.ERASED)


class Change(NamedTuple):
    """What a transaction changed of a destination's sums."""

    accepted: int = 0
    settled: int = 0
    open: int = 0
    parked: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who is told: of entries to send, of changed sums, of messages that were claimed (with their
    fate; None for one that was known), and of messages that are lost."""

    news: Callable[[str], None]
    changed: Callable[[str, Change], None]
    claimed: Callable[[str, Sequence[tuple[Arrived, Fate]]], None]
    damaged: Callable[[int], None]


class _Unknown(NamedTuple):
    """Offsets that TikTok may have since `at`, although its answer was not read."""

    partition: int
    start: int
    end: int
    at: float


class Share:
    """See the module. `owner` names this process; `window_s` is how long claims last."""

    def __init__(
        self,
        destination: str,
        owner: str,
        window_s: float,
        database: Database,
        days: Days,
        erasures: Erasures,
        clock: Clock,
        listeners: Listeners,
    ) -> None:
        self.destination = destination
        self.stock = Stock(destination)
        self._owner = owner
        self._database = database
        self._days = days
        self._erasures = erasures
        self._clock = clock
        self._listeners = listeners
        self._progress: dict[int, Progress] = {}
        self._unknowns: list[_Unknown] = []
        self._one = asyncio.Lock()
        self._unsure = False
        self._reread: set[int] = set()
        self._due: list[Parked] = []
        self._claimer = Claimer(
            destination, window_s, days, self._oldest_at,
            lambda each: erasures.cover(each.accepted_at, each.fields[-1]),
        )  # fmt: skip
        self._settler = Settler(
            destination, owner, window_s, days, self.unknown_of,
            lambda entry: erasures.cover(entry.accepted_at, entry.body),
        )  # fmt: skip

    def _oldest_at(self, partition: int, progress: Progress) -> float | None:
        return self.stock.accepted_at(partition, progress.low)

    # --- partitions -------------------------------------------------------------------------------

    @property
    def partitions(self) -> Mapping[int, Progress]:
        return self._progress

    @property
    def open(self) -> int:
        """How many claimed messages of ours are neither settled nor parked."""
        return sum([each.open for each in self._progress.values()])

    def oldest_at(self) -> float | None:
        """When the first of them was accepted."""
        found = [self._oldest_at(partition, each) for partition, each in self._progress.items()]
        return min([at for at in found if at is not None], default=None)

    def to_reread(self) -> Mapping[int, int]:
        """Partitions to read again, and from which offset: told once."""
        told = {each: self._progress[each].low for each in self._reread if each in self._progress}
        self._reread.clear()
        return told

    async def acquire(self, partition: int, begin: int, end: int) -> int:
        """Take a partition over whose messages are those of `begin <= offset < end`; returns the
        offset to read from. Raises `DatabaseUnavailable`."""
        async with self._one:
            async with self._database.transaction() as connection:
                await self._days.ensure(connection, day_of(self._clock.now()))
                progress = await ownership.acquire(
                    connection, self.destination, partition, self._owner, begin
                )
                lost = 0
                if end < progress.claimed:  # the topic was made anew
                    lost = progress.open
                    progress = await self._anew(connection, partition, progress, begin, lost)
                elif begin > progress.low:
                    progress, lost = await self._cut(connection, partition, progress, begin)
                unknowns = await self._load_unknowns(connection, partition, progress.low)
            self._unknowns += unknowns
            self._progress[partition] = progress
            if lost:
                self._listeners.damaged(lost)
            return progress.low

    async def _anew(
        self, connection: Connection, partition: int, old: Progress, begin: int, lost: int
    ) -> Progress:
        progress = Progress(old.epoch, begin, begin, ())
        booking = Booking(progress, settled=lost)
        await ownership.book(connection, self.destination, {partition: booking})
        return progress

    async def _cut(
        self, connection: Connection, partition: int, old: Progress, begin: int
    ) -> tuple[Progress, int]:
        """The topic's retention took messages that nobody had settled: they end as damaged."""
        gone = [
            (max(start, old.low), min(stop, begin)) for start, stop in open_ranges(old, begin)
        ]
        lost = sum(stop - start for start, stop in gone)
        unclaimed = max(0, begin - max(old.claimed, old.low))
        progress = old.without(begin)
        booking = Booking(progress, accepted=unclaimed, settled=lost)
        await ownership.book(connection, self.destination, {partition: booking})
        ended = [Ended(*each, Outcome.INVALID, Reason.DAMAGED) for each in gone]
        record = AttemptRecord(self._clock.now(), None, gone, ended)
        if gone:
            await write_attempts(connection, self.destination, [(partition, record)])
        return progress, lost

    async def _load_unknowns(
        self, connection: Connection, partition: int, low: int
    ) -> list[_Unknown]:
        rows = await connection.fetch(
            "select row from attempts where destination = $1 and partition = $2 and unknown "
            "and behind > $3",
            self.destination, partition, low,
        )  # fmt: skip
        found = []
        for row in rows:
            record = attempts.unpack(row["row"])
            if record.attempt is not None:
                found += [_Unknown(partition, *each, record.attempt.started_at)
                          for each in record.covers]  # fmt: skip
        return found

    def stop_taking(self, partitions: Iterable[int]) -> None:
        """These partitions are about to leave: hand out nothing more of them."""
        seqs = self.stock.places_of(partitions)
        self.stock.remove([seq for seq in seqs if not self.stock.taken([seq])], lost=True)

    def on_their_way(self, partitions: Iterable[int]) -> int:
        """How many entries of these partitions are taken."""
        return self.stock.taken(self.stock.places_of(partitions))

    def lose(self, partitions: Iterable[int]) -> None:
        """These partitions are in other hands."""
        gone = frozenset(partitions)
        self.stock.remove(self.stock.places_of(gone), lost=True)
        for each in gone:
            self._progress.pop(each, None)
        self._unknowns = [each for each in self._unknowns if each.partition not in gone]

    def unknown_of(self, place: Place) -> float | None:
        """Since when TikTok may have this entry without our knowing."""
        found = [
            each.at
            for each in self._unknowns
            if each.partition == place.partition and each.start <= place.offset < each.end
        ]
        if place.unknown_since is not None:
            found.append(place.unknown_since)
        return min(found, default=None)

    # --- coming in --------------------------------------------------------------------------------

    async def take_in(self, read: Mapping[int, tuple[Sequence[Arrived], int]]) -> None:
        """Claim messages, by partition, with the offset behind them; what waits is in stock then.

        Raises `DatabaseUnavailable`: then see `to_reread`, and read these messages again.
        """
        async with self._one:
            await self._be_sure()
            while True:
                fresh = {}
                for partition, (messages, behind) in read.items():
                    progress = self._progress.get(partition)
                    if progress is None:
                        continue
                    self._restock(partition, progress, messages)
                    if behind > progress.claimed:
                        new = [each for each in messages if each.offset >= progress.claimed]
                        fresh[partition] = progress, new, behind
                if not fresh:
                    break
                try:
                    found = await self._claim(fresh)
                except Fenced as fenced:
                    self.lose(fenced.partitions)
                    continue
                except Raced:
                    continue
                self._claimed(found)
                break
        if self._erasures:
            await self.withhold_erased()
        self._listeners.news(self.destination)

    async def _claim(
        self, fresh: Mapping[int, tuple[Progress, Sequence[Arrived], int]]
    ) -> Mapping[int, Claimed]:
        try:
            async with self._database.transaction() as connection:
                return await self._claimer.claim(connection, fresh, self._clock.now())
        except DatabaseUnavailable:
            self._unsure = True
            self._days.forget()
            raise

    def _claimed(self, found: Mapping[int, Claimed]) -> None:
        accepted = settled = size_bytes = 0
        for partition, each in found.items():
            self._progress[partition] = each.progress
            self._put(partition, each.waiting)
            accepted += len(each.arrived)
            settled += len(each.arrived) - len(each.waiting)
            size_bytes += sum([len(one.fields[-1]) for one in each.waiting])
            self._listeners.claimed(self.destination, each.arrived)
        change = Change(accepted, settled, accepted - settled, 0, size_bytes)
        self._listeners.changed(self.destination, change)

    def _restock(self, partition: int, progress: Progress, messages: Sequence[Arrived]) -> None:
        """Messages that were claimed before and are open: another owner, or an earlier life, had
        them."""
        self._put(
            partition,
            [
                each
                for each in messages
                if each.offset < progress.claimed
                and not progress.is_done(each.offset)
                and not self.stock.holds(partition, each.offset)
            ],
        )

    def _put(self, partition: int, messages: Sequence[Arrived]) -> None:
        first = self.stock.next_seq
        self.stock.put(
            [each.entry(seq) for seq, each in enumerate(messages, first)],
            [Place(partition, each.offset, each.claim) for each in messages],
        )

    async def _be_sure(self) -> None:
        """After a write whose fate is unknown: read how far the partitions are.

        Raises `DatabaseUnavailable`.
        """
        while self._unsure:
            try:
                async with self._database.connection() as connection:
                    known = dict(self._progress)
                    found = await ownership.reload(connection, self.destination, known)
            except Fenced as fenced:
                self.lose(fenced.partitions)
                continue
            self._unsure = False
            for partition, progress in found.items():
                if progress.claimed != self._progress[partition].claimed:
                    self._reread.add(partition)
                done = [
                    seq
                    for seq in self.stock.places_of([partition])
                    if (place := self.stock.place(seq)) and progress.is_done(place.offset)
                ]
                self.stock.remove(done)
                self._progress[partition] = progress

    # --- leaving ----------------------------------------------------------------------------------

    async def settle(
        self,
        attempt: Attempt | None,
        endings: Sequence[tuple[Sequence[Entry], Outcome, Reason]],
        covers: Sequence[int],
    ) -> None:
        """See `protocol.Outlet.settle`. Waits for the database. Raises ValueError."""
        self.stock.check([entry.seq for entries, _, _ in endings for entry in entries])
        covered = [place for seq in covers if (place := self.stock.place(seq)) is not None]
        first = True
        while True:
            async with self._one:
                if first:
                    self.stock.check([entry.seq for entries, _, _ in endings for entry in entries])
                try:
                    await self._be_sure()
                    if await self._settle_once(attempt, endings, covered):
                        return
                except DatabaseUnavailable:
                    pass
            first = False
            await self._clock.sleep(_AGAIN_S)

    async def _settle_once(
        self,
        attempt: Attempt | None,
        endings: Sequence[tuple[Sequence[Entry], Outcome, Reason]],
        covered: Sequence[Place],
    ) -> bool:
        """True when there is nothing left to do. Raises `DatabaseUnavailable`."""
        settlement = self._settlement(attempt, endings, covered)
        if not any(each.held for each in settlement.endings) and (endings or not covered):
            return True  # it is done: in other hands, or by the try whose answer was lost
        now = self._clock.now()
        try:
            async with self._database.transaction() as connection:
                later = await self._settler.settle(
                    connection, settlement, self._progress, self._oldest_at, now
                )
        except Fenced as fenced:
            self.lose(fenced.partitions)
            return False
        except Taken as taken:
            self._lose_parked(taken.ids)
            return False
        except Raced:
            return False
        except DatabaseUnavailable:
            self._unsure = True
            self._days.forget()
            raise
        self._settled(settlement, later)
        return True

    def _settlement(
        self,
        attempt: Attempt | None,
        endings: Sequence[tuple[Sequence[Entry], Outcome, Reason]],
        covered: Sequence[Place],
    ) -> Settlement:
        held = []
        for entries, outcome, reason in endings:
            here = [(entry, place) for entry in entries
                    if (place := self.stock.place(entry.seq)) is not None]  # fmt: skip
            held.append(Ending(outcome, reason, here))
        ours = [
            place
            for place in covered
            if place.parked is not None or place.partition in self._progress
        ]
        return Settlement(attempt, held, ours)

    def _settled(self, settlement: Settlement, later: Mapping[int, Progress]) -> None:
        self._progress.update(later)
        self._remember_unknown(settlement)
        offsets = parked = size_bytes = 0
        seqs = []
        for ending in settlement.endings:
            for entry, place in ending.held:
                seqs.append(entry.seq)
                size_bytes += len(entry.body)
                offsets += place.parked is None
                parked += place.parked is not None
        self.stock.remove(seqs)
        change = Change(0, offsets + parked, -offsets, -parked, -size_bytes)
        self._listeners.changed(self.destination, change)

    def _remember_unknown(self, settlement: Settlement) -> None:
        low = {partition: each.low for partition, each in self._progress.items()}
        self._unknowns = [each for each in self._unknowns if each.end > low.get(each.partition, 0)]
        attempt = settlement.attempt
        if attempt is not None and attempt.unknown:
            self._unknowns += [
                _Unknown(place.partition, place.offset, place.offset + 1, attempt.started_at)
                for place in settlement.covered
            ]

    def _lose_parked(self, ids: Iterable[int]) -> None:
        self.stock.remove(self.stock.parked_rows(ids), lost=True)

    # --- parking ----------------------------------------------------------------------------------

    async def park(self, parked: Parked) -> None:
        """See `protocol.Outlet.park`. Raises `DatabaseUnavailable`."""
        async with self._one:
            await self._be_sure()
            while True:
                held = [
                    (entry, place._replace(unknown_since=self.unknown_of(place)))
                    for entry in self.stock.read(parked.seqs)
                    if (place := self.stock.place(entry.seq)) is not None
                ]
                if not held:
                    return
                try:
                    later = await self._park(held, parked)
                except Fenced as fenced:
                    self.lose(fenced.partitions)
                    continue
                break
            self._progress.update(later)
            offsets = sum(place.parked is None for _, place in held)
            self.stock.remove([entry.seq for entry, _ in held])
            self._listeners.changed(self.destination, Change(0, 0, -offsets, offsets, 0))

    async def _park(
        self, held: Sequence[tuple[Entry, Place]], parked: Parked
    ) -> Mapping[int, Progress]:
        offsets = Settlement(None, [Ending(*_ERASED, held)], ()).offsets()
        later = {at: self._progress[at].after(0, done) for at, done in offsets.items()}
        sizes: dict[int, int] = dict.fromkeys(later, 0)
        for entry, place in held:
            if place.parked is None:
                sizes[place.partition] += len(entry.body)
        bookings = {
            at: Booking(each, grown_bytes=-sizes[at], oldest_at=self._oldest_at(at, each))
            for at, each in later.items()
        }
        work = f"{self._owner}/{held[0][0].seq}"
        try:
            async with self._database.transaction() as connection:
                await ownership.book(connection, self.destination, bookings)
                await parking.park(
                    connection, self.destination, held, parked.due_at, work, parked.story
                )
        except DatabaseUnavailable:
            self._unsure = True
            raise
        return later

    async def fetch_due(self) -> None:
        """Take parked entries whose time has come, where there is room for them.

        Raises `DatabaseUnavailable`.
        """
        if self.stock.size_bytes > _PLENTY_BYTES:
            return
        async with self._one:
            now = self._clock.now()
            rows = await parking.take(
                self._database, self.destination, self._owner, now, next_seq=self.stock.next_seq
            )
            if not rows:
                return
            self.stock.put([row.entry for row in rows], [row.place for row in rows])
            self.stock.hold([row.entry.seq for row in rows])
            works: dict[str, tuple[bytes, list[int]]] = {}
            for row in rows:
                works.setdefault(row.work, (row.story, []))[1].append(row.entry.seq)
            self._due += [Parked(seqs, now, story) for story, seqs in works.values()]
        self._listeners.news(self.destination)

    def due(self) -> Sequence[Parked]:
        """See `protocol.Outlet.due`."""
        told, self._due = self._due, []
        return told

    @property
    def has_due(self) -> bool:
        return bool(self._due)

    # --- erasing ----------------------------------------------------------------------------------

    async def withhold_erased(self) -> int:
        """Settle what can be taken and is about somebody who asked to be forgotten."""
        about = [
            entry
            for entry in self.stock.free()
            if self._erasures.cover(entry.accepted_at, entry.body)
        ]
        if about:
            self.stock.hold([entry.seq for entry in about])
            await self.settle(None, [(about, *_ERASED)], ())
        return len(about)
