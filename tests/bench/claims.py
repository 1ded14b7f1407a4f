"""The line about claims: what one costs when many are stored, in the relay and in the database.

As the relay does it: a transaction for a thousand messages that nobody has seen before, whose keys
are looked up in all days of the window and then stored. Eight days are stored, equally full: the
seven of a window, and today.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import asyncpg

from relay.journal.distributed import claims as stored
from relay.journal.distributed.claims import Owner
from relay.journal.distributed.days import Days, table_of
from relay.postgres.database import Database
from tests.bench.bursts import Bench
from tests.bench.figures import Report, Row, count, per_million
from tests.bench.fleet import running_database
from tests.bench.machine import family_cpu_s

_DAYS = 8
_AT_ONCE = 1000
_DAY_S = 86_400.0

#: Messages are claimed in so many transactions: they add 0.2 million claims each time.
_TRANSACTIONS = 200

#: Random inserts leave a B-tree's pages about this full; a bulk load leaves them fuller.
_FILL = 70


class Price(NamedTuple):
    """Of one claim: microseconds of CPU here and in the database, of time, and bytes stored.
    `look_*` is the part of looking up."""

    relay_us: float
    database_us: float
    wall_us: float
    look_relay_us: float
    look_database_us: float
    table_bytes: float
    index_bytes: float


async def claims(bench: Bench, folder: Path) -> Report:
    """At several sizes of what is stored."""
    report = Report()
    with running_database() as postgres:
        for size in bench.plan.claims:
            dsn = postgres.create_database()
            async with Database(partial(str, dsn)) as database:
                await _store(dsn, size)
                price = await _price(database, dsn, postgres.pid)
            report.figures[str(size)] = price._asdict()
            report.rows.append(
                Row(
                    f"claims, {count(size)} stored",
                    f"{price.wall_us:.1f} µs each",
                    f"database {price.database_us:.1f}",
                    cpu=f"{price.relay_us:.1f}",
                )
            )
            report.notes.append(
                f"{count(size)} stored: {price.table_bytes:.0f} bytes of table and "
                f"{price.index_bytes:.0f} of index each; looking up is {price.look_relay_us:.1f} "
                f"of the relay's and {price.look_database_us:.1f} of the database's CPU"
            )
    return report


def _days() -> list[date]:
    today = datetime.now(UTC).date()
    return [today - timedelta(days=ago) for ago in range(_DAYS)]


async def _store(dsn: str, size: int) -> None:
    """Random keys, equally many a day; today's as they come, the others in bulk."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("set search_path = relay; set synchronous_commit = off")
    await connection.execute("set maintenance_work_mem = '512MB'")
    days = Days()
    today, *others = _days()
    for day in (*others, today):
        async with connection.transaction():
            await days.ensure(connection, day)  # type: ignore[arg-type]  # not of a pool
        table = table_of("claims", day)
        at = time.time() - (today - day).days * _DAY_S
        index = await connection.fetchval(
            "select indexrelid::regclass::text from pg_index where indrelid = $1::regclass", table
        )
        definition = await connection.fetchval("select pg_get_indexdef($1::regclass)", index)
        if day != today:
            await connection.execute(f"drop index {index}")
        await _fill(connection, table, day, size // _DAYS, at)
        if day != today:
            await connection.execute(f"{definition} with (fillfactor = {_FILL})")
    await connection.execute("vacuum analyze claims")
    await connection.execute("checkpoint")
    await connection.close()


async def _fill(
    connection: asyncpg.Connection, table: str, day: date, size: int, at: float
) -> None:
    await connection.execute(
        f"insert into {table} (day, key, tag, at) select $1, uuid_send(gen_random_uuid()), n, $3 "
        "from generate_series(1, $2::bigint) as n",
        day, size, at, timeout=3600,
    )  # fmt: skip


async def _price(database: Database, dsn: str, pid: int) -> Price:
    days = Days()
    await _claim(database, days, 20)  # plans are made, and caches warm
    looked = await _spent(database, pid, days, look_only=True)
    all_of_it = await _spent(database, pid, days, look_only=False)
    connection = await asyncpg.connect(dsn)
    table = table_of("claims", _days()[0])
    ((rows, table_bytes, index_bytes),) = await connection.fetch(
        "select count(*), pg_table_size($1::regclass), pg_indexes_size($1::regclass) "
        f"from relay.{table}",
        f"relay.{table}",
    )
    await connection.close()
    return Price(*all_of_it, *looked[:2], table_bytes / rows, index_bytes / rows)


async def _spent(
    database: Database, pid: int, days: Days, *, look_only: bool
) -> tuple[float, float, float]:
    """Microseconds a claim: of CPU here, in the database, and of time."""
    here, there, began = time.process_time(), family_cpu_s(pid), time.perf_counter()
    await _claim(database, days, _TRANSACTIONS, look_only=look_only)
    count = _TRANSACTIONS * _AT_ONCE
    return (
        per_million(time.process_time() - here, count),
        per_million(family_cpu_s(pid) - there, count),
        per_million(time.perf_counter() - began, count),
    )


async def _claim(
    database: Database, days: Days, transactions: int, *, look_only: bool = False
) -> None:
    for _ in range(transactions):
        now = time.time()
        keys = [os.urandom(16) for _ in range(_AT_ONCE)]
        async with database.transaction() as connection:
            found = await stored.owners(connection, keys, now - (_DAYS - 1) * _DAY_S)
            assert not found
            if not look_only:
                fresh = {key: Owner(number, now) for number, key in enumerate(keys)}
                await stored.put(connection, days, fresh, now, now - (_DAYS - 1) * _DAY_S)
