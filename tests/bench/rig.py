"""The whole chain, running: a relay with an embedded journal, and the sandbox it delivers to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import aiohttp

from tests.bench.corpus import KEY
from tests.bench.machine import Child, Cores, free_port
from tests.bench.sink import EVENT_SOURCE_ID, Sink

FOLDER = """\
path = "{folder}/journal"
max_bytes = "1TiB"
"""
HTTP = """\
[[sources]]
name = "bench"
kind = "canonical"
destination = "web"
keys = ["env:BENCH_KEY"]
"""
_CONFIG = """\
[journal]
{journal}
[listen]
public = "127.0.0.1:{public}"
operator = "127.0.0.1:{operator}"
[tiktok]
base_url = "http://127.0.0.1:{sink}/open_api/v1.3"
[[destinations]]
name = "web"
event_source = "web"
event_source_id = "{event_source_id}"
access_token = "env:BENCH_TOKEN"
default_country = "DE"
page_url = "https://shop.example/"
requests_per_second = 1000
probe_every = "1s"
{source}
"""
SECRETS = {"BENCH_TOKEN": "bench-token-0123456789", "BENCH_KEY": KEY}


class Ports(NamedTuple):
    """What one relay listens on."""

    public: int
    operator: int

    @classmethod
    def free(cls) -> Ports:
        return cls(free_port(), free_port())


def configuration(ports: Ports, sink: Sink, *, journal: str, source: str = HTTP) -> str:
    """The TOML of a relay that delivers to `sink`; `journal` are the lines of that table."""
    return _CONFIG.format(
        journal=journal,
        source=source,
        sink=sink.port,
        event_source_id=EVENT_SOURCE_ID,
        **ports._asdict(),
    )


class Rig:
    """A relay that listens on `port`, and the sandbox it delivers to. It was ready after `ready_s`
    seconds, in which it computed for `ready_cpu_s`."""

    relay: Child
    ready_s: float
    ready_cpu_s: float

    def __init__(self, folder: Path, cores: Cores, session: aiohttp.ClientSession) -> None:
        self._folder = folder
        self._cores = cores
        self._session = session
        self.sink = Sink(session)
        self._ports = Ports.free()

    @property
    def port(self) -> int:
        return self._ports.public

    async def start_relay(self, profile: Path | None = None) -> None:
        """Start it and wait until it is ready. `profile` is where cProfile writes, if it runs."""
        config = self._folder / "relay.toml"
        journal = FOLDER.format(folder=self._folder)
        config.write_text(configuration(self._ports, self.sink, journal=journal))
        profiler = [] if profile is None else ["-m", "cProfile", "-o", str(profile)]
        arguments = [*profiler, "-m", "relay", "serve", "--config", str(config)]
        log = self._folder / "relay.log"
        began = perf_counter()
        self.relay = await Child.start(arguments, core=self._cores.measured, log=log, env=SECRETS)
        await self.relay.until_answers(self._ports.operator, "/readyz")
        self.ready_s = perf_counter() - began
        self.ready_cpu_s = self.relay.cpu_s()

    async def waiting(self) -> int:
        """Events that wait in the journal, as the relay's own metric says."""
        url = f"http://127.0.0.1:{self._ports.operator}/metrics"
        async with self._session.get(url) as answer:
            lines = (await answer.text()).splitlines()
        found = [line for line in lines if line.startswith("relay_journal_entries{")]
        return sum(int(float(line.rpartition(" ")[2])) for line in found)

    async def until_empty(self) -> None:
        """Wait until nothing waits in the journal, two minutes at most."""
        for _ in range(1200):
            if not await self.waiting():
                break
            await asyncio.sleep(0.1)
        await self.relay.until_quiet()


@asynccontextmanager
async def running_rig(
    folder: Path, cores: Cores, *, profile: Path | None = None
) -> AsyncIterator[Rig]:
    """Both processes, ready, within the block."""
    async with aiohttp.ClientSession() as session:
        rig = Rig(folder, cores, session)
        try:
            await rig.sink.start(folder / "sink.log", core=cores.beside)
            await rig.start_relay(profile)
            try:
                yield rig
            finally:
                await rig.relay.stop()
        finally:
            await rig.sink.stop()


@asynccontextmanager
async def running_bare(folder: Path, cores: Cores) -> AsyncIterator[tuple[Child, int]]:
    """The bare handler within the block, with its port."""
    port = free_port()
    arguments = ["-m", "tests.bench.bare", str(port)]
    child = await Child.start(arguments, core=cores.measured, log=folder / "bare.log")
    try:
        await child.until_answers(port, "/")
        yield child, port
    finally:
        await child.stop()
