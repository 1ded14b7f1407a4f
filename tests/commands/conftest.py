"""The command line, run in this process: what it says, and its exit code."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import orjson
import pytest

from relay.cli import main
from relay.clock import SystemClock
from relay.sandbox.ads.model import AdWorld
from relay.sandbox.http import Running, running
from relay.sandbox.settings import AccessPlan, SandboxSettings, TokenRule

CONFIG = """
[journal]
path = "{journal}"

[tiktok]
base_url = "{tiktok}"

[[destinations]]
name = "web"
event_source = "web"
event_source_id = "C0PIXELCODE0EXAMPLE0"
access_token = "env:TEST_TOKEN"
default_country = "GB"
page_url = "https://shop.example/"

[[sources]]
name = "shop"
kind = "shopify"
destination = "web"
secrets = ["env:TEST_SECRET"]

[[sources]]
name = "backend"
kind = "canonical"
destination = "web"
keys = ["env:TEST_KEY"]

[[sources]]
name = "till"
kind = "custom"
destination = "web"

[sources.mapping]
event = "'Purchase'"
event_id = "receipt"
event_time = "unix_time(sold)"
user = {{ email = "mail" }}
properties = {{ value = "to_string(total)", currency = "'EUR'" }}
when = "kind == 'sale'"
"""


@dataclass(frozen=True)
class Said:
    """What a command said, and how it left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [orjson.loads(line) for line in self.out.splitlines()]


Relay = Callable[..., Said]


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Relay:
    """Runs `relay …` as the shell would."""

    def run(*arguments: str | Path, stdin: bytes = b"") -> Said:
        streams = [TextIOWrapper(BytesIO(content)) for content in (stdin, b"", b"")]
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["relay", *map(str, arguments)])
            for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
                patch.setattr(sys, name, stream)
            with pytest.raises(SystemExit) as left:
                main()
            said = [_content(stream) for stream in streams[1:]]
        return Said(int(left.value.code or 0), *said)

    return run


def _content(stream: TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, BytesIO)
    return buffer.getvalue().decode()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without a configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RELAY_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def config(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sound configuration with its secrets in the environment."""
    for name in ("TEST_TOKEN", "TEST_SECRET", "TEST_KEY"):
        monkeypatch.setenv(name, f"{name.lower()}-0123456789")
    return write_config(folder)


def write_config(folder: Path, *, tiktok: str = "http://127.0.0.1:9/open_api/v1.3") -> Path:
    path = folder / "relay.toml"
    path.write_text(CONFIG.format(journal=folder / "journal", tiktok=tiktok))
    return path


@pytest.fixture
def served() -> Iterator[Callable[..., Running]]:
    """Starts stand-ins for TikTok, on a thread of their own."""
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event, threading.Thread]] = []

    def start(settings: SandboxSettings, ads: AdWorld | None = None) -> Running:
        listening: list[Running] = []
        ready = threading.Event()
        loop, stop = asyncio.new_event_loop(), asyncio.Event()

        async def serve() -> None:
            async with running(settings, SystemClock(), ads=ads) as sandbox:
                listening.append(sandbox)
                ready.set()
                await stop.wait()

        thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
        thread.start()
        loops.append((loop, stop, thread))
        assert ready.wait(10)
        return listening[0]

    yield start
    for loop, stop, thread in loops:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


@pytest.fixture
def sandbox_with(served: Callable[..., Running]) -> Callable[..., str]:
    """Starts stand-ins that know one token; their `base_url`."""

    def start(**rules: Any) -> str:
        rule = TokenRule.model_validate({"token": "test_token-0123456789", **rules})
        return served(SandboxSettings(access=AccessPlan(tokens=(rule,)))).base_url

    return start


TOKEN = "9f1e2d3c4b5a69788796a5b4c3d2e1f0aabbccdd"


@pytest.fixture
def ad_account(
    served: Callable[..., Running], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Running]:
    """Starts a stand-in that knows `TOKEN` alone, and makes it the one that commands ask."""
    home(folder, monkeypatch)

    def start(ads: AdWorld | None = None, **settings: Any) -> Running:
        rule = TokenRule.model_validate({"token": TOKEN, **settings.pop("rule", {})})
        access = AccessPlan(tokens=(rule,), others="revoked")
        sandbox = served(SandboxSettings.model_validate({**settings, "access": access}), ads)
        monkeypatch.setenv("RELAY_TIKTOK__BASE_URL", sandbox.base_url)
        monkeypatch.setenv("TIKTOK_ACCESS_TOKEN", TOKEN)
        return sandbox

    return start


def home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of its own, and nothing of TikTok's in the environment."""
    for name in ("TIKTOK_ACCESS_TOKEN", "TIKTOK_APP_ID", "TIKTOK_APP_SECRET", "BROWSER",
                 "XDG_CONFIG_HOME", "XDG_STATE_HOME", "DISPLAY", "WAYLAND_DISPLAY"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder / "home"))
