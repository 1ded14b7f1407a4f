"""The stand-in for TikTok's Marketing API with a big ad account, a process of its own.

`python -m tests.bench.ad_server PORT OFFSET CALLS_PER_SECOND CALLS_PER_MINUTE`: OFFSET seconds lie
between the machine's clock and the account's.
"""

from __future__ import annotations

import asyncio
import signal
import sys

import uvloop

from relay.sandbox.ads.big import big_account
from relay.sandbox.http import serve
from relay.sandbox.marketing.settings import MarketingSettings
from relay.sandbox.settings import SandboxSettings
from tests.bench.ad_books import ADGROUPS, ADS, DAYS, Shifted


async def _serve(port: int, offset_s: float, per_second: int, per_minute: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = SandboxSettings(
        marketing=MarketingSettings(
            calls_per_second=per_second,
            calls_per_minute=per_minute,
            repeats_reports=True,
            keep_report_bytes=1 << 30,
        ),
        keep_requests=0,
    )
    ads = big_account(ADS, ADGROUPS, DAYS)
    await serve(
        settings, Shifted(offset_s), port=port, ads=ads, ready=lambda _running: None, stop=stop
    )


if __name__ == "__main__":
    _, port, offset_s, *limits = sys.argv
    uvloop.run(_serve(int(port), float(offset_s), *map(int, limits)))
