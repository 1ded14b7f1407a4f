"""A report as a task: created once, gone on with after a crash, cancelled with whoever waits for
it; its file downloaded until it is whole."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import Final

from relay.backoff import delay
from relay.management import endpoints
from relay.management.errors import (
    About,
    AnswerUnreadable,
    CallRefused,
    ManagementError,
    TaskFailed,
)
from relay.management.http.calls import Caller
from relay.management.http.connection import Write
from relay.management.http.polling import made
from relay.management.notices import Notice, NoticeKind
from relay.management.reports.http.file import ReportFile
from relay.management.reports.http.parts import File, Story
from relay.management.reports.progress import Progress, Stage
from relay.management.reports.request import ReportRequest
from relay.management.reports.rows import RowReader
from relay.management.reports.slices import task_params, whole
from relay.management.reports.table import Broken, Scan, Table
from relay.management.reports.tasks import Remembered, TaskState, TaskStore, key_of

#: What a cancelled reader still gives TikTok's cancellation.
_CANCEL_S: Final = 5.0

_DOWNLOADS: Final = 4

_STAGES: Final = {
    TaskState.QUEUED: (Stage.QUEUED, "the report waits at TikTok"),
    TaskState.MAKING: (Stage.MAKING, "TikTok makes the report"),
}


class TaskReader:
    """Has reports made, and fetches them."""

    def __init__(self, caller: Caller, store: TaskStore, reader: RowReader, story: Story) -> None:
        self._caller = caller
        self._store = store
        self._reader = reader
        self._story = story

    async def part(self, request: ReportRequest) -> File:
        """The whole request as a file. Raises `TaskFailed`, `DeadlineExceeded` (it can be gone on
        with), `AnswerUnreadable` (the file is not whole)."""
        self._note_deleted(request)
        key = key_of(request, self._caller.token())
        remembered = self._store.recall(key)
        if remembered and remembered.is_fresh(self._caller.clock.now()):
            try:
                return await self._finished(request, remembered.task_id, key)
            except (TaskFailed, CallRefused):
                self._store.forget(key)  # TikTok does not have it any more: make it anew
        created = await self._caller.call(
            endpoints.REPORT_TASK, task_params(request, whole(request))
        )
        task_id = created.data.id("task_id")
        self._store.remember(key, Remembered(task_id, self._caller.clock.now()))
        return await self._finished(request, task_id, key)

    async def _finished(self, request: ReportRequest, task_id: str, key: str) -> File:
        states: list[TaskState] = []

        def on_state(state: TaskState) -> None:
            states.append(state)
            if state in _STAGES:
                stage, text = _STAGES[state]
                self._story.tell(Progress(stage, text, len(states)))

        asked = {"advertiser_id": request.advertiser_id, "task_id": task_id}
        try:
            await made(self._caller, endpoints.REPORT_CHECK, **asked, on_state=on_state)
            return await self._downloaded(asked, key)
        except asyncio.CancelledError:
            self._store.forget(key)
            if TaskState.DONE not in states:
                with suppress(ManagementError):
                    await self._caller.call(endpoints.REPORT_CANCEL, asked, within_s=_CANCEL_S)
            raise
        except TaskFailed:
            self._store.forget(key)
            raise

    async def _downloaded(self, asked: dict[str, str], key: str) -> File:
        file = ReportFile()
        try:
            table = await self._whole(file, asked)
            about = _about(asked)
            places = self._reader.columns(table.titles, about)
        except BaseException:
            file.close()
            raise
        return File(file, self._reader, places, about, partial(self._store.forget, key))

    async def _whole(self, file: ReportFile, asked: dict[str, str]) -> Table:
        """Download until the file is whole; one that twice ends without a line break, alike, is
        taken and said to be incomplete."""
        problem, unended = "", b""
        for attempt in range(1, _DOWNLOADS + 1):
            try:
                await self._fetched(file, asked)
                table = await self._scanned(file)
            except Broken as broken:
                problem = str(broken)
            else:
                if table.ends_with_newline:
                    return table
                if file.digest == unended:
                    self._note_unended()
                    return table
                problem, unended = "it ends without a line break", file.digest
            if attempt < _DOWNLOADS:
                backoff = self._caller.patience.backoff
                await self._caller.clock.sleep(delay(attempt, backoff, self._caller.roll()))
        raise AnswerUnreadable(
            f"The file of the report is not whole: {problem}", _about(asked), field="file"
        )

    async def _fetched(self, file: ReportFile, asked: dict[str, str]) -> None:
        """The file, from TikTok's answer or from the address in it. Raises `Broken`."""

        def divert(first: bytes) -> Write | None:
            if first.lstrip().startswith(b"{"):
                return None
            file.start_over()
            return self._counting(file)

        file.start_over()
        answer = await self._caller.call(endpoints.REPORT_DOWNLOAD, asked, divert=divert)
        if file.size:
            return
        url = answer.data.text("download_url")
        if not url:
            raise answer.data.unreadable("download_url", "is missing")
        within_s = self._caller.patience.file_s
        found = await self._caller.connection.fetch(url, self._counting(file), within_s=within_s)
        if found.status != 200:
            # Also an address that holds no longer: the next try gets another.
            raise Broken(f"it did not come ({found.error or f'HTTP {found.status}'})")

    def _counting(self, file: ReportFile) -> Write:
        def write(piece: bytes) -> None:
            file.write(piece)
            self._story.tell(Progress(Stage.DOWNLOADING, "downloading the report", file.size))

        return write

    async def _scanned(self, file: ReportFile) -> Table:
        scan = Scan(file.file)
        for _rows in scan:
            await asyncio.sleep(0)  # a year of ads takes seconds: others get their turn
        if scan.table is None:
            raise Broken("it has no end")
        return scan.table

    def _note_deleted(self, request: ReportRequest) -> None:
        if request.status_filter is None:
            return
        text = "a task cannot be told to include deleted objects: compare with the account's sums"
        path = endpoints.REPORT_TASK.path
        self._story.note(Notice(NoticeKind.DELETED_UNKNOWN, path, text, incomplete=False))

    def _note_unended(self) -> None:
        text = "the file ends without a line break: its last rows may be missing"
        path = endpoints.REPORT_DOWNLOAD.path
        self._story.note(Notice(NoticeKind.NO_FINAL_NEWLINE, path, text, incomplete=True))


def _about(asked: dict[str, str]) -> About:
    return About(endpoints.REPORT_DOWNLOAD.path, asked["advertiser_id"])
