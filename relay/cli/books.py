"""What the journal knows, and the notes in it, for commands that keep some: of a folder, beside a
relay that may be running, or of servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from relay import assembly
from relay.cli import archive, journal_folder, workshop
from relay.cli import settings as configuration
from relay.cli.operator_http import RunningRelay
from relay.clock import SystemClock
from relay.config import Settings
from relay.errors import JournalLocked
from relay.journal.issues import IssueRow
from relay.journal.ledger import LedgerRow
from relay.journal.notes import check_key, check_note
from relay.journal.protocol import Archive, Note, Notes
from relay.journal.rocksdb import JournalSettings, RocksJournal
from relay.journal.rocksdb.records import Records
from relay.journal.sample import Sample
from relay.model import DeadLetter, Trace


class Books(Archive, Notes, Protocol):
    """All that an audit asks of the relay, and the room for what it wants to remember."""


@asynccontextmanager
async def open_books(config: Path | None, folder: Path | None = None) -> AsyncIterator[Books]:
    """The books of a folder, or of the journal that the configuration names.

    What is read of a folder is as it was when it was opened, but for its notes, which are read anew
    each time. Notes are written by the relay that has the folder, where one runs.

    Raises `ConfigError`, `JournalUnavailable` and what opening a journal raises; writing a note
    also `RelayUnreachable`, `JournalLocked` where no configuration says how to ask.
    """
    settings = None if folder is not None and config is None else configuration.as_written(config)
    if folder is None and settings is not None and settings.journal.is_distributed:
        watchers = archive.quiet_watchers()
        async with assembly.records_of(settings, SystemClock(), watchers) as records:
            yield records
        return
    path = folder or (Path() if settings is None else settings.journal.path)
    with journal_folder.reading(path) as (_, search):
        yield _FolderBooks(path, Records(search), settings)


class _FolderBooks:
    """Of a folder that was opened to be read. `settings` say how to ask a relay that has it."""

    def __init__(self, path: Path, records: Records, settings: Settings | None) -> None:
        self._path = path
        self._records = records
        self._settings = settings

    async def find(self, token: str, *, limit: int = 100) -> Sequence[Trace]:
        return await self._records.find(token, limit=limit)

    def dead_letters(self, destination: str | None = None) -> AsyncIterator[DeadLetter]:
        return self._records.dead_letters(destination)

    async def dead_letter(self, letter_id: str) -> DeadLetter | None:
        return await self._records.dead_letter(letter_id)

    def sums(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[LedgerRow]:
        return self._records.sums(destination, start_hour, end_hour)

    def issues(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[IssueRow]:
        return self._records.issues(destination, start_hour, end_hour)

    def samples(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[Sample]:
        return self._records.samples(destination, start_hour, end_hour)

    async def notes(self, prefix: str) -> AsyncIterator[Note]:
        check_key(prefix)
        with journal_folder.reading(self._path) as (_, search):
            async for note in Records(search).notes(prefix):
                yield note

    async def put_note(self, key: str, value: bytes) -> None:
        check_note(key, value)
        try:
            async with self._own_journal() as journal:
                await journal.put_note(key, value)
        except JournalLocked as locked:
            await self._ask_relay(lambda relay: relay.put_note(key, value), locked)

    async def drop_notes(self, prefix: str, before: str) -> None:
        check_key(prefix)
        check_key(before)
        try:
            async with self._own_journal() as journal:
                await journal.drop_notes(prefix, before)
        except JournalLocked as locked:
            await self._ask_relay(lambda relay: relay.drop_notes(prefix, before), locked)

    @asynccontextmanager
    async def _own_journal(self) -> AsyncIterator[Notes]:
        """The folder for this process alone, for a moment. Raises `JournalLocked`."""
        if self._settings is not None and self._settings.journal.path == self._path:
            async with workshop.own_journal(self._settings) as journal:
                yield journal
            return
        async with RocksJournal(JournalSettings(self._path), SystemClock()) as named:
            yield named

    async def _ask_relay(
        self, question: Callable[[RunningRelay], None], locked: JournalLocked
    ) -> None:
        if self._settings is None:
            raise JournalLocked(
                f"a relay has the journal folder {self._path} open: name its configuration with "
                "--config, so that it can be asked"
            ) from locked
        relay = RunningRelay(self._settings)
        try:
            await asyncio.to_thread(question, relay)
        finally:
            relay.close()
