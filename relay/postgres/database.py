"""A pool of connections to one database, its schema brought up to date before the first use."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from relay.errors import DatabaseRefused, DatabaseUnavailable
from relay.postgres import migrations
from relay.postgres.trouble import TROUBLE, place_of, throw, translate
from relay.secrets import Secret

Connection = asyncpg.pool.PoolConnectionProxy
#: One of a pool, or one alone.
AnyConnection = Connection | asyncpg.Connection

_CONNECT_S = 3.0
_COMMAND_S = 10.0
_CLOSE_S = 2.0

#: A listener that lost its connection asks for another one this often, in seconds.
_LISTEN_AGAIN_S = 0.5

#: A listener asks whether its connection still lives this often, in seconds.
_LISTEN_ASK_S = 5.0


class Database:
    """Use as `async with Database(...)`, or `open` and `close`.

    `dsn` gives `postgresql://user:password@host:port/name`; it is read each time a connection is
    made, so that a renewed password needs no restart. All tables live in `schema` (at most 40
    characters), which is every connection's search path; whoever uses a connection leaves no
    settings, locks or cursors behind that outlive a transaction. `on_trouble` is called at the
    first failure of an outage. `require` looks at the tables before anybody else does, and raises
    `DatabaseRefused` where they may not be used. Without `making` nothing is made: a schema that is
    not there, or is of an earlier release, is refused.

    Whatever is asked raises `DatabaseUnavailable` when the server is gone, hangs (connecting takes
    at most 3 seconds, a command 10) or saw a conflict (a deadlock, a serialization failure): ask
    again. If the answer to a COMMIT was lost, what it was about may be done nevertheless, so what
    is asked again must bear being done twice. `DatabaseRefused` is one of those: asking again helps
    only after a person acted. Mistakes in a statement, and constraints, raise asyncpg's own errors.
    """

    def __init__(
        self,
        dsn: Secret | Callable[[], str],
        *,
        schema: str = "relay",
        max_connections: int = 8,
        on_trouble: Callable[[Exception], None] = lambda error: None,
        require: Callable[[AnyConnection], Awaitable[None]] | None = None,
        making: bool = True,
    ) -> None:
        self._dsn = dsn.read if isinstance(dsn, Secret) else dsn
        self._schema = schema
        self._max_connections = max_connections
        self._on_trouble = on_trouble
        self._require = require
        self._making = making
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()
        self._listeners: list[asyncio.Task[None]] = []
        self._closed = False
        self._well: bool | None = None
        self._place = ""

    @property
    def healthy(self) -> bool:
        """The last use worked."""
        return self._well is True

    async def __aenter__(self) -> Database:
        await self.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Connect, and migrate where that is wanted. A server that is away is no error: it is tried
        again at each use.

        Raises `DatabaseRefused`, with the mend.
        """
        try:
            await self._opened()
        except DatabaseRefused:
            raise
        except DatabaseUnavailable:
            return

    async def migrate(self) -> Sequence[int]:
        """Bring the schema up to date, and return the versions that were applied. Raises as the
        class says."""
        with self._telling():
            return await self._migrated()

    async def try_out(self) -> None:
        """Connect, and change nothing. Raises as the class says."""
        with self._telling():
            connection = await self._connect(to_schema=False)
            connection.terminate()

    async def close(self) -> None:
        """Takes 2 seconds at most; statements under way are ended then."""
        self._closed = True
        for listener in self._listeners:
            listener.cancel()
        await asyncio.gather(*self._listeners, return_exceptions=True)
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                async with asyncio.timeout(_CLOSE_S):
                    await pool.close()
            except TROUBLE:
                pool.terminate()

    # --- asking -----------------------------------------------------------------------------------

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection without a transaction."""
        pool = await self._opened()
        with self._telling():
            async with pool.acquire(timeout=_COMMAND_S) as connection:
                with _watched(connection):
                    yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """BEGIN on entering, COMMIT on leaving, ROLLBACK on an exception."""
        async with self.connection() as connection, connection.transaction():
            with _watched(connection):
                yield connection

    async def fetch(self, sql: str, *values: Any) -> Sequence[asyncpg.Record]:
        """The rows of one statement."""
        async with self.connection() as connection:
            rows: Sequence[asyncpg.Record] = await connection.fetch(sql, *values)
            return rows

    async def execute(self, sql: str, *values: Any) -> str:
        """One statement; the server's word for what it did."""
        async with self.connection() as connection:
            return str(await connection.execute(sql, *values))

    # --- listening --------------------------------------------------------------------------------

    def listen(self, channel: str, heard: Callable[[str], None]) -> None:
        """Call `heard` with the payload of each NOTIFY, and with "" whenever something may have
        been missed: at the beginning, and after the connection was lost. Until closed."""
        self._listeners.append(asyncio.create_task(self._listen(channel, heard)))

    async def notify(self, connection: Connection, channel: str, payload: str) -> None:
        """Tell all who listen, when the transaction of `connection` commits."""
        await connection.execute("select pg_notify($1, $2)", self._channel(channel), payload)

    def _channel(self, channel: str) -> str:
        return f"{self._schema}_{channel}"

    async def _listen(self, channel: str, heard: Callable[[str], None]) -> None:
        while not self._closed:
            with contextlib.suppress(DatabaseUnavailable):
                await self._opened()
                with self._telling():
                    await _hear(await self._connect(), self._channel(channel), heard)
            await asyncio.sleep(_LISTEN_AGAIN_S)

    # --- connecting -------------------------------------------------------------------------------

    async def _opened(self) -> asyncpg.Pool:
        if self._pool is not None:
            return self._pool
        async with self._opening:
            if self._closed:
                raise DatabaseUnavailable("PostgreSQL: the relay is leaving")
            if self._pool is None:
                with self._telling():
                    await (self._migrated() if self._making else self._is_there())
                    await self._looked_at()
                    self._pool = await asyncpg.create_pool(
                        min_size=0,
                        max_size=self._max_connections,
                        connect=self._connect_for_pool,
                        reset=_leave_as_it_is,
                        max_inactive_connection_lifetime=300,
                    )
            return self._pool

    async def _migrated(self) -> Sequence[int]:
        connection = await self._connect(to_schema=False)
        try:
            applied = await migrations.migrate(connection, self._schema)
            await connection.close(timeout=_CLOSE_S)
            return applied
        finally:
            connection.terminate()

    async def _is_there(self) -> None:
        connection = await self._connect(to_schema=False)
        try:
            await migrations.require(connection, self._schema)
        finally:
            connection.terminate()

    async def _looked_at(self) -> None:
        if self._require is None:
            return
        connection = await self._connect()
        try:
            await self._require(connection)
        finally:
            connection.terminate()

    async def _connect_for_pool(self, *_: Any, **__: Any) -> asyncpg.Connection:
        return await self._connect()

    async def _connect(self, *, to_schema: bool = True) -> asyncpg.Connection:
        settings = {"application_name": "relay", "timezone": "UTC"}
        if to_schema:
            settings["search_path"] = migrations.quoted(self._schema)
        dsn = self._dsn()
        self._place = place_of(dsn)
        try:
            return await asyncpg.connect(
                dsn, timeout=_CONNECT_S, command_timeout=_COMMAND_S, server_settings=settings
            )
        except asyncpg.InterfaceError:
            raise
        except ValueError:  # a port that is no number; its text holds a piece of the address
            raise asyncpg.ClientConfigurationError("unreadable") from None

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """Errors of the server in our words, and whether it is well."""
        try:
            yield
        except DatabaseUnavailable as error:
            self._unwell(error)
            raise
        except TROUBLE as error:
            ours = translate(error, self._place)
            self._unwell(ours)
            throw(ours, error)
        except asyncpg.InterfaceError as error:
            if self._closed:
                raise DatabaseUnavailable("PostgreSQL: the relay is leaving") from error
            raise
        else:
            self._well = True

    def _unwell(self, error: DatabaseUnavailable) -> None:
        first, self._well = self._well is not False, False
        if first:
            self._on_trouble(error)


