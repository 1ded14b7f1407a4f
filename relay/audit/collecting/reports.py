"""Days, hours and event statistics: what TikTok counted and charged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple, TypeVar

from relay.audit import facts
from relay.audit.collecting import translate
from relay.audit.collecting.gathering import Gathering, told
from relay.audit.facts import Level, Part, Period
from relay.management import By, Client, ReportRequest, ReportRow
from relay.management import Level as DataLevel

T = TypeVar("T")

#: TikTok's word for each level, and the part that it is noted as.
_LEVELS: Final = {
    Level.ACCOUNT: (DataLevel.ACCOUNT, Part.ACCOUNT_REPORT),
    Level.CAMPAIGN: (DataLevel.CAMPAIGN, Part.CAMPAIGN_REPORT),
    Level.ADGROUP: (DataLevel.ADGROUP, Part.ADGROUP_REPORT),
}

#: Enough hours to see the shape of days shifted; a call a day.
_HOURLY_DAYS: Final = 7


class Spans(NamedTuple):
    """The days of reports are the account's; those of event statistics are of UTC."""

    period: Period
    first_utc: date
    last_utc: date


class Reports:
    """What is asked of one account."""

    def __init__(self, client: Client, advertiser_id: str, gathering: Gathering) -> None:
        self._client = client
        self._advertiser_id = advertiser_id
        self._gathering = gathering

    async def days(self, period: Period) -> list[facts.Day]:
        """Every level by day; ads, which may be 50 000, as one sum of all days each."""
        levels = [self._level(level, period) for level in _LEVELS]
        found = await asyncio.gather(*levels, self._ads(period))
        return [day for days in found for day in days]

    async def _ads(self, period: Period) -> list[facts.Day]:
        request = ReportRequest(
            self._advertiser_id, DataLevel.AD, translate.AD_METRICS,
            period.first, period.last, By.NONE,
        )  # fmt: skip
        return await self._rows(
            Part.AD_REPORT, request, lambda row: translate.ad_sum(row, period.last)
        )

    async def _level(self, level: Level, period: Period) -> list[facts.Day]:
        data_level, part = _LEVELS[level]
        request = ReportRequest(
            self._advertiser_id, data_level, translate.METRICS, period.first, period.last, By.DAY
        )
        return await self._rows(
            part, request, lambda row: translate.day(level, request.id_dimension, row)
        )

    async def hours(self, period: Period) -> list[facts.Hour]:
        """The account's last whole days by hour."""
        last = period.last - timedelta(days=1)
        first = max(period.first, last - timedelta(days=_HOURLY_DAYS - 1))
        if first > last:
            self._gathering.note(Part.HOURLY_REPORT, 0)
            return []
        request = ReportRequest(
            self._advertiser_id, DataLevel.ACCOUNT, translate.HOURLY_METRICS, first, last, By.HOUR
        )
        return await self._rows(Part.HOURLY_REPORT, request, translate.hour)

    async def event_counts(
        self, pixels: Sequence[facts.Pixel], spans: Spans
    ) -> list[facts.EventCount]:
        """What the pixels counted, day by day of UTC."""
        codes = {each.id: each.code for each in pixels}
        listing = self._client.event_statistics(
            self._advertiser_id, list(codes), spans.first_utc, spans.last_utc
        )
        found = await self._gathering.listed(Part.PIXEL_STATS, listing)
        return [
            translate.event_count(each, codes[each.pixel_id])
            for each in found
            if each.pixel_id in codes
        ]

    async def _rows(
        self, part: Part, request: ReportRequest, read: Callable[[ReportRow], T]
    ) -> list[T]:
        report = self._client.report(request)

        async def rows() -> list[T]:
            return [read(row) async for row in report]

        found = await self._gathering.asked(part, rows) or []
        self._gathering.note(part, len(found), told(report.notices))
        return found
