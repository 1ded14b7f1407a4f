"""`relay journal export`, `import` and `unseal`: a journal from a folder to servers, or back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from relay import assembly
from relay.cli import archive, journal_folder
from relay.cli import settings as configuration
from relay.cli.lines import counted
from relay.cli.moved_file import PIPE, MovedFile, writing
from relay.cli.terminal import (
    EXIT_FAILED,
    EXIT_MISTAKE,
    GREEN,
    YELLOW,
    console,
    fail,
    say,
    write_json,
)
from relay.cli.version import version
from relay.clock import SystemClock
from relay.config import Settings
from relay.errors import ConfigError, JournalUnavailable, Mistake
from relay.journal.moving import framing
from relay.journal.moving.framing import FileUnusable, Framer, Header, Trailer
from relay.journal.moving.rows import NotARow, Row, unpack
from relay.journal.moving.standing import Standing
from relay.journal.moving.target import MOST_BYTES, MOST_ROWS, Target
from relay.journal.rocksdb import seal
from relay.journal.rocksdb.folder import Folder
from relay.journal.rocksdb.lock import FolderLock
from relay.journal.rocksdb.moving_out import MovingOut
from relay.role import Role

if TYPE_CHECKING:
    from relay.journal.distributed.moving_in import ServersTarget

_CLOCK = SystemClock()

#: Rows between two looks at the bar.
_EVERY = 1000

_WORDS = {
    "waiting": "that wait",
    "settled": "that are settled",
    "known": "known already",
    "duplicates": "duplicates of events that are here",
    "claims": "claims",
    "dead_letters": "dead letters",
    "samples": "samples",
    "notes": "notes",
    "samples_left_out": "samples left out",
}


# --- export ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Exported:
    """What is in the file."""

    header: Header
    trailer: Trailer


def export(
    file: str, config: Path | None, journal: Path | None, *, sealing: bool, as_json: bool
) -> None:
    """Write the journal into a file. Raises `ConfigError` and the journal's errors."""
    if as_json and file == PIPE:
        mend = "Name a file, or leave --json"
        raise ConfigError([Mistake("--json", "standard output has the journal", mend)])
    settings = None if journal else configuration.as_written(config)
    try:
        if settings is not None and settings.journal.is_distributed:
            if sealing:
                mend = "Leave it out: what is to be sent is in the topics, remove those afterwards"
                raise ConfigError([Mistake("--seal", "only a folder can be sealed", mend)])
            done = asyncio.run(_export_servers(file, settings))
        else:
            done = _export_folder(file, journal_folder.path_of(config, journal), sealing=sealing)
    except OSError as error:
        fail(f"{file}: {os.strerror(error.errno or 0).lower()}")
    _tell_export(file, done, sealing=sealing, as_json=as_json)


def _export_folder(file: str, path: Path, *, sealing: bool) -> Exported:
    if not (path / "db" / "CURRENT").exists():
        raise JournalUnavailable(
            f"there is no journal at {path.absolute()}; name its folder with --journal, or the "
            "configuration with --config"
        )
    lock = FolderLock(path)
    try:
        folder = Folder(path, read_only=True)
        try:
            moving = MovingOut(folder)
            header = _header("embedded", moving.destinations, moving.salt)
            with writing(file) as out, _progress(moving.arrivals) as progress:
                done = _write(out, header, moving.rows(), progress)
        finally:
            folder.close()
        if sealing:
            seal.put(path, _CLOCK.now(), done.trailer.contents)
    finally:
        lock.release()
    return done


async def _export_servers(file: str, settings: Settings) -> Exported:
    from relay.journal.distributed.moving_out import ServersOut  # noqa: PLC0415  # as in assembly
    from relay.journal.distributed.records import as_journal  # noqa: PLC0415  # as above

    wanted = assembly.distributed_settings_of(settings, Role.DELIVER)
    database = assembly.database_of(settings, archive.quiet_watchers())
    with as_journal():
        async with ServersOut(wanted, database, _CLOCK) as moving:
            header = _header("distributed", moving.destinations, moving.salt)
            framer = Framer()
            with writing(file) as out, _progress(None) as progress:
                out.write(framer.header(header))
                async for row in moving.rows():
                    out.write(framer.row(row))
                    progress(1)
                await moving.still_the_same()
                out.write(framer.end())
    return Exported(header, framer.trailer())


def _header(mode: str, destinations: Iterable[str], salt: bytes | None) -> Header:
    return Header(_CLOCK.now(), version(), mode, list(destinations), salt)


def _write(
    out: IO[bytes], header: Header, rows: Iterable[Row], progress: Callable[[int], None]
) -> Exported:
    framer = Framer()
    out.write(framer.header(header))
    for row in rows:
        out.write(framer.row(row))
        progress(1)
    out.write(framer.end())
    return Exported(header, framer.trailer())


def _tell_export(file: str, done: Exported, *, sealing: bool, as_json: bool) -> None:
    header, trailer = done.header, done.trailer
    if as_json:
        write_json(
            {
                "file": file, "contents": trailer.contents, "mode": header.mode,
                "destinations": header.destinations, "rows": trailer.rows,
                "counts": trailer.counts, "sealed": sealing,
            }
        )  # fmt: skip
        return
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in trailer.counts.items())
    say(f"{file}: {counted(trailer.rows, 'row')}" + (f": {kinds}" if kinds else ""), color=GREEN)
    if sealing:
        say("the folder is sealed: no relay starts on it any more (`relay journal unseal` undoes)")
    elif header.mode == "embedded":
        say(
            "the folder is as it was: a relay on it and one on the new journal would both send "
            "what waits; --seal keeps the old one from starting",
            color=YELLOW,
        )


