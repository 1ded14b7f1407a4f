"""Relays apart: some accept, some deliver; a broker and a database between them, and the sandbox.

Nobody has a core to himself here: where there are fewer cores than processes, rates say what the
machine can do, and CPU seconds what each kind of process costs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
import asyncpg

from tests.bench.figures import per_million
from tests.bench.machine import EVERYWHERE, Child, family_cpu_s, placed
from tests.bench.rig import HTTP, SECRETS, Ports, configuration
from tests.bench.sink import Sink
from tests.servers.kafka import KafkaServer
from tests.servers.postgres import PostgresServer

_JOURNAL = """\
kafka = "{brokers}"
postgres = "env:BENCH_POSTGRES"
topic_prefix = "{name}"
group = "{name}"
partitions = 12
replication = 1
"""

_NONE: Mapping[str, Path] = {}

#: What is not settled, or not even claimed, of all that the group ever read.
_UNSETTLED = (
    "select coalesce(sum(accepted - settled), 0)::bigint from relay.progress where partition >= 0"
)


class Spent(NamedTuple):
    """CPU seconds, by kind of process."""

    ingest: float
    deliver: float
    broker: float
    database: float

    def since(self, before: Spent) -> Spent:
        return Spent(*[now - then for now, then in zip(self, before, strict=True)])

    def per_million(self, events: int) -> Spent:
        return Spent(*[per_million(each, events) for each in self])

    def both_servers(self) -> str:
        return f"broker {self.broker:.1f}, database {self.database:.1f}"


class Servers(NamedTuple):
    kafka: KafkaServer
    postgres: PostgresServer


@contextmanager
def running_broker() -> Iterator[KafkaServer]:
    """A broker, within the block."""
    with placed(EVERYWHERE):
        kafka = KafkaServer(heap="1g")
    try:
        yield kafka
    finally:
        kafka.remove()


@contextmanager
def running_database() -> Iterator[PostgresServer]:
    """A PostgreSQL with fsync, within the block."""
    with placed(EVERYWHERE):
        postgres = PostgresServer()
    try:
        yield postgres
    finally:
        postgres.remove()


@contextmanager
def running_servers() -> Iterator[Servers]:
    """Both."""
    with running_broker() as kafka, running_database() as postgres:
        yield Servers(kafka, postgres)


class Fleet:
    """One relay that accepts on `port`, and `delivering` ones, which share a journal."""

    def __init__(
        self, folder: Path, servers: Servers, sink: Sink, profile: Mapping[str, Path] = _NONE
    ) -> None:
        """`profile` is where cProfile writes, by role, if it runs."""
        self._folder = folder
        self._servers = servers
        self.sink = sink
        self._dsn = servers.postgres.create_database()
        self._ports = Ports.free()
        self._profile = profile
        self._journal = _JOURNAL.format(brokers=servers.kafka.brokers, name=folder.name)
        self.ingest: Child
        self.delivering: list[Child] = []

    @property
    def port(self) -> int:
        return self._ports.public

    async def start_ingest(self) -> None:
        self.ingest = await self._start("ingest", self._ports)

    async def add_delivering(self) -> None:
        self.delivering.append(await self._start("deliver", Ports.free()))

    async def _start(self, role: str, ports: Ports) -> Child:
        written = self._profile.get(role)
        profiler = [] if written is None else ["-m", "cProfile", "-o", str(written)]
        name = f"{role}-{len(self.delivering)}"
        config = self._folder / f"{name}.toml"
        config.write_text(configuration(ports, self.sink, journal=self._journal, source=HTTP))
        child = await Child.start(
            [*profiler, "-m", "relay", "serve", "--role", role, "--config", str(config)],
            core=None,
            log=self._folder / f"{name}.log",
            env={**SECRETS, "BENCH_POSTGRES": self._dsn},
        )
        await child.until_answers(ports.operator, "/readyz")
        return child

    def spent(self) -> Spent:
        """By all processes of each kind, since they were started."""
        return Spent(
            self.ingest.cpu_s(),
            sum(child.cpu_s() for child in self.delivering),
            family_cpu_s(self._servers.kafka.pid),
            family_cpu_s(self._servers.postgres.pid),
        )

    async def until_quiet(self) -> None:
        """Until everything that was claimed is settled, and nobody is busy."""
        connection = await asyncpg.connect(self._dsn)
        for _ in range(600):
            if await connection.fetchval(_UNSETTLED) == 0:
                break
            await asyncio.sleep(0.1)
        await connection.close()
        for child in (self.ingest, *self.delivering):
            await child.until_quiet()

    async def stop(self) -> None:
        for child in (self.ingest, *self.delivering):
            await child.stop()


@asynccontextmanager
async def running_fleet(
    folder: Path, servers: Servers, *, delivering: int, profile: Mapping[str, Path] = _NONE
) -> AsyncIterator[Fleet]:
    """Everything ready, within the block."""
    async with aiohttp.ClientSession() as session, AsyncExitStack() as stack:
        sink = Sink(session)
        stack.push_async_callback(sink.stop)
        await sink.start(folder / "sink.log", core=None)
        fleet = Fleet(folder, servers, sink, profile)
        await fleet.start_ingest()
        stack.push_async_callback(fleet.stop)
        for _ in range(delivering):
            await fleet.add_delivering()
        yield fleet
