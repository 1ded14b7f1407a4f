"""Messages of the journal's topics, for the AsyncAPI document: what stands in them, as types.

`relay.journal.distributed.message` writes these as plain dicts, because that is quick; tests hold
what it writes, and what a broker then has, against them.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter

# pydantic asks for the backport's TypedDict below Python 3.12, and brings the package itself.
from typing_extensions import TypedDict

from relay.journal.chunk import CLAIM_BYTES
from relay.journal.distributed.message import HEADER
from relay.model import MatchKey, Outcome, Reason

Schema = dict[str, Any]

_CLOSED: Final = ConfigDict(extra="forbid")
_EVENT: Final = "event.schema.json"
_MATCH_KEYS: Final = ", ".join(f"{each.value} {(each.name or '').lower()}" for each in MatchKey)

Receipt = Annotated[
    str,
    StringConstraints(pattern=r"^(http|kafka|import|replay):.+"),
    Field(description="names the arrival; `relay find` takes it"),
]
At = Annotated[float, Field(gt=0, description="when it was accepted, Unix seconds")]
Source = Annotated[str, Field(description="the source that brought it")]
EventTime = Annotated[int, Field(description="when it happened, Unix seconds")]
Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?$")]
Prints = Annotated[
    list[Annotated[int, Field(ge=0, lt=2**32)]],
    Field(description="CRC-32 of each id and digest that it can be found by"),
]
Issues = Annotated[
    list[Annotated[list[str], Field(min_length=2, max_length=2)]],
    Field(description="a field and what is wrong with it, never its value"),
]


class Moved(TypedDict):
    """Of an event that waited in another journal, see `relay journal import`."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # pydantic's documented way for a TypedDict

    place: Annotated[int, Field(ge=0, description="where its story there is told")]
    unknown_since: Annotated[
        float | None, Field(description="since when TikTok may have it, Unix seconds")
    ]


class EventHead(TypedDict):
    """What stands beside an event, in the header `relay`."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # pydantic's documented way for a TypedDict

    v: Annotated[
        Literal[1, 2], Field(description="the version of this form; 2: it came from elsewhere")
    ]
    kind: Literal["event"]
    at: At
    receipt: Receipt
    source: Source
    event: Annotated[str, Field(description="as in the event")]
    event_id: Annotated[str, Field(description="as in the event")]
    event_time: EventTime
    order_id: str | None
    test_event_code: Annotated[str | None, Field(description="of a test, which counts nowhere")]
    value: Annotated[Amount | None, Field(description="as in the event, to the last digit")]
    currency: str | None
    match_keys: Annotated[
        int, Field(ge=0, description=f"what TikTok can match by, summed up: {_MATCH_KEYS}")
    ]
    prints: Prints
    issues: NotRequired[Issues]
    moved: NotRequired[Moved]


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
    errors: Issues


def messages() -> dict[str, Schema]:
    """By name: an arrival is one or the other."""
    return {
        "event": {
            "title": "An event that waits",
            "summary": "The value is what TikTok gets in `data[]`, byte for byte.",
            "headers": _headers(EventHead),
            "payload": _ref("Event"),
            "bindings": _keyed("a digest of event name and id: equal for repeats"),
        },
        "refusal": {
            "title": "A conversion that ended at the door",
            "summary": "Kept so that it can be found; nothing is delivered.",
            "headers": _headers(RefusalHead),
            "payload": _ref(Refusal.__name__),
            "bindings": _keyed("a digest of the receipt"),
        },
    }


def schemas() -> dict[str, Schema]:
    """What the messages refer to. Which event it is depends on the destination's event source."""
    kinds = ("WebEvent", "AppEvent", "OfflineEvent", "CrmEvent")
    return {
        "Event": {"anyOf": [{"$ref": f"{_EVENT}#/$defs/{kind}"} for kind in kinds]},
        **{each.__name__: _typed(each) for each in (EventHead, Refusal, RefusalHead)},
    }


def _typed(kind: type) -> Schema:
    """The schema of a type, with what it refers to inside it."""
    template = f"#/components/schemas/{kind.__name__}/$defs/{{model}}"
    return TypeAdapter(kind).json_schema(ref_template=template)


def _headers(head: type) -> Schema:
    text = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": _ref(head.__name__),
    }
    return {"type": "object", "required": [HEADER], "properties": {HEADER: text}}


def _keyed(what: str) -> Schema:
    key = {
        "type": "string",
        "contentEncoding": "binary",
        "minLength": CLAIM_BYTES,
        "maxLength": CLAIM_BYTES,
        "description": f"{CLAIM_BYTES} bytes: {what}",
    }
    return {"kafka": {"key": key, "bindingVersion": "0.5.0"}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