async def _leave_as_it_is(_: asyncpg.Connection) -> None:
    """Nothing here outlives its transaction, so a connection needs no cleaning after each use,
    which would cost a round trip."""


@contextlib.contextmanager
def _watched(connection: Connection) -> Iterator[None]:
    """Use of a connection. Afterwards an `InterfaceError` is a mistake in a program."""
    try:
        yield
    except TimeoutError:
        # A server that hangs would be asked for a ROLLBACK as well, and waited for again.
        if _is_open(connection):
            connection.terminate()
        raise
    except asyncpg.InterfaceError as error:
        if _is_open(connection):
            raise
        raise ConnectionError("the connection was lost") from error


def _is_open(connection: Connection) -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:  # it was lost, and has left the pool
        return False


async def _hear(connection: asyncpg.Connection, channel: str, heard: Callable[[str], None]) -> None:
    """Listen until the connection ends, which raises `ConnectionError`."""
    ended = asyncio.Event()
    connection.add_termination_listener(lambda _: ended.set())
    try:
        await connection.add_listener(channel, lambda *said: heard(str(said[3])))
        heard("")
        while not ended.is_set():
            # A connection that hangs says nothing either: ask.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LISTEN_ASK_S):
                    await ended.wait()
            if not ended.is_set():
                await connection.execute("select 1")
    finally:
        connection.terminate()
    raise ConnectionError("the listening connection ended")
