"""`relay sandbox`: the stand-in as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import Final

from relay.cli.terminal import fail
from relay.clock import SystemClock
from relay.errors import ConfigError, Mistake
from relay.sandbox.ads.model import AdWorld
from relay.sandbox.ads.scenarios import SCENARIOS, Planting
from relay.sandbox.http import Running, load_faults, serve
from relay.sandbox.marketing.settings import TRIAL_APP
from relay.sandbox.plan import FaultPlan
from relay.sandbox.profiles import plan_from
from relay.sandbox.settings import SandboxSettings

#: The ads have run for so many days when the stand-in starts.
_DAYS_BEFORE: Final = 30

_DAY_S: Final = 86_400.0
_ORDERS_PER_DAY: Final = 90.0
#: As in the README's first configuration.
_PIXEL: Final = "C0PIXELCODE0EXAMPLE0"
_CLOCK: Final = SystemClock()


def run(host: str, port: int, *, faults: str | None, scenario: str | None, light: bool) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises `ConfigError` for faults that cannot be read, and for a
    scenario that there is not."""
    plan = load_faults(faults) if faults is not None else FaultPlan()
    planting = _planting(scenario)
    if planting.sandbox:
        more = plan_from({"faults": planting.sandbox}).faults
        plan = plan.model_copy(update={"faults": (*plan.faults, *more)})
    settings = SandboxSettings(faults=plan, light=light)
    ads = None if light else _ad_account(planting, _CLOCK.now())
    try:
        asyncio.run(_serve(settings, host, port, ads))
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        fail(f"cannot listen on {host}:{port}: {reason}. Take another --port")


def _planting(scenario: str | None) -> Planting:
    if scenario is None:
        return Planting("nothing is wrong", orders=_ORDERS_PER_DAY)
    found = SCENARIOS.get(scenario.upper())
    if found is None:
        mend = f"Name the check that it is for: {', '.join(SCENARIOS)}"
        raise ConfigError([Mistake("--scenario", "there is none of this name", mend)])
    return found.planted


def _ad_account(planting: Planting, now: float) -> AdWorld:
    """An account whose ads have run for a month: people have clicked and bought, and browsers have
    reported. What a relay delivers from now on comes on top of it."""
    began = now - now % _DAY_S - _DAYS_BEFORE * _DAY_S
    options = {"timezone": "Etc/GMT", "display_timezone": "UTC", "pixel_code": _PIXEL}
    return planting.season(started_at=began, **options).world


async def _serve(settings: SandboxSettings, host: str, port: int, ads: AdWorld | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises instead
            loop.add_signal_handler(number, stop.set)
    await serve(settings, _CLOCK, host=host, port=port, ads=ads, ready=_greet, stop=stop)


def _greet(sandbox: Running) -> None:
    sys.stdout.write(
        f"stand-in for TikTok's API at {sandbox.url}\n"
        f'  in relay.toml:   [tiktok]  base_url = "{sandbox.base_url}"\n'
        f"  what it got:     {sandbox.url}/sandbox/summary\n"
        f"  all questions:   {sandbox.url}/sandbox\n"
        f"  an ad account:   RELAY_TIKTOK__BASE_URL={sandbox.base_url} "
        f"TIKTOK_APP_SECRET={TRIAL_APP.secret.get_secret_value()} "
        f"relay login --app-id {TRIAL_APP.app_id}\n"
    )
    sys.stdout.flush()
