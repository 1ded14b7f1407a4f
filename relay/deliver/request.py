"""Build the body of `POST /open_api/v1.3/event/track/` from bytes that are JSON already."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from relay.model import EventSource


def body(
    event_source: EventSource,
    event_source_id: str,
    bodies: Sequence[bytes],
    *,
    test_event_code: str | None = None,
    partner_name: str | None = None,
) -> bytes:
    """Join the stored bytes of 1 to 1000 events of one destination into a request.

    What the journal holds is sent byte for byte, never parsed again. `event_source_id` is sent as
    a JSON string always; TikTok refuses a number (40002, "not a valid string"). `test_event_code`
    marks the whole request as a test; `partner_name` is for registered partners only.
    """
    envelope = {"event_source": event_source.value, "event_source_id": event_source_id}
    if test_event_code is not None:
        envelope["test_event_code"] = test_event_code
    if partner_name is not None:
        envelope["partner_name"] = partner_name
    # Glued to the first and the last event, so that a megabyte is copied once and not twice.
    parts = list(bodies)
    parts[0] = orjson.dumps(envelope)[:-1] + b',"data":[' + parts[0]
    parts[-1] += b"]}"
    return b",".join(parts)
