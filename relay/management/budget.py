"""How many calls one token may make: shared by all that are under way at once. Pure.

TikTok limits an app: 10 calls a second and 600 a minute at its lowest level, 1 report task a
second; who asks for more in a minute is shut out for five (page "Rate limits", 1740029171730433, as
two others noted it). Ours stay below. All times are seconds of one clock.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from relay.backoff import Backoff, delay
from relay.management.endpoints import Rate
from relay.management.envelope import Failure

_MINUTE_S: Final = 60.0

#: What a throttle leaves of the rate, and what of the limit comes back in a second of success.
_CUT: Final = 0.7
_CLIMB: Final = 0.02
_LEAST_SHARE: Final = 0.1

#: Of the time between two calls, what is kept at least: 8 a second are then 9 at most.
_CLOSE: Final = 0.9

#: Time-outs in so many seconds that make us wait: half of what TikTok penalises.
_TIME_OUTS: Final = 5
_TIME_OUTS_S: Final = 10.0

#: One request may time out so often in so many seconds: one time less than what blocks it.
_SAME: Final = 2
_SAME_S: Final = 600.0

_THROTTLE_BACKOFF: Final = Backoff(base_s=2.0, cap_s=60.0, floor_s=1.0)

#: What TikTok writes while it shuts an app out for five minutes.
_RESTRICTED: Final = "temporarily restricted"

#: Tokens that are remembered.
_MOST_TOKENS: Final = 256


@dataclass(frozen=True, slots=True)
class Limits:
    """`qps` and `qpm` hold for all calls of a token, `task_qps` for report tasks beside them.

    `in_flight` calls at most are under way at once, enough for answers that take two seconds; after
    `throttles` in a row nobody calls for `pause_s`.
    """

    qps: float = 8.0
    qpm: int = 480
    task_qps: float = 1.0
    in_flight: int = 16
    throttles: int = 3
    pause_s: float = 300.0

    def __post_init__(self) -> None:
        if not (self.qps > 0 and self.qpm > 0 and self.task_qps > 0):
            raise ValueError("a rate has to be more than 0")
        if not (self.in_flight > 0 and self.throttles > 0 and self.pause_s >= 0):
            raise ValueError("in_flight and throttles have to be more than 0")


class Pace:
    """Moments that keep a rate, one for each that asks, in the order of asking."""

    def __init__(self, per_second: float, per_minute: int | None = None, *, spare: int = 0) -> None:
        self._ceiling = per_second
        self.rate = per_second
        self._spare = spare
        self._next_at = -math.inf
        self._given: deque[float] = deque(maxlen=per_minute)
        self._per_minute = per_minute

    def reserve(self, now: float) -> float:
        gap = 1.0 / self.rate
        at = max(now, self._next_at)
        if self._per_minute and len(self._given) == self._per_minute:
            at = max(at, self._given[0] + _MINUTE_S)
        self._next_at = max(self._next_at, at - self._spare * gap) + gap
        if self._per_minute:
            self._given.append(at)
        return at

    def slower(self) -> None:
        self.rate = max(_LEAST_SHARE * self._ceiling, _CUT * self.rate)

    def faster(self, seconds: float) -> None:
        self.rate = min(self._ceiling, self.rate + _CLIMB * self._ceiling * seconds)


class Budget:
    """The budget of one token."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # One call may follow at once on another that came late.
        self._pace = Pace(limits.qps, limits.qpm, spare=1)
        self._own = {Rate.REPORT_TASK: Pace(limits.task_qps)}
        self._held_until = -math.inf
        self._gate_at = -math.inf
        self._cut_at = -math.inf
        self._proved_at = -math.inf
        self._streak = 0
        self._time_outs: deque[float] = deque(maxlen=_TIME_OUTS)
        self._same: OrderedDict[int, deque[float]] = OrderedDict()

    @property
    def rate(self) -> float:
        """Calls a second that are allowed now."""
        return self._pace.rate

    @property
    def held_until(self) -> float:
        return self._held_until

    def reserve_own(self, rate: Rate, now: float) -> float:
        """The next moment for an endpoint that has a limit of its own; `now` for all others."""
        pace = self._own.get(rate)
        return pace.reserve(max(now, self._held_until)) if pace else now

    def reserve(self, now: float) -> float:
        """The next free moment to call at; it belongs to the caller."""
        return self._pace.reserve(max(now, self._held_until))

    def goes_at(self, now: float) -> float:
        """`now` where a call whose moment has come goes, else when to ask again: those that a busy
        machine held up follow each other a little closer than usual, never several at once."""
        if now >= self._gate_at:
            self._gate_at = now + _CLOSE / self._pace.rate
            return now
        return self._gate_at

    def still_good(self, moment: float) -> bool:
        """False for a moment reserved before a throttle that forbids it: reserve another."""
        return moment >= self._held_until

    def succeeded(self, now: float) -> None:
        """A call was not throttled."""
        self._streak = 0
        self._pace.faster(min(max(0.0, now - self._proved_at), 1.0))
        self._proved_at = now

    def throttled(self, failure: Failure, now: float, *, started_at: float, roll: float) -> None:
        """A call that began at `started_at` was throttled: nobody calls for a while.

        Calls that were under way when the rate was cut say nothing new about the lower rate.
        """
        restricted = failure.meaning.slow or _RESTRICTED in (failure.message or "")
        if started_at > self._cut_at:
            self._streak += 1
            self._pace.slower()
            self._cut_at = now
        elif not restricted:
            return
        if restricted or self._streak >= self._limits.throttles:
            hold_s = max(self._limits.pause_s, failure.retry_after_s or 0.0)
        else:
            hold_s = delay(self._streak, _THROTTLE_BACKOFF, roll, failure.retry_after_s)
        self._held_until = max(self._held_until, now + hold_s)
        self._proved_at = now

    def timed_out(self, fingerprint: int, now: float) -> None:
        """A call took too long; `fingerprint` tells it from others."""
        self._time_outs.append(now)
        if len(self._time_outs) == _TIME_OUTS and now - self._time_outs[0] < _TIME_OUTS_S:
            self._held_until = max(self._held_until, now + _TIME_OUTS_S)
        self._same.setdefault(fingerprint, deque(maxlen=_SAME)).append(now)
        self._same.move_to_end(fingerprint)
        while self._same and next(iter(self._same.values()))[-1] < now - _SAME_S:
            self._same.popitem(last=False)

    def may_ask(self, fingerprint: int, now: float) -> bool:
        """False for a request that has timed out so often that TikTok would block it."""
        times = self._same.get(fingerprint, ())
        return sum(at > now - _SAME_S for at in times) < _SAME


class Budgets:
    """The budget of each token; give the same object to clients that share tokens or an app."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._budgets: OrderedDict[bytes, Budget] = OrderedDict()

    def of(self, token: str) -> Budget:
        key = sha256(token.encode(errors="replace")).digest()
        budget = self._budgets.setdefault(key, Budget(self.limits))
        self._budgets.move_to_end(key)
        if len(self._budgets) > _MOST_TOKENS:
            self._budgets.popitem(last=False)
        return budget
