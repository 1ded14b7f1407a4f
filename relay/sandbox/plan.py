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

What a plan makes of a request is decided in `relay.sandbox.faults`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from statistics import NormalDist
from typing import Annotated, Any, Final, Literal, Self
from zlib import crc32

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

#: Gives the next random number in [0, 1).
Roll = Callable[[], float]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]

_P99: Final = NormalDist().inv_cdf(0.99)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Fault(_Strict):
    """The conditions that every fault has; all must hold.

    `after_s` and `until_s` count from the moment the plan came into force; `skip` lets so many
    requests pass first and `count` ends the fault after so many, of those that fit the rest.
    """

    path: str = "*"
    event_source_ids: tuple[str, ...] | None = None
    probability: Share = 1.0
    after_s: Seconds = 0.0
    until_s: Seconds | None = None
    skip: Annotated[int, Field(ge=0)] = 0
    count: PositiveInt | None = None

    def fits(self, path: str, event_source_id: str | None, age_s: float) -> bool:
        """Is this a request, and a time, that the fault is about?"""
        return (
            self.after_s <= age_s
            and (self.until_s is None or age_s < self.until_s)
            and (self.path == "*" or fnmatchcase(path, self.path))
            and (self.event_source_ids is None or event_source_id in self.event_source_ids)
        )


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
        if self.before_body and (self.received or self.event_source_ids):
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


class EventRule(_Strict):
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


AnyFault = Annotated[
    Latency | Drip | CodeAnswer | HttpAnswer | Reset | Hang | Limit | Poison | Partial | Duplicated,
    Field(discriminator="kind"),
]

#: Faults that end a request otherwise than it would.
Ending = CodeAnswer | HttpAnswer | Reset | Hang | Limit
#: Faults that look at the events of a request.
EventFault = Poison | Partial | Duplicated


class FaultPlan(_Strict):
    """Faults, in the order they are asked."""

    faults: tuple[AnyFault, ...] = ()
