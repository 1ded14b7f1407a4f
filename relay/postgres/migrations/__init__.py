"""The schema's versions: files `NNNN_name.sql` beside this one, applied in order, once.

Several replicas may start at once: one applies, the others wait. A relay that meets a schema newer
than itself refuses, and so does one whose files differ from what was applied.
"""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import NamedTuple

import asyncpg

from relay.errors import DatabaseRefused

#: Held while the schema changes.
_LOCK = 7_266_511_907_300


class Migration(NamedTuple):
    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """All there are, in order."""
    found = []
    for file in resources.files(__name__).iterdir():
        number, _, name = file.name.removesuffix(".sql").partition("_")
        if file.name.endswith(".sql"):
            found.append(Migration(int(number), name, file.read_text("utf-8")))
    return sorted(found)


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


async def migrate(connection: asyncpg.Connection, schema: str) -> list[int]:
    """Bring the schema up to date; the numbers of what was applied.

    Raises `DatabaseRefused` for a schema that is newer or other than ours, and asyncpg's errors.
    """
    known = migrations()
    name = quoted(schema)
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        if not await connection.fetchval("select to_regnamespace($1) is not null", name):
            await connection.execute(f"create schema {name}")
        await connection.execute(f"set local search_path to {name}")
        await connection.execute(
            "create table if not exists migrations (number integer primary key, name text not "
            "null, sha256 text not null, applied_at timestamptz not null default now())"
        )
        rows = await connection.fetch("select number, sha256 from migrations")
        applied = {row["number"]: row["sha256"] for row in rows}
        _check(known, applied, schema)
        missing = [each for each in known if each.number not in applied]
        for each in missing:
            await connection.execute(each.sql)
            await connection.execute(
                "insert into migrations (number, name, sha256) values ($1, $2, $3)",
                each.number, each.name, each.sha256,
            )  # fmt: skip
    return [each.number for each in missing]


async def require(connection: asyncpg.Connection, schema: str) -> None:
    """Raise `DatabaseRefused` where the schema is not there, or not as this relay needs it; nothing
    is changed."""
    known = migrations()
    table = f"{quoted(schema)}.migrations"
    if not await connection.fetchval("select to_regclass($1) is not null", table):
        raise DatabaseRefused(
            f"there is no journal in the schema {schema}: correct journal.database_schema or "
            "journal.postgres; if it is right, no relay has worked there yet"
        )
    rows = await connection.fetch(f"select number, sha256 from {table}")  # noqa: S608  # quoted
    applied = {row["number"]: row["sha256"] for row in rows}
    _check(known, applied, schema)
    if len(applied) < len(known):
        raise DatabaseRefused(
            f"the schema {schema} has version {max(applied, default=0)}, this relay needs "
            f"{known[-1].number}: `relay journal migrate` brings it up to date"
        )


def _check(known: list[Migration], applied: dict[int, str], schema: str) -> None:
    ours = {each.number: each.sha256 for each in known}
    newer = max(applied, default=0)
    if newer > max(ours):
        raise DatabaseRefused(
            f"the schema {schema} has version {newer}, this relay knows {max(ours)}: run the newer "
            "release"
        )
    for number, sha256 in applied.items():
        if ours.get(number) != sha256:
            raise DatabaseRefused(
                f"version {number} of the schema {schema} was made by another build of the relay: "
                "use a schema of its own (journal.database_schema), or the build that made it"
            )
