"""What a message of a journal topic consists of, as types; the AsyncAPI document is made of them.

`relay.journal.distributed.message` writes these as plain dicts, because that is quick; tests hold
what it writes, and what a broker then has, against them.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, StringConstraints

# pydantic asks for the backport's TypedDict below Python 3.12, and brings the package itself.
from typing_extensions import TypedDict

from relay.model import MatchKey, Outcome, Reason

_CLOSED: Final = ConfigDict(extra="forbid")

_MATCH_KEYS: Final = ", ".join(f"{each.value} {each.name.lower()}" for each in MatchKey)

Receipt = Annotated[
    str,
    StringConstraints(pattern=r"^(http|kafka|import|replay):.+"),
    Field(description="names the arrival; `relay find` takes it"),
]
At = Annotated[float, Field(gt=0, description="when it was accepted, Unix seconds")]
Source = Annotated[str, Field(description="the source that brought it")]
EventTime = Annotated[int, Field(description="when it happened, Unix seconds")]
Prints = Annotated[
    list[Annotated[int, Field(ge=0, lt=2**32)]],
    Field(description="CRC-32 of each id and digest that it can be found by"),
]


class EventHead(TypedDict):
    """What stands beside an event, in the header `relay`."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # pydantic's documented way for a TypedDict

    v: Annotated[Literal[1], Field(description="the version of this form")]
    kind: Literal["event"]
    at: At
    receipt: Receipt
    source: Source
    event: Annotated[str, Field(description="as in the event")]
    event_id: Annotated[str, Field(description="as in the event")]
    event_time: EventTime
    order_id: str | None
    test_event_code: Annotated[str | None, Field(description="of a test, which counts nowhere")]
    value: Annotated[
        Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?$")] | None,
        Field(description="as in the event, exactly: a decimal number"),
    ]
    currency: str | None
    match_keys: Annotated[
        int, Field(ge=0, description=f"what TikTok can match by, summed up: {_MATCH_KEYS}")
    ]
    prints: Prints


class RefusalHead(TypedDict):
    """What stands beside a refusal, in the header `relay`."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # as above

    v: Annotated[Literal[1], Field(description="the version of this form")]
    kind: Literal["refusal"]
    at: At
    receipt: Receipt
    source: Source
    outcome: Literal[Outcome.INVALID, Outcome.EXPIRED, Outcome.WITHHELD]
    reason: Reason
    prints: Prints


class Refusal(TypedDict):
    """A conversion that ended at the door; what could not be read of it is null."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # as above

    event: str | None
    event_id: str | None
    order_id: str | None
    event_time: EventTime | None
    errors: Annotated[
        list[Annotated[list[str], Field(min_length=2, max_length=2)]],
        Field(description="a field and what is wrong with it, never its value"),
    ]
