"""The real process, the strict sandbox, and a sender that remembers every 2xx."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
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
from relay.sandbox.profiles import plan_from
from relay.sandbox.settings import SandboxSettings

PIXEL = "C0PIXELCODE0EXAMPLE0"
TOKEN = "sandbox-token-0123456789"
KEY = "relay-key-0123456789"

CONFIG = """
[journal]
{journal}

[listen]
public = "127.0.0.1:{public}"
operator = "127.0.0.1:{operator}"

[tiktok]
base_url = "{tiktok}"
timeout = "2s"

[shutdown]
drain_deadline = "10s"
lame_duck = "{lame_duck}"

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
requests_per_second = {rate}
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


def signed_order(body: bytes, secret: str) -> dict[str, str]:
    """The headers of Shopify's webhook of an order, as `relay.sources.shopify` verifies them."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Shop-Domain": "the-shop.myshopify.com",
        "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
    }


@dataclass
class RelayProcess:
    """One `relay serve`, started by `start`, with its own folder; restart it as often as needed."""

    folder: Path
    tiktok: str
    rate: int = 200
    destination: str = ""
    more: str = ""
    journal: str = ""
    lame_duck: str = "0s"
    role: str = "all"
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
                journal=self.journal or f'path = "{self.folder}/journal"\nmin_free_bytes = "1MiB"',
                tiktok=self.tiktok,
                pixel=PIXEL,
                rate=self.rate,
                public=self.public,
                operator=self.operator,
                destination=self.destination,
                lame_duck=self.lame_duck,
                more=self.more,
            )
        )

    def start(self, config_text: str | None = None) -> None:
        """Start it without waiting until it is ready."""
        self.write_config()
        if config_text is not None:
            self.config.write_text(config_text)
        self.runs += 1
        command = [
            *self.wrapper, sys.executable, "-m", "relay", "serve", "--config", str(self.config),
            "--role", self.role,
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

    async def api(self, path: str, **params: str) -> Any:
        """JSON from the operator's listener."""
        async with (
            aiohttp.ClientSession() as http,
            http.get(self.operator_url + path, params=params) as answer,
        ):
            return orjson.loads(await answer.read())

    def command_line(self, *words: str) -> tuple[list[str], dict[str, str]]:
        """What is typed, and the environment in which."""
        return (
            [sys.executable, "-m", "relay", *words, "--config", str(self.config)],
            {**os.environ, "RELAY_KEY": "x" * 20, **self.environ},
        )

    async def typed(self, *words: str) -> tuple[int, Any]:
        """The exit code of a command, and the JSON (else the text) that it printed."""
        command, environ = self.command_line(*words)

        def run() -> subprocess.CompletedProcess[bytes]:
            return subprocess.run(
                command, capture_output=True, check=False, timeout=60, env=environ
            )

        done = await asyncio.to_thread(run)
        try:
            return done.returncode, orjson.loads(done.stdout)
        except orjson.JSONDecodeError:
            return done.returncode, (done.stdout + done.stderr).decode()

    @staticmethod
    def outcomes(metrics: Mapping[str, float]) -> dict[str, int]:
        """How many arrivals ended how, in this run of the process."""
        found: dict[str, int] = {}
        for name, count in metrics.items():
            if name.startswith("relay_outcomes_total{"):
                outcome = name.partition('outcome="')[2].partition('"')[0]
                found[outcome] = found.get(outcome, 0) + int(count)
        return found

    async def until_outcomes(self, expected: Mapping[str, int]) -> None:
        """Until the counters say so: they follow when a settlement is durable."""

        async def said() -> bool:
            return self.outcomes(await self.metrics()) == expected

        await until(said, 10, what=f"outcomes {expected}")

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
    sandbox: Running
    acknowledged: set[str] = field(default_factory=set)
    retry_after: int = 0

    make = staticmethod(an_event)
    until = staticmethod(until)

    async def send(self, *events: Mapping[str, object], key: str = KEY) -> int | None:
        """One request; its status, or None when the connection broke."""
        try:
            status, body = await self._post("/v1/events", orjson.dumps(list(events)), key)
        except (aiohttp.ClientError, ConnectionError, TimeoutError):
            return None
        if status == 202:
            bad = {item["index"] for item in orjson.loads(body)["invalid"]}
            self.acknowledged |= {
                str(event["event_id"]) for at, event in enumerate(events) if at not in bad
            }
        return status

    async def answer(self, events: Sequence[Mapping[str, object]]) -> bytes:
        """Send, and return the answer's body."""
        return await self.raw("/v1/events", orjson.dumps(list(events)))

    async def raw(self, path: str, body: bytes, key: str = KEY) -> bytes:
        return (await self._post(path, body, key))[1]

    async def _post(self, path: str, body: bytes, key: str) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        async with self.http.post(self.relay.url + path, data=body, headers=headers) as answer:
            if "Retry-After" in answer.headers:
                self.retry_after = int(answer.headers["Retry-After"])
            return answer.status, await answer.read()

    def lacking(self, event_ids: Sequence[str] | None = None) -> list[str]:
        """Those of the ids (else of all that were acknowledged) that had no effect at TikTok."""
        wanted = sorted(self.acknowledged) if event_ids is None else event_ids
        received = self.sandbox.world.received
        return list(received.missing(PIXEL, "Purchase", wanted, now=time.time()))

    async def sample(self, name: str, value: float) -> bool:
        """Has this metric this value now?"""
        return (await self.relay.metrics()).get(name) == value

    async def seconds_until_seen(self, event_id: str, since: float) -> float:
        """How long after `since` the event had its effect."""
        await until(lambda: not self.lacking([event_id]), 60, what=event_id)
        return time.monotonic() - since

    def misbehave(self, *faults: Mapping[str, Any]) -> None:
        """Have the sandbox do this from now on; nothing: have it behave."""
        plan = plan_from({"faults": [dict(fault) for fault in faults]})
        self.sandbox.world.put_faults(plan, now=time.time())


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
async def make_sender(
    http: aiohttp.ClientSession, sandbox: Running
) -> Callable[[RelayProcess], Sender]:
    return lambda relay: Sender(relay, http, sandbox)


@pytest.fixture
async def sender(relay: RelayProcess, make_sender: Callable[[RelayProcess], Sender]) -> Sender:
    return make_sender(relay)
