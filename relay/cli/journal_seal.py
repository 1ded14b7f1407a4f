"""`relay journal seal` and `unseal`: whether a relay may start on a journal."""

from __future__ import annotations

import asyncio
from pathlib import Path

from relay import assembly
from relay.cli import archive, journal_folder
from relay.cli import settings as configuration
from relay.cli.terminal import EXIT_FAILED, GREEN, YELLOW, say
from relay.clock import SystemClock
from relay.config import Settings
from relay.journal.rocksdb import seal as folder_seal
from relay.journal.rocksdb.lock import FolderLock
from relay.journal.rocksdb.seal import Why
from relay.role import Role


def seal(config: Path | None, journal: Path | None) -> None:
    """Let no relay start on the journal any more. May be repeated.

    Raises `ConfigError`, `JournalLocked` while a relay works on it, and `JournalUnavailable`.
    """
    settings = _of_servers(config, journal)
    if settings is not None:
        asyncio.run(_seal_servers(settings))
        place = "these servers"
    else:
        path = journal_folder.path_of(config, journal)
        _seal_folder(path)
        place = str(path)
    say(
        f"the journal in {place} is sealed: no relay starts on it any more (`relay journal unseal` "
        "undoes)",
        color=GREEN,
    )


def _seal_folder(path: Path) -> None:
    journal_folder.require(path)
    lock = FolderLock(path)
    try:
        folder_seal.check(path, allowing=Why.MOVED)
        folder_seal.put(path, SystemClock().now(), Why.MOVED)
    finally:
        lock.release()


def unseal(config: Path | None, journal: Path | None) -> int:
    """Let a relay have the journal again, and return the exit code."""
    settings = _of_servers(config, journal)
    if settings is not None:
        place, found = "the journal on these servers", asyncio.run(_unseal_servers(settings))
    else:
        path = journal_folder.path_of(config, journal)
        journal_folder.require(path)
        place, found = f"the journal in {path}", folder_seal.lift(path)
    if not found:
        say(f"{place} is not sealed", color=YELLOW)
        return EXIT_FAILED
    say(
        f"{place} is not sealed any more. What waits in it is sent once more if the journal that "
        "it was moved to sends it, too",
        color=YELLOW,
    )
    return 0


# --- servers --------------------------------------------------------------------------------------


def _of_servers(config: Path | None, journal: Path | None) -> Settings | None:
    """The configuration of a journal on servers; None where it is a folder."""
    if journal is not None:
        return None
    settings = configuration.as_written(config)
    return settings if settings.journal.is_distributed else None


async def _seal_servers(settings: Settings) -> None:
    from relay.journal.distributed import identity  # noqa: PLC0415  # as in assembly
    from relay.journal.distributed.records import as_journal  # noqa: PLC0415  # as above
    from relay.journal.distributed.rest import (  # noqa: PLC0415  # as above
        require_nobody,
        require_rest,
    )

    database = assembly.database_of(settings, archive.quiet_watchers())
    with as_journal():
        async with database:
            await require_rest(assembly.distributed_settings_of(settings, Role.DELIVER), database)
            async with database.transaction() as connection:
                is_ours = await identity.seal(connection, SystemClock().now())
            try:
                await require_nobody(database)  # that began since it was asked for
            except BaseException:
                if is_ours:
                    async with database.transaction() as connection:
                        await identity.unseal(connection)
                raise


async def _unseal_servers(settings: Settings) -> bool:
    from relay.journal.distributed import identity  # noqa: PLC0415  # as in assembly
    from relay.journal.distributed.records import as_journal  # noqa: PLC0415  # as above

    database = assembly.database_of(settings, archive.quiet_watchers())
    with as_journal():
        async with database, database.transaction() as connection:
            return await identity.unseal(connection)
