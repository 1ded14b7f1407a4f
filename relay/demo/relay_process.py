"""The relay as a process of its own: started, killed, started again, and stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from relay.clock import SystemClock
from relay.errors import RelayError

PIXEL = "C0DEMOPIXELCODE00001"
OFFLINE_SET = "7400000000000000001"

_READY_WITHIN_S = 30.0
_STOP_WITHIN_S = 30.0

_CONFIG = """\
# Written by `relay demo`.

[journal]
path = "{folder}/journal"

[listen]
public = "127.0.0.1:{public}"
operator = "127.0.0.1:{operator}"

[tiktok]
base_url = "{tiktok}"

[log]
format = "json"

[[destinations]]
name = "web"
event_source = "web"
event_source_id = "{pixel}"
access_token = "file:{folder}/token"      # read again when it changes: no restart
page_url = "https://shop.example/"
default_country = "GB"
linger = "250ms"
probe_every = "1s"

[[destinations]]
name = "stores"
event_source = "offline"
event_source_id = "{offline_set}"
access_token = "env:DEMO_TOKEN_STORES"
default_country = "GB"
linger = "250ms"

[[sources]]
name = "shopify"
kind = "shopify"
destination = "web"
secrets = ["env:DEMO_SECRET_SHOPIFY"]

[[sources]]
name = "woocommerce"
kind = "woocommerce"
destination = "web"
secrets = ["env:DEMO_SECRET_WOOCOMMERCE"]

[[sources]]
name = "stripe"
kind = "stripe"
destination = "web"
secrets = ["env:DEMO_SECRET_STRIPE"]

[[sources]]
name = "backend"
kind = "canonical"
destination = "web"
keys = ["env:DEMO_KEY_BACKEND"]

[[sources]]
name = "tills"
kind = "canonical"
destination = "stores"
keys = ["env:DEMO_KEY_TILLS"]
"""

_SECRETS = (
    "DEMO_TOKEN_ADS",
    "DEMO_TOKEN_STORES",
    "DEMO_SECRET_SHOPIFY",
    "DEMO_SECRET_WOOCOMMERCE",
    "DEMO_SECRET_STRIPE",
    "DEMO_KEY_BACKEND",
    "DEMO_KEY_TILLS",
)


class RelayDidNotStart(RelayError):
    """The demo's relay ended instead of becoming ready; its log says why."""


def _two_free_ports() -> tuple[int, int]:
    """Ports that are free now. They are fixed before the start, so that senders find the relay
    again after the crash."""
    with socket.socket() as public, socket.socket() as operator:
        for probe in (public, operator):
            probe.bind(("127.0.0.1", 0))
        return public.getsockname()[1], operator.getsockname()[1]


@dataclass
class RelayProcess:
    """A relay below `folder` that delivers to `tiktok`; made-up secrets are in `environ`."""

    folder: Path
    tiktok: str
    environ: Mapping[str, str] = field(
        default_factory=lambda: {name: f"demo-{secrets.token_hex(16)}" for name in _SECRETS}
    )
    ports: tuple[int, int] = field(default_factory=_two_free_ports)
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    @property
    def operator_url(self) -> str:
        return f"http://127.0.0.1:{self.ports[1]}"

    @property
    def config(self) -> Path:
        return self.folder / "relay.toml"

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    def write_config(self) -> None:
        self.renew_token()
        self.config.write_text(
            _CONFIG.format(
                folder=self.folder,
                tiktok=self.tiktok,
                public=self.ports[0],
                operator=self.ports[1],
                pixel=PIXEL,
                offline_set=OFFLINE_SET,
            ),
            encoding="utf-8",
        )

    def renew_token(self) -> str:
        """Put a new token where the relay reads it; the old one, to be revoked."""
        path = self.folder / "token"
        before = path.read_text("utf-8") if path.exists() else ""
        fresh = self.folder / "token.new"
        fresh.write_text(f"demo-{secrets.token_hex(16)}", encoding="utf-8")
        fresh.replace(path)
        return before

    # --- its life ---------------------------------------------------------------------------------

    async def start(self) -> float:
        """Start it and wait until it is ready; how many seconds that took.

        Raises `RelayDidNotStart`.
        """
        began = SystemClock().monotonic()
        with (self.folder / "relay.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "relay", "serve", "--config", str(self.config)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environ},
                start_new_session=True,  # Ctrl-C is for the demo, which then stops the relay
            )
        try:
            async with asyncio.timeout(_READY_WITHIN_S), aiohttp.ClientSession() as http:
                while not await self._is_ready(http, self.process):
                    await SystemClock().sleep(0.02)
        except TimeoutError:
            raise RelayDidNotStart(f"not ready in {_READY_WITHIN_S:.0f} s") from None
        return SystemClock().monotonic() - began

    async def _is_ready(
        self, http: aiohttp.ClientSession, process: asyncio.subprocess.Process
    ) -> bool:
        if process.returncode is not None:
            log = (self.folder / "relay.log").read_text("utf-8", errors="replace")
            raise RelayDidNotStart(f"the relay ended with {process.returncode}:\n{log[-2000:]}")
        with contextlib.suppress(aiohttp.ClientError):
            async with http.get(f"{self.operator_url}/readyz") as answer:
                return answer.status == 200
        return False

    async def kill(self) -> None:
        """`kill -9`: no time for anything."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.wait()

    async def stop(self) -> int | None:
        """SIGTERM: it drains and leaves. Its exit code; None when it had to be killed."""
        if self.process is None:
            return None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(_STOP_WITHIN_S):
                    await self.process.wait()
            except TimeoutError:
                await self.kill()
                return None
        return self.process.returncode

    async def command(self, *arguments: str) -> tuple[int, bytes, bytes]:
        """Run `relay …` beside it: exit code, standard output, standard error."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "relay", *arguments, "--config", str(self.config)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **self.environ},
        )
        out, err = await process.communicate()
        return process.returncode or 0, out, err
