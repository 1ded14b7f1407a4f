"""Several things at once, their results in order; whatever happens, none is left behind."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")
Make = Callable[[], Coroutine[Any, Any, T]]


class Tasks:
    """The tasks of one client, so that closing it ends those of lists that nobody read to the
    end."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, make: Make[T]) -> asyncio.Task[T]:
        task = asyncio.create_task(make())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def end(self, tasks: Iterable[asyncio.Task[Any]] | None = None) -> None:
        """Cancel these, or all, and wait until they are gone. Their errors are nobody's."""
        ending = list(self._running if tasks is None else tasks)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    async def in_order(
        self, makers: Iterable[Make[T]], width: int, discard: Callable[[T], None] | None = None
    ) -> AsyncGenerator[T, None]:
        """The results of `makers`, at most `width` of them under way. Close it (`aclosing`): what
        is under way then ends, and `discard` is told of results that nobody took."""
        under_way: deque[asyncio.Task[T]] = deque()
        left = iter(makers)
        try:
            while True:
                while len(under_way) < width and (make := next(left, None)) is not None:
                    under_way.append(self.start(make))
                if not under_way:
                    return
                result = await under_way[0]
                under_way.popleft()
                yield result
        finally:
            await self.end(under_way)
            for task in under_way:
                if discard and not task.cancelled() and task.exception() is None:
                    discard(task.result())
