"""What the public listener answers, as types; the OpenAPI document is made of them."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field

# pydantic asks for the backport's TypedDict below Python 3.12, and brings the package itself.
from typing_extensions import TypedDict


class FieldError(TypedDict):
    """One field that was refused; never its value."""

    field: Annotated[str, Field(examples=["event_time"])]
    reason: Annotated[str, Field(examples=["missing"])]


class InvalidEvent(TypedDict):
    """An event that nobody will deliver."""

    index: Annotated[int, Field(ge=0, description="its place in the request, from 0")]
    event_id: str | None
    errors: list[FieldError]


class Accepted(TypedDict):
    """What became of the events of a request that was stored: `accepted`, `duplicates`, `ended`
    and the invalid ones add up to all of them."""

    request_id: Annotated[str, Field(description="`http:<request_id>/<index>` finds an event")]
    accepted: Annotated[int, Field(ge=0, description="on disk, and on their way")]
    duplicates: Annotated[int, Field(ge=0, description="brought before by another request")]
    ended: NotRequired[Annotated[int, Field(ge=1, description="withheld, or expired already")]]
    invalid: list[InvalidEvent]


class Refused(TypedDict):
    """A request of which nothing was kept."""

    error: Annotated[str, Field(description="a word", examples=["not_json"])]
    message: Annotated[str, Field(description="a sentence for a person")]


class FailedEvent(TypedDict):
    """An event that nobody will deliver, as TikTok's envelope lists it."""

    order_in_batch: Annotated[int, Field(ge=0, description="its place in `data`, from 0")]
    event_id: str | None
    errors: list[FieldError]


class Failures(TypedDict, total=False):
    """The invalid events; empty when there are none."""

    failed_events: list[FailedEvent]


class Envelope(TypedDict):
    """TikTok's own form of answer. 0: stored; 20001: stored, but for `failed_events`; 40002: none
    stored; 40001: the key belongs to another event source; 40104, 40105: key missing or wrong;
    50000: cannot be stored now."""

    code: Literal[0, 20001, 40001, 40002, 40104, 40105, 50000]
    message: str
    request_id: str
    data: Failures
