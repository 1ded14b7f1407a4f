"""A pipeline on a real journal in a fresh folder, with a clock that the test owns."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from relay import assembly
from relay.config import Settings, load
from relay.journal.rocksdb import RocksJournal
from relay.pipeline.accept import Acceptor
from relay.telemetry import Log, Telemetry, open_log

NOW = 1_790_000_000.0

CONFIG = """
[journal]
path = "{path}/journal"
min_free_bytes = "1MiB"

[[destinations]]
name = "web"
event_source = "web"
event_source_id = "PIXEL1"
access_token = "env:TOKEN"
page_url = "https://shop.example/"
default_country = "GB"

[[destinations]]
name = "crm"
event_source = "crm"
event_source_id = "7300000000000000001"
access_token = "env:TOKEN"

[[sources]]
name = "backend"
kind = "canonical"
destination = "web"
keys = ["env:KEY_ONE"]

[[sources]]
name = "both"
kind = "canonical"
destinations = ["web", "crm"]
keys = ["env:KEY_TWO"]

[[sources]]
name = "shop"
kind = "shopify"
destination = "web"
secrets = ["env:SHOP"]
"""

ENVIRON = {"TOKEN": "token-1", "KEY_ONE": "key-1", "KEY_TWO": "key-2", "SHOP": "shpss_secret"}


@dataclass
class HandClock:
    """Moves when told; sleeping moves it too."""

    at: float = NOW

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        await asyncio.sleep(0)


@dataclass
class House:
    """What the tests of the pipeline need together."""

    settings: Settings
    clock: HandClock
    journal: RocksJournal
    telemetry: Telemetry
    log: Log
    log_bytes: io.BytesIO
    acceptor: Acceptor

    def samples(self) -> Mapping[str, float]:
        lines = self.telemetry.scraped().decode().splitlines()
        pairs = [line.rpartition(" ") for line in lines if line.startswith("relay_")]
        return {name: float(value) for name, _, value in pairs}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "relay.toml"
    file.write_text(CONFIG.format(path=tmp_path))
    return load(file, ENVIRON)


@pytest.fixture
async def house(settings: Settings, clock: HandClock) -> AsyncIterator[House]:
    telemetry = Telemetry(version="test", now=clock.now)
    stream = io.BytesIO()
    log = open_log("info", "json", monotonic=clock.monotonic, stream=stream)
    async with RocksJournal(assembly.journal_settings_of(settings), clock) as journal:
        acceptor = Acceptor(
            assembly.routes_of(settings),
            {each.name: each for each in settings.destinations},
            assembly.normalizers_of(settings),
            journal,
            max_events=100,
            clock=clock,
            telemetry=telemetry,
            log=log,
        )
        yield House(settings, clock, journal, telemetry, log, stream, acceptor)


@pytest.fixture
def event() -> Callable[..., dict[str, Any]]:
    def make(event_id: str = "order-1", **changes: Any) -> dict[str, Any]:
        return {
            "event": "Purchase",
            "event_time": int(NOW) - 60,
            "event_id": event_id,
            "user": {"email": "ada@example.com"},
            "properties": {"value": 12.5, "currency": "EUR"},
            "page": {"url": "https://shop.example/thanks"},
            **changes,
        }

    return make
