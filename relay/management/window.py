"""How many calls TikTok may count in the present second, though it does not say when it counts.
Pure.

A call is counted some time between its request and its answer; as a rule soon. When a server
stalls, what was sent meanwhile is counted in one moment afterwards, and a client that kept its pace
all the time is too fast all the same. So a call counts until a second after its answer; if the
answer is slow as usual, until a second after it should have been counted.
"""

from __future__ import annotations

from collections import deque
from typing import Final

_SECOND_S: Final = 1.0

#: Calls whose time tells what is usual, and what counts as much longer than that.
_REMEMBERED: Final = 64
_ENOUGH: Final = 32
_USUAL_AT_FIRST_S: Final = 0.03
_TIMES_AS_LONG: Final = 3.0
_LONGER_BY_S: Final = 0.1

#: So soon a call is counted, where nothing stalls.
_SOON_S: Final = 0.15


class Window:
    """At most `most` calls in a second, whenever they are counted. Times are of one clock."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: list[float] = []
        self._counted_until: deque[float] = deque()
        self._durations: deque[float] = deque(maxlen=_REMEMBERED)
        self._late_after_s = self._late()

    def has_room(self, now: float) -> bool:
        """Whether one more may be sent."""
        while self._counted_until and self._counted_until[0] <= now:
            self._counted_until.popleft()
        late_before, early_after = now - self._late_after_s, now - _SECOND_S - _SOON_S
        under_way = sum(at < late_before or at > early_after for at in self._under_way)
        return under_way + len(self._counted_until) < self._most

    def sent(self, now: float) -> None:
        self._under_way.append(now)

    def answered(self, sent_at: float, now: float) -> None:
        """A call that was sent then has ended, with an answer or without."""
        self._under_way.remove(sent_at)
        duration = now - sent_at
        is_late = duration > self._late_after_s
        counted_at = now if is_late else min(now, sent_at + _SOON_S)
        if counted_at + _SECOND_S > now:
            self._insert(counted_at + _SECOND_S)
        self._durations.append(duration)
        self._late_after_s = self._late()

    def _insert(self, until: float) -> None:
        """Keep them in order; most come in order."""
        later = []
        while self._counted_until and self._counted_until[-1] > until:
            later.append(self._counted_until.pop())
        self._counted_until.append(until)
        self._counted_until.extend(reversed(later))

    def _late(self) -> float:
        """By the quickest call, for in a bad time most calls are late ones."""
        usual = min(self._durations, default=_USUAL_AT_FIRST_S)
        if len(self._durations) < _ENOUGH:
            usual = min(usual, _USUAL_AT_FIRST_S)
        return _TIMES_AS_LONG * usual + _LONGER_BY_S
