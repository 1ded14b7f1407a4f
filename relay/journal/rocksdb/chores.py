"""What the journal does beside its groups: booking what is lost, erasing people, forgetting."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from relay.errors import JournalUnavailable
from relay.journal.queue import Queue
from relay.journal.rocksdb import claims, erase
from relay.journal.rocksdb.engine import Engine
from relay.journal.rocksdb.erase import EraseJob
from relay.journal.rocksdb.search import Search
from relay.journal.rocksdb.settle import LostJob
from relay.journal.rocksdb.upkeep import Upkeep


class Chores:
    """Runs them as tasks of its own; `close` ends those."""

    def __init__(self, engine: Engine, search: Search, upkeep: Upkeep) -> None:
        self._engine = engine
        self._store = engine.store
        self._search = search
        self._upkeep = upkeep
        self._tasks: set[asyncio.Task[None]] = set()
        self._erasing = False

    # --- entries that are lost --------------------------------------------------------------------

    def lost(self, queue: Queue, start: int, end: int) -> None:
        """Entries cannot be read: pass them by now, book them as soon as their claims are known."""
        self._engine.listeners.on_damage(end - start)
        queue.take(start, end)
        self._begin(self._book_lost(queue, start, end))

    async def _book_lost(self, queue: Queue, start: int, end: int) -> None:
        try:
            owned = await asyncio.to_thread(
                claims.owned_by, self._store.folder, queue.day_of(start), queue.number, (start, end)
            )
            await self._engine.submit(LostJob(queue.destination, start, end, owned))
        except JournalUnavailable:
            queue.give_back_free(start, end)  # so that they are met again

    # --- people who are to be forgotten -----------------------------------------------------------

    async def erase(self, digests: Sequence[str]) -> int:
        """See `protocol.Intake.erase`."""
        seqs = await asyncio.to_thread(erase.entries_of, self._search, digests)
        erased = await self._erase(digests, seqs)
        # Once more: an entry may have become a dead letter while they were being looked through.
        await self._erase(digests, {})
        return erased

    async def _erase(self, digests: Sequence[str], seqs: Mapping[str, set[int]]) -> int:
        letters = await asyncio.to_thread(erase.letters_of, self._search, digests)
        samples = await asyncio.to_thread(erase.samples_of, self._search, digests, seqs)
        if not seqs and not letters and not samples:
            return 0
        erased: int = await self._engine.submit(EraseJob(digests, seqs, letters, samples))
        return erased

    async def _erase_later(self) -> None:
        """Erase what was on its way when it was to be erased, and is back."""
        queues = {queue.number: queue for queue in self._store.state.queues.values()}
        try:
            for (lane, seq), digests in list(self._store.state.to_erase.items()):
                queue = queues.get(lane)
                if queue is not None and not queue.is_on_its_way(seq):
                    await self._erase(digests, {queue.destination: {seq}})
        except JournalUnavailable:
            return  # it stays noted
        finally:
            self._erasing = False

    # --- what is past its time --------------------------------------------------------------------

    def step(self, now: float) -> bool:
        """One small step; True when there is more to do at once."""
        if self._store.state.to_erase and not self._erasing:
            self._erasing = True
            self._begin(self._erase_later())
        try:
            with self._engine.reading():
                return self._upkeep.step(now)
        except JournalUnavailable:
            return False

    # --- tasks ------------------------------------------------------------------------------------

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
