"""The pool on a real PostgreSQL: migrations, errors in the relay's words, outages, listening."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest

from relay.errors import DatabaseRefused, DatabaseUnavailable
from relay.postgres.database import Database
from relay.postgres.migrations import migrations
from relay.secrets import Secret
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.needs("postgres")

#: Nothing here takes so long, in seconds, unless it hangs.
LONG_S = 30.0


@asynccontextmanager
async def raw(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of our own, beside the relay's."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def until_it_answers(database: Database) -> None:
    async with asyncio.timeout(LONG_S):
        while True:
            try:
                await database.execute("select 1")
            except DatabaseUnavailable:
                await asyncio.sleep(0.05)
            else:
                return


# --- migrations ---------------------------------------------------------------------------------


async def test_eight_replicas_that_start_at_once_apply_each_migration_once(database: str) -> None:
    replicas = [Database(lambda: database) for _ in range(8)]

    await asyncio.gather(*(each.open() for each in replicas))

    assert all(each.healthy for each in replicas)
    rows = await replicas[0].fetch("select number, name, sha256 from migrations order by number")
    assert [tuple(row) for row in rows] == [(m.number, m.name, m.sha256) for m in migrations()]
    await asyncio.gather(*(each.close() for each in replicas))


async def test_a_second_start_applies_nothing(database: str) -> None:
    asked = "select number, applied_at from migrations order by number"
    async with Database(lambda: database) as first:
        before = await first.fetch(asked)
    async with Database(lambda: database) as second:
        assert await second.fetch(asked) == before


async def test_two_schemas_of_one_database_are_strangers(database: str) -> None:
    async with (
        Database(lambda: database, schema="one") as one,
        Database(lambda: database, schema='An "odd" name') as two,
    ):
        await one.execute("insert into erasures (digest, at) values ('a', 1)")

        assert len(await one.fetch("select * from erasures")) == 1
        assert await two.fetch("select * from erasures") == []


async def test_a_schema_that_is_newer_is_refused_with_its_version(database: str) -> None:
    async with Database(lambda: database) as one:
        await one.execute("insert into migrations (number, name, sha256) values (9999, 'x', 'x')")

    with pytest.raises(DatabaseRefused, match="version 9999"):
        await Database(lambda: database).open()


async def test_a_schema_that_another_build_made_is_refused(database: str) -> None:
    async with Database(lambda: database) as one:
        await one.execute("update migrations set sha256 = 'other' where number = 1")

    with pytest.raises(DatabaseRefused, match="another build"):
        await Database(lambda: database).open()


async def test_a_user_who_may_not_make_the_schema_is_told_what_to_grant(database: str) -> None:
    async with raw(database) as root:
        await root.execute("drop role if exists guest")
        await root.execute("create role guest login password 'guest'")
    address = urlsplit(database)
    guest = address._replace(netloc=f"guest:guest@{address.hostname}:{address.port}").geturl()

    with pytest.raises(DatabaseRefused, match="GRANT CREATE ON DATABASE"):
        await Database(lambda: guest).open()


# --- what it refuses ------------------------------------------------------------------------------


async def test_a_wrong_password_is_refused_and_not_shown(database: str) -> None:
    address = urlsplit(database)
    wrong = f"postgresql://{address.username}:hunter2@{address.hostname}:{address.port}/postgres"

    with pytest.raises(DatabaseRefused, match="password is wrong") as caught:
        await Database(lambda: wrong).open()

    assert "hunter2" not in str(caught.value)


async def test_a_database_that_is_not_there_is_refused(database: str) -> None:
    with pytest.raises(DatabaseRefused, match="no such database"):
        await Database(lambda: database + "_nowhere").open()


@pytest.mark.parametrize("address", ["mysql://hunter2@host/x", "postgresql://u@host:hunter2/x", ""])
async def test_what_is_no_address_is_refused_and_not_shown(address: str) -> None:
    database = Database(lambda: address or "hunter2")

    with pytest.raises(DatabaseRefused, match="no address of a database") as caught:
        await database.open()

    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_a_secret_that_cannot_be_read_is_refused_by_its_name() -> None:
    with pytest.raises(DatabaseRefused, match="env:DATABASE"):
        await Database(Secret("env:DATABASE", {})).open()


# --- statements -----------------------------------------------------------------------------------


async def test_a_mistake_in_a_statement_is_not_taken_for_an_outage(database: str) -> None:
    troubles: list[Exception] = []
    async with Database(lambda: database, on_trouble=troubles.append) as one:
        with pytest.raises(asyncpg.PostgresSyntaxError):
            await one.execute("selec 1")
        with pytest.raises(asyncpg.InterfaceError):
            await one.execute("select $1::int", 1, 2)
        with pytest.raises(asyncpg.DataError):
            await one.execute("select $1::int", "one")
        with pytest.raises(asyncpg.UniqueViolationError):
            await one.execute("insert into erasures (digest, at) values ('a', 1), ('a', 1)")

        assert one.healthy
        assert troubles == []


async def test_a_transaction_that_fails_leaves_nothing(database: str) -> None:
    async with Database(lambda: database) as one:

        async def fail() -> None:
            async with one.transaction() as connection:
                await connection.execute("insert into erasures (digest, at) values ('a', 1)")
                raise KeyError

        with pytest.raises(KeyError):
            await fail()
        assert await one.fetch("select * from erasures") == []


async def test_a_deadlock_is_a_reason_to_ask_again(database: str) -> None:
    async with Database(lambda: database) as one:
        await one.execute("insert into erasures (digest, at) values ('a', 1), ('b', 1)")
        both_hold_one = asyncio.Barrier(2)

        async def lock(first: bytes, second: bytes) -> None:
            async with one.transaction() as connection:
                await connection.execute("select from erasures where digest=$1 for update", first)
                await both_hold_one.wait()
                await connection.execute("select from erasures where digest=$1 for update", second)

        ends = await asyncio.gather(lock(b"a", b"b"), lock(b"b", b"a"), return_exceptions=True)

    assert [type(end) for end in ends if end is not None] == [DatabaseUnavailable]


# --- outages --------------------------------------------------------------------------------------


async def test_a_server_that_is_away_at_the_start_is_no_error_and_is_found_later(
    own_postgres: PostgresServer,
) -> None:
    await asyncio.to_thread(own_postgres.stop)
    troubles: list[Exception] = []
    one = Database(lambda: own_postgres.dsn, on_trouble=troubles.append)

    await one.open()
    with pytest.raises(DatabaseUnavailable):
        await one.fetch("select 1")

    assert (one.healthy, len(troubles)) == (False, 1)
    await asyncio.to_thread(own_postgres.start)
    await until_it_answers(one)
    assert (one.healthy, len(troubles)) == (True, 1)
    await one.close()


async def test_a_killed_server_ends_what_was_asked_and_is_used_again_when_it_is_back(
    own_postgres: PostgresServer,
) -> None:
    async with Database(lambda: own_postgres.dsn) as one:
        began = asyncio.Event()

        async def hold() -> None:
            async with one.transaction() as connection:
                await connection.execute("insert into erasures (digest, at) values ('a', 1)")
                began.set()
                await connection.execute("select pg_sleep(8)")

        held = asyncio.create_task(hold())
        await began.wait()
        await asyncio.to_thread(own_postgres.kill)

        with pytest.raises(DatabaseUnavailable):
            await held
        await asyncio.to_thread(own_postgres.start)
        await until_it_answers(one)
        assert await one.fetch("select * from erasures") == []


async def test_a_server_that_hangs_is_left_after_one_time_out_and_found_again(
    own_postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relay.postgres.database._COMMAND_S", 0.5)
    async with Database(lambda: own_postgres.dsn) as one:
        await one.execute("select 1")
        own_postgres.pause()
        try:
            async with asyncio.timeout(3):
                with pytest.raises(DatabaseUnavailable, match="in time"):
                    async with one.transaction() as connection:
                        await connection.execute("select 1")
        finally:
            own_postgres.resume()

        await until_it_answers(one)


async def test_closing_does_not_wait_for_what_is_under_way(database: str) -> None:
    one = Database(lambda: database)
    await one.open()
    began = asyncio.Event()

    async def hold() -> None:
        async with one.connection() as connection:
            began.set()
            await connection.execute("select pg_sleep(8)")

    held = asyncio.create_task(hold())
    await began.wait()
    async with asyncio.timeout(6):
        await one.close()

    with pytest.raises(DatabaseUnavailable):
        await held
    with pytest.raises(DatabaseUnavailable):
        await one.execute("select 1")


# --- listening ------------------------------------------------------------------------------------


async def test_what_one_replica_says_the_others_hear_once_it_is_committed(database: str) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    async with Database(lambda: database) as one, Database(lambda: database) as two:
        two.listen("news", heard.put_nowait)
        async with asyncio.timeout(LONG_S):
            assert await heard.get() == ""

            async with one.transaction() as connection:
                await one.notify(connection, "news", "hello")
                assert heard.empty()

            assert await heard.get() == "hello"


async def test_a_listener_that_was_cut_off_listens_again_and_is_told_to_look(
    database: str,
) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    async with Database(lambda: database) as one:
        one.listen("news", heard.put_nowait)
        async with asyncio.timeout(LONG_S):
            assert await heard.get() == ""

            await one.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where pid <> pg_backend_pid() and datname = current_database()"
            )

            assert await heard.get() == ""
            async with one.transaction() as connection:
                await one.notify(connection, "news", "again")
            assert await heard.get() == "again"
