"""How many requests a second one token may make: a token bucket that learns.

TikTok publishes no limit for the Events API, and what integrations claim differs by a factor of
60. So: start at a ceiling below the lowest claim, cut the rate on a throttle code, climb back while
requests succeed. Near the rate that last met a throttle it climbs ten times slower than elsewhere,
so that it stays close below a real limit and still finds a raised one soon.
"""

from __future__ import annotations

import math
from typing import NamedTuple

DEFAULT_CEILING = 10.0
DEFAULT_FLOOR = 0.1

#: What a throttle leaves of the rate, and what another one leaves that follows without a success.
_CUT = 0.8
_DEEP_CUT = 0.5

#: Climb per second of success: at most this share of the ceiling and that of the rate; near the
#: wall, a share of the wall. The wall is the rate that met the last throttle, and near is between
#: these shares of it.
_CLIMB = 0.05
_CLIMB_OF_RATE = 0.3
_SLOW_CLIMB = 0.01
_NEAR = (0.75, 1.1)

#: Time without an answer is no proof that more would have been accepted.
_LONGEST_PROOF_S = 1.0


class LimiterState(NamedTuple):
    """What a limiter has learned and given away: the rate, the rate that met the last throttle, the
    moments (see `Limiter`) it goes by, and the throttles in a row."""

    rate: float
    wall: float | None = None
    next_at: float = -math.inf
    held_until: float = -math.inf
    cut_at: float = -math.inf
    proved_at: float = -math.inf
    streak: int = 0


class Limiter:
    """The request budget of one token, in requests a second; lanes with the same token share it.

    `reserve` hands out moments to send at, in the order of asking, so that no lane starves
    another. All times are seconds of one clock.
    """

    def __init__(
        self, *, ceiling: float = DEFAULT_CEILING, floor: float = DEFAULT_FLOOR, burst: int = 1
    ) -> None:
        if not 0 < floor <= ceiling:
            raise ValueError("the floor must be above 0 and not above the ceiling")
        self._ceiling = ceiling
        self._floor = floor
        self._spare = max(0, burst - 1)
        self._rate = ceiling
        self._wall: float | None = None
        self._next_at = float("-inf")
        self._held_until = float("-inf")
        self._cut_at = float("-inf")
        self._proved_at = float("-inf")
        self._streak = 0

    @property
    def state(self) -> LimiterState:
        """What `restore` takes."""
        return LimiterState(
            self._rate,
            self._wall,
            self._next_at,
            self._held_until,
            self._cut_at,
            self._proved_at,
            self._streak,
        )

    def restore(self, state: LimiterState) -> None:
        """Go on from there, within the own ceiling and floor."""
        self._rate = max(self._floor, min(self._ceiling, state.rate))
        self._wall = state.wall
        self._next_at = state.next_at
        self._held_until = state.held_until
        self._cut_at = state.cut_at
        self._proved_at = state.proved_at
        self._streak = state.streak

    @property
    def rate(self) -> float:
        """Requests a second that are allowed now."""
        return self._rate

    @property
    def streak(self) -> int:
        """Throttles in a row without a success between them."""
        return self._streak

    def free_at(self, now: float) -> float:
        """The moment that `reserve` would give."""
        return max(now, self._held_until, self._next_at)

    def reserve(self, now: float, *, probe: bool = False) -> float:
        """Take the next free moment to send at, `now` or later; it belongs to the caller."""
        gap = 1.0 / self._rate
        at = self.free_at(now)
        self._next_at = max(self._next_at, at - self._spare * gap) + gap
        return at

    def still_good(self, moment: float, *, now: float = -math.inf, probe: bool = False) -> bool:
        """False for a moment reserved before a throttle that forbids it: reserve another."""
        return moment >= self._held_until

    def succeeded(self, now: float) -> None:
        """A request was not throttled."""
        self._streak = 0
        proof_s = min(max(0.0, now - self._proved_at), _LONGEST_PROOF_S)
        self._proved_at = now
        self._rate = min(self._ceiling, self._rate + self._climb() * proof_s)

    def _climb(self) -> float:
        wall = self._wall
        if wall is not None and _NEAR[0] * wall <= self._rate <= _NEAR[1] * wall:
            return _SLOW_CLIMB * wall
        return min(_CLIMB * self._ceiling, _CLIMB_OF_RATE * self._rate)

    def throttled(self, now: float, *, started_at: float, hold_s: float) -> None:
        """A request that began at `started_at` was throttled: nobody sends for `hold_s`.

        Requests that were under way when the rate was cut say nothing new about the lower rate.
        """
        self._held_until = max(self._held_until, now + hold_s)
        self._proved_at = now
        if started_at <= self._cut_at:
            return
        self._streak += 1
        self._wall = self._rate
        left = _CUT if self._streak == 1 else _DEEP_CUT
        self._rate = max(self._floor, self._rate * left)
        self._cut_at = now
