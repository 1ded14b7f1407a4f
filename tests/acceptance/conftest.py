"""The real process, the strict sandbox, and a sender that remembers every 2xx."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from relay.clock import SystemClock
from relay.sandbox.http import Running, running
from relay.sandbox.settings import SandboxSettings

PIXEL = "C0PIXELCODE0EXAMPLE0"
TOKEN = "sandbox-token-0123456789"
KEY = "relay-key-0123456789"

CONFIG = """
[journal]
path = "{folder}/journal"
min_free_bytes = "1MiB"

[listen]
public = "127.0.0.1:{public}"
operator = "127.0.0.1:{operator}"

[tiktok]
base_url = "{tiktok}"
timeout = "2s"

[shutdown]
drain_deadline = "10s"

[log]
format = "json"

[[destinations]]
name = "web"
event_source = "web"
event_source_id = "{pixel}"
access_token = "file:{folder}/token"
page_url = "https://shop.example/"
default_country = "GB"
linger = "50ms"
requests_per_second = 200
{destination}

[[sources]]
name = "backend"
kind = "canonical"
destination = "web"
keys = ["env:RELAY_KEY"]
{more}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def an_event(event_id: str, **changes: object) -> dict[str, object]:
    """A purchase of now, with identifiers in the clear."""
    return {
        "event": "Purchase",
        "event_time": int(time.time()),
        "event_id": event_id,
        "user": {"email": f"{event_id}@example.com", "ip": "8.8.8.8", "user_agent": "Tests/1.0"},
        "properties": {"value": 12.5, "currency": "EUR"},
        "page": {"url": "https://shop.example/thanks"},
        **changes,
    }


@dataclass
class RelayProcess:
    """One `relay serve`, started by `start`, with its own folder; restart it as often as needed."""

    folder: Path
    tiktok: str
    destination: str = ""
    more: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    wrapper: Sequence[str] = ()
    public: int = field(default_factory=free_port)
    operator: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    runs: int = 0

    @property
    def config(self) -> Path:
        return self.folder / "relay.toml"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.public}"

    @property
    def operator_url(self) -> str:
        return f"http://127.0.0.1:{self.operator}"

    def write_config(self) -> None:
        if not (self.folder / "token").exists():
            (self.folder / "token").write_text(TOKEN)
        self.config.write_text(
            CONFIG.format(
                folder=self.folder,
                tiktok=self.tiktok,
                pixel=PIXEL,
                public=self.public,
                operator=self.operator,
                destination=self.destination,
                more=self.more,
            )
        )

    def start(self) -> None:
        """Start it without waiting until it is ready."""
        self.write_config()
        self.runs += 1
        command = [
            *self.wrapper, sys.executable, "-m", "relay", "serve", "--config", str(self.config),
        ]  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env={**os.environ, "RELAY_KEY": KEY, **self.environ},
                start_new_session=True,
            )

    async def ready(self, timeout_s: float = 20.0) -> None:
        """Until `/readyz` says so."""
        assert self.process is not None
        deadline = time.monotonic() + timeout_s
        async with aiohttp.ClientSession() as http:
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(self.operator_url + "/readyz") as answer:
                        if answer.status == 200:
                            return
                code = self.process.poll()
                assert code is None, f"the relay ended with {code}: {self.log[-2000:]}"
                assert time.monotonic() < deadline, f"not ready: {self.log[-2000:]}"
                await asyncio.sleep(0.02)

    async def up(self) -> None:
        self.start()
        await self.ready()

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def signal(self, number: int) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """`kill -9`, and gone."""
        self.signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait(10)

    async def ended(self, timeout_s: float = 20.0) -> int:
        """Its exit code, once it has ended."""
        assert self.process is not None
        return await asyncio.to_thread(self.process.wait, timeout_s)

    async def terminate(self) -> int:
        self.signal(signal.SIGTERM)
        return await self.ended()

    async def metrics(self) -> dict[str, float]:
        """Every sample by its name with labels."""
        async with (
            aiohttp.ClientSession() as http,
            http.get(self.operator_url + "/metrics") as answer,
        ):
            lines = (await answer.text()).splitlines()
        samples = [line.rpartition(" ") for line in lines if line and not line.startswith("#")]
        return {name: float(value) for name, _, value in samples}

    async def waiting(self) -> int:
        """Entries of all destinations that wait."""
        found = await self.metrics()
        return int(sum(n for name, n in found.items() if name.startswith("relay_journal_entries{")))

    async def until_settled(self, timeout_s: float = 30.0) -> None:
        """Until nothing waits any more."""
        await until(self._nothing_waits, timeout_s, what="everything to be settled")

    async def _nothing_waits(self) -> bool:
        return await self.waiting() == 0


async def until(
    condition: Callable[[], Any], timeout_s: float = 20.0, *, what: str = "the condition"
) -> None:
    """Ask again and again until it is true; the only waiting that tests here do."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if await answer if asyncio.iscoroutine(answer) else answer:
            return
        assert time.monotonic() < deadline, f"waited {timeout_s} s for {what}"
        await asyncio.sleep(0.02)


@dataclass
class Sender:
    """Sends events and keeps what was acknowledged: the obligations of the relay."""

    relay: RelayProcess
    http: aiohttp.ClientSession
    acknowledged: set[str] = field(default_factory=set)
    invalid: list[dict[str, Any]] = field(default_factory=list)
    refused: int = 0

    async def send(self, *events: Mapping[str, object]) -> int | None:
        """One request; its status, or None when the connection broke."""
        try:
            async with self.http.post(
                self.relay.url + "/v1/events",
                data=orjson.dumps(list(events)),
                headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
            ) as answer:
                status, body = answer.status, await answer.read()
        except (aiohttp.ClientError, ConnectionError, TimeoutError):
            return None
        if status == 202:
            listed = orjson.loads(body)["invalid"]
            self.invalid += listed
            bad = {item["index"] for item in listed}
            self.acknowledged |= {
                str(event["event_id"]) for at, event in enumerate(events) if at not in bad
            }
        else:
            self.refused += 1
        return status


@pytest.fixture
async def sandbox() -> AsyncIterator[Running]:
    async with running(SandboxSettings(), SystemClock()) as stand_in:
        yield stand_in


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session


@pytest.fixture
async def make_relay(
    tmp_path: Path, sandbox: Running
) -> AsyncIterator[Callable[..., RelayProcess]]:
    """Makes relays that deliver to the sandbox; they are killed at the end."""
    made: list[RelayProcess] = []

    def make(**changes: Any) -> RelayProcess:
        folder = tmp_path / f"relay-{len(made)}"
        folder.mkdir()
        made.append(RelayProcess(folder, **{"tiktok": sandbox.base_url, **changes}))
        return made[-1]

    yield make
    for relay in made:
        if relay.process is not None:
            relay.kill()


@pytest.fixture
async def relay(make_relay: Callable[..., RelayProcess]) -> RelayProcess:
    """A relay that is up."""
    process = make_relay()
    await process.up()
    return process


@pytest.fixture
async def sender(relay: RelayProcess, http: aiohttp.ClientSession) -> Sender:
    return Sender(relay, http)
