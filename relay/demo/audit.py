"""The demo's last act: an ad account with one fault in it, and what `relay audit` says of it.

The ads began to run yesterday. People click and buy; the browser pixel reports them, and what
the relay has delivered stands beside it in TikTok's statistics. One ad group was set up with the
pixel of an old shop, which nobody feeds: its money is spent for conversions that TikTok never sees.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from relay.demo.relay_process import PIXEL, RelayProcess
from relay.demo.screen import Screen
from relay.errors import RelayError
from relay.sandbox.ads.life import LivingWorld
from relay.sandbox.ads.plan import WorldPlan
from relay.sandbox.marketing.settings import MarketingSettings
from relay.sandbox.settings import SandboxSettings

ADVERTISER: Final = "7106541027904733185"

#: The stand-in, which needs no time to make the log of changes.
SANDBOX: Final = SandboxSettings(marketing=MarketingSettings(task_queue_s=0.0, task_run_s=0.0))

#: A critical finding stands, says the exit code.
_CRITICAL: Final = 3

_DAY_S: Final = 86_400.0

_TABLES: Final = f"""
[management]
access_token = "env:DEMO_TOKEN_ADS"
advertisers = ["{ADVERTISER}"]

[audit]
since = "2d"                     # the ads began yesterday
rates = {{ EUR = "1", GBP = "1.15", USD = "0.92" }}
"""


class Planted(NamedTuple):
    """What is wrong with the account: the check that has to find it, and whom it has to name."""

    check: str
    adgroup: str


PLANTED: Final = Planted("CFG-02", "Retargeting, old shop")


class AuditFailed(RelayError):
    """`relay audit` ended without a report."""


def ad_account(now: float) -> LivingWorld:
    """An account whose ads began yesterday (UTC), with its fault."""
    plan = WorldPlan(
        seed=11,
        advertiser_id=ADVERTISER,
        name="Demo shop",
        timezone="Etc/GMT",
        display_timezone="Europe/London",
        country="GB",
        pixel_code=PIXEL,
        started_at=now - now % _DAY_S - _DAY_S,
        orders_per_day=120.0,
        adgroups=2,
        reporting_latency_s=0.0,  # nobody watches a demo for half an hour
    )
    world = LivingWorld(plan)
    account = world.markets[ADVERTISER].account
    group = list(account.adgroups.values())[-1]
    group.adgroup_name = PLANTED.adgroup
    group.pixel_id = list(account.pixels)[1]
    return world


async def audit(relay: RelayProcess, screen: Screen) -> bool:
    """Run `relay audit` beside the relay and show what it says; was the fault found and named?

    Raises `AuditFailed`.
    """
    screen.act("The audit: does the money spent match what really happened?")
    with relay.config.open("a", encoding="utf-8") as config:
        config.write(_TABLES)
    page = relay.folder / "audit.html"
    with screen.waiting("relay audit"):
        code, out, err = await relay.command("audit", "--html", str(page))
    if code not in {0, _CRITICAL}:
        raise AuditFailed(f"it ended with {code}: {err.decode()[-1000:]}")
    said = out.decode()
    screen.plain(said)
    found = code == _CRITICAL and PLANTED.check in said and PLANTED.adgroup in said
    words = "found and named" if found else "NOT found"
    screen.line(
        "planted", f"one fault, {PLANTED.check}: {words}", style="green" if found else "bold red"
    )
    return found
