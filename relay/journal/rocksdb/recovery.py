"""After a failure: open the folder again and again until it works."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from relay.clock import Clock
from relay.errors import JournalUnavailable
from relay.journal.rocksdb.trouble import Damaged

#: Pauses, in seconds, before the attempts to open the folder again.
REOPEN_PAUSES_S = (0.2, 1.0, 2.0, 5.0)
#: A failure so many seconds after a recovery is a new one; before that the pauses go on growing,
#: so that a folder that cannot be mended is not mended all the time.
CALM_S = 60.0

#: Opens the folder again; told of a damage that is to be mended first.
Reopen = Callable[[Damaged | None], Awaitable[None]]


class Recovery:
    """Whether the journal works, and the way back when it does not."""

    def __init__(
        self, reopen: Reopen, clock: Clock, on_failure: Callable[[Exception], None]
    ) -> None:
        self._reopen = reopen
        self._clock = clock
        self._on_failure = on_failure
        self._healthy = asyncio.Event()
        self._healthy.set()
        self._closed = False
        self._task: asyncio.Task[None] | None = None
        self._attempts = 0
        self._recovered_at = float("-inf")

    @property
    def healthy(self) -> bool:
        return self._healthy.is_set() and not self._closed

    async def until_healthy(self) -> None:
        """Return once the journal works; raises `JournalUnavailable` when it is closed."""
        await self._healthy.wait()
        if self._closed:
            raise JournalUnavailable("the journal is closed")

    def failed(self, error: Exception) -> None:
        """Stop, and begin to recover."""
        self._healthy.clear()
        self._on_failure(error)
        if self._closed or (self._task is not None and not self._task.done()):
            return
        if self._clock.monotonic() - self._recovered_at > CALM_S:
            self._attempts = 0
        work = self._recover(error if isinstance(error, Damaged) else None)
        self._task = asyncio.get_running_loop().create_task(work)

    async def _recover(self, damage: Damaged | None) -> None:
        while True:
            pause = REOPEN_PAUSES_S[min(self._attempts, len(REOPEN_PAUSES_S) - 1)]
            self._attempts += 1
            await self._clock.sleep(pause)
            try:
                await self._reopen(damage)
            except Exception as error:  # whatever it is: giving up would be for good
                damage = error if isinstance(error, Damaged) else damage
                self._on_failure(error)
                continue
            self._recovered_at = self._clock.monotonic()
            self._healthy.set()
            return

    async def close(self) -> None:
        """Recover no more; whoever waits is told."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._healthy.set()
