"""What the door needs from the house behind it, and the values that come back.

`http.py` knows HTTP: routes, limits, keys, status codes. What an event is, who signed it and
whether it is durable is the pipeline's knowledge; it implements `Door`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from relay.model import FieldIssue
from relay.traces import Visit

#: Header names in lower case, values as received.
Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class InvalidItem:
    """An event of the request that nobody will deliver: `index` counts from 0 in the request."""

    index: int
    event_id: str | None
    errors: Sequence[FieldIssue]


class Taken(NamedTuple):
    """The request is durable. `accepted` counts its events that wait for delivery (or were known
    by the same receipt), `duplicates` those that another receipt brought before, `ended` those
    that were withheld or expired at once; the rest is `invalid`."""

    request_id: str
    total: int
    accepted: int
    duplicates: int = 0
    ended: int = 0
    invalid: Sequence[InvalidItem] = ()


@dataclass(frozen=True, slots=True)
class Nothing:
    """Verified, understood, and nothing to store: a ping, an unmapped topic. Answer 200."""

    reason: str


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A drop-in request that names another event source than its key belongs to."""

    field: str
    reason: str = "does not match the destination of this key"


class Door(Protocol):
    """What stands behind the public listener.

    All three raise `PayloadRefused` for a body that is not what its route takes (400; its reason
    `too_many` or `too_large` is 413) and `JournalUnavailable` (with its subclass `JournalFull`)
    when it cannot be stored (503). `visit` is told how it goes, where traces are on.
    """

    async def conversions(self, source: str, body: bytes, visit: Visit | None = None) -> Taken:
        """`POST /v1/events`: one conversion or an array, from the source that the key names."""
        ...

    async def event_track(
        self, source: str, body: bytes, visit: Visit | None = None
    ) -> Taken | Mismatch:
        """`POST /open_api/v1.3/event/track/`: TikTok's own request."""
        ...

    async def webhook(
        self, source: str, body: bytes, headers: Headers, visit: Visit | None = None
    ) -> Taken | Nothing:
        """`POST /webhooks/{source}`. Raises `SignatureRefused` (401) and `UnknownSource` (404)."""
        ...
