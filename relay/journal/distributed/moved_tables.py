"""What PostgreSQL alone knows of a journal: as rows to be moved, and such rows into its tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from relay.journal import issues, ledger
from relay.journal.distributed import book, letters, notes, sampled
from relay.journal.distributed.claims import as_pair, day_of
from relay.journal.moving.rows import Claim, Issues, Ledger, Note, Remembered, Row
from relay.journal.sample import Sample
from relay.model import DeadLetter, FieldIssue
from relay.postgres.database import Connection, Database

_PAGE = 2000
_HOURS = 31 * 24

#: Sums of another journal stand under this shard: no partition's owner waits for the import.
_SHARD = -2

# --- out ------------------------------------------------------------------------------------------


async def claims(database: Database, since: float, until: float) -> AsyncIterator[Claim]:
    """Claims of the days from one time to another, in Unix seconds."""
    day = day_of(since)
    while day <= day_of(until):
        behind = b""
        while rows := await database.fetch(
            "select key, tag, at from claims where day = $1 and key > $2 order by key limit $3",
            day, behind, _PAGE,
        ):  # fmt: skip
            for row in rows:
                yield Claim(None, row["key"], as_pair(row["tag"]), row["at"])
            behind = rows[-1]["key"]
        day += timedelta(days=1)


async def remembered(database: Database) -> AsyncIterator[Remembered]:
    """What sources remember."""
    behind = b""
    while rows := await database.fetch(
        "select key, value, at from remembered where key > $1 order by key limit $2",
        behind, _PAGE,
    ):  # fmt: skip
        for row in rows:
            yield Remembered(row["key"], row["value"], row["at"])
        behind = rows[-1]["key"]


async def books(database: Database) -> AsyncIterator[Row]:
    """Dead letters, sums, field issues, samples and notes."""
    async for letter in letters.every(database, None):
        yield letter
    async for start, end in _hours(database, "ledger"):
        async for row in _ledger(database, start, end):
            yield row
    async for start, end in _hours(database, "issues"):
        async for counted in _issues(database, start, end):
            yield counted
    async for sample in sampled.read(database, None, 0, ledger.LAST_HOUR):
        yield sample
    async for key, value in notes.read(database, ""):
        yield Note(key, value)


async def _hours(database: Database, table: str) -> AsyncIterator[tuple[int, int]]:
    """All hours that a table has rows of, a month at a time."""
    (row,) = await database.fetch(
        f"select min(hour) as first, max(hour) as last from {table}"  # noqa: S608  # constants
    )
    at = row["first"]
    while at is not None and at <= row["last"]:
        yield at, at + _HOURS
        at += _HOURS


async def _ledger(database: Database, start: int, end: int) -> AsyncIterator[Ledger]:
    found: dict[tuple[int, str, str], ledger.Row] = {}
    async for row in book.sums(database, None, start, end):
        found.setdefault((row.hour, row.destination, row.event), {})[row.outcome.value] = row.sums
    for place, sums in found.items():
        yield Ledger(*place, sums)


async def _issues(database: Database, start: int, end: int) -> AsyncIterator[Issues]:
    found: dict[tuple[int, str, str], issues.Row] = {}
    async for row in book.issues(database, None, start, end):
        counts = found.setdefault((row.hour, row.destination, row.event), issues.Row())
        counts[FieldIssue(row.field, row.reason)] += row.count
    for place, counted in found.items():
        yield Issues(*place, counted)


# --- in -------------------------------------------------------------------------------------------


async def _take_remembered(connection: Connection, rows: Sequence[Remembered]) -> None:
    newest = {row.key: row for row in sorted(rows, key=lambda row: row.at)}
    await connection.executemany(
        "insert into remembered (key, value, at) values ($1, $2, $3) on conflict (key) do update "
        "set value = excluded.value, at = excluded.at where remembered.at < excluded.at",
        sorted(newest.values()),
    )


async def _take_notes(connection: Connection, rows: Sequence[Note]) -> None:
    """Those that are here already stay as they are."""
    await connection.executemany(
        "insert into notes (key, value) values ($1, $2) on conflict do nothing", sorted(rows)
    )


async def _take_ledger(connection: Connection, rows: Sequence[Ledger]) -> None:
    lines: defaultdict[str, dict[book.Line, ledger.Sums]] = defaultdict(dict)
    for row in rows:
        for outcome, sums in row.sums.items():
            line = row.hour, row.event, outcome
            lines[row.destination].setdefault(line, ledger.Sums()).plus(sums)
    for destination, added in sorted(lines.items()):
        await book.add(connection, destination, _SHARD, added)


async def _take_issues(connection: Connection, rows: Sequence[Issues]) -> None:
    counts: defaultdict[str, dict[tuple[int, str], issues.Row]] = defaultdict(dict)
    for row in rows:
        place = row.hour, row.event
        counts[row.destination].setdefault(place, issues.Row()).update(row.counts)
    for destination, added in sorted(counts.items()):
        await book.add_issues(connection, destination, _SHARD, added)


#: What stores rows of a kind, within a transaction.
STORED: Final[Mapping[type, Callable[[Connection, Sequence[Any]], Awaitable[None]]]] = {
    Remembered: _take_remembered,
    DeadLetter: letters.receive,
    Ledger: _take_ledger,
    Issues: _take_issues,
    Sample: sampled.receive,
    Note: _take_notes,
}
