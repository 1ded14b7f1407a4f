"""Notes in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

from relay.journal.protocol import Note
from relay.postgres.database import Database

#: Notes are read together up to so many, and so many bytes.
_PAGE = 100
_PAGE_BYTES = 4 * 2**20


async def put(database: Database, key: str, value: bytes) -> None:
    """Keep a note, in place of one of this key."""
    await database.execute(
        "insert into notes (key, value) values ($1, $2) "
        "on conflict (key) do update set value = excluded.value",
        key, value,
    )  # fmt: skip


async def read(database: Database, prefix: str) -> AsyncIterator[Note]:
    """See `protocol.Archive.notes`; of those that are there when it is asked."""
    left = await database.fetch(
        "select key, octet_length(value) as size from notes "
        "where key >= $1 and starts_with(key, $1) order by key",
        prefix,
    )
    while left:
        size = 0
        keys: list[str] = []
        for row in left[:_PAGE]:
            size += row["size"]
            if keys and size > _PAGE_BYTES:
                break
            keys.append(row["key"])
        left = left[len(keys) :]
        for row in await database.fetch(
            "select key, value from notes where key = any($1::text[]) order by key", keys
        ):
            yield row["key"], row["value"]


async def drop(database: Database, prefix: str, before: str) -> None:
    """See `protocol.Notes.drop_notes`."""
    await database.execute(
        "delete from notes where key >= $1 and starts_with(key, $1) and key < $2", prefix, before
    )
