"""The distributed journal as the contract's tests see it: append tells what the claim said."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from relay.errors import JournalUnavailable
from relay.journal.distributed import (
    DistributedJournal,
    DistributedSettings,
    Topics,
    Watchers,
)
from relay.journal.distributed.claiming import Fate
from relay.journal.distributed.message import Arrived
from relay.kafka.connection import KafkaConnection
from relay.model import Answer, Arrival
from relay.postgres.database import Database
from tests.contract.journals import OwnClock

DESTINATIONS = ("web", "crm")


class PatientJournal(DistributedJournal):
    """Appending returns when the messages are claimed, with what became of each."""

    def __init__(
        self, brokers: str, dsn: str, prefix: str, clock: OwnClock, **settings: Any
    ) -> None:
        self._fates: list[tuple[str, str, Fate]] = []
        super().__init__(
            DistributedSettings(
                KafkaConnection(brokers),
                Topics(prefix, partitions=1, replication=1),
                f"{prefix}-group",
                DESTINATIONS,
                **settings,
            ),
            Database(lambda: dsn),
            clock,
            Watchers(claimed=self._note),
        )

    def _note(self, destination: str, found: Sequence[tuple[Arrived, Fate]]) -> None:
        self._fates += [(destination, each.receipt, fate) for each, fate in found]

    async def append(
        self, arrivals: Sequence[Arrival], remember: Mapping[bytes, bytes] | None = None
    ) -> Sequence[Answer]:
        await super().append(arrivals, remember)
        await self.until_caught_up()
        return [self._answer(each.destination, each.receipt) for each in arrivals]

    def _answer(self, destination: str, receipt: str) -> Answer:
        """What the claim said, told once; nothing was said of what is known."""
        for told in self._fates:
            if told[:2] == (destination, receipt):
                self._fates.remove(told)
                return Answer(told[2].outcome, told[2].reason)
        return Answer(None, None, known=True)

    async def until_caught_up(self) -> None:
        """All that is in the topics is claimed, and what is open is in memory; or the journal is
        closed, which claims no more: what was written is the next one's."""
        async with asyncio.timeout(20):
            while not self._closed:
                with contextlib.suppress(JournalUnavailable):
                    if await self._is_caught_up():
                        return
                await asyncio.sleep(0.005)  # nothing tells

    async def _is_caught_up(self) -> bool:
        ends = await self.browser.ends(DESTINATIONS)
        for (name, partition), end in ends.items():
            holding = self._shares[name].holding
            progress = holding.progress.get(partition)
            if progress is None or progress.claimed < end:
                return False
            if len(holding.stock.places_of([partition])) < progress.open:
                return False
        return len(ends) == len(DESTINATIONS)
