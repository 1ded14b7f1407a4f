"""What one process holds of a destination: partitions with their progress, and entries.

What another process took over is dropped: that one settles it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from relay.clock import Clock
from relay.journal.distributed import ownership
from relay.journal.distributed.claiming import Fate
from relay.journal.distributed.days import Days
from relay.journal.distributed.erasing import Erasures
from relay.journal.distributed.message import Arrived
from relay.journal.distributed.ownership import Fenced
from relay.journal.distributed.progress import Progress
from relay.journal.distributed.stock import Place, Stock
from relay.postgres.database import Database


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
    fate), and of messages that are lost."""

    news: Callable[[str], None]
    changed: Callable[[str, Change], None]
    claimed: Callable[[str, Sequence[tuple[Arrived, Fate]]], None]
    damaged: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the shares of one process have in common; `owner` names the process."""

    owner: str
    database: Database
    days: Days
    erasures: Erasures
    clock: Clock
    listeners: Listeners


class Unknown(NamedTuple):
    """Offsets that TikTok may have since `at`, although its answer was not read."""

    partition: int
    start: int
    end: int
    at: float


class Holding:
    """The state that claiming, settling and parking change; `one` is held while one of them does.

    `unsure` says that the answer to a COMMIT was lost: `be_sure` reads the rows again.
    """

    def __init__(self, destination: str, around: Surroundings) -> None:
        self.destination = destination
        self.around = around
        self.stock = Stock(destination)
        self.progress: dict[int, Progress] = {}
        self.unknowns: list[Unknown] = []
        self.one = asyncio.Lock()
        self.unsure = False
        self._reread: set[int] = set()

    # --- looking ----------------------------------------------------------------------------------

    @property
    def open(self) -> int:
        """How many claimed messages of ours are neither settled nor parked."""
        return sum([each.open for each in self.progress.values()])

    def oldest_at(self) -> float | None:
        """When the first of them was accepted."""
        found = [self.low_at(partition, each) for partition, each in self.progress.items()]
        return min([at for at in found if at is not None], default=None)

    def low_at(self, partition: int, progress: Progress) -> float | None:
        """When the first open entry of a partition that is so far was accepted, if it is held."""
        return self.stock.accepted_at(partition, progress.low)

    def unknown_of(self, place: Place) -> float | None:
        """Since when TikTok may have this entry without our knowing."""
        found = [
            each.at
            for each in self.unknowns
            if each.partition == place.partition and each.start <= place.offset < each.end
        ]
        if place.unknown_since is not None:
            found.append(place.unknown_since)
        return min(found, default=None)

    def on_their_way(self, partitions: Iterable[int]) -> int:
        """How many entries of these partitions are taken."""
        return self.stock.taken(self.stock.places_of(partitions))

    # --- losing -----------------------------------------------------------------------------------

    def stop_taking(self, partitions: Iterable[int]) -> None:
        """These partitions are about to leave: hand out nothing more of them."""
        seqs = self.stock.places_of(partitions)
        self.stock.remove([seq for seq in seqs if not self.stock.taken([seq])], lost=True)

    async def release(self, partitions: Iterable[int]) -> None:
        """Lose them when what is being written about them is written."""
        async with self.one:
            self.lose(partitions)

    def advance(self, later: Mapping[int, Progress]) -> None:
        """Take progress over, but of partitions that were lost meanwhile."""
        for partition, progress in later.items():
            known = self.progress.get(partition)
            if known is not None and known.epoch == progress.epoch:
                self.progress[partition] = progress

    def lose(self, partitions: Iterable[int]) -> None:
        """These partitions are in other hands."""
        gone = frozenset(partitions)
        self.stock.remove(self.stock.places_of(gone), lost=True)
        for each in gone:
            self.progress.pop(each, None)
        self.unknowns = [each for each in self.unknowns if each.partition not in gone]

    # --- being sure -------------------------------------------------------------------------------

    def doubt(self) -> None:
        """The fate of a transaction is unknown."""
        self.unsure = True
        self.around.days.forget()

    def to_reread(self) -> Mapping[int, int]:
        """Partitions to read again, and from which offset: told once."""
        told = {each: self.progress[each].low for each in self._reread if each in self.progress}
        self._reread.clear()
        return told

    async def be_sure(self) -> None:
        """After a write whose fate is unknown: read how far the partitions are.

        Raises `DatabaseUnavailable`.
        """
        while self.unsure:
            try:
                async with self.around.database.connection() as connection:
                    found = await ownership.reload(
                        connection, self.destination, dict(self.progress)
                    )
            except Fenced as fenced:
                self.lose(fenced.partitions)
                continue
            self.unsure = False
            for partition, progress in found.items():
                self._become(partition, progress)

    def _become(self, partition: int, progress: Progress) -> None:
        if progress.claimed != self.progress[partition].claimed:
            self._reread.add(partition)
        self.stock.remove(
            [
                seq
                for seq in self.stock.places_of([partition])
                if (place := self.stock.place(seq)) and progress.is_done(place.offset)
            ]
        )
        self.progress[partition] = progress
