"""One process's share of a destination: claiming what comes, settling what ends.

Every change is a transaction first, and applied here when it is committed. Where the answer to a
COMMIT was lost, the rows are read again before anything else is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relay.errors import DatabaseUnavailable
from relay.journal.distributed.aside import Aside
from relay.journal.distributed.claiming import Claimed, Claimer
from relay.journal.distributed.claims import Raced
from relay.journal.distributed.holding import Change, Holding, Surroundings, Unknown
from relay.journal.distributed.message import Arrived
from relay.journal.distributed.ownership import Fenced
from relay.journal.distributed.progress import Progress
from relay.journal.distributed.settling import Ending, Settlement, Settler, Taken
from relay.journal.distributed.stock import Place
from relay.model import Attempt, Entry, Outcome, Reason

#: While the database does not answer, it is asked this often, in seconds.
_AGAIN_S = 0.2

#: Entries that end alike.
Part = tuple[Sequence[Entry], Outcome, Reason]

#: By partition: its progress, messages that nobody claimed yet, and the offset behind them.
_Fresh = dict[int, tuple[Progress, Sequence[Arrived], int]]


class Share:
    """See the module. `window_s` is how long claims last."""

    def __init__(self, destination: str, window_s: float, around: Surroundings) -> None:
        self.holding = Holding(destination, around)
        self.aside = Aside(self.holding)
        self._around = around
        self._claimer = Claimer(
            destination, window_s, around.days, self.holding.low_at,
            lambda each: around.erasures.cover(each.accepted_at, each.fields[-1]),
        )  # fmt: skip
        self._settler = Settler(
            destination, around.owner, window_s, around.days, self.holding.unknown_of,
            lambda entry: around.erasures.cover(entry.accepted_at, entry.body),
        )  # fmt: skip

    # --- coming in --------------------------------------------------------------------------------

    async def take_in(self, read: Mapping[int, tuple[Sequence[Arrived], int]]) -> None:
        """Claim messages, by partition, with the offset behind them; what waits is in stock then.

        Raises `DatabaseUnavailable`: then see `Holding.to_reread`, and read them again.
        """
        async with self.holding.one:
            await self.holding.be_sure()
            claimed = False
            while not claimed:
                fresh = self._fresh(read)
                claimed = not fresh or await self._claim(fresh)
        if self._around.erasures:
            await self.withhold_erased()
        self._around.listeners.news(self.holding.destination)

    def _fresh(self, read: Mapping[int, tuple[Sequence[Arrived], int]]) -> _Fresh:
        """What nobody claimed yet. What was claimed before and is open, because another owner or
        an earlier life had it, goes into stock."""
        fresh: _Fresh = {}
        for partition, (messages, behind) in read.items():
            progress = self.holding.progress.get(partition)
            if progress is None:
                continue
            self._restock(partition, progress, messages)
            if behind > progress.claimed:
                new = [each for each in messages if each.offset >= progress.claimed]
                fresh[partition] = progress, new, behind
        return fresh

    def _restock(self, partition: int, progress: Progress, messages: Sequence[Arrived]) -> None:
        holds = self.holding.stock.holds
        self._put(
            partition,
            [
                each
                for each in messages
                if each.offset < progress.claimed
                and not progress.is_done(each.offset)
                and not holds(partition, each.offset)
            ],
        )

    async def _claim(self, fresh: _Fresh) -> bool:
        """False where it has to be tried once more. Raises `DatabaseUnavailable`."""
        try:
            async with self._around.database.transaction() as connection:
                now = self._around.clock.now()
                found = await self._claimer.claim(connection, fresh, now)
        except Fenced as fenced:
            self._around.days.forget()
            self.holding.lose(fenced.partitions)
            return False
        except Raced:
            self._around.days.forget()
            return False
        except DatabaseUnavailable:
            self.holding.doubt()
            raise
        self._claimed(found)
        return True

    def _claimed(self, found: Mapping[int, Claimed]) -> None:
        accepted = waiting = size_bytes = 0
        self.holding.advance({partition: each.progress for partition, each in found.items()})
        for partition, each in found.items():
            if self.holding.progress.get(partition) is each.progress:
                self._put(partition, each.waiting)
            accepted += len(each.arrived)
            waiting += len(each.waiting)
            size_bytes += sum([len(one.fields[-1]) for one in each.waiting])
            self._around.listeners.claimed(self.holding.destination, each.arrived)
        change = Change(accepted, accepted - waiting, waiting, 0, size_bytes)
        self._around.listeners.changed(self.holding.destination, change)

    def _put(self, partition: int, messages: Sequence[Arrived]) -> None:
        stock = self.holding.stock
        stock.put(
            [each.entry(seq) for seq, each in enumerate(messages, stock.next_seq)],
            [_place_of(partition, each) for each in messages],
        )

    # --- leaving ----------------------------------------------------------------------------------

    async def settle(
        self, attempt: Attempt | None, parts: Sequence[Part], covers: Sequence[int]
    ) -> None:
        """See `protocol.Outlet.settle`. Waits for the database. Raises ValueError."""
        stock = self.holding.stock
        seqs = [entry.seq for entries, _, _ in parts for entry in entries]
        stock.check(seqs)
        covered = [place for seq in covers if (place := stock.place(seq)) is not None]
        checked = False
        while True:
            async with self.holding.one:
                if not checked:
                    stock.check(seqs)  # another call may have been first
                    checked = True
                try:
                    await self.holding.be_sure()
                    while not await self._settle_once(attempt, parts, covered):
                        pass
                except DatabaseUnavailable:
                    pass
                else:
                    return
            await self._around.clock.sleep(_AGAIN_S)

    async def _settle_once(
        self, attempt: Attempt | None, parts: Sequence[Part], covered: Sequence[Place]
    ) -> bool:
        """False where some of it went into other hands just now: try the rest.

        Raises `DatabaseUnavailable`.
        """
        holding = self.holding
        settlement = self._settlement(attempt, parts, covered)
        if not any(each.held for each in settlement.endings) and (parts or not covered):
            return True  # it is done: in other hands, or by the try whose answer was lost
        try:
            async with self._around.database.transaction() as connection:
                later = await self._settler.settle(
                    connection, settlement, holding.progress, holding.low_at,
                    self._around.clock.now(),
                )  # fmt: skip
        except Fenced as fenced:
            self._around.days.forget()
            holding.lose(fenced.partitions)
            return False
        except Taken as taken:
            holding.stock.remove(holding.stock.parked_rows(taken.ids), lost=True)
            return False
        except Raced:
            return False
        except DatabaseUnavailable:
            holding.doubt()
            raise
        self._settled(settlement, later)
        return True

    def _settlement(
        self, attempt: Attempt | None, parts: Sequence[Part], covered: Sequence[Place]
    ) -> Settlement:
        endings = []
        for entries, outcome, reason in parts:
            held = [(entry, place) for entry in entries
                    if (place := self.holding.stock.place(entry.seq)) is not None]  # fmt: skip
            endings.append(Ending(outcome, reason, held))
        ours = [
            place
            for place in covered
            if place.parked is not None or place.partition in self.holding.progress
        ]
        return Settlement(attempt, endings, ours)

    def _settled(self, settlement: Settlement, later: Mapping[int, Progress]) -> None:
        self.holding.advance(later)
        self._remember_unknown(settlement)
        held = [each for ending in settlement.endings for each in ending.held]
        size_bytes = sum([len(entry.body) for entry, _ in held])
        parked = sum([place.parked is not None for _, place in held])
        self.holding.stock.remove([entry.seq for entry, _ in held])
        change = Change(0, len(held), parked - len(held), -parked, -size_bytes)
        self._around.listeners.changed(self.holding.destination, change)

    def _remember_unknown(self, settlement: Settlement) -> None:
        holding = self.holding
        low = {partition: each.low for partition, each in holding.progress.items()}
        holding.unknowns = [
            each for each in holding.unknowns if each.end > low.get(each.partition, 0)
        ]
        attempt = settlement.attempt
        if attempt is not None and attempt.unknown:
            holding.unknowns += [
                Unknown(place.partition, place.offset, place.offset + 1, attempt.started_at)
                for place in settlement.covered
            ]

    async def withhold_erased(self) -> None:
        """Settle what can be taken and is about somebody who asked to be forgotten."""
        stock = self.holding.stock
        cover = self._around.erasures.cover
        about = [entry for entry in stock.free() if cover(entry.accepted_at, entry.body)]
        if about:
            stock.hold([entry.seq for entry in about])
            await self.settle(None, [(about, Outcome.WITHHELD, Reason.ERASED)], ())


def _place_of(partition: int, message: Arrived) -> Place:
    unknown_since = None if message.moved is None else message.moved.unknown_since
    return Place(partition, message.offset, message.claim, unknown_since=unknown_since)
