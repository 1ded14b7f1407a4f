"""Tables that are kept by day: made before the first row of a day, dropped as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from relay.postgres.database import Connection

#: The tables, and the unique index that each day of them has.
DAILY: dict[str, str | None] = {"claims": "key", "fingerprints": None, "attempts": None}

#: Held while days are made or dropped, so that replicas do not do it at once.
_LOCK = 7_266_511_907_301


def table_of(name: str, day: date) -> str:
    return f"{name}_{day:%Y%m%d}"


class Days:
    """Which days are known to exist; asked before each insert, so it remembers."""

    def __init__(self) -> None:
        self._made: set[date] = set()

    async def ensure(self, connection: Connection, day: date) -> None:
        """Make the tables of this day and the next one, unless they are there."""
        if day in self._made:
            return
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        for each in (day, day + timedelta(days=1)):
            for name, unique in DAILY.items():
                await _make(connection, name, each, unique)
        # Should the transaction fail, the next one asks again: `forget` is called then.
        self._made.add(day)

    def forget(self) -> None:
        """Nothing is certain: a transaction failed, or days were dropped."""
        self._made.clear()

    async def drop(self, connection: Connection, name: str, before: date) -> Sequence[str]:
        """Drop the days of a table that are older than `before`; returns their names."""
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        rows = await connection.fetch(
            "select inhrelid::regclass::text as name from pg_inherits "
            "where inhparent = $1::regclass and inhrelid::regclass::text ~ '_[0-9]{8}$'",
            name,
        )
        old = [row["name"] for row in rows if row["name"][-8:] < f"{before:%Y%m%d}"]
        for each in old:
            await connection.execute(f"drop table {each}")
        self.forget()
        return old


async def _make(connection: Connection, name: str, day: date, unique: str | None) -> None:
    table = table_of(name, day)
    there = await connection.fetchval("select to_regclass($1) is not null", table)
    if there:
        return
    end = day + timedelta(days=1)
    await connection.execute(
        f"create table {table} partition of {name} for values from ('{day}') to ('{end}')"
    )
    if unique is not None:
        await connection.execute(f"create unique index on {table} ({unique})")
