"""`relay journal import`: what `export` wrote, into the journal of the configuration."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from relay import assembly
from relay.cli import archive
from relay.cli import settings as configuration
from relay.cli.lines import counted
from relay.cli.moved_file import MovedFile
from relay.cli.rows_bar import rows_bar
from relay.cli.terminal import EXIT_MISTAKE, GREEN, YELLOW, fail, say, write_json
from relay.clock import SystemClock
from relay.config import Settings
from relay.errors import ConfigError, Mistake
from relay.journal.moving import framing
from relay.journal.moving.framing import FileUnusable, Header, Trailer
from relay.journal.moving.rows import NotARow, Row, unpack
from relay.journal.moving.standing import Standing
from relay.journal.moving.target import MOST_BYTES, MOST_ROWS, Target
from relay.role import Role

if TYPE_CHECKING:
    from relay.journal.distributed.moving_in import ServersTarget

_CLOCK = SystemClock()

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
    return _tell(file, trailer, begun, as_json=as_json)


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
        with rows_bar(trailer.rows) as progress:
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
    return ServersTarget(
        wanted, assembly.database_of(settings, watchers, working=True), _CLOCK, writer
    )


def _tell(file: str, trailer: Trailer, stood: tuple[Standing, Standing], *, as_json: bool) -> int:
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
