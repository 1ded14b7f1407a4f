"""What may go wrong, and when: the form of a plan of faults.

A plan is a list of faults, asked in order for every request of an API (never for `/sandbox/…`).
Delays add up; of the faults that end a request otherwise the first that fires wins; `poison`,
`partial` and `duplicated` look at the events of a request that is right in all else.
Each fault fires when all its conditions hold, so faults combine freely:

    {"kind": "latency", "median_s": 0.18, "p99_s": 0.9}
    {"kind": "code", "codes": [50000], "count": 3}                      the first three requests
    {"kind": "http", "status": 502, "after_s": 10, "until_s": 70}       one minute, from second 10
    {"kind": "code", "codes": [40105], "event_source_ids": ["C0…"]}     one pixel only
    {"kind": "poison", "rule": {"share": 0.001}}                        the same events each time
    {"kind": "lost_advertiser", "advertiser_ids": ["71…"], "skip": 3}   from the fourth call on
    {"kind": "truncated_file", "path": "*/report/task/download/"}       see `marketing.faults`

What a plan makes of a request is decided in `relay.sandbox.faults`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fnmatch import fnmatchcase
from statistics import NormalDist
from typing import Annotated, Any, Final, Literal, Self
from zlib import crc32

from pydantic import Field, PositiveInt, model_validator

from relay.sandbox.conditions import Fault, Roll, Seconds, Share, Strict
from relay.sandbox.marketing.faults import (
    ChangedType,
    ClockSkew,
    FailedTask,
    Junk,
    LostAdvertiser,
    PageShift,
    ShortPage,
    StuckTask,
    TruncatedFile,
)

_P99: Final = NormalDist().inv_cdf(0.99)


class Latency(Fault):
    """Answer late: lognormal around `median_s`, or always `median_s` where `p99_s` is not given."""

    kind: Literal["latency"] = "latency"
    median_s: Seconds
    p99_s: Seconds | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.p99_s is not None and not 0 < self.median_s <= self.p99_s:
            raise ValueError("p99_s must not be below median_s, and median_s must be above 0")
        return self

    def draw(self, roll: Roll) -> float:
        if self.p99_s is None:
            return self.median_s
        sigma = math.log(self.p99_s / self.median_s) / _P99
        if sigma == 0:
            return self.median_s
        chance = min(max(roll(), 1e-12), 1 - 1e-12)  # the ends of the interval are infinitely far
        return math.exp(NormalDist(math.log(self.median_s), sigma).inv_cdf(chance))


class Drip(Fault):
    """Send the answer's body byte by byte."""

    kind: Literal["drip"] = "drip"
    seconds_per_byte: Seconds = 0.05


class CodeAnswer(Fault):
    """Answer HTTP 200 with one of `codes`. `received`: the events count all the same."""

    kind: Literal["code"] = "code"
    codes: Annotated[tuple[int, ...], Field(min_length=1)]
    message: str | None = None
    received: bool = False


class HttpAnswer(Fault):
    """Answer without a usable envelope. `truncated` is half of a good answer."""

    kind: Literal["http"] = "http"
    status: Annotated[int, Field(ge=200, le=599)] = 502
    body: Literal["html", "empty", "truncated"] = "html"
    retry_after_s: Annotated[int, Field(ge=0)] | None = None
    received: bool = False


class Reset(Fault):
    """Reset the connection, after the body was read or (`before_body`) as soon as it begins."""

    kind: Literal["reset"] = "reset"
    before_body: bool = False
    received: bool = False

    @model_validator(mode="after")
    def _knowable(self) -> Self:
        if self.before_body and (self.received or self.event_source_ids or self.advertiser_ids):
            raise ValueError("before_body knows nothing of the body: no received, no ids")
        return self


class Hang(Fault):
    """Say nothing, and reset the connection after `seconds`."""

    kind: Literal["hang"] = "hang"
    seconds: Seconds = 3600.0
    received: bool = False


class Limit(Fault):
    """Refuse what comes faster than `per_second`: code 40100, or HTTP 429 with `Retry-After`."""

    kind: Literal["limit"] = "limit"
    per_second: Annotated[float, Field(gt=0)]
    burst: PositiveInt | None = None
    answer: Literal["code", "http"] = "code"
    retry_after_s: Annotated[int, Field(ge=0)] = 1

    @property
    def capacity(self) -> float:
        return float(self.burst or max(1.0, self.per_second))


class EventRule(Strict):
    """Which events are meant; everything given must hold.

    `event` and `event_id` are patterns (`*`, `?`); `field` is a dotted path that must be there,
    and be equal to `equals` where that is given; `share` picks by a checksum of the `event_id`, so
    that an event is picked each time it comes, or never.
    """

    event: str | None = None
    event_id: str | None = None
    field: str | None = None
    equals: Any = None
    share: Share | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set - {"equals"}:
            raise ValueError("give at least one of event, event_id, field, share")
        return self

    def matches(self, event: Mapping[str, Any]) -> bool:
        event_id = str(event.get("event_id", ""))
        return (
            (self.event is None or fnmatchcase(str(event.get("event")), self.event))
            and (self.event_id is None or fnmatchcase(event_id, self.event_id))
            and (self.share is None or crc32(event_id.encode()) < self.share * 2**32)
            and (self.field is None or self._field_fits(event, self.field))
        )

    def _field_fits(self, event: Mapping[str, Any], path: str) -> bool:
        value: Any = event
        for step in path.split("."):
            if isinstance(value, list) and step.isdigit() and int(step) < len(value):
                value = value[int(step)]
            elif isinstance(value, dict) and step in value:
                value = value[step]
            else:
                return False
        return "equals" not in self.model_fields_set or bool(value == self.equals)


class Poison(Fault):
    """Refuse a whole request for one event. `names_index` None: as the sandbox is set."""

    kind: Literal["poison"] = "poison"
    rule: EventRule
    code: int = 40002
    message: str = "Invalid value"
    names_index: bool | None = None


class Partial(Fault):
    """Answer 20001 and list the matching events in `failed_events`; the others count."""

    kind: Literal["partial"] = "partial"
    rule: EventRule


class Duplicated(Fault):
    """Answer 40050 to a request that brings nothing new."""

    kind: Literal["duplicated"] = "duplicated"


_OfCalls = Latency | Drip | CodeAnswer | HttpAnswer | Reset | Hang | Limit | Junk | ClockSkew
_OfReads = LostAdvertiser | PageShift | ShortPage | ChangedType | TruncatedFile
AnyFault = Annotated[
    _OfCalls | Poison | Partial | Duplicated | _OfReads | StuckTask | FailedTask,
    Field(discriminator="kind"),
]

#: Faults that end a request otherwise than it would.
Ending = CodeAnswer | HttpAnswer | Reset | Hang | Limit | Junk | LostAdvertiser
#: Faults that look at the events of a request.
EventFault = Poison | Partial | Duplicated


class FaultPlan(Strict):
    """Faults, in the order they are asked."""

    faults: tuple[AnyFault, ...] = ()
