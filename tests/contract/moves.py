"""Moving journals in tests: out of one into a file's lines, out of those into another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from relay.journal.distributed import DistributedJournal, DistributedSettings, Topics, message
from relay.journal.distributed.moving_in import ServersTarget
from relay.journal.distributed.moving_out import ServersOut
from relay.journal.distributed.producer import TopicWriter
from relay.journal.moving import framing
from relay.journal.moving.framing import Framer, Header
from relay.journal.moving.rows import Row, unpack
from relay.journal.moving.standing import Standing
from relay.journal.moving.target import Target
from relay.journal.rocksdb import JournalSettings, RocksJournal
from relay.journal.rocksdb.folder import Folder
from relay.journal.rocksdb.moving_in import FolderTarget
from relay.journal.rocksdb.moving_out import MovingOut
from relay.kafka.connection import KafkaConnection
from relay.model import Arrival
from relay.postgres.database import Database
from tests.contract.distributed import DESTINATIONS, PatientJournal
from tests.contract.journals import DAY, NOW, OwnClock

#: Small, so that a short journal takes several batches.
BATCH = 3


class Cut(Exception):
    """The import was killed here."""


class FolderPlace:
    """A folder, and how it is opened, exported and imported into."""

    def __init__(self, path: Path, clock: OwnClock) -> None:
        self.path = path
        self.clock = clock

    async def open(self) -> RocksJournal:
        return RocksJournal(JournalSettings(self.path, min_free_bytes=1), self.clock)

    async def export(self) -> list[bytes]:
        folder = Folder(self.path, read_only=True)
        try:
            moving = MovingOut(folder)
            of = moving.destinations, moving.journals, moving.salt
            header = Header(NOW, "0", "embedded", *of)
            return framed(header, list(moving.rows()))
        finally:
            folder.close()

    def target(self) -> FolderTarget:
        return FolderTarget(self.path, 1, self.clock, lambda name: 7 * DAY)


class ServersPlace:
    """Topics and tables, likewise."""

    def __init__(self, brokers: str, dsn: str, prefix: str, clock: OwnClock) -> None:
        self.dsn = dsn
        self.clock = clock
        self._prefix = prefix
        self._brokers = brokers

    @property
    def settings(self) -> DistributedSettings:
        return DistributedSettings(
            KafkaConnection(self._brokers),
            Topics(self._prefix, partitions=1, replication=1),
            f"{self._prefix}-group",
            DESTINATIONS,
        )

    async def open(self) -> PatientJournal:
        journal = PatientJournal(self._brokers, self.dsn, self._prefix, self.clock)
        await journal.open()
        await journal.until_caught_up()
        await journal.take_census()
        journal._fates.clear()  # of what was imported; `append` tells its own
        return journal

    def accepting(self) -> DistributedJournal:
        """A process that accepts and does not deliver: what it accepts, nobody claims."""
        settings = replace(self.settings, delivers=False)
        return DistributedJournal(settings, Database(lambda: self.dsn), self.clock)

    async def write(self, arrival: Arrival) -> None:
        """As a door that nobody knows of would."""
        settings = self.settings
        writer = TopicWriter(settings.kafka.options, lambda error: None)
        await writer.open()
        try:
            topic = settings.topics.of(arrival.destination)
            await writer.write([(topic, message.encode(arrival, self.clock.now()))])
        finally:
            await writer.close()

    async def export(self) -> list[bytes]:
        async with ServersOut(self.settings, Database(lambda: self.dsn), self.clock) as moving:
            of = moving.destinations, moving.journals, moving.salt
            header = Header(NOW, "0", "distributed", *of)
            rows = [row async for row in moving.rows()]
            await moving.still_the_same()
            return framed(header, rows)

    def target(self, *, dies: str = "") -> ServersTarget:
        """One that is killed `before` or `after` something was written into a topic."""

        class Writer(TopicWriter):
            async def write(self, messages: Any) -> None:
                if dies == "before":
                    raise Cut
                await super().write(messages)
                if dies == "after":
                    raise Cut

        settings = self.settings
        writer = Writer(settings.kafka.options, lambda error: None)
        return ServersTarget(settings, Database(lambda: self.dsn), self.clock, writer)


Place = FolderPlace | ServersPlace


def framed(header: Header, rows: Sequence[Row]) -> list[bytes]:
    framer = Framer()
    return [framer.header(header), *[framer.row(row) for row in rows], framer.end()]


async def take_in(
    target: Target, lines: Sequence[bytes], *, cut_after: int | None = None, batch: int = BATCH
) -> Standing:
    """The import as the command does it; `cut_after` so many batches it is killed."""
    header, trailer = framing.check(lines)
    begun = await target.begin(header, trailer)
    rows = [unpack(line) for line in framing.rows_of(lines)]
    for number, at in enumerate(range(begun.rows, len(rows), batch)):
        if number == cut_after:
            raise Cut
        await target.take(rows[at : at + batch])
    return await target.finish()
