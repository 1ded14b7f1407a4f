"""`relay import`: a file of conversions, through a running relay or straight into the journal."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from relay.cli import rows, workshop
from relay.cli import settings as configuration
from relay.cli.lines import counted
from relay.cli.operator_http import RunningRelay
from relay.cli.rows import Row
from relay.cli.terminal import (
    EXIT_FAILED,
    EXIT_MISTAKE,
    GREEN,
    RED,
    YELLOW,
    console,
    fail,
    say,
    write_json,
)
from relay.config import Settings, Source
from relay.errors import JournalFull, JournalLocked
from relay.operations import as_document
from relay.pipeline.imports import KINDS
from relay.sources.canonical import KIND as CANONICAL

#: Lines, and bytes, that are stored at once.
_CHUNK_LINES = 500
_CHUNK_BYTES = 2 * 1024 * 1024

#: Invalid lines that are told one by one.
_TOLD = 20

#: What a receipt names the file by.
_DIGEST_LETTERS = 16

#: Takes consecutive lines, from the first's number on, and answers as `POST /api/import` does.
Take = Callable[[int, list[object]], Awaitable[Mapping[str, Any]]]

_WORDS = {
    "accepted": "accepted",
    "known": "known from an earlier import",
    "duplicates": "duplicates of other events",
    "expired": "too old",
    "withheld": "withheld",
    "left_out": "left out by the mapping",
    "invalid": "invalid",
}


@dataclass(slots=True)
class Result:
    """Lines by what became of them, and the first invalid ones with their reasons."""

    counts: Counter[str] = field(default_factory=Counter)
    invalid: list[tuple[int, str]] = field(default_factory=list)

    def add(self, answer: Mapping[str, Any], unreadable: Mapping[int, str]) -> None:
        """Count an answer; `unreadable` says of lines what only the reader of the file knows."""
        for word in _WORDS:
            told = answer.get(word, 0)
            self.counts[word] += told if isinstance(told, int) else len(told)
        for each in answer["invalid"]:
            if len(self.invalid) < _TOLD:
                line = each["line"]
                self.invalid.append((line, unreadable.get(line) or _reasons(each["errors"])))


def run(
    file: Path,
    source: str,
    config: Path | None,
    *,
    file_format: str | None,
    strict: bool,
    as_json: bool,
) -> int:
    """Import, tell, and return the exit code. Raises `ConfigError` and the journal's errors."""
    settings = configuration.for_dry_run(config)
    found = configuration.source_named(settings, source, KINDS)
    try:
        result, digest = _import(file, settings, found, file_format)
    except OSError as error:
        fail(f"{file}: {os.strerror(error.errno or 0).lower()}", code=EXIT_MISTAKE)
    except rows.FileUnusable as unusable:
        fail(f"{file}: {unusable}", code=EXIT_MISTAKE)
    except KeyboardInterrupt:
        say("\ninterrupted; the same command goes on where this one was")
        raise
    if as_json:
        write_json({"file": str(file), "digest": digest, "lines": sum(result.counts.values()),
                    **{word: result.counts[word] for word in _WORDS},
                    "invalid_lines": dict(result.invalid)})  # fmt: skip
    else:
        _tell(file, result)
    return EXIT_FAILED if strict and result.counts["invalid"] else 0


def _import(
    file: Path, settings: Settings, source: Source, file_format: str | None
) -> tuple[Result, str]:
    is_csv = file_format == "csv" if file_format else rows.is_csv(file)
    table = rows.Table(canonical=source.kind == CANONICAL, on_unknown=_warn_of_columns)
    with _progress(file.stat().st_size) as progress:
        digest = rows.digest_of(file, progress.read)[:_DIGEST_LETTERS]
        lines = rows.table_rows(file, table) if is_csv else rows.json_lines(file)
        progress.begin("importing")
        result = Result()
        asyncio.run(_take_all(settings, source, digest, lines, (result, progress)))
    return result, digest


