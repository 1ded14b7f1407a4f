"""May the lane send, and how much at once?

    running ──── two works failed in a row, or TikTok asks for a long break ───▶ backing_off
    any ──────── the token is refused ─────▶ paused_credential ┐ one probe at a time;
    any ──────── a right is missing ───────▶ paused_config     ┘ when it is accepted: running

In any state but `running` one request at a time is allowed, when its time has come. Back in
`running`, two at once, then four, up to the limit. A work that fails alone, while others succeed,
does not stop the lane.

Answers to requests that began before the last change of state are stale: they settle their
entries, but say nothing about the lane now. A slow success from before the token died does not
reopen the lane, and a slow refusal of the old token does not close it again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

#: So many different works must fail in a row before the lane, and not a work, is held at fault.
_WORKS_IN_A_ROW = 2


class LaneState(StrEnum):
    """What a lane does, for `relay_lane_state` and the console."""

    RUNNING = "running"
    BACKING_OFF = "backing_off"
    PAUSED_CREDENTIAL = "paused_credential"
    PAUSED_CONFIG = "paused_config"


PAUSED = frozenset({LaneState.PAUSED_CREDENTIAL, LaneState.PAUSED_CONFIG})


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a lane does not run: what the last answer said."""

    name: str
    code: int | None = None
    status: int | None = None
    message: str | None = None
    error: str | None = None


class Standing(NamedTuple):
    """What those who drive one destination must agree on. Of a lane that runs, `probe_at` and
    `failures` mean nothing and are always the same."""

    state: LaneState
    since: float | None = None
    cause: Cause | None = None
    probe_at: float = -math.inf
    failures: int = 0


class Breaker:
    """The state of one lane. All times are Unix seconds."""

    def __init__(self, *, max_in_flight: int) -> None:
        self._max_in_flight = max_in_flight
        self._failing: set[int] = set()
        self.state = LaneState.RUNNING
        self.since: float | None = None
        self.cause: Cause | None = None
        self.probe_at = float("-inf")
        self.failures = 0
        self.epoch = 0
        self.width = 1
        self._others = 0
        self._asked_at: float | None = None

    @property
    def wants_others(self) -> bool:
        """Should a probe carry entries that have not failed yet? Those that have may be at fault
        themselves. Wanted after 2, 4, 8… failed probes, so that a long outage parks few of them."""
        return self._others < (self.failures >> 1).bit_length()

    def asked_others(self) -> None:
        """A request with fresh entries begins."""
        self._others += 1

    @property
    def running(self) -> bool:
        return self.state is LaneState.RUNNING

    @property
    def standing(self) -> Standing:
        if self.running:
            return Standing(self.state, self.since)
        return Standing(self.state, self.since, self.cause, self.probe_at, self.failures)

    def told(self, standing: Standing) -> None:
        """Another one who drives this destination came to this: what is under way says nothing
        about the lane any more. Who has reason to probe at once has it still: the other one did
        not know."""
        changed = standing.state is not self.state
        self.state, self.since, self.cause, self.probe_at, self.failures = standing
        if self.running:
            self._asked_at = None
        elif self._asked_at is not None:
            self.probe_at = min(self.probe_at, self._asked_at)
        self.epoch += 1
        self._failing.clear()
        if changed:
            self.width = min(self._max_in_flight, 2) if self.running else 1
            self._others = 0

    def allows(self, in_flight: int, current: int) -> bool:
        """May one more request begin (for a probe: at `probe_at`)? `in_flight` counts requests,
        `current` those of this epoch."""
        return in_flight < self._max_in_flight and current < self.width

    def answered(self, epoch: int, now: float) -> bool:
        """TikTok spoke about the events, so way, token and rights are fine. True: running again."""
        if not self._is_now(epoch):
            return False
        self._failing.clear()
        self.failures = 0
        self.width = min(self._max_in_flight, self.width * 2)
        if self.running:
            return False
        self._change(LaneState.RUNNING, None, now)
        self.width = min(self._max_in_flight, 2)
        return True

    def inconclusive(self, epoch: int, now: float, *, wait_s: float) -> None:
        """An answer that is about its own work only: a probe with it has to be repeated."""
        if self._is_now(epoch) and not self.running:
            self.failures += 1
            self.probe_at = now + wait_s

    def failed(self, origin: int, epoch: int, now: float, *, wait_s: float, cause: Cause) -> None:
        """A work got no usable answer, or one that says "later". Parts of one work count as one."""
        if not self._is_now(epoch):
            return
        self._failing.add(origin)
        self.width = max(1, self.width // 2)
        if not self.running or len(self._failing) >= _WORKS_IN_A_ROW:
            self.back_off(epoch, now, wait_s=wait_s, cause=cause)

    def back_off(self, epoch: int, now: float, *, wait_s: float, cause: Cause) -> None:
        """Probe after `wait_s`. A lane that is paused stays so, for the probe proved nothing."""
        if not self._is_now(epoch):
            return
        self.failures += 1
        self.probe_at = now + wait_s
        if self.running:
            self._change(LaneState.BACKING_OFF, cause, now)
        elif self.state is LaneState.BACKING_OFF:
            self.cause = cause

    def pause(
        self, state: LaneState, epoch: int, now: float, *, wait_s: float, cause: Cause
    ) -> None:
        """The token or a right was refused; probe after `wait_s`."""
        if not self._is_now(epoch):
            return
        self.probe_at = now + wait_s
        if self.state is state:
            self.cause = cause
        else:
            self._change(state, cause, now)

    def probe_now(self, now: float) -> None:
        """Something changed (a new token, a person): what is under way says nothing any more."""
        self.epoch += 1
        self._failing.clear()
        self.probe_at = now
        self._asked_at = None if self.running else now

    def _is_now(self, epoch: int) -> bool:
        """Does an answer to a request of this epoch say something about the lane? Then it is also
        the answer to who asked for a probe."""
        if epoch != self.epoch:
            return False
        self._asked_at = None
        return True

    def _change(self, state: LaneState, cause: Cause | None, now: float) -> None:
        self.state = state
        self.since = now
        self.cause = cause
        self.epoch += 1
        self.width = 1
        self._others = 0
        self._failing.clear()
        if state is LaneState.RUNNING or state in PAUSED:
            self.failures = 0
