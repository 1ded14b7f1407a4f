"""Worlds in which nothing is wrong, for thirty days: zones, currencies, volumes, seeds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from relay.audit.findings import Audit
from relay.sandbox.ads.plan import shop
from relay.sandbox.ads.season import Season
from relay.sandbox.ads.zone import HOUR_S, LocalTime
from tests.audit.rehearsal import Relay, audited
from tests.audit.staging import journal_folder, slim

SEEDS: Final = tuple(range(1, 21))
#: The account's zone, and the one that people live by: west of UTC (POSIX' sign), east of it, and
#: one whose clocks change within the thirty days.
ZONES: Final[Mapping[str, str]] = {
    "Etc/GMT+8": "America/Los_Angeles",
    "Etc/GMT-9": "Asia/Tokyo",
    "Europe/Berlin": "Europe/Berlin",
}
#: The account's, and its shop's.
CURRENCIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "EUR": {"currency": "EUR"},
    "USD, events in EUR": {
        "currency": "USD",
        "event_currency": "EUR",
        "rates": {"EUR": Decimal("1.08")},
    },
}
#: Orders a day.
VOLUMES: Final[Mapping[str, float]] = {"low": 3.0, "high": 100.0}
DAYS: Final = 30
#: 5 October 2026: three weeks before Europe's clocks go back, and four before America's.
_FIRST_DAY: Final = 20_731


class Clean(NamedTuple):
    seed: int
    zone: str
    currency: str
    volume: str

    def __str__(self) -> str:
        return f"{self.seed}-{self.zone}-{self.currency}-{self.volume}"


def season_of(clean: Clean) -> Season:
    plan = shop(
        VOLUMES[clean.volume],
        seed=clean.seed,
        timezone=clean.zone,
        display_timezone=ZONES[clean.zone],
        started_at=LocalTime(clean.zone).starts(_FIRST_DAY),
        browsers_per_day=30.0 if clean.volume == "high" else None,
        relayed=("Purchase", "AddToCart"),
        landings=clean.seed % 4 == 0,
        **CURRENCIES[clean.currency],
    )
    return Season.of(plan)


def live_clean(clean: Clean) -> Audit:
    """Audited after thirty days, at an hour of the day that is the seed's."""
    return asyncio.run(_live(clean))


async def _live(clean: Clean) -> Audit:
    season = season_of(clean)
    end = season.market.local.starts(season.market.first_day + DAYS)
    until = end + HOUR_S * (clean.seed * 7 % 24) + 60 * clean.seed
    with journal_folder() as folder:
        lived = await Relay([season], folder).live(until)
        (audit,) = await audited(lived)
    return slim(audit)
