"""One report, from the choice of the way to the last row."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from relay.management import endpoints
from relay.management.errors import TimedOut
from relay.management.http.ahead import Make, Tasks
from relay.management.http.calls import Caller
from relay.management.http.lists import Lists, Question
from relay.management.http.reads import filtered
from relay.management.models.hierarchy import read_campaign
from relay.management.notices import Notice, NoticeKind
from relay.management.query import in_parts
from relay.management.reports.choice import Choice, by_size, early
from relay.management.reports.http.pages import SyncReader
from relay.management.reports.http.parts import Part, Story
from relay.management.reports.http.task import TaskReader
from relay.management.reports.progress import Progress, Stage
from relay.management.reports.request import ReportRequest, Way
from relay.management.reports.rows import ReportRow, RowReader, Value, added
from relay.management.reports.slices import (
    MOST_CAMPAIGNS,
    Slice,
    count_params,
    slices_of,
    whole,
    within_a_year,
)
from relay.management.reports.tasks import TaskStore

#: So many slices are under way at once: while one is handed out, TikTok makes the next ones.
_LEAST_WIDTH = 3


class Report:
    """The rows of one request: read it with `async for`, once. Rows stream; a year of ads is on
    disk at most.

    `chosen` says how it is read and why, once reading has begun. Afterwards `rows` says how many
    there were, `totals` are TikTok's own sums where they were asked for (of what adds up; None
    where it gave none), `notices` is what was said beside, and `is_complete` is False when not
    everything was there.
    """

    def __init__(
        self,
        request: ReportRequest,
        caller: Caller,
        lists: Lists,
        tasks: Tasks,
        store: TaskStore,
        story: Story,
    ) -> None:
        self.request = request
        self.chosen: Choice | None = None
        self.rows = 0
        self.totals: Mapping[str, Value] | None = None
        self._caller = caller
        self._lists = lists
        self._tasks = tasks
        self._story = story
        self._begun = False
        reader = RowReader(request, self._masked)
        self._by_task = TaskReader(caller, store, reader, story)
        may_be_task = request.way is not Way.SYNC and not request.at_once_only
        self._at_once = SyncReader(
            request,
            lists,
            reader,
            story,
            by_task=self._slice_by_task if may_be_task else None,
            campaigns=self._campaigns,
        )

    @property
    def notices(self) -> list[Notice]:
        return self._story.notices

    @property
    def is_complete(self) -> bool:
        return not any(notice.incomplete for notice in self.notices)

    def __aiter__(self) -> AsyncIterator[ReportRow]:
        if self._begun:
            raise RuntimeError("a report can be read once; ask the client for another")
        self._begun = True
        return self._read()

    async def all(self) -> list[ReportRow]:
        """Everything at once; mind the memory."""
        return [row async for row in self]

    async def _read(self) -> AsyncGenerator[ReportRow, None]:
        choice = await self._chose()
        makers, width = self._plan(choice)
        sums: dict[str, Value] | None = {} if self.request.totals else None
        async with aclosing(self._tasks.in_order(makers, width, _close)) as results:
            async for parts in results:
                try:
                    for part in parts:
                        for batch in part.batches():
                            for row in batch:
                                self.rows += 1
                                yield row
                            await asyncio.sleep(0)  # whoever else reads gets a turn
                        part.done()
                        sums = added(sums, self.request, part.totals)
                finally:
                    _close(parts)
        self.totals = sums
        self._story.tell(Progress(Stage.DONE, f"{self.rows} rows", self.rows, self.rows))

    # --- the way
    # -----------------------------------------------------------------------------------

    async def _chose(self) -> Choice:
        """Say how it will be read."""
        self._story.tell(Progress(Stage.CHOOSING, "counting the objects"))
        choice = early(self.request) or await self._by_size()
        self.chosen = choice
        self._story.about_calls = choice.calls
        how = "at once" if choice.way is Way.SYNC else "as a task"
        text = f"{how}: {choice.reason}"
        path = (endpoints.REPORT if choice.way is Way.SYNC else endpoints.REPORT_TASK).path
        self._story.note(Notice(NoticeKind.CHOSEN, path, text, incomplete=False))
        return choice

    async def _by_size(self) -> Choice:
        slices = slices_of(self.request)
        if self.request.ids:
            return by_size(self.request, slices, len(set(self.request.ids)), is_cut=False)
        objects, is_cut = 0, False
        for part in _counted(self.request):
            try:
                answer = await self._caller.call(endpoints.REPORT, count_params(self.request, part))
            except TimedOut:
                return Choice(Way.TASK, "counting the objects timed out")
            info = answer.data.record("page_info")
            objects += (info.count("total_number") if info else None) or 0
            is_cut |= any(each.kind is NoticeKind.IDS_CUT for each in answer.notices)
        return by_size(self.request, slices, objects, is_cut=is_cut)

    def _plan(self, choice: Choice) -> tuple[Iterable[Make[list[Part]]], int]:
        """What makes the parts, and how many of them at once."""
        if choice.way is Way.TASK:
            return [partial(self._whole_by_task)], 1
        slices = slices_of(self.request)
        pages_each = max(1, (choice.calls or len(slices)) // len(slices))
        width = max(_LEAST_WIDTH, self._caller.limits.in_flight // pages_each)
        # What is handed out first is read first: so its rows are read while others come.
        return (partial(self._at_once.parts, part, n) for n, part in enumerate(slices)), width

    async def _whole_by_task(self) -> list[Part]:
        return [await self._by_task.part(self.request)]

    async def _slice_by_task(self, part: Slice) -> Part:
        request = replace(
            self.request,
            first=part.first,
            last=part.last,
            ids=part.ids,
            campaign_ids=part.campaign_ids,
        )
        return await self._by_task.part(request)

    async def _campaigns(self) -> list[str]:
        """The ids of all campaigns, deleted ones too."""
        params = filtered(
            {"advertiser_id": self.request.advertiser_id}, primary_status="STATUS_ALL"
        )
        proven = await self._lists.read(Question(endpoints.CAMPAIGN, params), self._story.note)
        try:
            return [read_campaign(each).campaign_id for page in proven.pages() for each in page]
        finally:
            proven.close()

    def _masked(self, metric: str) -> None:
        text = f"`{metric}` is too small to be told in some rows"
        path = endpoints.REPORT.path
        self._story.note(Notice(NoticeKind.MASKED, path, text, incomplete=False))


def _counted(request: ReportRequest) -> Iterator[Slice]:
    """What to count, of a year at most: the objects of the time before are hardly more."""
    part = within_a_year(whole(request))
    for campaigns in in_parts(part.campaign_ids, MOST_CAMPAIGNS) or [[]]:
        yield replace(part, campaign_ids=tuple(campaigns))


def _close(parts: list[Part]) -> None:
    for part in parts:
        part.close()
