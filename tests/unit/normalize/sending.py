"""What the tests of normalizing share: a moment, and normalizers made in one line."""

from __future__ import annotations

from typing import Any

import orjson

from relay.model import Event, EventSource, Refusal
from relay.normalize.event import Normalizer
from relay.normalize.policy import Policy

#: 2026-05-28 20:26:40 UTC, and a quarter of an hour later.
HAPPENED = 1_780_000_000
NOW = 1_780_000_900.0

Sent = dict[str, Any]


class Sending:
    """Normalizes with one policy; what is asked of it is what went on the wire."""

    def __init__(self, source: EventSource = EventSource.WEB, **options: Any) -> None:
        self.source = source
        self.normalize = Normalizer(Policy("shop", source, **options))

    def result(self, conversion: object, now: float = NOW) -> Event | Refusal:
        return self.normalize(conversion, now=now)

    def event(self, **fields: object) -> Event:
        result = self.result(a_conversion(self.source, **fields))
        assert isinstance(result, Event), result
        return result

    def refusal(self, **fields: object) -> Refusal:
        result = self.result(a_conversion(self.source, **fields))
        assert isinstance(result, Refusal), result
        return result

    def wire(self, **fields: object) -> Sent:
        sent: Sent = orjson.loads(self.event(**fields).wire)
        return sent

    def user(self, **user: object) -> Sent:
        """What was sent of this `user`."""
        sent: Sent = self.wire(user=user).get("user", {})
        return sent

    def properties(self, **properties: object) -> Sent:
        """What was sent of these `properties`."""
        sent: Sent = self.wire(properties=properties).get("properties", {})
        return sent

    def flaws(self, **fields: object) -> dict[str, str]:
        """Why fields were dropped or changed, by path."""
        return {issue.field: issue.reason for issue in self.event(**fields).issues}


#: What each source needs.
NEEDED: dict[EventSource, dict[str, object]] = {
    EventSource.WEB: {"page": {"url": "https://shop.example/thanks"}},
    EventSource.APP: {"app": {"app_id": "343200656"}},
    EventSource.OFFLINE: {"user": {"email": "ada@example.com"}},
    EventSource.CRM: {"lead": {"lead_id": "7400000000000000001"}},
}


def a_conversion(source: EventSource = EventSource.WEB, **fields: object) -> dict[str, object]:
    """A conversion with all that this source needs, and these fields."""
    head = {"event": "Purchase", "event_time": HAPPENED, "event_id": "order-1"}
    return {**head, **NEEDED[source], **fields}