async def _take_all(
    settings: Settings,
    source: Source,
    digest: str,
    lines: Iterator[Row],
    told: tuple[Result, _Progress],
) -> None:
    result, progress = told
    async with _taker(settings, source, digest) as take:
        for first, chunk in _chunks(lines):
            unreadable: dict[int, str] = {}
            items = [_item(row, unreadable) for row in chunk]
            try:
                result.add(await take(first, items), unreadable)
            except JournalFull as full:
                raise JournalFull(f"{full} Start the relay, then repeat this command.") from full
            progress.at(chunk[-1].read_bytes)


@asynccontextmanager
async def _taker(settings: Settings, source: Source, digest: str) -> AsyncIterator[Take]:
    """The journal itself where no relay has it, else the relay that does."""
    try:
        async with workshop.own_journal(settings) as journal:
            routes = {source.name: configuration.route_without_secrets(source)}
            importer = workshop.importer(settings, journal, routes)

            async def take_here(first: int, items: list[object]) -> Mapping[str, Any]:
                return as_document(await importer.take(source.name, digest, first, items))

            yield take_here
            return
    except JournalLocked:
        relay = RunningRelay(settings)

    async def take_there(first: int, items: list[object]) -> Mapping[str, Any]:
        return await asyncio.to_thread(relay.take_lines, source.name, digest, first, items)

    try:
        yield take_there
    finally:
        relay.close()


def _chunks(lines: Iterator[Row]) -> Iterator[tuple[int, list[Row]]]:
    """Consecutive lines, some at a time: an empty line between two ends a chunk."""
    chunk: list[Row] = []
    size = 0
    for row in lines:
        full = len(chunk) >= _CHUNK_LINES or size >= _CHUNK_BYTES
        if chunk and (full or row.number != chunk[-1].number + 1):
            yield chunk[0].number, chunk
            chunk, size = [], 0
        chunk.append(row)
        size += len(row.body or b"")
    if chunk:
        yield chunk[0].number, chunk


def _item(row: Row, unreadable: dict[int, str]) -> object:
    """The line's JSON; null, which is no conversion, for one that has none."""
    if row.body is None:
        unreadable[row.number] = row.problem
        return None
    try:
        parsed: object = orjson.loads(row.body)
    except orjson.JSONDecodeError:
        unreadable[row.number] = "not_json"
        return None
    return parsed


def _reasons(errors: list[Mapping[str, str]]) -> str:
    return ", ".join(f"{error['field']} {error['reason']}".strip() for error in errors)


# --- telling --------------------------------------------------------------------------------------


def _warn_of_columns(names: list[str]) -> None:
    say(f"columns that mean nothing here, left out: {', '.join(names)}", color=YELLOW)


def _tell(file: Path, result: Result) -> None:
    for line, why in result.invalid:
        say(f"  line {line}: {why}", color=RED)
    more = result.counts["invalid"] - len(result.invalid)
    if more > 0:
        say(f"  and {counted(more, 'more line')}", color=RED)
    parts = [f"{result.counts[key]:,} {word}" for key, word in _WORDS.items() if result.counts[key]]
    total = counted(sum(result.counts.values()), "line")
    color = YELLOW if result.counts["invalid"] else GREEN
    say(f"{file.name}: {total}" + (f": {', '.join(parts)}" if parts else ""), color=color)


class _Progress:
    """A bar that moves twice over the file: while it is read for its digest, and while taken."""

    def __init__(self, bar: Any, size: int) -> None:
        self._bar = bar
        self._size = size
        self._task = None if bar is None else bar.add_task("reading", total=size)

    def read(self, count: int) -> None:
        if self._bar is not None:
            self._bar.advance(self._task, count)

    def begin(self, what: str) -> None:
        if self._bar is not None:
            self._bar.reset(self._task, description=what, total=self._size)

    def at(self, position: int) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=position)


@contextmanager
def _progress(size: int) -> Iterator[_Progress]:
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield _Progress(None, size)
        return
    from rich import progress  # noqa: PLC0415  # only where somebody waits

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=screen, transient=True) as bar:
        yield _Progress(bar, size)
