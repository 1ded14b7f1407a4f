"""The PostgreSQL that tests start is a real one: it keeps what it committed, and it can hang."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from tests.servers.postgres import PASSWORD, PostgresServer

pytestmark = pytest.mark.needs("postgres")


async def run(dsn: str, *statements: str) -> list[str]:
    """Execute them on a connection of their own; the last one's first column."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        rows = [await connection.fetch(statement) for statement in statements]
        return [str(row[0]) for row in rows[-1]]
    finally:
        await connection.close(timeout=10)


async def test_each_database_is_empty_and_its_own(
    postgres_server: PostgresServer, database: str
) -> None:
    other = postgres_server.create_database()

    await run(database, "create table t (n int)")

    assert await run(other, "select count(*) from pg_tables where tablename = 't'") == ["0"]


async def test_a_wrong_password_is_refused(database: str) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(database.replace(PASSWORD, "another"))


async def test_what_is_told_to_be_durable_is(own_postgres: PostgresServer) -> None:
    assert await run(own_postgres.dsn, "show fsync") == ["on"]
    assert await run(own_postgres.dsn, "show full_page_writes") == ["on"]


async def test_a_database_keeps_its_data_and_port_when_stopped_killed_or_hung(
    own_postgres: PostgresServer,
) -> None:
    dsn = own_postgres.create_database()
    await run(dsn, "create table t (n int)", "insert into t values (1)")
    witness = await asyncpg.connect(dsn)

    own_postgres.kill()
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await witness.fetch("select 1")
    own_postgres.start()
    assert await run(dsn, "insert into t values (2) returning n") == ["2"]

    own_postgres.restart()
    assert await run(dsn, "select n from t order by n") == ["1", "2"]

    connection = await asyncpg.connect(dsn)
    own_postgres.pause()
    held = asyncio.ensure_future(connection.fetchval("select count(*) from t"))
    await asyncio.wait([held], timeout=0.5)
    assert not held.done(), f"neither answered nor failed while it hangs, but: {held}"
    own_postgres.resume()
    assert await asyncio.wait_for(held, 10) == 2
    await connection.close()
