"""`relay sandbox`: the stand-in as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys

from relay.cli.terminal import fail
from relay.clock import SystemClock
from relay.sandbox.http import Running, load_faults, serve
from relay.sandbox.plan import FaultPlan
from relay.sandbox.settings import SandboxSettings


def run(host: str, port: int, *, faults: str | None, light: bool) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises `ConfigError` for faults that cannot be read."""
    plan = load_faults(faults) if faults is not None else FaultPlan()
    settings = SandboxSettings(faults=plan, light=light)
    try:
        asyncio.run(_serve(settings, host, port))
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        fail(f"cannot listen on {host}:{port}: {reason}. Take another --port")


async def _serve(settings: SandboxSettings, host: str, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises instead
            loop.add_signal_handler(number, stop.set)
    await serve(settings, SystemClock(), host=host, port=port, ready=_greet, stop=stop)


def _greet(sandbox: Running) -> None:
    sys.stdout.write(
        f"stand-in for TikTok's API at {sandbox.url}\n"
        f'  in relay.toml:   [tiktok]  base_url = "{sandbox.base_url}"\n'
        f"  what it got:     {sandbox.url}/sandbox/summary\n"
        f"  all questions:   {sandbox.url}/sandbox\n"
    )
    sys.stdout.flush()
