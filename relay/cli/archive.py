"""What the journal knows, for commands that look: of a folder or of servers, as configured."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from relay import assembly
from relay.cli import journal_folder
from relay.cli import settings as configuration
from relay.cli.terminal import say
from relay.clock import SystemClock
from relay.config import Settings
from relay.errors import DatabaseRefused
from relay.journal.protocol import Archive
from relay.journal.rocksdb.records import Records

_Answer = TypeVar("_Answer")


def ask(
    config: Path | None, folder: Path | None, question: Callable[[Archive], Awaitable[_Answer]]
) -> _Answer:
    """The answer to a question; nothing is changed, and a running relay is not disturbed.

    Raises `ConfigError`, `JournalUnavailable` and what opening a journal raises.
    """
    settings = None if folder is not None else configuration.as_written(config)
    if settings is not None and settings.journal.is_distributed:
        return asyncio.run(_ask_servers(settings, question))
    path = folder if settings is None else settings.journal.path
    with journal_folder.reading(path or Path()) as (_, search):
        return asyncio.run(_ask(Records(search), question))


async def _ask(archive: Archive, question: Callable[[Archive], Awaitable[_Answer]]) -> _Answer:
    return await question(archive)


async def _ask_servers(
    settings: Settings, question: Callable[[Archive], Awaitable[_Answer]]
) -> _Answer:
    async with assembly.records_of(settings, SystemClock(), quiet_watchers()) as records:
        return await question(records)


def quiet_watchers() -> assembly.JournalWatchers:
    """A person at a terminal is told what stops the journal, once, and nothing else."""
    told: set[str] = set()

    def tell(what: str, error: Exception) -> None:
        if isinstance(error, DatabaseRefused):
            return  # ends the command, which says it in full
        line = f"{what}: {type(error).__name__}"
        if line not in told:
            told.add(line)
            say(line)

    return assembly.JournalWatchers(
        damaged=lambda count: None,
        failing=lambda error: None,
        trouble=tell,
        ended=lambda destination, event, outcome, reason: None,
    )
