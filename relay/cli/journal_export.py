"""`relay journal export`: a journal, of a folder or of servers, into a file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from relay import assembly
from relay.cli import archive, journal_folder
from relay.cli import settings as configuration
from relay.cli.lines import counted
from relay.cli.moved_file import PIPE, ExportFile
from relay.cli.rows_bar import rows_bar
from relay.cli.terminal import GREEN, YELLOW, fail, say, write_json
from relay.cli.version import version
from relay.clock import SystemClock
from relay.config import Settings
from relay.errors import ConfigError, Mistake
from relay.journal.moving.framing import Framer, Header, Trailer
from relay.journal.rocksdb import seal
from relay.journal.rocksdb.folder import Folder
from relay.journal.rocksdb.lock import FolderLock
from relay.journal.rocksdb.moving_out import MovingOut
from relay.journal.rocksdb.seal import Why
from relay.role import Role

_CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class Wanted:
    """The file, and what is asked besides: to replace one that is there, and to seal the journal
    once it is on disk."""

    file: str
    overwriting: bool = False
    sealing: bool = False

    def opened(self) -> ExportFile:
        return ExportFile(self.file, overwriting=self.overwriting)


@dataclass(frozen=True, slots=True)
class Exported:
    """What is in the file, and whether the journal is sealed, by this command or before."""

    header: Header
    trailer: Trailer
    sealed: bool


def export(wanted: Wanted, config: Path | None, journal: Path | None, *, as_json: bool) -> None:
    """Write the journal into a file. Raises `ConfigError` and the journal's errors."""
    if as_json and wanted.file == PIPE:
        mend = "Name a file, or leave --json"
        raise ConfigError([Mistake("--json", "standard output has the journal", mend)])
    settings = None if journal else configuration.as_written(config)
    try:
        if settings is not None and settings.journal.is_distributed:
            done = asyncio.run(_export_servers(wanted, settings))
        else:
            done = _export_folder(wanted, journal_folder.path_of(config, journal))
    except OSError as error:
        fail(f"{wanted.file}: {os.strerror(error.errno or 0).lower()}")
    _tell(wanted, done, as_json=as_json)


def _export_folder(wanted: Wanted, path: Path) -> Exported:
    journal_folder.require(path)
    lock = FolderLock(path)
    try:
        seal.check(path, allowing=Why.MOVED)
        folder = Folder(path, read_only=True)
        try:
            moving = MovingOut(folder)
            header = _header("embedded", moving.destinations, moving.journals, moving.salt)
            framer = Framer()
            with wanted.opened() as out, rows_bar(moving.arrivals) as progress:
                out.write(framer.header(header))
                for row in moving.rows():
                    out.write(framer.row(row))
                    progress(1)
                out.write(framer.end())
                out.complete()
                if wanted.sealing:
                    seal.put(path, _CLOCK.now(), Why.MOVED)
        finally:
            folder.close()
        sealed = seal.why(path) is Why.MOVED
    finally:
        lock.release()
    return Exported(header, framer.trailer(), sealed)


async def _export_servers(wanted: Wanted, settings: Settings) -> Exported:
    from relay.journal.distributed.moving_out import ServersOut  # noqa: PLC0415  # as in assembly
    from relay.journal.distributed.records import as_journal  # noqa: PLC0415  # as above

    servers = assembly.distributed_settings_of(settings, Role.DELIVER)
    database = assembly.database_of(settings, archive.quiet_watchers())
    with as_journal():
        async with ServersOut(servers, database, _CLOCK) as moving:
            header = _header("distributed", moving.destinations, moving.journals, moving.salt)
            framer = Framer()
            with wanted.opened() as out, rows_bar(None) as progress:
                out.write(framer.header(header))
                async for row in moving.rows():
                    out.write(framer.row(row))
                    progress(1)
                await moving.still_the_same()
                out.write(framer.end())
                out.complete()
                if wanted.sealing:
                    await moving.seal()
            sealed = await moving.is_sealed()
    return Exported(header, framer.trailer(), sealed)


def _header(
    mode: str, destinations: Iterable[str], journals: Iterable[str], salt: bytes | None
) -> Header:
    return Header(_CLOCK.now(), version(), mode, list(destinations), list(journals), salt)


def _tell(wanted: Wanted, done: Exported, *, as_json: bool) -> None:
    header, trailer = done.header, done.trailer
    if as_json:
        write_json(
            {
                "file": wanted.file, "contents": trailer.contents, "mode": header.mode,
                "destinations": header.destinations, "journals": header.journals,
                "rows": trailer.rows, "counts": trailer.counts, "sealed": done.sealed,
            }
        )  # fmt: skip
        return
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in trailer.counts.items())
    rows = counted(trailer.rows, "row")
    say(f"{wanted.file}: {rows}" + (f": {kinds}" if kinds else ""), color=GREEN)
    if done.sealed:
        say("the journal is sealed: no relay starts on it any more (`relay journal unseal` undoes)")
        return
    say(
        "the journal is as it was: a relay on it and one on the new journal would both send what "
        "waits; `relay journal seal` keeps the old one from starting",
        color=YELLOW,
    )
