"""One token's budget: what a replica holds of it, and what happens in the row that all share. Pure.

A replica holds moments that it leased (`TokenShare`); the row holds what the limiter knows, by the
database's clock (`Ledger`), and `lease` is what a replica does there, alone at that time.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from relay.deliver.limiter import Limiter, LimiterState
from relay.deliver.shared.far_clock import FarClock

#: A moment may be used so much later than it says, in seconds: what an event loop may be late.
GOOD_FOR_S = 0.5

#: A replica that has the token for itself leases what it needs for so long, in seconds.
AHEAD_S = 0.5

#: One that has not gets, of what it needs, so much at a time, in seconds of the token's rate: less
#: than one moment unless the rate is high.
SHARE_S = 0.02

#: Who leased within this time after another replica has the token not for itself, in seconds.
CONTESTED_FOR_S = 1.0


class Report(NamedTuple):
    """What an answer said about the rate. `hold_s` is None for a request that was not throttled."""

    at: float
    started_at: float = 0.0
    hold_s: float | None = None


class Request(NamedTuple):
    """What a replica wants of a token's row: a moment for each of `waiting` lanes, up to `ahead`
    more as far as others leave them, and what it has to tell. Times by the replica's clock."""

    waiting: frozenset[int] = frozenset()
    ahead: int = 0
    reports: tuple[Report, ...] = ()


class Ledger(NamedTuple):
    """A token's row. Times by the database's clock."""

    limits: LimiterState
    lessee: str | None = None
    leased_at: float = -math.inf
    contested_at: float = -math.inf


class Grant(NamedTuple):
    """What came of a request: the row as it is now, and the moments, by the database's clock."""

    ledger: Ledger
    moments: tuple[float, ...]
    alone: bool


def lease(ledger: Ledger, limiter: Limiter, request: Request, *, lessee: str, now: float) -> Grant:
    """Do what `request` wants (its times, too, by the database's clock) at the database's `now`.

    `limiter` gives ceiling and floor; its state is overwritten.
    """
    limiter.restore(ledger.limits)
    for report in request.reports:
        if report.hold_s is None:
            limiter.succeeded(report.at)
        else:
            limiter.throttled(report.at, started_at=report.started_at, hold_s=report.hold_s)
    if not request.waiting and not request.ahead:
        return Grant(ledger._replace(limits=limiter.state), (), alone=False)
    contested_at = ledger.contested_at
    other = ledger.lessee is not None and ledger.lessee != lessee
    if other and now - ledger.leased_at < CONTESTED_FOR_S:
        contested_at = now
    alone = now - contested_at >= CONTESTED_FOR_S
    moments = [limiter.reserve(now) for _ in request.waiting]
    ahead = request.ahead if alone else min(request.ahead, int(limiter.rate * SHARE_S))
    while ahead > 0 and limiter.free_at(now) <= now + AHEAD_S:
        moments.append(limiter.reserve(now))
        ahead -= 1
    return Grant(Ledger(limiter.state, lessee, now, contested_at), tuple(moments), alone)


class TokenShare:
    """What one replica holds of a token's budget; its lanes take from it. Times by the own clock.

    `ask` is called when something is wanted of the row, or has to be told: whoever keeps the row
    then calls `request`, and afterwards `granted` or `failed`.
    """

    def __init__(self, ask: Callable[[], None]) -> None:
        self._ask = ask
        self._moments: deque[float] = deque()
        self._taken: deque[float] = deque()
        self._waiting: set[int] = set()
        self._reports: list[Report] = []
        self._held_until = -math.inf
        self._cut_at = -math.inf
        self._alone = False
        self.streak = 0
        self.rate: float | None = None

    # --- for lanes --------------------------------------------------------------------------------

    def take(self, lane: int, now: float) -> float:
        """A moment to send at, or `inf`: one is asked for. `lane` is a number of the lane."""
        while self._moments and not self.still_good(self._moments[0], now):
            self._moments.popleft()
        if not self._moments:
            self._waiting.add(lane)
            self._ask()
            return math.inf
        self._waiting.discard(lane)
        self._taken.append(now)
        if self._alone and 2 * len(self._moments) <= self._needed(now):
            self._ask()
        return self._moments.popleft()

    def still_good(self, moment: float, now: float) -> bool:
        """Not held by a throttle meanwhile, and not out of date."""
        return self._held_until <= moment < math.inf and now <= moment + GOOD_FOR_S

    def succeeded(self, now: float) -> None:
        """Told with the next request; more than the last one there is no need to tell."""
        self.streak = 0
        if self._reports and self._reports[-1].hold_s is None:
            self._reports.pop()
        self._reports.append(Report(now))

    def throttled(self, now: float, *, started_at: float, hold_s: float) -> None:
        """Holds this replica at once, and all others as soon as they are told."""
        if started_at > self._cut_at:
            self.streak += 1
            self._cut_at = now
        self._held_until = max(self._held_until, now + hold_s)
        self._reports.append(Report(now, started_at, hold_s))
        self._ask()

    def _needed(self, now: float) -> int:
        """How many were taken lately: so many will be needed in the same time to come."""
        while self._taken and self._taken[0] < now - AHEAD_S:
            self._taken.popleft()
        return len(self._taken)

    # --- for the keeper of the row ----------------------------------------------------------------

    def request(self, now: float) -> Request | None:
        """What to do in the row now; None: nothing. It is under way until `granted` or `failed`."""
        ahead = max(0, self._needed(now) - len(self._moments))
        urgent = any(report.hold_s is not None for report in self._reports)
        if not self._waiting and not (self._alone and ahead) and not urgent:
            return None
        request = Request(frozenset(self._waiting), ahead, tuple(self._reports))
        self._waiting.clear()
        self._reports.clear()
        return request

    def granted(self, grant: Grant, clock: FarClock) -> None:
        """It was done."""
        self._moments.extend(clock.not_before(moment) for moment in grant.moments)
        if grant.moments:
            self._alone = grant.alone
        self.seen(grant.ledger.limits, clock)

    def failed(self, request: Request) -> None:
        """It was not done, or nobody knows: it is to be asked again."""
        self._waiting |= request.waiting
        self._reports[:0] = request.reports[-_MOST_REPORTS:]

    def seen(self, limits: LimiterState, clock: FarClock) -> None:
        """The row says this, whoever wrote it."""
        self._held_until = max(self._held_until, clock.not_before(limits.held_until))
        self._cut_at = max(self._cut_at, clock.not_before(limits.cut_at))
        self.rate = limits.rate
        if not self._reports:
            self.streak = limits.streak


#: Reports that are kept while the database is away: what is older says nothing about the rate now.
_MOST_REPORTS = 16
