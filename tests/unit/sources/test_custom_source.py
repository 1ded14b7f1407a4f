"""Custom sources: another platform's payload by configuration, and the bounds of a message."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relay.errors import PayloadRefused
from relay.sources.protocol import Conversions, Ignored, IgnoredReason

STANDARD_WEBHOOK = {
    "when": "type == 'order.completed'",
    "event": "'Purchase'",
    "event_id": "data.order_id",
    "event_time": "unix_time(timestamp)",
    "user": {
        "email": "data.customer.email",
        "phone": "data.customer.phone",
        "external_id": "data.customer.id",
        "ip": "data.client.ip",
        "user_agent": "data.client.user_agent",
        "ttclid": "data.client.ttclid",
        "ttp": "data.client.ttp",
    },
    "properties": {
        "value": "to_number(data.total)",
        "currency": "data.currency",
        "order_id": "data.order_id",
        "content_type": "'product'",
        "contents": {
            "for_each": "data.line_items",
            "content_id": "sku",
            "content_name": "name",
            "quantity": "quantity",
            "price": "to_number(unit_price)",
        },
    },
    "page": {"url": "data.client.landing_page"},
}


def test_a_standard_webhook_becomes_the_expected_event_by_a_mapping_alone(
    vectors: Any, expected: Any, make: Any, read: Any
) -> None:
    body = next(v.body for v in vectors("standard_webhooks") if b"order.completed" in v.body)

    reading = read(make("custom", mapping=STANDARD_WEBHOOK), body)

    assert isinstance(reading, Conversions)
    assert reading.items == [expected["standard_webhooks/order.completed.json"]["event"]]


def test_a_message_that_is_not_meant_is_ignored(make: Any, read: Any) -> None:
    reading = read(make("custom", mapping=STANDARD_WEBHOOK), {"type": "order.opened"})

    assert reading == Ignored(IgnoredReason.CONDITION)


def test_a_mapping_can_be_given_as_json_text(make: Any, read: Any) -> None:
    source = make("custom", mapping=json.dumps({"event": "name"}))

    assert read(source, {"name": "Lead"}) == Conversions([{"event": "Lead"}])


def test_a_body_beyond_the_limit_is_refused(make: Any, read: Any) -> None:
    source = make("custom", mapping={"event": "'Lead'"}, max_bytes="1kB")

    assert isinstance(read(source, b"{" + b" " * 998 + b"}"), Conversions)
    with pytest.raises(PayloadRefused, match="too_large"):
        read(source, b"[" + b" " * 999 + b"]")


@pytest.mark.parametrize(
    ("body", "reason"), [(b"{", "not_json"), (b"5", "not_an_object"), (b'"a"', "not_an_object")]
)
def test_what_is_neither_object_nor_list_is_refused(
    body: bytes, reason: str, make: Any, read: Any
) -> None:
    with pytest.raises(PayloadRefused, match=reason):
        read(make("custom", mapping={"event": "'Lead'"}), body)


def test_a_custom_source_has_no_unsigned_ping(make: Any) -> None:
    assert not make("custom", mapping={"event": "'Lead'"}).is_ping(b"webhook_id=7", {})
