"""What connections have in common: how many there are, how long they have, and the time."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from enum import Enum
from typing import Protocol

from relay.clock import Clock
from relay.config import Limits
from relay.ingest.refusals import CROWDED, HEADER_TIMEOUT, Refused


class Phase(Enum):
    """What a connection is doing. It begins in `HEAD`: who connects has something to say."""

    HEAD = "head"
    ANSWERING = "answering"
    IDLE = "idle"


class Watched(Protocol):
    """A connection, as the watch sees it: `since` is when `phase` began, by `Watch.now`."""

    phase: Phase
    since: float

    def force_close(self) -> None: ...


class Watch:
    """Counts connections and closes those that do not get on.

    Its time is coarse: it moves with `tick`, which somebody has to call every `step_s` seconds.
    Asking the clock and spelling the date for each request would cost more than parsing it.
    """

    def __init__(self, limits: Limits, clock: Clock, on_refused: Callable[[Refused], None]) -> None:
        self._max = limits.max_connections
        self._header_timeout_s = limits.header_timeout
        self._clock = clock
        self._on_refused = on_refused
        self._members: set[Watched] = set()
        self.body_timeout_s = limits.body_timeout
        self.step_s = min(1.0, limits.header_timeout / 4)
        self.now = 0.0
        self.date = b""
        self._look_at_the_clock()

    def __len__(self) -> int:
        return len(self._members)

    def admit(self, connection: Watched) -> bool:
        """A connection was opened; False when there is no place for it. Where all are taken, the
        one that has been idle for longest makes way."""
        if len(self._members) >= self._max and not self._made_way():
            self._on_refused(CROWDED)
            return False
        self._members.add(connection)
        connection.since = self.now
        return True

    def leave(self, connection: Watched) -> None:
        """A connection was closed."""
        self._members.discard(connection)

    def refused(self, refused: Refused) -> None:
        """A connection turned a request away by itself."""
        self._on_refused(refused)

    def tick(self) -> None:
        """Move the time, and close what has taken too long over the head of a request."""
        self._look_at_the_clock()
        latest = self.now - self._header_timeout_s
        late = [each for each in self._members if each.phase is Phase.HEAD and each.since < latest]
        for connection in late:
            self._on_refused(HEADER_TIMEOUT)
            connection.force_close()

    def _made_way(self) -> bool:
        idle = [each for each in self._members if each.phase is Phase.IDLE]
        if not idle:
            return False
        longest = min(idle, key=lambda each: each.since)
        self._members.discard(longest)
        longest.force_close()
        return True

    def _look_at_the_clock(self) -> None:
        self.now = self._clock.monotonic()
        self.date = formatdate(self._clock.now(), usegmt=True).encode()
