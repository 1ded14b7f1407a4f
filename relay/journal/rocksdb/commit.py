"""Group commit: many writers, one write, one sync outside the event loop and outside the GIL.

job ─┐                                  ┌─▶ the jobs' futures
job ─┼─▶ prepare ─▶ write (no sync) ─▶ sync (thread)
job ─┘     jobs that come meanwhile wait and form the next group
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from relay.errors import JournalUnavailable

_T = TypeVar("_T")
_LONGEST = 200


class Group(Protocol):
    """What a group commit works on."""

    def write(self, jobs: Sequence[object]) -> Sequence[object]:
        """Write all jobs atomically and return their results, in order. The result of a job that
        cannot be written, whatever the disk does, is an exception. Raises when nothing can."""
        ...

    def sync(self) -> None:
        """Make what was written durable; runs in a thread."""
        ...

    def synced(self) -> None:
        """Told in the event loop when the last write is durable."""
        ...


class GroupCommit:
    """Runs jobs through a `Group`. On failure every waiting job gets `JournalUnavailable`, and
    nothing more is taken until `restart`."""

    def __init__(self, group: Group, on_failure: Callable[[Exception], None]) -> None:
        self._group = group
        self._on_failure = on_failure
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal-sync")
        self._waiting: list[tuple[object, asyncio.Future[Any]]] = []
        self._syncing: list[tuple[asyncio.Future[Any], object]] = []
        self._scheduled = False
        self._idle = asyncio.Event()
        self._idle.set()
        self.broken: str | None = None

    def submit(self, job: object) -> asyncio.Future[Any]:
        """Raises `JournalUnavailable` at once while broken."""
        if self.broken is not None:
            raise JournalUnavailable(self.broken)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((job, future))
        self._idle.clear()
        if not self._scheduled and not self._syncing:
            # Not at once: other handlers that are ready in this turn of the loop join the group.
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)
        return future

    def _flush(self) -> None:
        self._scheduled = False
        group, self._waiting = self._waiting, []
        if not group:
            return
        futures = [future for _, future in group]
        try:
            results = self._group.write([job for job, _ in group])
        except Exception as error:  # whatever it is, nobody gets a receipt
            self._fail(error, futures)
            return
        self._syncing = list(zip(futures, results, strict=True))
        sync = asyncio.get_running_loop().run_in_executor(self._thread, self._group.sync)
        sync.add_done_callback(self._synced)

    def _synced(self, sync: asyncio.Future[None]) -> None:
        done, self._syncing = self._syncing, []
        futures = [future for future, _ in done]
        try:
            sync.result()
            self._group.synced()
        except asyncio.CancelledError:
            self._fail(JournalUnavailable("the sync was cut short"), futures)
            return
        except Exception as error:  # as above
            self._fail(error, futures)
            return
        for future, result in done:
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
        if self._waiting:
            self._flush()
        else:
            self._idle.set()

    def fail(self, error: Exception) -> None:
        """Something beside the groups found that the disk does not work: stop as they would."""
        if self.broken is None and not self._syncing:
            self._fail(error, ())

    def _fail(self, error: Exception, futures: Sequence[asyncio.Future[Any]]) -> None:
        self.broken = f"storing failed: {str(error)[:_LONGEST]}"
        waiting, self._waiting = self._waiting, []
        for future in (*futures, *(future for _, future in waiting)):
            if not future.done():
                future.set_exception(JournalUnavailable(self.broken))
        self._idle.set()
        self._on_failure(error)
        _let_go(error)

    def restart(self) -> None:
        """Take jobs again, after the group was mended."""
        self.broken = None

    async def in_thread(self, work: Callable[[], _T]) -> _T:
        """Run `work` where syncs run, so that `close` waits for it."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def close(self, why: str) -> None:
        """Take no more jobs, finish those that were taken, and end the thread."""
        self.broken = self.broken or why
        await self._idle.wait()
        await asyncio.to_thread(self._thread.shutdown)


def _let_go(error: BaseException | None) -> None:
    """Forget where an error came from: its frames hold iterators, and those the database."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
