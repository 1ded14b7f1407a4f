"""Whose turn is it: what has just arrived, what waits longest, or what needs another attempt?

Without a backlog fresh entries leave oldest first, and parked works have every other request.

With one, what has just arrived must not queue behind hours of it, and the backlog must not starve:
the newest entries are taken every `live_every_s` (as long as such takes come full: again after one
other request), all other requests belong to the oldest entries and the parked works in turn. So a
fresh event waits for about `live_every_s` while the backlog drains, provided that there are more
requests than one in that time; the newest never have more than every other request, the oldest
never less than every fourth.
"""

from __future__ import annotations

from enum import Enum


class Turn(Enum):
    NEWEST = "newest"
    OLDEST = "oldest"
    AGAIN = "again"


class Turns:
    """Remembers who went last. All times are seconds of one clock."""

    def __init__(self, *, live_every_s: float) -> None:
        self._live_every_s = live_every_s
        self._last: Turn | None = None
        self._last_other = Turn.AGAIN
        self._newest_at = float("-inf")
        self._newest_full = False

    def next(self, now: float, *, fresh: bool, again: bool, backlog: bool) -> Turn | None:
        """Say who goes next, of those who want to; None when nobody does."""
        if fresh and backlog and self._newest_due(now):
            return Turn.NEWEST
        if fresh and again:
            return Turn.OLDEST if self._last_other is Turn.AGAIN else Turn.AGAIN
        if fresh:
            return Turn.OLDEST
        return Turn.AGAIN if again else None

    def took(self, turn: Turn, now: float, *, full: bool = False) -> None:
        """Book a request; `full` says that its batch left entries of its kind behind."""
        self._last = turn
        if turn is Turn.NEWEST:
            self._newest_at = now
            self._newest_full = full
        else:
            self._last_other = turn

    def _newest_due(self, now: float) -> bool:
        if self._last is Turn.NEWEST:
            return False
        return self._newest_full or now - self._newest_at >= self._live_every_s
