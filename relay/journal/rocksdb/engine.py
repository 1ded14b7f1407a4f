"""The running part of the journal: an open folder, the group commit on it, and its recovery."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relay.clock import Clock
from relay.errors import JournalUnavailable
from relay.journal.queue import Queue
from relay.journal.rocksdb import seal
from relay.journal.rocksdb.commit import GroupCommit
from relay.journal.rocksdb.folder import Folder
from relay.journal.rocksdb.lock import FolderLock
from relay.journal.rocksdb.opening import open_folder
from relay.journal.rocksdb.recovery import Recovery
from relay.journal.rocksdb.store import Store
from relay.journal.rocksdb.trouble import Damaged

#: How often, in seconds, the folder and its disk are looked at while events come in.
CHECK_INTERVAL_S = 1.0


@dataclass(frozen=True, slots=True)
class Listeners:
    """Whom the engine tells: of records that cannot be read (how many), of errors that stop
    storing, of entries that are lost (a destination's seqs), of news for a destination."""

    on_damage: Callable[[int], None]
    on_failure: Callable[[Exception], None]
    on_lost: Callable[[Queue, int, int], None]
    on_news: Callable[[str], None]


class Engine:
    """Opens the folder and keeps it open. `window_s` says how long a destination's claims last.

    Raises `JournalLocked`, `JournalSealed`, `JournalFormat` or `JournalUnavailable`.
    """

    def __init__(
        self,
        path: Path,
        min_free_bytes: int,
        clock: Clock,
        window_s: Callable[[str], float],
        listeners: Listeners,
    ) -> None:
        self._path = path
        self._min_free_bytes = min_free_bytes
        self._clock = clock
        self.listeners = listeners
        self._checked_at = float("-inf")
        self._closed = False
        self._lock = FolderLock(path)
        try:
            seal.check(path)
            self._folder = self._open(create=True, damage=None)
        except BaseException:
            self._lock.release()
            raise
        self.store = Store(
            self._folder,
            clock.now,
            window_s,
            on_damage=listeners.on_damage,
            on_lost=listeners.on_lost,
            on_news=listeners.on_news,
        )
        self.recovery = Recovery(self._reopen, clock, listeners.on_failure)
        self._commit = GroupCommit(self.store, self.recovery.failed)

    @property
    def healthy(self) -> bool:
        return self.recovery.healthy

    def submit(self, job: object) -> asyncio.Future[Any]:
        """The result of a job once it is durable. Raises `JournalUnavailable`."""
        return self._commit.submit(job)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Around reading the folder in the event loop: what goes wrong begins a recovery.

        Raises `JournalUnavailable`, also when the journal does not work already.
        """
        if not self.healthy:
            raise JournalUnavailable
        try:
            yield
        except JournalUnavailable as error:
            self._commit.fail(error)
            raise

    def check(self) -> None:
        """Raise `JournalUnavailable` when storing is not possible now; looks once a second."""
        if not self.healthy:
            raise JournalUnavailable
        now = self._clock.monotonic()
        if now - self._checked_at > CHECK_INTERVAL_S:
            self._folder.check()
            self._checked_at = now

    # --- opening, opening again, closing ----------------------------------------------------------

    def _open(self, *, create: bool, damage: Damaged | None) -> Folder:
        opened = open_folder(
            self._path, create=create, min_free_bytes=self._min_free_bytes, damage=damage
        )
        if opened.damages:
            self.listeners.on_damage(opened.damages)
        return opened.folder

    async def _reopen(self, damage: Damaged | None) -> None:
        await self._commit.in_thread(lambda: self._open_again(damage))
        self.store.load(self._folder)
        self._checked_at = float("-inf")
        self._commit.restart()
        for destination in self.store.state.queues:
            self.listeners.on_news(destination)

    def _open_again(self, damage: Damaged | None) -> None:
        self._folder.close()
        gc.collect()  # whatever still refers to the old database keeps its lock
        self._folder = self._open(create=False, damage=damage)
        self._folder.check()

    async def close(self) -> None:
        """Finish what is being written, then let go of the folder; asking twice does no harm."""
        if self._closed:
            return
        self._closed = True
        await self.recovery.close()
        await self._commit.close("the journal is closed")
        self._folder.close()
        self._lock.release()
