"""The change log: a task, polled, and the file that it made."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import Final

from relay.management import endpoints
from relay.management.http.polling import made
from relay.management.http.reads import Reads
from relay.management.models.changes import Edit, read_edits
from relay.management.query import an_id, days

_MOST_DAYS: Final = 30


class ChangeReads(Reads):
    """What was edited in an ad account."""

    async def changes(self, advertiser_id: str, first: date, last: date) -> list[Edit]:
        """Edits from `first` to `last`, days of UTC, oldest first. Who made them is not kept."""
        an_id("advertiser_id", advertiser_id)
        days("date", first, last, most=(last - first).days + 1)
        found: list[Edit] = []
        while first <= last:
            end = min(last, first + timedelta(days=_MOST_DAYS - 1))
            found += await self._log(advertiser_id, first, end)
            first = end + timedelta(days=1)
        return found

    async def _log(self, advertiser_id: str, first: date, last: date) -> list[Edit]:
        created = await self._ask(
            endpoints.CHANGE_TASK,
            {
                "advertiser_id": advertiser_id,
                "start_time": f"{first} 00:00:00",
                "end_time": f"{last} 23:59:59",
                "timezone": "UTC",
            },
        )
        task_id = created.data.id("task_id")
        await made(self._caller, endpoints.CHANGE_CHECK, advertiser_id, task_id)
        asked = {"advertiser_id": advertiser_id, "task_id": task_id}
        downloaded = await self._ask(endpoints.CHANGE_DOWNLOAD, asked)
        return read_edits(downloaded.data, UTC)
