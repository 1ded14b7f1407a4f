"""What a relay would know of the big ad account: a ledger that agrees with it, a full sample."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from relay.audit.facts import Target
from relay.clock import SystemClock
from relay.journal.issues import IssueRow
from relay.journal.ledger import LedgerRow, Sums
from relay.journal.protocol import Note
from relay.journal.sample import Sample
from relay.model import DeadLetter, EventSource, MatchKey, Outcome
from relay.sandbox.ads.big import BigAccount
from relay.sandbox.ads.plan import STARTED_AT, WorldPlan

ADS: Final = 50_000
ADGROUPS: Final = 2_000
#: The account's days; the audit looks at 90 of them and is made in the middle of the 96th.
DAYS: Final = 100
LOOKED_AT: Final = 90
NOW: Final = STARTED_AT + 95.5 * 86_400.0

_DESTINATION: Final = "web"
_PRICE: Final = Decimal(62)
_SAMPLES: Final = 120_000


def period_of(now: float) -> tuple[date, date]:
    """The first and last day that an audit of the account looks at."""
    last = datetime.fromtimestamp(now, ZoneInfo(WorldPlan().timezone)).date()
    return last - timedelta(days=LOOKED_AT - 1), last


class Shifted(SystemClock):
    """The machine's clock, so many seconds ahead."""

    def __init__(self, offset_s: float) -> None:
        self._offset_s = offset_s

    def now(self) -> float:
        return super().now() + self._offset_s


class AccountBooks:
    """The books of a relay that delivered every purchase of the account's pixel; notes are kept."""

    def __init__(self, account: BigAccount, now: float) -> None:
        (advertiser,) = account.advertisers.values()
        (pixel,) = advertiser.pixels.values()
        self.targets = [Target(_DESTINATION, EventSource.WEB, pixel.pixel_code)]
        self.advertiser_id = advertiser.advertiser_id
        self.kept: dict[str, bytes] = {}
        self._account = account
        self._now = now
        self._pixel_id = pixel.pixel_id
        self._zone = ZoneInfo(advertiser.timezone)
        self._days: dict[date, tuple[int, int]] = {}

    async def sums(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[LedgerRow]:
        for hour in range(start_hour, end_hour):
            count, clicked = self._of_hour(hour)
            yield LedgerRow(
                hour, _DESTINATION, "Purchase", Outcome.DELIVERED, _sums(count, clicked)
            )

    async def issues(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[IssueRow]:
        return
        yield

    async def samples(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[Sample]:
        span_s = (end_hour - start_hour) * 3600.0
        for number in range(_SAMPLES):
            if number % 500 == 0:
                await asyncio.sleep(0)  # as a journal does, whose rows come in batches
            yield _sample(number, start_hour * 3600.0 + span_s * number / _SAMPLES)

    async def dead_letters(self, destination: str | None = None) -> AsyncIterator[DeadLetter]:
        return
        yield

    async def notes(self, prefix: str) -> AsyncIterator[Note]:
        for key, value in sorted(self.kept.items()):
            if key.startswith(prefix):
                yield key, value

    async def put_note(self, key: str, value: bytes) -> None:
        self.kept[key] = value

    async def drop_notes(self, prefix: str, before: str) -> None:
        for key in [each for each in self.kept if each.startswith(prefix) and each < before]:
            del self.kept[key]

    def _of_hour(self, hour: int) -> tuple[int, int]:
        """Purchases of one hour, and those with a click id among them: as the account's hours."""
        local = datetime.fromtimestamp(hour * 3600, self._zone)
        day, of_day = local.date(), local.hour
        if day not in self._days:
            (counted,) = self._account.statistics(self._pixel_id, day, day, self._now) or (None,)
            server = 0 if counted is None else counted.server_event_total_count
            attributed = 0 if counted is None else counted.attributed_count
            self._days[day] = server, attributed * 5 // 6
        count, clicked = (n * (of_day + 1) // 24 - n * of_day // 24 for n in self._days[day])
        return count, clicked


def _sums(count: int, clicked: int) -> Sums:
    keys = Counter(
        ttclid=clicked, email=count * 3 // 4, phone=count // 2, external_id=count, ip=count,
        user_agent=count, ttp=count // 2,
    )  # fmt: skip
    return Sums(
        count,
        {"EUR": _PRICE * count},
        keys,
        click_value={"EUR": _PRICE * clicked},
        reasons=Counter(accepted=count),
    )


def _sample(number: int, at: float) -> Sample:
    """A purchase after a click, by a person of its own. Its digest is as good as random."""
    digest = (number + 1) * 0x9E3779B97F4A7C15 % 2**64
    return Sample(
        destination=_DESTINATION, event="Purchase", event_id=digest, event_time=int(at),
        delivered_at=at + 5, order=digest, click=digest, buyer=digest,
        value=Decimal(2_000 + digest % 9_000) / 100, currency="EUR",
        match_keys=int(MatchKey.TTCLID | MatchKey.EMAIL), from_tiktok=True, share=1.0,
    )  # fmt: skip
