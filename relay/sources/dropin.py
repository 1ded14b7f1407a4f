"""The body of TikTok's own endpoint: an existing integration only changes its address.

`{"event_source", "event_source_id", "data": […], "test_event_code"?, "partner_name"?}` (TikTok
docs, Events API 2.0). Its items already have the canonical shape. No kind of source: the door reads
it, holds event source and id against the destination of the caller's key, and answers in TikTok's
words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from relay.errors import PayloadRefused
from relay.sources import fields
from relay.sources.protocol import PayloadReason


@dataclass(frozen=True, slots=True)
class EventTrack:
    """One request as TikTok would get it.

    `event_source` and `event_source_id` are None where TikTok would say "not a valid string";
    `items` are the elements of `data` as they stand, the request's `test_event_code` in each.
    """

    event_source: str | None
    event_source_id: str | None
    items: Sequence[object]


def tiktok_event_track(body: bytes) -> EventTrack:
    """Read a request. Raises `PayloadRefused`: not JSON, not an object, or `data` no list."""
    request = fields.parse_object(body)
    data = request.get("data")
    if not isinstance(data, list):
        raise PayloadRefused(PayloadReason.NO_DATA)
    code = request.get("test_event_code")
    if code is not None and code != "":
        for item in data:
            if isinstance(item, dict):
                item["test_event_code"] = code
    source, source_id = request.get("event_source"), request.get("event_source_id")
    return EventTrack(
        source if isinstance(source, str) else None,
        source_id if isinstance(source_id, str) else None,
        data,
    )
