"""The whole chain, running: a relay with an embedded journal, and the sandbox it delivers to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import aiohttp

from tests.bench.corpus import KEY
from tests.bench.machine import Child, Cores, free_port

_CONFIG = """\
[journal]
path = "{folder}/journal"
max_bytes = "1TiB"
[listen]
public = "127.0.0.1:{public}"
operator = "127.0.0.1:{operator}"
[tiktok]
base_url = "http://127.0.0.1:{sink}/open_api/v1.3"
[[destinations]]
name = "web"
event_source = "web"
event_source_id = "C0BENCH0000000000000"
access_token = "env:BENCH_TOKEN"
default_country = "DE"
page_url = "https://shop.example/"
requests_per_second = 1000
probe_every = "1s"
[[sources]]
name = "bench"
kind = "canonical"
destination = "web"
keys = ["env:BENCH_KEY"]
"""
_SECRETS = {"BENCH_TOKEN": "bench-token-0123456789", "BENCH_KEY": KEY}

#: How often the sandbox is asked how far it is.
_LOOK_EVERY_S = 0.02
_PATIENCE_S = 20.0


class Rig:
    """A relay that listens on `port`, and its sandbox. It was ready after `ready_s` seconds, in
    which it computed for `ready_cpu_s`."""

    relay: Child
    ready_s: float
    ready_cpu_s: float

    def __init__(self, folder: Path, cores: Cores, session: aiohttp.ClientSession) -> None:
        self._folder = folder
        self._cores = cores
        self._session = session
        self._sink_port, self.port, self._operator_port = free_port(), free_port(), free_port()

    async def start_sink(self) -> Child:
        arguments = ["-m", "relay", "sandbox", "--light", "--port", str(self._sink_port)]
        log = self._folder / "sink.log"
        sink = await Child.start(arguments, core=self._cores.beside, log=log)
        await sink.until_answers(self._sink_port, "/sandbox")
        return sink

    async def start_relay(self, profile: Path | None = None) -> None:
        """Start it and wait until it is ready. `profile` is where cProfile writes, if it runs."""
        config = self._folder / "relay.toml"
        ports = {"public": self.port, "operator": self._operator_port, "sink": self._sink_port}
        config.write_text(_CONFIG.format(folder=self._folder, **ports))
        profiler = [] if profile is None else ["-m", "cProfile", "-o", str(profile)]
        arguments = [*profiler, "-m", "relay", "serve", "--config", str(config)]
        log = self._folder / "relay.log"
        began = perf_counter()
        self.relay = await Child.start(arguments, core=self._cores.measured, log=log, env=_SECRETS)
        await self.relay.until_answers(self._operator_port, "/readyz")
        self.ready_s = perf_counter() - began
        self.ready_cpu_s = self.relay.cpu_s()

    async def effects(self) -> int:
        """Events that reached the sandbox and were new to it."""
        return int((await self._summary())["effects"])

    async def unequal(self, total: int) -> list[str]:
        """What is wrong, unless the sandbox got `total` events and none of them twice."""
        summary = await self._summary()
        effects, repeats = summary["effects"], summary["repeats"]
        if effects == total and not repeats:
            return []
        return [f"{total} were accepted, {effects} arrived, and {repeats} repeats"]

    async def until_effects(self, total: int) -> list[tuple[float, int]]:
        """Wait until the sandbox has so many; gives samples of (time, effects) on the way.

        It gives up when none came for twenty seconds: then the samples end below `total`.
        """
        samples = [(perf_counter(), await self.effects())]
        grown_at = samples[0][0]
        while samples[-1][1] < total and perf_counter() < grown_at + _PATIENCE_S:
            await asyncio.sleep(_LOOK_EVERY_S)
            samples.append((perf_counter(), await self.effects()))
            if samples[-1][1] > samples[-2][1]:
                grown_at = samples[-1][0]
        return samples

    async def waiting(self) -> int:
        """Events that wait in the journal, as the relay's own metric says."""
        url = f"http://127.0.0.1:{self._operator_port}/metrics"
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

    async def pause(self) -> None:
        """The token is refused from now on: the lane pauses, the queue waits."""
        await self._put_tokens("revoked")

    async def resume(self) -> None:
        """The token works again; the lane finds out by itself, within a second."""
        await self._put_tokens("allowed")

    async def _summary(self) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self._sink_port}/sandbox/summary"
        async with self._session.get(url) as answer:
            summary: dict[str, Any] = await answer.json()
            return summary

    async def _put_tokens(self, state: str) -> None:
        url = f"http://127.0.0.1:{self._sink_port}/sandbox/tokens"
        async with self._session.put(url, json={"others": state}) as answer:
            answer.raise_for_status()


@asynccontextmanager
async def running_rig(
    folder: Path, cores: Cores, *, profile: Path | None = None
) -> AsyncIterator[Rig]:
    """Both processes, ready, within the block."""
    async with aiohttp.ClientSession() as session:
        rig = Rig(folder, cores, session)
        sink = await rig.start_sink()
        try:
            await rig.start_relay(profile)
            try:
                yield rig
            finally:
                await rig.relay.stop()
        finally:
            await sink.stop()


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
