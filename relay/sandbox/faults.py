"""What a plan of faults makes of one request. Pure: time and chance are arguments.

`Faults` keeps what conditions need to be remembered: how often each fault was met and fired, and
how full the buckets of the limits are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from relay.sandbox.plan import (
    AnyFault,
    CodeAnswer,
    Drip,
    Duplicated,
    Ending,
    EventFault,
    FaultPlan,
    Latency,
    Limit,
    Partial,
    Poison,
    Reset,
    Roll,
)

Events = Sequence[Mapping[str, Any]]


class Seen(NamedTuple):
    """What a condition may ask of a request: its path, and whose events it brings."""

    path: str
    event_source_id: str | None


class Decision(NamedTuple):
    """What becomes of a request: seconds to wait, seconds per byte, and how it ends otherwise.

    `code` is set when `ending` is a `CodeAnswer`.
    """

    delay_s: float = 0.0
    drip_s: float = 0.0
    ending: Ending | None = None
    code: int = 0

    @property
    def received(self) -> bool:
        """Do its events count? They do unless the ending says no."""
        return self.ending is None or (not isinstance(self.ending, Limit) and self.ending.received)


class Faults:
    """A plan in force since `now` (seconds)."""

    def __init__(self, plan: FaultPlan, *, now: float) -> None:
        self.plan = plan
        self.fired: Counter[str] = Counter()
        self._since = now
        self._met = [0] * len(plan.faults)
        self._fired = [0] * len(plan.faults)
        self._buckets: dict[int, tuple[float, float]] = {}
        self._about_events = any(isinstance(fault, EventFault) for fault in plan.faults)

    def before_body(self, path: str, *, now: float, roll: Roll) -> bool:
        """Must the connection be reset before the body is read?"""
        seen = Seen(path, None)
        return any(
            isinstance(fault, Reset)
            and fault.before_body
            and self._fires(index, fault, seen, now=now, roll=roll)
            for index, fault in enumerate(self.plan.faults)
        )

    def decide(self, seen: Seen, *, now: float, roll: Roll) -> Decision:
        """What becomes of this request, whatever its events are."""
        delay = drip = 0.0
        ending: Ending | None = None
        for index, fault in enumerate(self.plan.faults):
            if _is_for_later(fault, ending) or not self._fires(
                index, fault, seen, now=now, roll=roll
            ):
                continue
            if isinstance(fault, Latency):
                delay += fault.draw(roll)
            elif isinstance(fault, Drip):
                drip = fault.seconds_per_byte
            elif isinstance(fault, Ending):
                ending = fault
        return Decision(delay, drip, ending, _draw_code(ending, roll))

    def poisoned(
        self, seen: Seen, events: Events, *, now: float, roll: Roll
    ) -> tuple[Poison, int] | None:
        """The fault that refuses this request, and the index of the event it is for."""
        for index, fault in enumerate(self.plan.faults) if self._about_events else ():
            if not isinstance(fault, Poison):
                continue
            at = next((i for i, event in enumerate(events) if fault.rule.matches(event)), None)
            if at is not None and self._fires(index, fault, seen, now=now, roll=roll):
                return fault, at
        return None

    def failed(self, seen: Seen, events: Events, *, now: float, roll: Roll) -> list[int]:
        """The indexes of the events that fail alone, in order."""
        failed: set[int] = set()
        for index, fault in enumerate(self.plan.faults) if self._about_events else ():
            if not isinstance(fault, Partial):
                continue
            matching = [i for i, event in enumerate(events) if fault.rule.matches(event)]
            if matching and self._fires(index, fault, seen, now=now, roll=roll):
                failed.update(matching)
        return sorted(failed)

    def answers_repeats(self, seen: Seen, *, now: float, roll: Roll) -> bool:
        """Is a request that brings nothing new answered 40050?"""
        return self._about_events and any(
            isinstance(fault, Duplicated) and self._fires(index, fault, seen, now=now, roll=roll)
            for index, fault in enumerate(self.plan.faults)
        )

    def _fires(self, index: int, fault: AnyFault, seen: Seen, *, now: float, roll: Roll) -> bool:
        if not fault.fits(seen.path, seen.event_source_id, now - self._since):
            return False
        self._met[index] += 1
        fires = (
            self._met[index] > fault.skip
            and (fault.count is None or self._fired[index] < fault.count)
            and (fault.probability == 1.0 or roll() < fault.probability)
            and (not isinstance(fault, Limit) or self._is_over(index, fault, now))
        )
        if fires:
            self._fired[index] += 1
            self.fired[fault.kind] += 1
        return fires

    def _is_over(self, index: int, limit: Limit, now: float) -> bool:
        tokens, at = self._buckets.get(index, (limit.capacity, now))
        tokens = min(limit.capacity, tokens + (now - at) * limit.per_second)
        over = tokens < 1
        self._buckets[index] = (tokens if over else tokens - 1, now)
        return over


def _is_for_later(fault: AnyFault, ending: Ending | None) -> bool:
    """Faults of events and of what comes before the body have a turn of their own."""
    if isinstance(fault, Reset) and fault.before_body:
        return True
    return isinstance(fault, EventFault) or (isinstance(fault, Ending) and ending is not None)


def _draw_code(ending: Ending | None, roll: Roll) -> int:
    if not isinstance(ending, CodeAnswer):
        return 0
    codes = ending.codes
    return codes[int(roll() * len(codes))] if len(codes) > 1 else codes[0]