# --- import ---------------------------------------------------------------------------------------


def take_in(file: str, config: Path | None, *, as_json: bool) -> int:
    """Take a file in, and return the exit code. Raises `ConfigError` and the journal's errors."""
    settings = configuration.as_written(config)
    try:
        with MovedFile(file) as moved:
            header, trailer = framing.check(moved.lines())
            _destinations_are_known(header, settings)
            begun = asyncio.run(_take_in(moved, header, trailer, settings))
    except OSError as error:
        fail(f"{file}: {os.strerror(error.errno or 0).lower()}", code=EXIT_MISTAKE)
    except (FileUnusable, NotARow) as unusable:
        fail(f"{file}: {unusable}", code=EXIT_MISTAKE)
    except KeyboardInterrupt:
        say("\ninterrupted; the same command goes on where this one was")
        raise
    return _tell_import(file, trailer, begun, as_json=as_json)


def _destinations_are_known(header: Header, settings: Settings) -> None:
    known = {each.name for each in settings.destinations}
    unknown = [name for name in header.destinations if name not in known]
    if unknown:
        problem = f"the file has events of {', '.join(unknown)}, and the configuration has not"
        mend = "Add destinations of these names; their events keep them"
        raise ConfigError([Mistake("destinations", problem, mend)])


async def _take_in(
    moved: MovedFile, header: Header, trailer: Trailer, settings: Settings
) -> tuple[Standing, Standing]:
    """How far the import was, and is."""
    async with _target(settings) as target:
        begun = await target.begin(header, trailer)
        if begun.done:
            return begun, begun
        with _progress(trailer.rows) as progress:
            progress(begun.rows)
            for rows in _batches(moved.lines(), begun.rows):
                await target.take(rows)
                progress(len(rows))
        return begun, await target.finish()


def _batches(lines: Iterable[bytes], behind: int) -> Iterator[list[Row]]:
    """The rows behind the first so many, some at a time."""
    rows: list[Row] = []
    size = 0
    for number, line in enumerate(framing.rows_of(lines)):
        if number < behind:
            continue
        rows.append(unpack(line))
        size += len(line)
        if len(rows) >= MOST_ROWS or size >= MOST_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


@asynccontextmanager
async def _target(settings: Settings) -> AsyncIterator[Target]:
    if settings.journal.is_distributed:
        async with _servers(settings) as servers:
            yield servers
        return
    from relay.journal.rocksdb.moving_in import FolderTarget  # noqa: PLC0415  # only to import

    wanted = assembly.journal_settings_of(settings)
    async with FolderTarget(wanted.path, wanted.min_free_bytes, _CLOCK, wanted.window_s) as folder:
        yield folder


def _servers(settings: Settings) -> ServersTarget:
    from relay.journal.distributed.moving_in import ServersTarget  # noqa: PLC0415  # as in assembly
    from relay.journal.distributed.producer import TopicWriter  # noqa: PLC0415  # as above

    watchers = archive.quiet_watchers()
    wanted = assembly.distributed_settings_of(settings, Role.INGEST)
    writer = TopicWriter(wanted.kafka.options, lambda error: watchers.trouble("writing", error))
    return ServersTarget(wanted, assembly.database_of(settings, watchers), _CLOCK, writer)


def _tell_import(
    file: str, trailer: Trailer, stood: tuple[Standing, Standing], *, as_json: bool
) -> int:
    begun, done = stood
    left_out = done.found["samples_left_out"]
    if as_json:
        write_json(
            {
                "file": file, "contents": trailer.contents, "rows": trailer.rows,
                "already": begun.rows, "counts": {word: done.found[word] for word in _WORDS},
            }
        )  # fmt: skip
        return 0
    if begun.done:
        say(f"{file}: was imported already; nothing was changed", color=GREEN)
        return 0
    parts = [f"{done.found[key]:,} {word}" for key, word in _WORDS.items() if done.found[key]]
    again = f" ({begun.rows:,} were here from an interrupted import)" if begun.rows else ""
    said = f": events: {', '.join(parts)}" if parts else ""
    say(f"{file}: {counted(trailer.rows, 'row')}{again}{said}", color=GREEN)
    if left_out:
        say(
            f"{counted(left_out, 'sample')} could not be taken over, because this journal has some "
            "of its own already, whose digests mean something else: the audit of the hours before "
            "the move knows sums only",
            color=YELLOW,
        )
    return 0


# --- the seal -------------------------------------------------------------------------------------


def unseal(config: Path | None, journal: Path | None) -> int:
    """Let a relay have the folder again, and return the exit code."""
    path = journal_folder.path_of(config, journal)
    if not seal.lift(path):
        say(f"{path} is not sealed", color=YELLOW)
        return EXIT_FAILED
    say(
        f"{path} is not sealed any more. What waits in it is sent once more if the journal that it "
        "was moved to sends it, too",
        color=YELLOW,
    )
    return 0


# --- progress -------------------------------------------------------------------------------------


@contextmanager
def _progress(total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar of rows where somebody watches."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield lambda count: None
        return
    from rich import progress  # noqa: PLC0415  # only where somebody waits

    columns: list[Any] = [
        progress.TextColumn("rows"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
    ]
    with progress.Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("rows", total=total)
        waiting = 0

        def move(count: int) -> None:
            nonlocal waiting
            waiting += count
            if waiting >= _EVERY:
                bar.advance(task, waiting)
                waiting = 0

        yield move
        bar.advance(task, waiting)
