"""What a plan of faults makes of one request. Pure: time and chance are arguments.

`Faults` keeps what conditions need to be remembered: how often each fault was met and fired, and
how full the buckets of the limits are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from relay.sandbox.conditions import Roll, Seen
from relay.sandbox.marketing.faults import (
    ClockSkew,
    Fate,
    LostAdvertiser,
    PageShift,
    Spoiling,
)
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
)

Events = Sequence[Mapping[str, Any]]

_LATER: Final = EventFault | Spoiling | Fate | PageShift


class Decision(NamedTuple):
    """What becomes of a request: seconds to wait, seconds per byte, and how it ends otherwise.

    `code` is set when `ending` is a `CodeAnswer`; `skew_s` is how far TikTok's clock is ahead.
    """

    delay_s: float = 0.0
    drip_s: float = 0.0
    ending: Ending | None = None
    code: int = 0
    skew_s: float = 0.0

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
        self._hidden: dict[int, int] = {}
        self._buckets: dict[int, tuple[float, float]] = {}
        self.spoils = any(isinstance(fault, Spoiling) for fault in plan.faults)
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
        delay = drip = skew = 0.0
        ending: Ending | None = None
        for index, fault in enumerate(self.plan.faults):
            if _is_for_later(fault, seen, ending) or not self._fires(
                index, fault, seen, now=now, roll=roll
            ):
                continue
            if isinstance(fault, Latency):
                delay += fault.draw(roll)
            elif isinstance(fault, Drip):
                drip = fault.seconds_per_byte
            elif isinstance(fault, ClockSkew):
                skew += fault.seconds
            elif isinstance(fault, Ending):
                ending = fault
        return Decision(delay, drip, ending, _draw_code(ending, roll), skew)

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

    def spoiling(
        self, seen: Seen, fits: Callable[[Spoiling], bool], *, now: float, roll: Roll
    ) -> list[Spoiling]:
        """The faults that spoil a good answer, in order; `fits` says which have something to do."""
        return [
            fault
            for index, fault in enumerate(self.plan.faults)
            if isinstance(fault, Spoiling)
            and fits(fault)
            and self._fires(index, fault, seen, now=now, roll=roll)
        ]

    def fate(self, seen: Seen, *, now: float, roll: Roll) -> Fate | None:
        """How a task that is created now ends, if not well."""
        for index, fault in enumerate(self.plan.faults):
            if isinstance(fault, Fate) and self._fires(index, fault, seen, now=now, roll=roll):
                return fault
        return None

    def hidden_rows(self, seen: Seen, page: int, *, now: float, roll: Roll) -> int:
        """How many of the newest rows of a list of several pages this page does not know yet."""
        for index, fault in enumerate(self.plan.faults):
            if not isinstance(fault, PageShift) or not fault.fits(seen, now - self._since):
                continue
            if page == 1:
                over = fault.count is not None and self._fired[index] >= fault.count
                self._hidden[index] = 0 if over or self._met[index] < fault.skip else fault.rows
                self._met[index] += self._met[index] < fault.skip
            elif page == 2 and self._hidden.get(index) and self._fires_shift(index, fault, roll):
                self._hidden[index] = 0
            return self._hidden.get(index, 0)
        return 0

    def _fires_shift(self, index: int, fault: PageShift, roll: Roll) -> bool:
        fires = fault.probability == 1.0 or roll() < fault.probability
        if fires:
            self._fired[index] += 1
            self.fired[fault.kind] += 1
        return fires

    def _fires(self, index: int, fault: AnyFault, seen: Seen, *, now: float, roll: Roll) -> bool:
        if not fault.fits(seen, now - self._since):
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


def _is_for_later(fault: AnyFault, seen: Seen, ending: Ending | None) -> bool:
    """Faults of events, of answers, and of what comes before the body have turns of their own."""
    if isinstance(fault, Reset) and fault.before_body:
        return True
    if isinstance(fault, LostAdvertiser) and not seen.advertiser_ids:
        return True
    return isinstance(fault, _LATER) or (isinstance(fault, Ending) and ending is not None)


def _draw_code(ending: Ending | None, roll: Roll) -> int:
    if not isinstance(ending, CodeAnswer):
        return 0
    codes = ending.codes
    return codes[int(roll() * len(codes))] if len(codes) > 1 else codes[0]
