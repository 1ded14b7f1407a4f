"""Laying works aside until they are due, and taking back what is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relay.errors import DatabaseUnavailable
from relay.journal.distributed import ownership, parking
from relay.journal.distributed.holding import Change, Holding
from relay.journal.distributed.ownership import Booking, Fenced
from relay.journal.distributed.progress import Progress
from relay.journal.distributed.settling import Taken, offsets_of
from relay.journal.distributed.stock import Place
from relay.journal.protocol import Parked
from relay.model import Entry

#: With so many bytes of entries in memory none is fetched that waits elsewhere.
_PLENTY_BYTES = 16 * 2**20


class Aside:
    """What a destination's works leave in the table of parked ones."""

    def __init__(self, holding: Holding) -> None:
        self._holding = holding
        self._due: list[Parked] = []

    async def park(self, parked: Parked) -> None:
        """See `protocol.Outlet.park`. Raises `DatabaseUnavailable`."""
        holding = self._holding
        async with holding.one:
            await holding.be_sure()
            while True:
                held = [
                    (entry, place._replace(unknown_since=holding.unknown_of(place)))
                    for entry in holding.stock.read(parked.seqs)
                    if (place := holding.stock.place(entry.seq)) is not None
                ]
                if not held:
                    return
                try:
                    later = await self._park(held, parked)
                except Fenced as fenced:
                    holding.lose(fenced.partitions)
                    continue
                except Taken as taken:
                    holding.stock.remove(holding.stock.parked_rows(taken.ids), lost=True)
                    continue
                break
            holding.advance(later)
            offsets = sum(place.parked is None for _, place in held)
            holding.stock.remove([entry.seq for entry, _ in held])
            change = Change(0, 0, -offsets, offsets, 0)
            holding.around.listeners.changed(holding.destination, change)

    async def _park(
        self, held: Sequence[tuple[Entry, Place]], parked: Parked
    ) -> Mapping[int, Progress]:
        holding = self._holding
        offsets = offsets_of(place for _, place in held)
        later = {at: holding.progress[at].after(0, done) for at, done in offsets.items()}
        sizes: dict[int, int] = dict.fromkeys(later, 0)
        for entry, place in held:
            if place.parked is None:
                sizes[place.partition] += len(entry.body)
        bookings = {
            at: Booking(each, grown_bytes=-sizes[at], oldest_at=holding.low_at(at, each))
            for at, each in later.items()
        }
        work = f"{holding.around.owner}/{held[0][0].seq}"
        try:
            async with holding.around.database.transaction() as connection:
                await ownership.book(connection, holding.destination, bookings)
                lost = await parking.park(
                    connection, holding.destination, holding.around.owner, held,
                    parked, work,
                )  # fmt: skip
                if lost:
                    raise Taken(lost)
        except DatabaseUnavailable:
            holding.doubt()
            raise
        return later

    async def fetch(self) -> Sequence[Entry]:
        """Take parked entries whose time has come, where there is room for them; returns those
        that are about somebody who asked to be forgotten, taken and for the caller to settle.

        Raises `DatabaseUnavailable`.
        """
        holding = self._holding
        if holding.stock.size_bytes > _PLENTY_BYTES:
            return ()
        async with holding.one:
            now = holding.around.clock.now()
            rows = await parking.take(
                holding.around.database, holding.destination, holding.around.owner, now,
                next_seq=holding.stock.next_seq, ours=holding.stock.parked_ids(),
            )  # fmt: skip
            if not rows:
                return ()
            holding.stock.put([row.entry for row in rows], [row.place for row in rows])
            holding.stock.hold([row.entry.seq for row in rows])
            works: dict[str, tuple[bytes, list[int]]] = {}
            cover = holding.around.erasures.cover
            erased = [row.entry for row in rows if cover(row.entry.accepted_at, row.entry.body)]
            gone = {entry.seq for entry in erased}
            for row in rows:
                if row.entry.seq in gone:
                    continue
                works.setdefault(row.work, (row.story, []))[1].append(row.entry.seq)
            self._due += [Parked(seqs, now, story) for story, seqs in works.values()]
        holding.around.listeners.news(holding.destination)
        return erased

    def due(self) -> Sequence[Parked]:
        """See `protocol.Outlet.due`."""
        told, self._due = self._due, []
        return told

    @property
    def has_due(self) -> bool:
        return bool(self._due)
