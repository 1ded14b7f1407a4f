"""A report at once: slices read as proven lists; one that times out is asked for in smaller
parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from relay.management import endpoints
from relay.management.errors import About, TimedOut, WouldTruncate
from relay.management.fields import Record
from relay.management.http.lists import Lists, Question
from relay.management.notices import Notice, NoticeKind
from relay.management.proof import Page
from relay.management.reports.choice import MOST_SYNC_IDS
from relay.management.reports.http.parts import Pages, Part, Story
from relay.management.reports.metrics import Level
from relay.management.reports.progress import Progress, Stage
from relay.management.reports.request import ReportRequest
from relay.management.reports.rows import RowReader, Value, key_of
from relay.management.reports.slices import Slice, narrowed, page_params, wants_campaigns

#: Makes the part that cannot be had at once as a task; None where the caller wants none.
ByTask = Callable[[Slice], Awaitable[Part]]
Campaigns = Callable[[], Awaitable[list[str]]]

#: After so many time-outs of one report the rest of a slice becomes a task.
_TIME_OUTS = 3


class Cut(Exception):
    """TikTok has left ids out. Never leaves this package."""


@dataclass(slots=True)
class _Seen:
    """What the pages of one slice said; a new reading begins anew."""

    with_ids: bool
    id_dimension: str
    ids: set[str] = field(default_factory=set)
    notices: list[Notice] = field(default_factory=list)
    totals: Record | None = None

    def page(self, page: Page, number: int) -> None:
        if number == 1:
            self.ids.clear()
            self.totals = page.answer.data.record("total_metrics")
        if any(each.kind is NoticeKind.IDS_CUT for each in page.answer.notices):
            raise Cut
        if self.with_ids:
            for row in page.rows:
                dimensions = row.get("dimensions")
                if isinstance(dimensions, dict):
                    self.ids.add(str(dimensions.get(self.id_dimension)))
            if len(self.ids) >= MOST_SYNC_IDS:
                raise Cut


class SyncReader:
    """Reads slices of one request."""

    def __init__(
        self,
        request: ReportRequest,
        lists: Lists,
        reader: RowReader,
        story: Story,
        *,
        by_task: ByTask | None,
        campaigns: Campaigns,
    ) -> None:
        self._request = request
        self._lists = lists
        self._reader = reader
        self._story = story
        self._by_task = by_task
        self._campaigns = campaigns
        self._time_outs = 0

    async def parts(self, part: Slice) -> list[Part]:
        """What the slice holds, the oldest days first. Raises `WouldTruncate`, and `TimedOut` when
        it cannot be made smaller."""
        try:
            return [await self._read(part)]
        except Cut:
            return [await self._in_full(part)]
        except TimedOut as error:
            self._time_outs += 1
            return await self._smaller(part, error)

    async def _read(self, part: Slice) -> Part:
        request = self._request
        seen = _Seen(request.level is not Level.ACCOUNT, request.id_dimension)

        def on_page(page: Page, number: int, _of: int) -> None:
            seen.page(page, number)
            self._count()

        question = Question(endpoints.REPORT, page_params(request, part), key_of(request), on_page)
        proven = await self._lists.read(question, seen.notices.append)
        for notice in seen.notices:
            self._story.note(notice)
        return Pages(proven, self._reader, self._totals(seen.totals))

    def _totals(self, record: Record | None) -> dict[str, Value] | None:
        return self._reader.values(record) if record else None

    def _count(self) -> None:
        story = self._story
        story.calls += 1
        of = None if story.about_calls is None else max(story.about_calls, story.calls)
        text = f"{story.calls} of about {of} pages" if of else f"{story.calls} pages"
        story.tell(Progress(Stage.READING, text, story.calls, of))

    async def _in_full(self, part: Slice) -> Part:
        """More ids than TikTok gives at once."""
        if self._by_task is None:
            raise WouldTruncate(
                "More than 20,000 objects: TikTok gives the newest only. Ask with Way.TASK, or "
                "narrow it down with `campaign_ids`",
                self._about(),
            )
        self._story.note(self._narrowing(part, "it has more than 20,000 objects: as a task"))
        return await self._by_task(part)

    async def _smaller(self, part: Slice, error: TimedOut) -> list[Part]:
        campaigns = None
        if self._by_task is not None and self._time_outs >= _TIME_OUTS:
            smaller: list[Slice] = []
        else:
            if wants_campaigns(part, self._request):
                campaigns = await self._campaigns()
            smaller = narrowed(part, self._request, campaigns)
        if not smaller:
            if self._by_task is None:
                raise error
            self._story.note(self._narrowing(part, "it timed out: as a task"))
            return [await self._by_task(part)]
        self._story.note(self._narrowing(part, f"it timed out: in {len(smaller)} parts"))
        return await self._all(smaller)

    async def _all(self, slices: list[Slice]) -> list[Part]:
        """One after the other: TikTok has just said that it is too much."""
        found: list[Part] = []
        try:
            for each in slices:
                found += await self.parts(each)
        except BaseException:
            for part in found:
                part.close()
            raise
        return found

    def _narrowing(self, part: Slice, how: str) -> Notice:
        text = f"{part.first} to {part.last}: {how}"
        return Notice(NoticeKind.NARROWED, endpoints.REPORT.path, text, incomplete=False)

    def _about(self) -> About:
        return About(endpoints.REPORT.path, self._request.advertiser_id)
